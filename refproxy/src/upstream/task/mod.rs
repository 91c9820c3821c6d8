//! The task that owns the socket to one node: connects, writes, reads, and keeps the deadlines.
//!
//! One task for the life of the upstream, and no allocation, task or timer per request.

mod connect;
mod deliver;
mod due;
mod fail;

use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::time::Sleep;

use super::flow::{Flow, Patience};
use super::probe::Probe;
use super::{Health, Upstream, Use, lost};
use crate::buffer::no_slices;
use crate::clock::{Micros, micros};
use crate::error::Kind;
use crate::resp::ReplyScan;
use crate::stream::Stream;
use connect::connect;
use deliver::deliver;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// Bytes per read of a reply that is forwarded as it arrives.
const STREAM_CHUNK: usize = 256 * 1024;
/// Chunks read before others may run.
const CHUNKS_A_TURN: usize = 16;

type Connecting = Pin<Box<dyn Future<Output = Result<Stream, Kind>>>>;

enum Link {
    /// Tried again at `retry_at`, and from `knock_at` on when a request wants it.
    Down {
        retry_at: Micros,
        knock_at: Micros,
    },
    Connecting(Connecting),
    Up(Stream),
}

struct Task {
    upstream: Rc<Upstream>,
    link: Link,
    input: BytesMut,
    scan: ReplyScan,
    flow: Flow,
    /// When bytes last arrived.
    heard_at: Micros,
    /// Failures in a row without a reply in between.
    failures: u32,
    timer: Pin<Box<Sleep>>,
    armed_at: Option<Micros>,
    probe: Probe,
}

/// Serves `upstream` until it is closed, or retired and no client waits for it, or, if dedicated, its connection ends.
pub(crate) async fn run(upstream: Rc<Upstream>) {
    let mut task = Task::new(upstream);
    poll_fn(|cx| {
        // Without this, a panic would leave a node unserved until the proxy is restarted.
        let polled = catch_unwind(AssertUnwindSafe(|| task.poll(cx)));
        polled.unwrap_or_else(|_| task.recover(cx))
    })
    .await;
}

