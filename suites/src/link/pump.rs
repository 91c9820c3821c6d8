//! One direction of one connection: bytes in, through the toxics, bytes out, frames to the tap.

use std::collections::VecDeque;
use std::sync::Arc;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::tap::{Tap, What};
use super::toxic::{Decision, Stream, Toxic, decide};
use crate::wire;

/// Bytes that wait in a held direction before its sender is no longer read from.
const WAITING_MAX: usize = 64 * 1024 * 1024;
const CHUNK: usize = 64 * 1024;

/// How a direction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The sender closed, everything was delivered, and the receiver was told.
    Finished,
    /// A toxic wants RST.
    Reset,
    /// One side is gone.
    Broken,
}

pub(super) struct Pump {
    pub(super) stream: Stream,
    pub(super) from: OwnedReadHalf,
    pub(super) to: OwnedWriteHalf,
    pub(super) toxics: watch::Receiver<Arc<[Toxic]>>,
    pub(super) frames: Frames,
}

struct Chunk {
    read_at: Instant,
    bytes: Vec<u8>,
}

impl Pump {
    pub(super) async fn run(mut self) -> End {
        let mut waiting = VecDeque::new();
        let mut waiting_bytes = 0;
        let mut sender_open = true;
        loop {
            let head = waiting.front().map(|chunk: &Chunk| {
                decide(&self.toxics.borrow_and_update(), self.stream, chunk.read_at)
            });
            if head == Some(Decision::Reset) {
                return End::Reset;
            }
            if head.is_none() && !sender_open {
                return self.finish().await;
            }
            let due = match head {
                Some(Decision::NotBefore(due)) => Some(due),
                _ => None,
            };
            let mut buffer = Vec::new();
            tokio::select! {
                biased;
                () = until(due), if due.is_some() => {
                    if let Some(chunk) = waiting.pop_front() {
                        waiting_bytes -= chunk.bytes.len();
                        if self.to.write_all(&chunk.bytes).await.is_err() {
                            return End::Broken;
                        }
                    }
                }
                changed = self.toxics.changed() => {
                    if changed.is_err() {
                        return End::Broken;
                    }
                }
                read = read_some(&mut self.from, &mut buffer), if sender_open && waiting_bytes < WAITING_MAX => {
                    match read {
                        Err(_) => return End::Broken,
                        Ok(0) => sender_open = false,
                        Ok(length) => {
                            self.frames.feed(&buffer);
                            waiting_bytes += length;
                            waiting.push_back(Chunk { read_at: Instant::now(), bytes: buffer });
                        }
                    }
                }
            }
        }
    }

    /// Passes the sender's close on. What was written stays deliverable: this end is no reset any more.
    async fn finish(&mut self) -> End {
        let told = self.to.shutdown().await;
        let kept = SockRef::from(self.to.as_ref()).set_linger(None);
        told.and(kept).map_or(End::Broken, |()| End::Finished)
    }
}

/// At once when it is due: a timer would round up to its next tick, a millisecond for each hop.
async fn until(due: Option<Instant>) {
    if let Some(due) = due.filter(|due| *due > Instant::now()) {
        sleep_until(due).await;
    }
}

async fn read_some(from: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> std::io::Result<usize> {
    buffer.reserve(CHUNK);
    from.read_buf(buffer).await
}

/// Cuts a direction's bytes into frames for the tap. What cannot be cut is recorded once and then left alone: the
/// bytes flow on as they are.
pub(super) struct Frames {
    tap: Tap,
    node: usize,
    connection: u64,
    stream: Stream,
    pending: Vec<u8>,
    garbled: bool,
}

impl Frames {
    pub(super) fn new(tap: Tap, node: usize, connection: u64, stream: Stream) -> Self {
        Self {
            tap,
            node,
            connection,
            stream,
            pending: Vec::new(),
            garbled: false,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        if self.garbled {
            return;
        }
        self.pending.extend_from_slice(bytes);
        let mut used = 0;
        loop {
            match self.first_frame(&self.pending[used..]) {
                Ok(None) => break,
                Ok(Some((what, length))) => {
                    used += length;
                    self.tap.add(self.node, self.connection, what);
                }
                Err(what) => {
                    self.garbled = true;
                    self.tap.add(self.node, self.connection, what);
                    break;
                }
            }
        }
        self.pending.drain(..used);
    }

    fn first_frame(&self, bytes: &[u8]) -> Result<Option<(What, usize)>, What> {
        match self.stream {
            Stream::Upstream => wire::request(bytes)
                .map(|frame| frame.map(|(arguments, length)| (What::Asked(arguments), length)))
                .map_err(|why| What::GarbledRequest(why.to_string())),
            Stream::Downstream => wire::reply(bytes)
                .map(|frame| frame.map(|(value, length)| (What::Answered(value), length)))
                .map_err(|why| What::GarbledReply(why.to_string())),
        }
    }
}
