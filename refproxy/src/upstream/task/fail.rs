//! Requests that fail with a connection: late ones, all of a dedicated one, those that were sent on a lost one.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::BytesMut;

use super::connect::retry_after;
use super::{Link, Task};
use crate::clock::{Micros, micros};
use crate::error::Kind;
use crate::upstream::flow::Flow;
use crate::upstream::queue::Queue;
use crate::upstream::{Health, KNOCK};

impl Task {
    /// Continues after a panic, with a new connection and without the waiting requests.
    #[cold]
    pub(super) fn recover(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let upstream = Rc::clone(&self.upstream);
        upstream.settings.panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!(node = %upstream.address, "panic of a node connection: it is opened again");
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

    /// Fails late requests.
    ///
    /// # Errors
    /// The connection cannot be used any more: it is a dedicated one, or a reply has stopped before its end. Later
    /// bytes may be the rest of the reply or the next one, so later requests would wait in vain.
    pub(super) fn expire(&mut self, now: Micros) -> Result<(), Kind> {
        let mut queue = self.upstream.queue.borrow_mut();
        let is_due = |queue: &Queue| {
            let deadline = queue.next_deadline();
            deadline.is_some_and(|deadline| deadline <= now)
        };
        let has_stopped = self.stops_at().is_some_and(|at| at <= now);
        if !is_due(&queue) && !queue.comes() && !has_stopped {
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
        if has_stopped {
            queue.fail_front(text);
            return Err(Kind::Incomplete);
        }
        queue.set_comes(comes, text);
        if is_due(&queue) {
            let marker = now + micros(self.upstream.settings.op_timeout);
            queue.expire(now, marker, text);
        }
        Ok(())
    }

    /// A dedicated connection fails with all its requests: later ones depend on earlier ones.
    pub(super) fn end(&mut self, why: Kind) -> Poll<()> {
        tracing::debug!(node = %self.upstream.address, ?why, "dedicated connection ended");
        let upstream = &self.upstream;
        upstream.shut(why.clone());
        let text = |executed| upstream.error(why.clone(), executed).reply();
        upstream.queue.borrow_mut().fail_all(text);
        Poll::Ready(())
    }

    /// The connection is gone, or did not come about: another attempt is due.
    pub(super) fn down(&mut self, why: Kind, now: Micros) {
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
        self.scan = self.upstream.settings.reply_scan();
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
}
