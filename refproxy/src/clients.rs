//! The clients of one worker: each has a place that it gives back when its session ends.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use crate::client::{Client, Closed};
use crate::clock::Micros;
use crate::output::OutputBudget;
use crate::stats::Shared;

/// The clients that are connected to a worker.
#[derive(Debug)]
pub(crate) struct Clients {
    by_id: RefCell<HashMap<u64, Rc<Client>>>,
    budget: Rc<OutputBudget>,
    shared: Arc<Shared>,
    emptied: Notify,
}

impl Clients {
    pub(crate) fn new(budget: OutputBudget, shared: Arc<Shared>) -> Self {
        Self {
            by_id: RefCell::default(),
            budget: Rc::new(budget),
            shared,
            emptied: Notify::new(),
        }
    }

    /// A place for one more client; `None` when the proxy has its maximum.
    pub(crate) fn admit(self: &Rc<Self>, now: Micros) -> Option<Place> {
        let clients_max = self.shared.clients_max.load(Ordering::Relaxed);
        if self.shared.clients.fetch_add(1, Ordering::Relaxed) >= clients_max {
            self.shared.clients.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let id = self.shared.clients_total.fetch_add(1, Ordering::Relaxed) + 1;
        let client = Rc::new(Client::new(id, Rc::clone(&self.budget), now));
        self.by_id.borrow_mut().insert(id, Rc::clone(&client));
        Some(Place {
            clients: Rc::clone(self),
            client,
        })
    }

    /// Their lines in CLIENT LIST, by id.
    pub(crate) fn lines(&self, now: Micros) -> Vec<(u64, Vec<u8>)> {
        let clients = self.by_id.borrow();
        let lines = clients.values().map(|client| (client.id, client.line(now)));
        lines.collect()
    }

    /// Closes those that are unauthenticated, and those that are idle, since before these moments.
    pub(crate) fn close_overdue(&self, unauthenticated: Option<Micros>, idle: Option<Micros>) {
        for client in self.by_id.borrow().values() {
            if unauthenticated.is_some_and(|moment| client.is_unknown_since(moment)) {
                client.close(Closed::Unauthenticated);
            } else if idle.is_some_and(|moment| client.is_idle_since(moment)) {
                client.close(Closed::Idle);
            }
        }
    }

    pub(crate) fn wake_all(&self) {
        let clients = self.by_id.borrow();
        clients.values().for_each(|client| client.wake());
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.borrow().len()
    }

    /// Waits until the last one is gone.
    pub(crate) async fn emptied(&self) {
        while self.len() > 0 {
            self.emptied.notified().await;
        }
    }
}

/// The place of a client among all, given back when its session ends, also by a panic.
#[derive(Debug)]
pub(crate) struct Place {
    clients: Rc<Clients>,
    client: Rc<Client>,
}

impl Place {
    pub(crate) fn client(&self) -> &Rc<Client> {
        &self.client
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let shared = &self.clients.shared;
        if std::thread::panicking() {
            shared.panics.fetch_add(1, Ordering::Relaxed);
            self.client.close(Closed::Panic);
        } else {
            self.client.leave();
        }
        if let Some(why) = self.client.closed() {
            shared.closed[why as usize].fetch_add(1, Ordering::Relaxed);
        }
        self.clients.by_id.borrow_mut().remove(&self.client.id);
        shared.clients.fetch_sub(1, Ordering::Relaxed);
        self.clients.emptied.notify_one();
    }
}
