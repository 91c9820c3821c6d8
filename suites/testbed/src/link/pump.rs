//! One direction of one connection: bytes in, through the toxics, bytes out, frames to the tap.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::answers::{Interjection, Then};
use super::chain::{Chain, Load, Next, ReplyEnd};
use super::ending::Ending;
use super::frames::{Frames, Passing, Taken};
use super::toxics::Watch;
use super::traffic::Traffic;
use crate::fault::Stream;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// How a direction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The sender closed, all bytes were delivered, and the receiver's side was closed.
    Finished,
    /// The connection closes in order; everything that was let through was delivered.
    Closed,
    /// A toxic wants RST.
    Reset,
    /// One side is gone.
    Broken,
}

pub(super) struct Pump<'a> {
    pub(super) stream: Stream,
    pub(super) from: ReadHalf<'a>,
    pub(super) to: WriteHalf<'a>,
    pub(super) toxics: Watch,
    pub(super) chain: Chain,
    pub(super) traffic: &'a Traffic,
    pub(super) frames: Frames,
    /// Bytes for the receiver that the sender did not send.
    pub(super) interjections: Option<mpsc::UnboundedReceiver<Interjection>>,
    pub(super) ending: Ending,
    /// Read into, and written from if there is no toxic: one allocation per connection.
    pub(super) buffer: BytesMut,
    /// The ends of replies in the buffer.
    pub(super) ends: Vec<ReplyEnd>,
}

