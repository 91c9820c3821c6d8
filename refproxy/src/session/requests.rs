//! The requests in a client's input, one after the other.

use bytes::{Buf, BytesMut};

use super::CHUNK;
use super::dispatch::Slot;
use super::turn::{Taken, Turn};
use crate::client::is_large;
use crate::resp::{
    Frame, Limits, ProtocolError, RequestScan, Scanned, put_error, request, split_inline,
};

/// Bytes of a client, from the start of a request.
pub(super) struct Requests<'a> {
    buf: &'a mut BytesMut,
    /// All bytes before this position are consumed.
    at: usize,
    /// Whether the buffer is this client's alone, so that it may grow, and parts of it may be kept.
    own: bool,
    /// Whether a part of it is kept.
    is_split: bool,
}

impl<'a> Requests<'a> {
    pub(super) fn of(buf: &'a mut BytesMut, own: bool) -> Self {
        Self {
            buf,
            at: 0,
            own,
            is_split: false,
        }
    }

    /// Takes the next complete request, if any. Malformed bytes end the input of the client.
    #[inline]
    pub(super) fn take_next(
        &mut self,
        scan: &mut RequestScan,
        slot: &mut Slot,
        turn: &mut Turn<'_>,
    ) -> Option<Taken> {
        let taken = match scan.scan(&self.buf[self.at..], turn.request_limits()) {
            Ok(Scanned::Incomplete(more)) => {
                self.make_room(more);
                return None;
            }
            Ok(Scanned::Nothing(len)) => {
                self.at += len;
                Ok(Taken::Done)
            }
            Ok(Scanned::Inline(len)) => self.take_inline(len, slot, turn),
            Ok(Scanned::Request(frame)) if self.own && is_large(frame.len) => {
                Ok(self.take_large(&frame, slot, turn))
            }
            Ok(Scanned::Request(frame)) => {
                let bytes = &self.buf[self.at..self.at + frame.len];
                let taken = turn.take(slot, bytes, &frame, None);
                if taken.is_taken() {
                    self.at += frame.len;
                }
                Ok(taken)
            }
            Err(error) => Err(error),
        };
        Some(taken.unwrap_or_else(|error| {
            tracing::debug!(%error, "protocol error");
            turn.answer(|out| put_error(out, format!("ERR Protocol error: {error}").as_bytes()));
            Taken::Last
        }))
    }

    /// Grows with received bytes, never with announced lengths.
    fn make_room(&mut self, more: usize) {
        if self.own {
            self.advance();
            let room = more.min(self.buf.len().max(CHUNK));
            self.buf.reserve(room);
        }
    }

    /// A large request is kept without a copy.
    fn take_large(&mut self, frame: &Frame, slot: &mut Slot, turn: &mut Turn<'_>) -> Taken {
        self.advance();
        self.is_split = true;
        let bytes = self.buf.split_to(frame.len).freeze();
        let taken = turn.take(slot, &bytes, frame, Some(&bytes));
        if !taken.is_taken() {
            let rest = std::mem::replace(self.buf, BytesMut::from(bytes));
            self.buf.unsplit(rest);
        }
        taken
    }

    /// An inline request is converted to an array.
    #[cold]
    fn take_inline(
        &mut self,
        len: usize,
        slot: &mut Slot,
        turn: &mut Turn<'_>,
    ) -> Result<Taken, ProtocolError> {
        let bytes = request(&split_inline(&self.buf[self.at..self.at + len])?);
        let taken = match RequestScan::default().scan(&bytes, &Limits::default())? {
            Scanned::Request(frame) => turn.take(slot, &bytes, &frame, None),
            _ => Taken::Done,
        };
        if taken.is_taken() {
            self.at += len;
        }
        Ok(taken)
    }

    /// Keeps the bytes that were not taken, unless no more input of the client is read.
    pub(super) fn finish(mut self, is_refused: bool) {
        if is_refused {
            self.buf.clear();
        } else {
            self.advance();
        }
        if self.is_split && self.buf.len() < CHUNK {
            // The bytes after a large request must not keep its whole buffer.
            *self.buf = BytesMut::from(&self.buf[..]);
        }
    }

    fn advance(&mut self) {
        self.buf.advance(self.at);
        self.at = 0;
    }
}
