//! A direction's bytes cut into frames, for the tap and for toxics of replies, with scripted answers in the place of
//! replies.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

use super::answers::{Exchange, Reply, Then};
use super::chain::{ReplyEnd, Tag};
use super::tap::{Passage, Tap, What};
use crate::fault::Stream;
use crate::wire::{Requests, Value};

/// Bytes of an unfinished frame that are kept. Longer ones flow on, and are not recorded.
const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where the frames of a connection are recorded.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    /// `None` records nothing.
    pub(super) tap: Option<Tap>,
    pub(super) node: usize,
    pub(super) connection: u64,
}

impl Track {
    pub(super) fn add(&self, what: What) {
        if let Some(tap) = &self.tap {
            tap.add(self.node, self.connection, what);
        }
    }
}

/// How the bytes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// As they come.
    Loose,
    /// Reply by reply, each when it is whole.
    Whole,
}

/// Bytes to forward.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passing {
    pub(super) bytes: Bytes,
    /// Where they are one whole reply.
    pub(super) tag: Option<Tag>,
    /// The number of the node's reply that they end.
    pub(super) ends: Option<u64>,
}

/// Bytes that cannot be cut into frames are recorded once, and then pass as they are.
pub(super) struct Frames {
    track: Track,
    stream: Stream,
    /// The requests that await a reply; both directions share them.
    exchange: Arc<Mutex<Exchange>>,
    requests: Requests,
    /// The beginning of a frame.
    pending: Vec<u8>,
    /// How many of the pending bytes passed. 0 if a scripted answer replaces them.
    passed: usize,
    garbled: bool,
    /// Replies on record so far.
    replies: u64,
}

impl Frames {
    pub(super) fn new(track: Track, stream: Stream, exchange: Arc<Mutex<Exchange>>) -> Self {
        Self {
            track,
            stream,
            exchange,
            requests: Requests::default(),
            pending: Vec::new(),
            passed: 0,
            garbled: false,
            replies: 0,
        }
    }

    /// Records the frames that `bytes` complete. The bytes to forward are those that are left in `bytes`, with the `ends` of
    /// replies among them, or, if replies are taken whole, those that are returned. The second value is what happens to the
    /// connection after them.
    pub(super) fn feed(
        &mut self,
        bytes: &mut BytesMut,
        taken: Taken,
        ends: &mut Vec<ReplyEnd>,
    ) -> (Vec<Passing>, Then) {
        ends.clear();
        if self.garbled {
            return (Vec::new(), Then::GoOn);
        }
        let exchange = Arc::clone(&self.exchange);
        let mut exchange = exchange.lock().unwrap_or_else(PoisonError::into_inner);
        let is_withheld = self.passed < self.pending.len();
        let is_cut = taken == Taken::Whole || exchange.is_scripted() || is_withheld;
        if self.stream == Stream::Downstream && is_cut {
            return self.cut(bytes, taken, &mut exchange);
        }
        self.note(bytes, &mut exchange, ends);
        (Vec::new(), Then::GoOn)
    }

    /// The beginning of a reply that was kept back, when its sender has ended.
    pub(super) fn rest(&mut self) -> Bytes {
        let rest = Bytes::copy_from_slice(&self.pending[self.passed..]);
        self.passed = self.pending.len();
        rest
    }

    /// Records that a toxic acted on a reply.
    pub(super) fn acted(&self, toxic: String) {
        self.track.add(What::Acted(toxic));
    }

    /// Records where a reply went that did not go on at once.
    pub(super) fn left(&self, reply: u64, passage: Passage) {
        self.track.add(What::Left { reply, passage });
    }

    /// The proxy has closed its side, or is gone.
    pub(super) fn hang_up(&self) {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        exchange.hung_up = true;
    }

    /// Where the replies went that were never sent.
    pub(super) fn unsent(&self) -> Passage {
        let exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        match exchange.hung_up {
            true => Passage::HungUp,
            false => Passage::Lost,
        }
    }

    /// Records that the node said something without being asked.
    pub(super) fn interjected(&self, bytes: &[u8]) {
        self.track.add(What::Scripted(bytes.to_vec()));
    }

    /// Records frames that are forwarded unchanged.
    fn note(&mut self, bytes: &[u8], exchange: &mut Exchange, ends: &mut Vec<ReplyEnd>) {
        if self.pending.is_empty() {
            let used = self.record(bytes, exchange, ends);
            self.pending.extend_from_slice(&bytes[used..]);
        } else {
            let mut pending = std::mem::take(&mut self.pending);
            let before = pending.len();
            pending.extend_from_slice(bytes);
            let used = self.record(&pending, exchange, ends);
            pending.drain(..used);
            self.pending = pending;
            // A frame that began before ends among the bytes that were added.
            ends.iter_mut().for_each(|end| end.at -= before);
        }
        self.limit();
        self.passed = self.pending.len();
    }