impl Pump<'_> {
    pub(super) async fn run(mut self) -> End {
        loop {
            self.settle();
            let due = match self.step() {
                Next::Reset => return End::Reset,
                Next::Due(due) => Some(due),
                Next::Anything => None,
            };
            let accepts = self.chain.accepts();
            let outgoing = match self.chain.ready() {
                None => None,
                Some(Load::Bytes(bytes)) => Some(bytes),
                Some(Load::End) => return self.finish().await,
                Some(Load::Close) => return End::Closed,
            };
            self.buffer.reserve(CHUNK);
            tokio::select! {
                biased;
                () = self.toxics.changed() => {}
                written = write_some(&mut self.to, outgoing) => match written {
                    Err(_) => return self.receiver_gone(),
                    Ok(length) => self.written(length),
                },
                () = until(due) => {}
                interjection = next(&mut self.interjections) => {
                    if self.interject(interjection).is_err() {
                        return self.receiver_gone();
                    }
                }
                read = self.from.read_buf(&mut self.buffer), if accepts => match read {
                    // Bytes that were read before are still forwarded, as in Toxiproxy.
                    Err(_) if self.ending == Ending::Close => {
                        self.sender_gone();
                        self.chain.push(Load::Close, Instant::now());
                    }
                    Err(_) => {
                        self.sender_gone();
                        return End::Broken;
                    }
                    Ok(0) => self.end(),
                    Ok(_) => if self.forward().is_err() {
                        return self.receiver_gone();
                    },
                },
            }
        }
    }

    fn settle(&mut self) {
        if let Some(entries) = self.toxics.news() {
            self.chain.set(&entries, Instant::now());
        }
    }

    fn step(&mut self) -> Next {
        if self.chain.is_clear() {
            return Next::Anything;
        }
        let next = self.chain.step(Instant::now());
        for toxic in self.chain.acted() {
            self.frames.acted(toxic);
        }
        self.record_left();
        next
    }

    /// Records the replies that have left the chain.
    fn record_left(&mut self) {
        for (reply, passage) in self.chain.left() {
            self.frames.left(reply, passage);
        }
    }

    fn sender_gone(&self) {
        if self.stream == Stream::Upstream {
            self.frames.hang_up();
        }
    }

    fn receiver_gone(&self) -> End {
        if self.stream == Stream::Downstream {
            self.frames.hang_up();
        }
        End::Broken
    }

    /// Forwards the bytes read, or scripted answers in their place.
    fn forward(&mut self) -> io::Result<()> {
        self.traffic.count_received(self.stream, self.buffer.len());
        self.settle();
        let taken = match self.chain.wants_replies() {
            true => Taken::Whole,
            false => Taken::Loose,
        };
        let (passing, then) = self.frames.feed(&mut self.buffer, taken, &mut self.ends);
        match taken {
            Taken::Whole => passing.into_iter().for_each(|piece| self.queue(piece)),
            Taken::Loose => {
                for piece in passing {
                    self.buffer.extend_from_slice(&piece.bytes);
                    let at = self.buffer.len();
                    let end = piece.ends.map(|reply| ReplyEnd { at, reply });
                    self.ends.extend(end);
                }
            }
        }
        self.pass_on()?;
        if then == Then::Close {
            self.chain.push(Load::Close, Instant::now());
        }
        Ok(())
    }

    /// Queues one reply, or other bytes, for toxics of replies.
    fn queue(&mut self, Passing { bytes, tag, ends }: Passing) {
        if !bytes.is_empty() {
            self.chain.push_reply(bytes, tag, ends, Instant::now());
        }
    }

    /// The sender has closed its side.
    fn end(&mut self) {
        self.sender_gone();
        let rest = self.frames.rest();
        if !rest.is_empty() {
            self.chain.push(Load::Bytes(rest), Instant::now());
        }
        self.chain.push(Load::End, Instant::now());
    }

    fn interject(&mut self, interjection: Interjection) -> io::Result<()> {
        let Interjection { bytes, done } = interjection;
        self.frames.interjected(&bytes);
        self.buffer.extend_from_slice(&bytes);
        self.ends.clear();
        self.pass_on()?;
        // The receiver may be gone; the bytes are sent anyway.
        let _ = done.send(());
        Ok(())
    }

    /// Forwards the buffer: directly if there is no toxic, else into the chain.
    fn pass_on(&mut self) -> io::Result<()> {
        self.settle();
        if self.chain.is_clear() && !self.buffer.is_empty() {
            match self.to.try_write(&self.buffer) {
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
                Err(why) => return Err(why),
                Ok(length) => {
                    self.traffic.count_sent(self.stream, length);
                    self.buffer.advance(length);
                    self.ends.retain(|end| end.at > length);
                    self.ends.iter_mut().for_each(|end| end.at -= length);
                }
            }
        }
        if !self.buffer.is_empty() {
            // Copied, so that a small waiting piece does not keep a large buffer alive.
            let rest = Bytes::copy_from_slice(&self.buffer);
            let ends = std::mem::take(&mut self.ends);
            self.chain.push_bytes(rest, ends, Instant::now());
            self.buffer.clear();
        }
        Ok(())
    }

    fn written(&mut self, length: usize) {
        self.traffic.count_sent(self.stream, length);
        self.chain.written(length);
        self.record_left();
    }

    /// Forwards the sender's close. Written bytes stay deliverable: this end no longer resets.
    async fn finish(&mut self) -> End {
        let told = self.to.shutdown().await;
        let kept = SockRef::from(self.to.as_ref()).set_linger(None);
        told.and(kept).map_or(End::Broken, |()| End::Finished)
    }
}

impl Drop for Pump<'_> {
    /// Records what has become of the replies that are still in the chain.
    fn drop(&mut self) {
        for reply in self.chain.unsent() {
            self.frames.left(reply, self.frames.unsent());
        }
    }
}

async fn write_some(to: &mut WriteHalf<'_>, bytes: Option<&mut Bytes>) -> io::Result<usize> {
    match bytes {
        Some(bytes) => to.write(bytes).await,
        None => std::future::pending().await,
    }
}

async fn next(interjections: &mut Option<mpsc::UnboundedReceiver<Interjection>>) -> Interjection {
    if let Some(interjections) = interjections
        && let Some(interjection) = interjections.recv().await
    {
        return interjection;
    }
    std::future::pending().await
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