impl Task {
    fn new(upstream: Rc<Upstream>) -> Self {
        let clock = upstream.settings.clock;
        Self {
            link: Link::Down {
                retry_at: 0,
                knock_at: 0,
            },
            scan: upstream.settings.reply_scan(),
            upstream,
            input: BytesMut::new(),
            flow: Flow::Keeps,
            heard_at: 0,
            failures: 0,
            timer: Box::pin(tokio::time::sleep_until(clock.instant(0))),
            armed_at: None,
            probe: Probe::default(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.upstream.attend(cx.waker());
        if self.upstream.closed.get() {
            return Poll::Ready(());
        }
        let now = self.upstream.settings.clock.now();
        self.upstream.queue.borrow_mut().logs = tracing::enabled!(tracing::Level::DEBUG);
        loop {
            match self.step(cx, now) {
                Ok(Poll::Ready(())) => {}
                Ok(Poll::Pending) => break,
                Err(why) if self.is_dedicated() => return self.end(why),
                Err(why) => self.down(why, now),
            }
        }
        match self.expire(now) {
            Err(why) if self.is_dedicated() => return self.end(why),
            // A shared connection has failed in its step.
            Ok(()) | Err(_) => {}
        }
        if self.upstream.retired.get() && !self.upstream.queue.borrow().is_awaited() {
            return Poll::Ready(());
        }
        self.probe(cx, now);
        self.call_waiting(cx, now);
        self.arm(cx, now);
        Poll::Pending
    }

    /// Refuses requests of clients with the node's error, once it answers that it is busy: it reads nothing more on
    /// this connection until its script ends. Requests that were sent already wait for that, until their deadline.
    fn probe(&mut self, cx: &mut Context<'_>, now: Micros) {
        if !matches!(self.link, Link::Up(_)) {
            return;
        }
        let due = self.probe_at(&self.upstream.queue.borrow());
        if due.is_some_and(|due| due <= now) {
            self.probe.ask(self.connect());
        }
        if let Some(text) = self.probe.poll(cx, now) {
            tracing::warn!(node = %self.upstream.address, text = &*text, "the node is busy");
            self.upstream.shut(Kind::Busy(text));
        }
    }

    /// Bytes have arrived from the node.
    fn hear(&mut self, now: Micros) {
        self.heard_at = now;
        self.failures = 0;
        self.forget_silence();
    }

    fn forget_silence(&mut self) {
        self.probe = Probe::default();
        if !self.is_dedicated() {
            self.upstream.open();
        }
    }

    /// Wakes clients that wait until the node owes less.
    #[inline]
    fn call_waiting(&mut self, cx: &Context<'_>, now: Micros) {
        let mut line = self.upstream.line.borrow_mut();
        if line.is_empty() {
            return;
        }
        line.expire(
            now,
            self.heard_at,
            micros(self.upstream.settings.op_timeout),
        );
        if line.call(self.upstream.queue.borrow().owed()) {
            // If the woken clients send nothing, it is the turn of the next ones.
            cx.waker().wake_by_ref();
        }
    }

    /// Makes as much progress as possible; `Ready` when there may be more to do at once.
    fn step(&mut self, cx: &mut Context<'_>, now: Micros) -> Result<Poll<()>, Kind> {
        match &mut self.link {
            Link::Down { retry_at, knock_at } => {
                let wanted = self.upstream.queue.borrow().waiting() > 0;
                if now < if wanted { *knock_at } else { *retry_at } {
                    return Ok(Poll::Pending);
                }
                let attempt = self.connect();
                let limit = self.upstream.settings.connect_timeout;
                self.link = Link::Connecting(Box::pin(async move {
                    let timed = tokio::time::timeout(limit, attempt).await;
                    timed.map_err(|_| Kind::ConnectTimeout)?
                }));
                self.upstream.health.set(Health::Connecting);
                Ok(Poll::Ready(()))
            }
            Link::Connecting(attempt) => match attempt.as_mut().poll(cx) {
                Poll::Pending => Ok(Poll::Pending),
                Poll::Ready(Err(why)) => Err(why),
                Poll::Ready(Ok(stream)) => {
                    if self.upstream.how == Use::Shared {
                        tracing::info!(node = %self.upstream.address, "connected");
                    }
                    self.link = Link::Up(stream);
                    self.heard_at = now;
                    self.upstream.health.set(Health::Up);
                    Ok(Poll::Ready(()))
                }
            },
            Link::Up(_) => {
                // Replies that arrived before the deadline count even if they are read later. Late requests are not
                // sent any more.
                let read = self.read(cx, now)?;
                self.expire(now)?;
                self.write(cx)?;
                Ok(read)
            }
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Kind> {
        let Link::Up(stream) = &mut self.link else {
            return Ok(());
        };
        let mut queue = self.upstream.queue.borrow_mut();
        while !queue.out.is_empty() {
            match write(stream, &queue.out, cx) {
                Poll::Ready(Ok(count)) if count > 0 => queue.written(count),
                Poll::Ready(Ok(_)) => return Err(Kind::Lost),
                Poll::Ready(Err(error)) => return Err(lost(&error)),
                Poll::Pending => break,
            }
        }
        // Bytes of TLS that wait in the connection itself.
        match Pin::new(stream).poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(lost(&error)),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    fn read(&mut self, cx: &mut Context<'_>, now: Micros) -> Result<Poll<()>, Kind> {
        for _ in 0..CHUNKS_A_TURN {
            if !self.flow.is_kept() && self.pauses(cx, now) {
                return Ok(Poll::Pending);
            }
            let Link::Up(stream) = &mut self.link else {
                return Ok(Poll::Ready(()));
            };
            if self.input.capacity() - self.input.len() < CHUNK / 4 {
                self.input.reserve(match self.flow {
                    Flow::Streams(_) => STREAM_CHUNK,
                    Flow::Keeps | Flow::Drops => CHUNK,
                });
            }
            match pin!(stream.read_buf(&mut self.input)).poll(cx) {
                Poll::Ready(Ok(count)) if count > 0 => {}
                Poll::Ready(Ok(_)) => return Err(Kind::Lost),
                Poll::Ready(Err(error)) => return Err(lost(&error)),
                Poll::Pending => {
                    let awaited = self.upstream.queue.borrow().oldest_sent_deadline();
                    return match awaited.map(|deadline| self.stalls_at(deadline)) {
                        Some(at) if at <= now => Err(Kind::Stalled),
                        _ => Ok(Poll::Pending),
                    };
                }
            }
            self.hear(now);
            deliver(
                &mut self.input,
                &mut self.scan,
                &mut self.flow,
                &self.upstream,
            )?;
        }
        // More bytes may be there, but it is the turn of other tasks.
        cx.waker().wake_by_ref();
        Ok(Poll::Pending)
    }

    /// Whether reading is paused because a client does not receive the bytes of its reply.
    #[cold]
    fn pauses(&mut self, cx: &Context<'_>, now: Micros) -> bool {
        let Flow::Streams(stream) = &mut self.flow else {
            return false;
        };
        let queue = self.upstream.queue.borrow();
        let Some(client) = queue.streams_to() else {
            // The rest is dropped.
            return false;
        };
        let settings = &self.upstream.settings;
        let patience = Patience {
            with_others: settings.op_timeout / 4,
            with_client: settings.stall_timeout,
        };
        let others_wait = queue.waiting() > 1 || !self.upstream.line.borrow().is_empty();
        let paused = stream.paused_until().is_some();
        let pauses = stream.pauses(client, settings.reply_bytes_max, others_wait, patience, now);
        if pauses {
            client.wake_when_it_takes(cx.waker());
        } else if paused {
            // The silence is not the node's fault.
            self.heard_at = now;
        }
        pauses
    }

    /// Another connection to the node, with its first requests.
    fn connect(&self) -> impl Future<Output = Result<Stream, Kind>> + use<> {
        let settings = &self.upstream.settings;
        let probes = (settings.keepalive, settings.unacknowledged);
        let address = Rc::clone(&self.upstream.address);
        connect(
            address,
            settings.greeting.clone(),
            settings.tls.clone(),
            probes,
        )
    }

    fn is_dedicated(&self) -> bool {
        self.upstream.how == Use::Dedicated
    }
}

fn write(
    stream: &mut Stream,
    out: &crate::buffer::WriteQueue,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    match out.only_piece() {
        Some(piece) => Pin::new(stream).poll_write(cx, piece),
        None => {
            let mut slices = no_slices();
            let filled = out.slices(&mut slices);
            Pin::new(stream).poll_write_vectored(cx, &slices[..filled])
        }
    }
}