    /// Gives up on a frame that is too long.
    fn limit(&mut self) {
        if self.pending.len() <= FRAME_BYTES_MAX {
            return;
        }
        self.pending = Vec::new();
        self.garbled = true;
        let why = format!("no end of a frame after {FRAME_BYTES_MAX} bytes");
        self.track.add(match self.stream {
            Stream::Upstream => What::GarbledRequest(why),
            Stream::Downstream => What::GarbledReply(why),
        });
    }

    /// Records the whole frames at the start of `bytes`, and returns their total length.
    fn record(&mut self, bytes: &[u8], exchange: &mut Exchange, ends: &mut Vec<ReplyEnd>) -> usize {
        let mut used = 0;
        loop {
            match self.first_frame(&bytes[used..], exchange) {
                Ok(None) => return used,
                Ok(Some((what, length))) => {
                    used += length;
                    let reply = self.number(&what);
                    ends.extend(reply.map(|reply| ReplyEnd { at: used, reply }));
                    self.track.add(what);
                }
                Err(what) => {
                    self.garbled = true;
                    self.track.add(what);
                    return bytes.len();
                }
            }
        }
    }

    /// The number of a reply on its connection; none for other bytes.
    fn number(&mut self, what: &What) -> Option<u64> {
        match what {
            What::Answered(Value::Push(_)) => None,
            What::Answered(_) => {
                let number = self.replies;
                self.replies += 1;
                Some(number)
            }
            _ => None,
        }
    }

    fn first_frame(
        &mut self,
        bytes: &[u8],
        exchange: &mut Exchange,
    ) -> Result<Option<(What, usize)>, What> {
        match self.stream {
            Stream::Upstream => self
                .requests
                .first(bytes)
                .map(|frame| {
                    frame.map(|(arguments, length)| {
                        exchange.asked(&arguments);
                        (What::Asked(arguments), length)
                    })
                })
                .map_err(|why| What::GarbledRequest(why.to_string())),
            Stream::Downstream => exchange
                .reply(bytes)
                .map(|frame| frame.map(|reply| (What::Answered(reply.value), reply.length)))
                .map_err(|why| What::GarbledReply(why.to_string())),
        }
    }

    /// Cuts `bytes` into replies, with scripted answers in the place of those that have one.
    fn cut(
        &mut self,
        bytes: &mut BytesMut,
        taken: Taken,
        exchange: &mut Exchange,
    ) -> (Vec<Passing>, Then) {
        let mut read = std::mem::take(&mut self.pending);
        let mut passed = std::mem::take(&mut self.passed);
        read.extend_from_slice(bytes);
        bytes.clear();
        let (mut out, mut used) = (Vec::new(), 0);
        loop {
            match exchange.reply(&read[used..]) {
                Ok(Some(reply)) => {
                    let end = used + reply.length;
                    let whole = (passed <= used).then_some(&read[used..end]);
                    let rest = &read[used.max(passed).min(end)..end];
                    used = end;
                    if self.pass(reply, whole, rest, &mut out) == Then::Close {
                        self.garbled = true;
                        return (out, Then::Close);
                    }
                }
                Ok(None) => break,
                Err(why) => {
                    self.garbled = true;
                    self.track.add(What::GarbledReply(why.to_string()));
                    out.push(loose(&read[used.max(passed)..]));
                    return (out, Then::GoOn);
                }
            }
        }
        passed = passed.saturating_sub(used);
        self.pending = read.split_off(used);
        let is_long = self.pending.len() > FRAME_BYTES_MAX;
        if is_long || (taken == Taken::Loose && !exchange.next_is_scripted()) {
            out.push(loose(&self.pending[passed..]));
            passed = self.pending.len();
        }
        self.passed = passed;
        if is_long {
            self.passed = 0;
            self.limit();
        }
        (out, Then::GoOn)
    }

    /// Records a reply, and returns the bytes that the proxy gets instead. `whole` is the whole reply unless its
    /// beginning was forwarded before; `rest` is the part that was not.
    fn pass(
        &mut self,
        reply: Reply,
        whole: Option<&[u8]>,
        rest: &[u8],
        out: &mut Vec<Passing>,
    ) -> Then {
        let tag = Tag(reply.request);
        match reply.answer {
            Some(answer) => {
                self.track.add(What::Scripted(answer.bytes.clone()));
                out.push(Passing {
                    bytes: answer.bytes.into(),
                    tag: Some(tag),
                    ends: None,
                });
                answer.then
            }
            None => {
                let what = What::Answered(reply.value);
                let ends = self.number(&what);
                self.track.add(what);
                out.push(Passing {
                    bytes: Bytes::copy_from_slice(rest),
                    tag: whole.map(|_| tag),
                    ends,
                });
                Then::GoOn
            }
        }
    }
}

/// Bytes that are not a whole reply.
fn loose(bytes: &[u8]) -> Passing {
    Passing {
        bytes: Bytes::copy_from_slice(bytes),
        tag: None,
        ends: None,
    }
}
