//! A connection to a node for a single client, because the node keeps state about the connection.
//!
//! Transactions need one; other features that pin a client to a connection can use the same type. State that a client
//! leaves on it ends with it: dropped, it closes at once.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Settings, Upstream, Use, run};
use crate::error::{Blame, Error, Executed, Kind};

/// Connections to one node that may wait for the next client.
const IDLE_MAX: usize = 16;

/// The number of dedicated connections in the process, and its maximum.
#[derive(Debug)]
pub(crate) struct Quota {
    count: AtomicUsize,
    max: AtomicUsize,
}

impl Quota {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            count: AtomicUsize::new(0),
            max: AtomicUsize::new(max),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn max(&self) -> usize {
        self.max.load(Ordering::Relaxed)
    }

    pub(crate) fn limit_to(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    fn take(self: &Arc<Self>) -> Option<Permit> {
        let permit = Permit(Arc::clone(self));
        (self.count.fetch_add(1, Ordering::Relaxed) < self.max()).then_some(permit)
    }
}

/// The right to one connection, given back when dropped.
#[derive(Debug)]
struct Permit(Arc<Quota>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The number of dedicated connections has reached its maximum.
#[derive(Debug)]
pub(crate) struct NoDedicated(pub(crate) Error);

/// One client's connection.
#[derive(Debug)]
pub(crate) struct Dedicated(Rc<Upstream>, Permit);

impl Dedicated {
    /// Connects as soon as something is sent.
    fn connect(address: &str, settings: &Settings, permit: Permit) -> Self {
        let upstream = Upstream::of(address, settings.clone(), Use::Dedicated);
        tokio::task::spawn_local(run(Rc::clone(&upstream)));
        Self(upstream, permit)
    }

    /// The same connection, to be used like a shared one; this handle still decides when it ends.
    pub(crate) fn upstream(&self) -> &Rc<Upstream> {
        &self.0
    }

    /// Whether it has ended: its pending requests have failed, and so will all later ones.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_shut()
    }
}

impl Deref for Dedicated {
    type Target = Upstream;

    fn deref(&self) -> &Upstream {
        &self.0
    }
}

impl Drop for Dedicated {
    fn drop(&mut self) {
        self.0.closed.set(true);
        self.0.wake();
    }
}

/// Dedicated connections of one worker that are not in use, as clean as new ones.
#[derive(Debug, Default)]
pub(crate) struct Idle(RefCell<Vec<Dedicated>>);

impl Idle {
    /// One to this node, or a new one. If there are too many, an idle one to another node closes.
    pub(crate) fn take(
        &self,
        address: &str,
        settings: &Settings,
        quota: &Arc<Quota>,
    ) -> Result<Dedicated, NoDedicated> {
        let mut idle = self.0.borrow_mut();
        idle.retain(|connection| !connection.is_over());
        let place = idle
            .iter()
            .rposition(|connection| connection.0.is_as(address, settings));
        if let Some(place) = place {
            return Ok(idle.swap_remove(place));
        }
        let mut permit = quota.take();
        while permit.is_none() && idle.pop().is_some() {
            permit = quota.take();
        }
        match permit {
            Some(permit) => Ok(Dedicated::connect(address, settings, permit)),
            None => Err(NoDedicated(Error {
                kind: Kind::NoDedicated(quota.max()),
                blame: Blame::Limit("limits.dedicated_connections"),
                executed: Executed::No,
            })),
        }
    }

    /// Keeps a clean connection for the next client, unless there are enough, or more than half of the maximum: another
    /// worker cannot use it.
    pub(crate) fn give_back(&self, connection: Dedicated) {
        let mut idle = self.0.borrow_mut();
        let address = connection.address();
        let same = idle.iter().filter(|other| other.address() == address);
        let quota = &connection.1.0;
        let is_scarce = quota.count() > quota.max() / 2;
        if !connection.is_over() && !is_scarce && same.count() < IDLE_MAX {
            idle.push(connection);
        }
    }

    /// Closes those to other nodes than these.
    pub(crate) fn keep(&self, stays: impl Fn(&str) -> bool) {
        self.0
            .borrow_mut()
            .retain(|connection| stays(connection.address()));
    }
}
