//! The next event at a node: deadlines of requests, a silent node, a probe, the next attempt to connect.

use std::task::Context;

use super::super::queue::Queue;
use super::{Link, Task};
use crate::clock::{Micros, micros};
use crate::upstream::flow::Flow;

impl Task {
    /// Sets the only timer to the next event.
    pub(super) fn arm(&mut self, cx: &mut Context<'_>, now: Micros) {
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
                let probe = self.probe_at(&queue);
                let due = deadline.into_iter().chain(self.stops_at()).chain(stall);
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

    /// When a node that owes replies is to be asked whether it is busy; `None` if that is known, or asked already.
    pub(super) fn probe_at(&self, queue: &Queue) -> Option<Micros> {
        if self.is_dedicated() || self.upstream.is_shut() {
            return None;
        }
        let op_timeout = self.upstream.settings.op_timeout;
        let deadline = queue.oldest_sent_deadline()?;
        self.probe.due(self.silent_since(deadline), op_timeout)
    }

    /// Whether the reply to the oldest request has begun and is not late.
    pub(super) fn keeps_coming(&self, now: Micros) -> bool {
        let has_begun = !self.input.is_empty() || matches!(self.flow, Flow::Streams(_));
        has_begun && (self.flow.paused_until().is_some() || now < self.patience())
    }

    /// When a reply that has begun ends the connection if nothing more comes of it. That of a dedicated connection ends it
    /// at the deadline of its request.
    pub(super) fn stops_at(&self) -> Option<Micros> {
        let has_begun = !self.input.is_empty() || !self.flow.is_kept();
        let waits_for_client = self.flow.paused_until().is_some();
        (has_begun && !waits_for_client && !self.is_dedicated()).then(|| self.patience())
    }

    /// When the connection is given up if nothing comes.
    pub(super) fn stalls_at(&self, oldest_deadline: Micros) -> Micros {
        self.silent_since(oldest_deadline) + micros(self.upstream.settings.stall_timeout)
    }

    /// Since when the node owes a reply and no byte has arrived.
    pub(super) fn silent_since(&self, oldest_deadline: Micros) -> Micros {
        let op_timeout = micros(self.upstream.settings.op_timeout);
        self.heard_at
            .max(oldest_deadline.saturating_sub(op_timeout))
    }

    /// The deadline of a reply that has begun if no more of it arrives.
    pub(super) fn patience(&self) -> Micros {
        self.heard_at + micros(self.upstream.settings.op_timeout)
    }
}
