//! The task that owns the socket to one node: connects, writes, reads, and keeps the deadlines.
//!
//! One task for the life of the upstream, and no allocation, task or timer a request.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::flow::{Flow, Patience, STREAM_FROM, Stream};
use super::probe::Probe;
use super::queue::Queue;
use super::{Handshake, Health, KNOCK, RETRY_MAX, RETRY_MIN, Upstream, Use};
use crate::buffer::no_slices;
use crate::client::{Reply, is_large};
use crate::clock::{Micros, micros};
use crate::error::Kind;
use crate::resp::{ReplyError, ReplyScan};
use crate::socket;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// Room made at once for a reply that is still coming.
const ROOM: usize = 1024 * 1024;
/// Bytes read at once of a reply that is handed on as it comes.
const STREAM_CHUNK: usize = 256 * 1024;
/// Chunks read before others may run.
const CHUNKS_A_TURN: usize = 16;

type Connecting = Pin<Box<dyn Future<Output = Result<TcpStream, Kind>>>>;

enum Link {
    /// Tried again at `retry_at`, and from `knock_at` on when a request wants it.
    Down {
        retry_at: Micros,
        knock_at: Micros,
    },
    Connecting(Connecting),
    Up(TcpStream),
}

struct Task {
    upstream: Rc<Upstream>,
    link: Link,
    input: BytesMut,
    scan: ReplyScan,
    flow: Flow,
    /// When something last came.
    heard_at: Micros,
    /// Failures in a row without a reply in between.
    failures: u32,
    timer: Pin<Box<Sleep>>,
    armed_at: Option<Micros>,
    probe: Probe,
}

