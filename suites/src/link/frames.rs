//! A direction's bytes cut into frames, for the tap.

use std::sync::{Arc, Mutex, PoisonError};

use super::tap::{Tap, What};
use super::toxic::Stream;
use crate::wire::{self, Dialogue};

/// What cannot be cut is recorded once and then left alone: the bytes flow on as they are.
pub(super) struct Frames {
    tap: Tap,
    node: usize,
    connection: u64,
    stream: Stream,
    /// Which protocol the node answers in, as the proxy asks for it; both directions share it.
    dialogue: Arc<Mutex<Dialogue>>,
    pending: Vec<u8>,
    garbled: bool,
}

impl Frames {
    pub(super) fn new(
        tap: Tap,
        node: usize,
        connection: u64,
        stream: Stream,
        dialogue: Arc<Mutex<Dialogue>>,
    ) -> Self {
        Self {
            tap,
            node,
            connection,
            stream,
            dialogue,
            pending: Vec::new(),
            garbled: false,
        }
    }

    /// Records the frames that `bytes` complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.garbled {
            return;
        }
        if self.pending.is_empty() {
            let used = self.record(bytes);
            self.pending.extend_from_slice(&bytes[used..]);
        } else {
            let mut pending = std::mem::take(&mut self.pending);
            pending.extend_from_slice(bytes);
            let used = self.record(&pending);
            pending.drain(..used);
            self.pending = pending;
        }
    }

    /// Records the whole frames at the start of `bytes`, and says how long they are together.
    fn record(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        loop {
            match self.first_frame(&bytes[used..]) {
                Ok(None) => return used,
                Ok(Some((what, length))) => {
                    used += length;
                    self.tap.add(self.node, self.connection, what);
                }
                Err(what) => {
                    self.garbled = true;
                    self.tap.add(self.node, self.connection, what);
                    return bytes.len();
                }
            }
        }
    }

    fn first_frame(&self, bytes: &[u8]) -> Result<Option<(What, usize)>, What> {
        let mut dialogue = self.dialogue.lock().unwrap_or_else(PoisonError::into_inner);
        match self.stream {
            Stream::Upstream => wire::request(bytes)
                .map(|frame| {
                    frame.map(|(arguments, length)| {
                        dialogue.asked(&arguments);
                        (What::Asked(arguments), length)
                    })
                })
                .map_err(|why| What::GarbledRequest(why.to_string())),
            Stream::Downstream => dialogue
                .reply(bytes)
                .map(|frame| frame.map(|(value, length)| (What::Answered(value), length)))
                .map_err(|why| What::GarbledReply(why.to_string())),
        }
    }
}
