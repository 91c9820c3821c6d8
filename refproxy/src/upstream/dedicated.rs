//! A connection to a node that one client has for itself, because the node keeps something about the connection.
//!
//! Transactions are such; whatever else has to be pinned to a connection can use the same door. What a client leaves
//! behind on it is gone with it: dropped, it closes at once.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use super::{Settings, Upstream, Use, run};

/// Connections to one node that may wait for the next client.
const IDLE_MAX: usize = 16;

/// One client's connection.
#[derive(Debug)]
pub(crate) struct Dedicated(Rc<Upstream>);

impl Dedicated {
    /// Connects as soon as something is sent.
    fn connect(address: &str, settings: &Settings) -> Self {
        let upstream = Upstream::of(address, settings.clone(), Use::Dedicated);
        tokio::task::spawn_local(run(Rc::clone(&upstream)));
        Self(upstream)
    }

    /// The same connection, to be used as others are; it is still this one that decides when it ends.
    pub(crate) fn upstream(&self) -> &Rc<Upstream> {
        &self.0
    }

    /// Whether it has ended: what was asked on it has failed, and so will all that is asked.
    pub(crate) fn is_over(&self) -> bool {
        self.0.over.borrow().is_some()
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

/// Dedicated connections of one worker that nobody uses, clean as new ones.
#[derive(Debug, Default)]
pub(crate) struct Idle(RefCell<Vec<Dedicated>>);

impl Idle {
    /// One to this node, or a new one.
    pub(crate) fn take(&self, address: &str, settings: &Settings) -> Dedicated {
        let mut idle = self.0.borrow_mut();
        idle.retain(|connection| !connection.is_over());
        let place = idle
            .iter()
            .rposition(|connection| connection.0.is_as(address, settings));
        match place {
            Some(place) => idle.swap_remove(place),
            None => Dedicated::connect(address, settings),
        }
    }

    /// Keeps a clean connection for the next client, unless there are enough.
    pub(crate) fn give_back(&self, connection: Dedicated) {
        let mut idle = self.0.borrow_mut();
        let address = connection.address();
        let same = idle.iter().filter(|other| other.address() == address);
        if !connection.is_over() && same.count() < IDLE_MAX {
            idle.push(connection);
        }
    }

    /// Closes those that lead to none of these nodes.
    pub(crate) fn keep(&self, stays: impl Fn(&str) -> bool) {
        self.0
            .borrow_mut()
            .retain(|connection| stays(connection.address()));
    }
}
