//! Bytes that wait to be written: small ones gathered, large ones kept as they came.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// From this size on, bytes that are shared are kept rather than copied.
pub(crate) const SHARE_FROM: usize = 16 * 1024;
/// A buffer that has grown beyond this is given back once it is empty.
const KEEP_CAPACITY: usize = 64 * 1024;
/// Slices given to one vectored write.
const SLICES: usize = 16;

/// A queue of bytes: appended at the end, written from the start.
#[derive(Debug, Default)]
pub(crate) struct WriteQueue {
    /// Before `tail`.
    segments: VecDeque<Bytes>,
    segment_bytes: usize,
    tail: BytesMut,
}

impl WriteQueue {
    pub(crate) fn len(&self) -> usize {
        self.segment_bytes + self.tail.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tail.is_empty() && self.segments.is_empty()
    }

    /// Appends a copy of `bytes`.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    /// Appends `bytes` without a copy.
    pub(crate) fn put_shared(&mut self, bytes: Bytes) {
        if bytes.len() < SHARE_FROM {
            return self.put(&bytes);
        }
        if !self.tail.is_empty() {
            let gathered = std::mem::take(&mut self.tail).freeze();
            self.push_segment(gathered);
        }
        self.push_segment(bytes);
    }

    fn push_segment(&mut self, segment: Bytes) {
        self.segment_bytes += segment.len();
        self.segments.push_back(segment);
    }

    /// The bytes at the start, when they lie in one piece: the usual case, for a plain write.
    #[inline]
    pub(crate) fn only_piece(&self) -> Option<&[u8]> {
        self.segments.is_empty().then_some(&self.tail[..])
    }

    /// Fills `slices` with the bytes at the start, for a vectored write. Returns how many were filled.
    pub(crate) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; SLICES]) -> usize {
        let mut filled = 0;
        let tail = std::iter::once(&self.tail[..]).filter(|tail| !tail.is_empty());
        for (slot, piece) in slices
            .iter_mut()
            .zip(self.segments.iter().map(|part| &part[..]).chain(tail))
        {
            *slot = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    /// Forgets the first `count` bytes, which are written.
    #[inline]
    pub(crate) fn advance(&mut self, mut count: usize) {
        while let Some(front) = self.segments.front_mut() {
            let step = count.min(front.len());
            front.advance(step);
            self.segment_bytes -= step;
            count -= step;
            if !front.is_empty() {
                return;
            }
            self.segments.pop_front();
        }
        if count == self.tail.len() {
            self.tail.clear();
            if self.tail.capacity() > KEEP_CAPACITY {
                self.tail = BytesMut::new();
            }
        } else {
            self.tail.advance(count);
        }
    }

    /// Forgets the bytes from `from` to `to`, counted from the start.
    pub(crate) fn cut(&mut self, from: usize, to: usize) {
        if from >= to {
            return;
        }
        let mut kept = Self::default();
        let mut at = 0;
        let tail = std::mem::take(&mut self.tail).freeze();
        for piece in std::mem::take(&mut self.segments).into_iter().chain([tail]) {
            let before = piece.len().min(from.saturating_sub(at));
            let after = piece.len().min(to.saturating_sub(at));
            for part in [piece.slice(..before), piece.slice(after..)] {
                if !part.is_empty() {
                    kept.put_shared(part);
                }
            }
            at += piece.len();
        }
        *self = kept;
    }
}

/// Empty slices to be filled by [`WriteQueue::slices`].
pub(crate) fn no_slices<'a>() -> [IoSlice<'a>; SLICES] {
    [IoSlice::new(&[]); SLICES]
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::{SHARE_FROM, WriteQueue, no_slices};

    fn contents(queue: &mut WriteQueue) -> Vec<u8> {
        let mut all = Vec::new();
        while !queue.is_empty() {
            let mut slices = no_slices();
            let filled = queue.slices(&mut slices);
            let piece: Vec<u8> = slices[..filled]
                .iter()
                .flat_map(|slice| slice.to_vec())
                .collect();
            assert!(!piece.is_empty(), "a queue that is not empty has bytes");
            // A part of the offered bytes is taken.
            let taken = piece.len().div_ceil(2);
            all.extend_from_slice(&piece[..taken]);
            queue.advance(taken);
        }
        assert_eq!(queue.len(), 0);
        all
    }

    proptest! {
        #[test]
        fn bytes_keep_their_order(parts in prop::collection::vec((any::<u8>(), 0..40_usize, any::<bool>()), 0..30)) {
            let mut queue = WriteQueue::default();
            let mut expected = Vec::new();
            for (byte, len, large) in parts {
                let bytes = vec![byte; if large { len + SHARE_FROM } else { len }];
                expected.extend_from_slice(&bytes);
                if large { queue.put_shared(Bytes::from(bytes)) } else { queue.put(&bytes) }
                prop_assert_eq!(queue.len(), expected.len());
            }
            prop_assert!(contents(&mut queue) == expected);
        }

        #[test]
        fn cut_bytes_are_gone(parts in prop::collection::vec((any::<u8>(), 1..40_usize, any::<bool>()), 1..10),
                               cuts in any::<[prop::sample::Index; 2]>()) {
            let mut queue = WriteQueue::default();
            let mut expected = Vec::new();
            for (byte, len, large) in parts {
                let bytes = vec![byte; if large { len + SHARE_FROM } else { len }];
                expected.extend_from_slice(&bytes);
                if large { queue.put_shared(Bytes::from(bytes)) } else { queue.put(&bytes) }
            }
            let mut cuts = cuts.map(|cut| cut.index(expected.len() + 1));
            cuts.sort_unstable();
            queue.cut(cuts[0], cuts[1]);
            expected.drain(cuts[0]..cuts[1]);
            prop_assert_eq!(queue.len(), expected.len());
            prop_assert!(contents(&mut queue) == expected);
        }
    }
}