/// Serves `upstream` until it is closed, or retired and nobody waits for it, or, being dedicated, its connection ends.
pub(crate) async fn run(upstream: Rc<Upstream>) {
    let mut task = Task::new(upstream);
    poll_fn(|cx| {
        // Without this, a panic would leave a node that nobody serves until the proxy is restarted.
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
            scan: ReplyScan::of(upstream.settings.protocol),
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

    /// Goes on after a panic, with a new connection and without the requests that waited.
    #[cold]
    fn recover(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let upstream = Rc::clone(&self.upstream);
        upstream.settings.panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!(node = %upstream.address, "panic of a node connection: it is made anew");
        if self.is_dedicated() {
            upstream.shut(Kind::Panicked);
        }
        let text = |executed| upstream.error(Kind::Panicked, executed).reply();
        upstream.queue.borrow_mut().abandon(text);
        if self.is_dedicated() {
            return Poll::Ready(());
        }
        upstream.open();
        let failures = self.failures + 1;
        let retry_at = upstream.settings.clock.now() + retry_after(failures);
        *self = Self {
            link: Link::Down {
                retry_at,
                knock_at: retry_at,
            },
            failures,
            ..Self::new(Rc::clone(&upstream))
        };
        upstream.health.set(Health::Down);
        cx.waker().wake_by_ref();
        Poll::Pending
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
        if let Err(why) = self.expire(now) {
            return self.end(why);
        }
        if self.upstream.retired.get() && !self.upstream.queue.borrow().is_awaited() {
            return Poll::Ready(());
        }
        self.probe(cx, now);
        self.call_waiting(cx, now);
        self.arm(cx, now);
        Poll::Pending
    }

    /// When a node that owes replies is to be asked whether it is busy; none where that is known, or asked already.
    fn probe_at(&self, queue: &Queue) -> Option<Micros> {
        if self.is_dedicated() || self.upstream.is_shut() {
            return None;
        }
        let op_timeout = self.upstream.settings.op_timeout;
        let deadline = queue.oldest_sent_deadline()?;
        self.probe.due(self.silent_since(deadline), op_timeout)
    }

    /// Refuses what clients ask in the words of the node, once it says that it is busy: on this connection it will read
    /// nothing before its script ends. What was sent already waits for that, as far as its deadline.
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

    /// Something has come from the node.
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

    /// Lets clients go on that wait until the node owes less.
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
            // Should those that were called ask for nothing, it is the turn of the next.
            cx.waker().wake_by_ref();
        }
    }

    /// Goes on as far as possible; `Ready` when there may be more to do at once.
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
                // What has come in time counts, however late we look; what is late by now is not sent.
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
                Poll::Ready(_) => return Err(Kind::Lost),
                Poll::Pending => break,
            }
        }
        Ok(())
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
                Poll::Ready(_) => return Err(Kind::Lost),
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
        // More may be there, but it is the others' turn.
        cx.waker().wake_by_ref();
        Ok(Poll::Pending)
    }

    /// Whether nothing is read because a client does not take what has come of its reply.
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
            // That nothing was heard is not the node's fault.
            self.heard_at = now;
        }
        pauses
    }

    /// Whether the reply to the oldest request has begun and is not late.
    fn keeps_coming(&self, now: Micros) -> bool {
        let has_begun = !self.input.is_empty() || matches!(self.flow, Flow::Streams(_));
        has_begun && (self.flow.paused_until().is_some() || now < self.patience())
    }

    /// When the connection is given up if nothing comes.
    fn stalls_at(&self, oldest_deadline: Micros) -> Micros {
        self.silent_since(oldest_deadline) + micros(self.upstream.settings.stall_timeout)
    }

    /// Since when the node owes something and nothing has come.
    fn silent_since(&self, oldest_deadline: Micros) -> Micros {
        let op_timeout = micros(self.upstream.settings.op_timeout);
        self.heard_at
            .max(oldest_deadline.saturating_sub(op_timeout))
    }

    /// Another connection to the node, with all that has to be said first.
    fn connect(&self) -> impl Future<Output = Result<TcpStream, Kind>> + use<> {
        let settings = &self.upstream.settings;
        let probes = (settings.keepalive, settings.unacknowledged);
        let address = Rc::clone(&self.upstream.address);
        connect(address, settings.greeting.clone(), probes)
    }

    /// Fails what is late. Of a dedicated connection that is the end.
    fn expire(&mut self, now: Micros) -> Result<(), Kind> {
        let mut queue = self.upstream.queue.borrow_mut();
        let is_due = |queue: &Queue| {
            let deadline = queue.next_deadline();
            deadline.is_some_and(|deadline| deadline <= now)
        };
        if !is_due(&queue) && !queue.comes() {
            return Ok(());
        }
        let comes = self.keeps_coming(now);
        if self.is_dedicated() {
            return match is_due(&queue) && !comes {
                true => Err(Kind::Timeout),
                false => Ok(()),
            };
        }
        let text = |executed| self.upstream.error(Kind::Timeout, executed).reply();
        queue.set_comes(comes, text);
        if is_due(&queue) {
            let marker = now + micros(self.upstream.settings.op_timeout);
            queue.expire(now, marker, text);
        }
        Ok(())
    }

    /// Until when a reply that has begun is waited for if nothing comes of it.
    fn patience(&self) -> Micros {
        self.heard_at + micros(self.upstream.settings.op_timeout)
    }

    fn is_dedicated(&self) -> bool {
        self.upstream.how == Use::Dedicated
    }

    /// A dedicated connection fails with all that was asked on it: what came later means nothing without what came before.
    fn end(&mut self, why: Kind) -> Poll<()> {
        tracing::debug!(node = %self.upstream.address, ?why, "dedicated connection ended");
        let upstream = &self.upstream;
        upstream.shut(why.clone());
        let text = |executed| upstream.error(why.clone(), executed).reply();
        upstream.queue.borrow_mut().fail_all(text);
        Poll::Ready(())
    }

    /// The connection is gone, or did not come about: another attempt is due.
    fn down(&mut self, why: Kind, now: Micros) {
        if self.failures == 0 {
            tracing::warn!(node = %self.upstream.address, ?why, "connection failed");
        } else {
            tracing::debug!(node = %self.upstream.address, ?why, "connection failed again");
        }
        // A connection that was good is tried again at once.
        let at_once = self.failures == 0 && matches!(self.link, Link::Up(_));
        let wait = retry_after(self.failures);
        self.failures += 1;
        self.input = BytesMut::new();
        self.flow = Flow::Keeps;
        self.forget_silence();
        self.scan = ReplyScan::of(self.upstream.settings.protocol);
        let (retry_at, knock_at) = if at_once {
            (now, now)
        } else {
            (now + wait, now + micros(KNOCK))
        };
        let lost = matches!(self.link, Link::Up(_));
        self.link = Link::Down { retry_at, knock_at };
        let upstream = &self.upstream;
        upstream.health.set(Health::Down);
        let text = |executed| upstream.error(why.clone(), executed).reply();
        let mut queue = upstream.queue.borrow_mut();
        if lost {
            queue.fail_sent(text);
        } else {
            queue.fail_all(text);
        }
    }

    /// Sets the one timer to what is due next.
    fn arm(&mut self, cx: &mut Context<'_>, now: Micros) {
        if self.armed_at.is_some_and(|at| at <= now) {
            self.armed_at = None;
        }
        let queue = self.upstream.queue.borrow();
        let patience = micros(self.upstream.settings.op_timeout);
        let line = self.upstream.line.borrow();
        let line = line.expires_at(self.heard_at, patience);
        let due = match &self.link {
            Link::Down { retry_at, knock_at } => match queue.next_deadline() {
                Some(deadline) => Some(deadline.min(*knock_at)),
                None => Some(*retry_at),
            },
            Link::Connecting(_) => queue.next_deadline(),
            Link::Up(_) if self.flow.paused_until().is_some() => {
                // All that is asked on a dedicated connection waits for the same client.
                let others = queue.next_deadline().filter(|_| !self.is_dedicated());
                self.flow.paused_until().into_iter().chain(others).min()
            }
            Link::Up(_) => {
                let stall = queue
                    .oldest_sent_deadline()
                    .map(|deadline| self.stalls_at(deadline));
                let deadline = queue.next_deadline().map(|deadline| {
                    match self.is_dedicated() && self.keeps_coming(now) {
                        true => deadline.max(self.patience()),
                        false => deadline,
                    }
                });
                let comes = queue.comes().then(|| self.patience());
                let probe = self.probe_at(&queue);
                let due = deadline.into_iter().chain(comes).chain(stall);
                due.chain(probe).min()
            }
        };
        if let Some(due) = due.into_iter().chain(line).min()
            && self.armed_at.is_none_or(|armed| due < armed)
        {
            self.timer
                .as_mut()
                .reset(self.upstream.settings.clock.instant(due));
            self.armed_at = Some(due);
            if self.timer.as_mut().poll(cx).is_ready() {
                self.armed_at = None;
                cx.waker().wake_by_ref();
            }
        }
    }
}

