//! A direction's bytes cut into frames, for the tap, with scripted answers in the place of replies.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;

use super::answers::{Exchange, Then};
use super::tap::{Tap, What};
use crate::fault::Stream;
use crate::wire;

/// Bytes of an unfinished frame that are kept. Longer ones flow on, and are not recorded.
const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What cannot be cut is recorded once and then left alone: the bytes flow on as they are.
pub(super) struct Frames {
    tap: Tap,
    node: usize,
    connection: u64,
    stream: Stream,
    /// What was asked and is to be answered; both directions share it.
    exchange: Arc<Mutex<Exchange>>,
    /// The beginning of a frame.
    pending: Vec<u8>,
    /// How many of the pending bytes went on. None do where a scripted answer takes their place.
    passed: usize,
    garbled: bool,
}

impl Frames {
    pub(super) fn new(
        tap: Tap,
        node: usize,
        connection: u64,
        stream: Stream,
        exchange: Arc<Mutex<Exchange>>,
    ) -> Self {
        Self {
            tap,
            node,
            connection,
            stream,
            exchange,
            pending: Vec::new(),
            passed: 0,
            garbled: false,
        }
    }

    /// Records the frames that `bytes` complete, and puts scripted answers in their place. What happens to the
    /// connection after them.
    pub(super) fn feed(&mut self, bytes: &mut BytesMut) -> Then {
        if self.garbled {
            return Then::GoOn;
        }
        let exchange = Arc::clone(&self.exchange);
        let mut exchange = exchange.lock().unwrap_or_else(PoisonError::into_inner);
        match self.stream {
            Stream::Downstream if exchange.is_scripted() => self.rewrite(bytes, &mut exchange),
            _ => {
                self.note(bytes, &mut exchange);
                Then::GoOn
            }
        }
    }

    /// Records that the node said something without being asked.
    pub(super) fn interjected(&self, bytes: &[u8]) {
        self.add(What::Scripted(bytes.to_vec()));
    }

    /// Records frames that go on as they are.
    fn note(&mut self, bytes: &[u8], exchange: &mut Exchange) {
        if self.pending.is_empty() {
            let used = self.record(bytes, exchange);
            self.pending.extend_from_slice(&bytes[used..]);
        } else {
            let mut pending = std::mem::take(&mut self.pending);
            pending.extend_from_slice(bytes);
            let used = self.record(&pending, exchange);
            pending.drain(..used);
            self.pending = pending;
        }
        if self.pending.len() > FRAME_BYTES_MAX {
            self.pending = Vec::new();
            self.garbled = true;
            let why = format!("no end of a frame after {FRAME_BYTES_MAX} bytes");
            self.add(match self.stream {
                Stream::Upstream => What::GarbledRequest(why),
                Stream::Downstream => What::GarbledReply(why),
            });
        }
        self.passed = self.pending.len();
    }

    /// Records the whole frames at the start of `bytes`, and says how long they are together.
    fn record(&mut self, bytes: &[u8], exchange: &mut Exchange) -> usize {
        let mut used = 0;
        loop {
            match self.first_frame(&bytes[used..], exchange) {
                Ok(None) => return used,
                Ok(Some((what, length))) => {
                    used += length;
                    self.add(what);
                }
                Err(what) => {
                    self.garbled = true;
                    self.add(what);
                    return bytes.len();
                }
            }
        }
    }

    fn first_frame(
        &self,
        bytes: &[u8],
        exchange: &mut Exchange,
    ) -> Result<Option<(What, usize)>, What> {
        match self.stream {
            Stream::Upstream => wire::request(bytes)
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

    /// Replaces the replies in `bytes` for which there is a scripted answer.
    fn rewrite(&mut self, bytes: &mut BytesMut, exchange: &mut Exchange) -> Then {
        let mut read = std::mem::take(&mut self.pending);
        let mut passed = std::mem::take(&mut self.passed);
        read.extend_from_slice(bytes);
        bytes.clear();
        let mut used = 0;
        loop {
            match exchange.reply(&read[used..]) {
                Ok(Some(reply)) => {
                    let end = used + reply.length;
                    match reply.answer {
                        None => {
                            bytes.extend_from_slice(&read[used.max(passed)..end]);
                            self.add(What::Answered(reply.value));
                        }
                        Some(answer) => {
                            bytes.extend_from_slice(&answer.bytes);
                            self.add(What::Scripted(answer.bytes));
                            if answer.then == Then::Close {
                                self.garbled = true;
                                return Then::Close;
                            }
                        }
                    }
                    used = end;
                }
                Ok(None) => break,
                Err(why) => {
                    self.garbled = true;
                    self.add(What::GarbledReply(why.to_string()));
                    bytes.extend_from_slice(&read[used.max(passed)..]);
                    return Then::GoOn;
                }
            }
        }
        passed = passed.saturating_sub(used);
        self.pending = read.split_off(used);
        if !exchange.next_is_scripted() {
            bytes.extend_from_slice(&self.pending[passed..]);
            passed = self.pending.len();
        }
        self.passed = passed;
        Then::GoOn
    }

    fn add(&self, what: What) {
        self.tap.add(self.node, self.connection, what);
    }
}
