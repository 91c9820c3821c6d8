//! From the parts' replies to the reply.
//!
//! Pure. An error of any part is the reply: the first in the order of the parts, as the node or the proxy wrote it.

use bytes::Bytes;

use crate::command::Join;
use crate::resp::{elements, integer, put_array, put_error, put_integer, put_simple};

/// The parts' replies that have arrived, and what becomes of them.
#[derive(Debug)]
pub(crate) struct Joining {
    how: Join,
    part_of_key: Vec<u16>,
    replies: Vec<Bytes>,
    left: usize,
}

impl Joining {
    /// Waits for `parts` replies. `part_of_key` tells for each key which part answers for it; only
    /// [`Join::InKeyOrder`] looks at it.
    pub(crate) fn new(how: Join, parts: usize, part_of_key: Vec<u16>) -> Self {
        Self {
            how,
            part_of_key,
            replies: vec![Bytes::new(); parts],
            left: parts,
        }
    }

    /// Takes the reply of one part; each part answers once. True when it was the last.
    pub(crate) fn take(&mut self, part: u16, reply: Bytes) -> bool {
        if let Some(place) = self.replies.get_mut(usize::from(part)) {
            *place = reply;
            self.left = self.left.saturating_sub(1);
        }
        self.left == 0
    }

    /// Bytes held until the last part arrives.
    pub(crate) fn held_bytes(&self) -> usize {
        self.replies.iter().map(Bytes::len).sum()
    }

    /// The one reply of all parts.
    pub(crate) fn reply(&self) -> Vec<u8> {
        if let Some(error) = self
            .replies
            .iter()
            .find(|reply| reply.first() == Some(&b'-'))
        {
            return error.to_vec();
        }
        self.joined().unwrap_or_else(|| {
            let mut out = Vec::new();
            put_error(&mut out, b"ERR the nodes' replies do not fit together");
            out
        })
    }

    fn joined(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match self.how {
            Join::Sum => {
                let sum = self
                    .replies
                    .iter()
                    .try_fold(0_i64, |sum, reply| sum.checked_add(integer(reply)?))?;
                put_integer(&mut out, sum);
            }
            Join::AllOk => {
                if !self.replies.iter().all(|reply| &reply[..] == b"+OK\r\n") {
                    return None;
                }
                put_simple(&mut out, "OK");
            }
            Join::Concat => {
                let parts = self
                    .replies
                    .iter()
                    .map(|reply| elements(reply))
                    .collect::<Option<Vec<_>>>()?;
                put_array(&mut out, parts.iter().map(|(len, _)| len).sum());
                for (_, walk) in parts {
                    walk.for_each(|element| out.extend_from_slice(element));
                }
            }
            Join::InKeyOrder => {
                let (lens, mut walks): (Vec<usize>, Vec<_>) = self
                    .replies
                    .iter()
                    .map(|reply| elements(reply))
                    .collect::<Option<Vec<_>>>()?
                    .into_iter()
                    .unzip();
                if lens.iter().sum::<usize>() != self.part_of_key.len() {
                    return None;
                }
                out.reserve(self.held_bytes() + 16);
                put_array(&mut out, self.part_of_key.len());
                for part in &self.part_of_key {
                    out.extend_from_slice(walks.get_mut(usize::from(*part))?.next()?);
                }
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::Joining;
    use crate::command::{Join, find};
    use crate::placement::NodeId;
    use crate::resp::{Args, put_array, put_bulk, request};
    use crate::split::Split;

    #[track_caller]
    fn check(how: Join, part_of_key: &[u16], replies: &[&str], expected: &str) {
        let mut joining = Joining::new(how, replies.len(), part_of_key.to_vec());
        // The last part answers first: order of arrival does not count.
        for (part, reply) in replies.iter().enumerate().rev() {
            let last = joining.take(
                u16::try_from(part).unwrap(),
                Bytes::copy_from_slice(reply.as_bytes()),
            );
            assert_eq!(last, part == 0);
        }
        assert_eq!(
            joining.reply().escape_ascii().to_string(),
            expected.as_bytes().escape_ascii().to_string(),
            "{replies:?}"
        );
    }

    #[test]
    fn counts_add_up() {
        check(Join::Sum, &[], &[":1\r\n", ":2\r\n"], ":3\r\n");
    }

    #[test]
    fn all_must_be_ok() {
        check(Join::AllOk, &[], &["+OK\r\n", "+OK\r\n"], "+OK\r\n");
    }

    #[test]
    fn values_are_in_the_order_of_the_keys() {
        check(
            Join::InKeyOrder,
            &[1, 0, 1],
            &["*1\r\n$1\r\nb\r\n", "*2\r\n$-1\r\n$1\r\nc\r\n"],
            "*3\r\n$-1\r\n$1\r\nb\r\n$1\r\nc\r\n",
        );
    }

    #[test]
    fn lists_follow_each_other() {
        check(
            Join::Concat,
            &[],
            &["*1\r\n$1\r\na\r\n", "*0\r\n", "*1\r\n$1\r\nb\r\n"],
            "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        );
    }

    #[test]
    fn the_error_of_a_part_is_the_reply() {
        check(
            Join::Sum,
            &[],
            &[":1\r\n", "-OOM x\r\n", "-ERR y\r\n"],
            "-OOM x\r\n",
        );
        check(Join::AllOk, &[], &["+OK\r\n", "-OOM x\r\n"], "-OOM x\r\n");
    }

    #[test]
    fn what_does_not_fit_is_never_a_wrong_answer() {
        let misfit = "-ERR the nodes' replies do not fit together\r\n";
        check(Join::Sum, &[], &[":1\r\n", "+OK\r\n"], misfit);
        check(Join::AllOk, &[], &["+OK\r\n", ":1\r\n"], misfit);
        check(Join::Concat, &[], &["*0\r\n", ":1\r\n"], misfit);
        check(
            Join::InKeyOrder,
            &[0, 1],
            &["*2\r\n:1\r\n:2\r\n", "*1\r\n:3\r\n"],
            misfit,
        );
        check(
            Join::InKeyOrder,
            &[0, 1],
            &["*2\r\n:1\r\n:2\r\n", "*0\r\n"],
            misfit,
        );
    }

    proptest! {
        /// join(split(MGET)) over any nodes = the answer of one node that knows all keys.
        #[test]
        fn a_split_mget_is_answered_as_by_one_node(keys in prop::collection::vec("[0-4][a-c]", 1..20)) {
            let answer = |frame: &[u8]| {
                let keys: Vec<&[u8]> = Args::of(frame).skip(1).collect();
                let mut out = Vec::new();
                put_array(&mut out, keys.len());
                keys.iter().for_each(|key| put_bulk(&mut out, &[b"value of ", *key].concat()));
                out
            };
            let args: Vec<&str> = std::iter::once("MGET").chain(keys.iter().map(String::as_str)).collect();
            let frame = request(&args);
            let row = find(b"MGET").unwrap();
            let split = Split::plan(row, args.len(), &frame, |key| NodeId(u16::from(key[0])));
            let mut joining = Joining::new(Join::InKeyOrder, split.parts.len(), split.part_of_key.clone());
            for (part, request) in (0..).zip(split.requests(row, &frame)) {
                joining.take(part, Bytes::from(answer(&request)));
            }
            prop_assert_eq!(joining.reply().escape_ascii().to_string(), answer(&frame).escape_ascii().to_string());
        }
    }
}
