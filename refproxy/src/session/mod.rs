//! One client connection: reads requests, routes each, writes the replies in order.
//!
//! Matches no command name: it asks the row. Never waits for anything but its socket and its outbox, so that no client
//! can delay another.

mod dispatch;
mod requests;
mod transaction;
mod turn;
mod walk;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::time::Sleep;

use crate::buffer::no_slices;
use crate::client::{Client, ClientIdentity, Gate};
use crate::local::Identity;
use crate::resp::RequestScan;
use crate::stream::Stream;
use crate::tls;
use crate::worker::{CHUNK, Worker};
use dispatch::Slot;
use requests::Requests;
use turn::{Taken, Turn};
use walk::Walk;

/// Chunks read before others may run.
const CHUNKS_A_TURN: usize = 4;
/// Time for a client to close its connection after its last reply, so that the reply is not lost in a reset.
const LINGER: Duration = Duration::from_secs(1);

/// The state of the client's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    /// The client sends no more; pending replies are still delivered.
    Ended,
    /// No more input is read; the connection closes when all replies are written.
    Refused,
}

/// One client connection.
pub(crate) struct Session {
    stream: Stream,
    client: Rc<Client>,
    worker: Rc<Worker>,
    /// Bytes of requests that are incomplete, or not executed yet; empty most of the time.
    rest: BytesMut,
    /// Whether `rest` was left because too many requests are pending, rather than because it is incomplete.
    paused: bool,
    /// Whether it was left until everything before it is answered.
    settles: bool,
    /// Whether it was left until a node owes less.
    waits: bool,
    scan: RequestScan,
    input: Input,
    identity: Identity,
    transaction: Slot,
    /// Where replies of the proxy itself are made.
    scratch: Vec<u8>,
    /// Calls of SCAN that may continue with other nodes.
    walks: Vec<Walk>,
    /// Set once the connection is shut for writing.
    linger: Option<Pin<Box<Sleep>>>,
}

impl Session {
    pub(crate) fn new(stream: Stream, client: Rc<Client>, worker: Rc<Worker>) -> Self {
        let (peer, local) = stream.ends();
        let about = ClientIdentity {
            peer,
            local,
            is_unix: stream.is_unix(),
            descriptor: stream.descriptor(),
            ..ClientIdentity::default()
        };
        let identity = Identity::new(client.id, worker.users(), about);
        client.about.replace(identity.about().clone());
        client.known.set(identity.is_known());
        Self {
            stream,
            identity,
            client,
            worker,
            rest: BytesMut::new(),
            paused: false,
            settles: false,
            waits: false,
            scan: RequestScan::default(),
            input: Input::Open,
            transaction: None,
            scratch: Vec::new(),
            walks: Vec::new(),
            linger: None,
        }
    }