/// Hands out all replies that are complete.
#[inline]
fn deliver(
    input: &mut BytesMut,
    scan: &mut ReplyScan,
    flow: &mut Flow,
    upstream: &Upstream,
) -> Result<(), Kind> {
    let mut queue = upstream.queue.borrow_mut();
    let mut at = 0;
    loop {
        match scan.scan(&input[at..]).map_err(Kind::Garbage)? {
            Ok(len) if !flow.is_kept() => {
                // Such a reply starts the input.
                let piece = input.split_to(len).freeze();
                match std::mem::take(flow) {
                    Flow::Streams(_) => queue.stream(piece, true)?,
                    // Its client has an error already, or is gone.
                    Flow::Keeps | Flow::Drops => queue.answer(Reply::Small(b""))?,
                }
            }
            // Nobody asked for it, so it is nobody's reply.
            Ok(len) if input[at] == b'>' => at += len,
            Ok(len) => {
                if is_large(len) {
                    input.advance(at);
                    at = 0;
                    queue.answer(Reply::Large(input.split_to(len).freeze()))?;
                } else {
                    at += len;
                    queue.answer(Reply::Small(&input[at - len..at]))?;
                }
            }
            Err(more) => {
                if at == input.len() {
                    input.clear();
                } else {
                    input.advance(at);
                    if flow.is_kept() && input.len() >= ROOM {
                        *flow = judge(input, more, &mut queue, upstream)?;
                    }
                    if flow.is_kept() {
                        // Beyond that it grows with what has come, not with what was only announced.
                        let room = more.min(input.len().max(ROOM));
                        input.reserve(room);
                    } else {
                        hand_on(input, scan, flow, &mut queue)?;
                    }
                }
                return Ok(());
            }
        }
    }
}

/// Takes out of `input` what has come of a reply that is not kept.
fn hand_on(
    input: &mut BytesMut,
    scan: &mut ReplyScan,
    flow: &mut Flow,
    queue: &mut Queue,
) -> Result<(), Kind> {
    let len = scan.give_up(input);
    if matches!(flow, Flow::Streams(_)) {
        if len > 0 {
            queue.stream(input.split_to(len).freeze(), false)?;
        }
        if queue.streams_to().is_none() {
            *flow = Flow::Drops;
        }
    } else {
        let rest = input.split_off(len);
        // Not the buffer of what was dropped.
        *input = BytesMut::from(&rest[..]);
    }
    Ok(())
}

/// What becomes of the large reply that has begun in `input` and lacks `more` bytes at least.
#[cold]
fn judge(input: &[u8], more: usize, queue: &mut Queue, upstream: &Upstream) -> Result<Flow, Kind> {
    let max = upstream.settings.reply_bytes_max;
    if input.first() == Some(&b'>') {
        // No request asked for it.
        return match input.len() > max {
            true => Err(Kind::Garbage(ReplyError::Malformed)),
            false => Ok(Flow::Keeps),
        };
    }
    if input.len().saturating_add(more) > STREAM_FROM.min(max) && queue.can_stream() {
        return Ok(Flow::Streams(Stream::default()));
    }
    let text = |executed| upstream.error(Kind::ReplyTooLarge(max), executed).reply();
    Ok(match queue.gives_up(input.len(), max, text) {
        true => Flow::Drops,
        false => Flow::Keeps,
    })
}

fn write(
    stream: &mut TcpStream,
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

/// After this many failures in a row the next attempt comes so much later.
fn retry_after(failures: u32) -> Micros {
    micros(
        RETRY_MIN
            .saturating_mul(1 << failures.min(10))
            .min(RETRY_MAX),
    )
}

async fn connect(
    address: Rc<str>,
    greeting: Option<Handshake>,
    (keepalive, unacknowledged): (Duration, Duration),
) -> Result<TcpStream, Kind> {
    let mut stream = TcpStream::connect(&*address)
        .await
        .map_err(|error| connect_failed(&error))?;
    stream
        .set_nodelay(true)
        .and_then(|()| socket::set_keepalive(&stream, keepalive))
        .and_then(|()| socket::set_unacknowledged(&stream, unacknowledged))
        .map_err(|error| connect_failed(&error))?;
    if let Some(greeting) = greeting {
        greeting.exchange(&mut stream).await?;
    }
    Ok(stream)
}

fn connect_failed(error: &io::Error) -> Kind {
    Kind::Connect(match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        _ => error.to_string().into(),
    })
}