    /// Serves the client until one side hangs up.
    pub(crate) async fn run(mut self) {
        match poll_fn(|cx| self.poll(cx)).await {
            Ok(()) => tracing::debug!("closed"),
            Err(error) => match tls::fault(&error) {
                Some(why) => tracing::warn!(client = self.client.id, "closed: {why}"),
                None => tracing::debug!(%error, "closed"),
            },
        }
        self.client.leave();
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.client.attend(cx.waker());
        if self.linger.is_some() {
            return self.linger(cx);
        }
        for _ in 0..CHUNKS_A_TURN {
            if self.client.is_gone() {
                return Poll::Ready(Err(io::Error::other("replies discarded")));
            }
            walk::go_on(&mut self.walks, &self.worker, &self.client);
            self.flush(cx)?;
            self.release();
            if self.worker.is_draining() && self.input == Input::Open {
                self.input = Input::Refused;
            }
            let went_on = match self.input {
                Input::Open => self.take_input(cx)?,
                // Requests that arrived before the client's end are still executed.
                Input::Ended if self.paused => self.take_rest(),
                Input::Ended | Input::Refused => {
                    if !self.is_settled() {
                        return Poll::Pending;
                    }
                    return self.hang_up(cx);
                }
            };
            if !went_on {
                // Answers of the proxy itself may be ready by now.
                self.flush(cx)?;
                return match self.input {
                    Input::Open => Poll::Pending,
                    // The end of the input came just now.
                    Input::Ended | Input::Refused if self.is_settled() => self.hang_up(cx),
                    Input::Ended | Input::Refused => Poll::Pending,
                };
            }
        }
        self.flush(cx)?;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether no reply is pending.
    fn is_settled(&self) -> bool {
        let outbox = self.client.outbox();
        outbox.waiting() == 0
            && outbox.ready().is_empty()
            && !(self.paused && self.input == Input::Ended)
    }

    /// Executes buffered requests, else reads. False if there is nothing to do now.
    fn take_input(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.is_full() {
            return Ok(false);
        }
        if self.paused {
            return Ok(self.take_rest());
        }
        // Without an unfinished request, the worker's buffer serves all its clients in turn.
        let own = !self.rest.is_empty();
        let mut buf = if own {
            std::mem::take(&mut self.rest)
        } else {
            self.worker.take_buffer()
        };
        if buf.capacity() - buf.len() < CHUNK / 4 {
            buf.reserve(CHUNK);
        }
        let read = pin!(self.stream.read_buf(&mut buf)).poll(cx);
        let went_on = match &read {
            Poll::Ready(Ok(0)) => {
                self.input = Input::Ended;
                false
            }
            Poll::Ready(Ok(_)) => {
                self.serve(&mut buf, own);
                true
            }
            Poll::Ready(Err(_)) | Poll::Pending => false,
        };
        if own {
            if !buf.is_empty() {
                self.rest = buf;
            }
        } else {
            if !buf.is_empty() {
                self.rest.extend_from_slice(&buf);
            }
            self.worker.give_back_buffer(buf);
        }
        match read {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(went_on),
        }
    }

    /// Executes requests that were postponed because too many were pending.
    fn take_rest(&mut self) -> bool {
        if self.is_full() {
            return false;
        }
        let mut buf = std::mem::take(&mut self.rest);
        self.serve(&mut buf, true);
        if !buf.is_empty() {
            self.rest = buf;
        }
        !self.waits
    }

    /// Whether the limit of pending requests is reached, so that no more are taken.
    fn is_full(&self) -> bool {
        let limits = self.worker.limits();
        let outbox = self.client.outbox();
        self.settles && outbox.waiting() > 0
            || outbox.is_full(limits.client_requests_max, limits.client_bytes_max)
    }

    /// Lets go of a transaction's connection as soon as its last reply has come.
    fn release(&mut self) {
        if let Some(transaction) = &mut self.transaction
            && transaction.is_over()
            && self.client.outbox().waiting() == 0
        {
            transaction.release(&self.worker);
            self.transaction = None;
        }
    }

    /// Executes all complete requests in `buf`, and leaves the rest there.
    fn serve(&mut self, buf: &mut BytesMut, own: bool) {
        let worker = Rc::clone(&self.worker);
        let client = Rc::clone(&self.client);
        (self.paused, self.settles, self.waits) = (false, false, false);
        let mut requests = Requests::of(buf, own);
        let mut last = None;
        client.with_outbox(|outbox| {
            let (identity, scratch) = (&mut self.identity, &mut self.scratch);
            let walks = &mut self.walks;
            let mut turn = Turn::new(&worker, &client, outbox, identity, scratch, walks);
            last = loop {
                if turn.is_full() {
                    self.paused = true;
                    break None;
                }
                match requests.take_next(&mut self.scan, &mut self.transaction, &mut turn) {
                    Some(Taken::Done) => {}
                    end => break end,
                }
            };
        });
        match last {
            Some(Taken::NotNow) => (self.paused, self.settles) = (true, true),
            Some(Taken::Waits) => (self.paused, self.waits) = (true, true),
            Some(Taken::Last | Taken::Cut) => self.input = Input::Refused,
            Some(Taken::Done) | None => {}
        }
        requests.finish(self.input == Input::Refused);
        let transaction = self.transaction.as_ref().map_or(0, |own| own.bytes());
        let queued = self.transaction.as_ref().and_then(|own| own.queued());
        client.note_transaction(queued, transaction);
        client.settle_accounts(buf.len() + transaction);
        client.known.set(self.identity.is_known());
        if client.gate.get() == Gate::Expired {
            client.gate.set(Gate::Free);
        }
        if last == Some(Taken::Cut) {
            tracing::warn!(client = client.id, "closed: it sent an HTTP request");
            client.leave();
        }
    }

    /// Writes ready bytes, as far as the client accepts them.
    fn flush(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        loop {
            let wrote = {
                let outbox = self.client.outbox();
                let ready = outbox.ready();
                let stream = Pin::new(&mut self.stream);
                if ready.is_empty() {
                    // Bytes of TLS that wait in the connection itself.
                    return match stream.poll_flush(cx) {
                        Poll::Ready(flushed) => flushed,
                        Poll::Pending => Ok(()),
                    };
                }
                match ready.only_piece() {
                    Some(piece) => stream.poll_write(cx, piece),
                    None => {
                        let mut slices = no_slices();
                        let filled = ready.slices(&mut slices);
                        stream.poll_write_vectored(cx, &slices[..filled])
                    }
                }
            };
            match wrote {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => self.client.written(count),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Shuts the connection for writing.
    fn hang_up(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if Pin::new(&mut self.stream).poll_shutdown(cx)?.is_pending() {
            return Poll::Pending;
        }
        if self.input == Input::Ended {
            return Poll::Ready(Ok(()));
        }
        self.linger = Some(Box::pin(tokio::time::sleep(LINGER)));
        self.linger(cx)
    }

    /// Drops input until the client closes the connection too.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buf = self.worker.take_buffer();
        let ended = loop {
            buf.clear();
            buf.reserve(CHUNK);
            match pin!(self.stream.read_buf(&mut buf)).poll(cx) {
                Poll::Ready(Ok(count)) if count > 0 => {}
                Poll::Ready(_) => break true,
                Poll::Pending => break false,
            }
        };
        self.worker.give_back_buffer(buf);
        let over = match &mut self.linger {
            Some(limit) => limit.as_mut().poll(cx).is_ready(),
            None => true,
        };
        if ended || over {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}
