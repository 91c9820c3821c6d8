//! A hook: a command of the operator that applies and heals faults where the suite cannot.
//!
//! - `template`: the command with its placeholders. Pure.
//!
//! Every call to apply a fault is followed by one call to heal it, however the run ends, unless the hook said that it
//! cannot do the fault. Calls follow one another, so that a fault is never healed while it is being applied.

mod template;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Fault;
use crate::command::{Calls, Change, Failure, after};
use template::Values;

pub use template::{Action, Template, TemplateError};

/// A hook did not do what it was called for. Never a verdict on a proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It exited with 3: it cannot do this fault, and has changed nothing.
    #[error("the fault hook cannot do {fault} on {on}{}", after(.why))]
    Unable {
        /// The fault.
        fault: String,
        /// What it was to act on.
        on: String,
        /// The last line on its stderr.
        why: String,
    },
    /// The fault is not in force.
    #[error("the fault hook failed to apply {fault} on {on}: {why}")]
    Apply {
        /// The fault.
        fault: String,
        /// What it was to act on.
        on: String,
        /// The cause.
        why: String,
    },
    /// The fault may still be in force.
    #[error("the fault hook failed to heal {fault} on {on}, which may still be in force: {why}")]
    Heal {
        /// The fault.
        fault: String,
        /// What it acted on.
        on: String,
        /// The cause.
        why: String,
    },
}

/// The command with its time limit.
#[derive(Debug, Clone)]
pub struct Hook {
    command: Template,
    within: Duration,
    unhealed: Arc<Mutex<Option<Error>>>,
}

impl Hook {
    /// A hook whose calls take at most `within` each.
    #[must_use]
    pub fn new(command: Template, within: Duration) -> Self {
        Self {
            command,
            within,
            unhealed: Arc::default(),
        }
    }

    /// The first fault that was not healed. It may be in force in every later run.
    #[must_use]
    pub fn unhealed(&self) -> Option<Error> {
        lock(&self.unhealed).clone()
    }

    /// The calls of one run.
    #[must_use]
    pub fn begin(&self) -> HookRun {
        HookRun {
            hook: self.clone(),
            calls: Arc::new(Calls::new(self.within)),
        }
    }

    fn change(&self, fault: &Fault, on: &str, node: SocketAddr) -> Change<Order> {
        let (text, node) = (fault.to_string(), node.to_string());
        let words = |action| {
            self.command.words(&Values {
                action,
                fault: &text,
                kind: fault.name(),
                on,
                node: &node,
            })
        };
        Change {
            apply: words(Action::Apply),
            undo: words(Action::Heal),
            label: Order {
                fault: text.clone(),
                on: on.to_owned(),
            },
        }
    }

    /// Ends the fault of a change, and remembers it if that failed.
    fn heal(&self, calls: &Calls<Order>, change: &Change<Order>) -> Result<(), Error> {
        calls.undo(change).map_err(|why| {
            let error = change.label.failed(Action::Heal, why);
            lock(&self.unhealed).get_or_insert(error.clone());
            error
        })
    }
}

/// The calls of one run. When it is dropped, a call that still runs is killed, and all faults in force are healed.
#[derive(Debug)]
pub struct HookRun {
    hook: Hook,
    calls: Arc<Calls<Order>>,
}

impl HookRun {
    /// Puts a fault in force on `on`, which has this address.
    ///
    /// # Errors
    /// What the hook did instead. It must be healed then too.
    pub async fn apply(&self, fault: &Fault, on: &str, node: SocketAddr) -> Result<(), Error> {
        let change = self.hook.change(fault, on, node);
        self.call(change, Action::Apply, |_, calls, change| {
            calls.apply(change).map_err(|failure| match failure {
                Failure::Other(why) => change.label.failed(Action::Apply, why),
                Failure::Unable(why) => {
                    calls.forget(change);
                    change.label.unable(why)
                }
            })
        })
        .await
    }

    /// Ends a fault. Does nothing if it was not applied.
    ///
    /// # Errors
    /// What the hook did instead.
    pub async fn heal(&self, fault: &Fault, on: &str, node: SocketAddr) -> Result<(), Error> {
        let change = self.hook.change(fault, on, node);
        self.call(change, Action::Heal, Hook::heal).await
    }

    async fn call(
        &self,
        change: Change<Order>,
        action: Action,
        does: impl FnOnce(&Hook, &Calls<Order>, &Change<Order>) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let (hook, calls, order) = (
            self.hook.clone(),
            Arc::clone(&self.calls),
            change.label.clone(),
        );
        let called = tokio::task::spawn_blocking(move || does(&hook, &calls, &change));
        // Only a runtime that ends drops it.
        called
            .await
            .unwrap_or_else(|why| Err(order.failed(action, why.to_string())))
    }
}

impl Drop for HookRun {
    fn drop(&mut self) {
        self.calls.stop();
        for change in self.calls.in_force() {
            if let Err(why) = self.hook.heal(&self.calls, &change) {
                tracing::warn!("{why}");
            }
        }
    }
}

/// A fault, and what it acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    fault: String,
    on: String,
}

impl Order {
    fn failed(&self, action: Action, why: String) -> Error {
        let (fault, on) = (self.fault.clone(), self.on.clone());
        match action {
            Action::Apply => Error::Apply { fault, on, why },
            Action::Heal => Error::Heal { fault, on, why },
        }
    }

    fn unable(&self, why: String) -> Error {
        let (fault, on) = (self.fault.clone(), self.on.clone());
        Error::Unable { fault, on, why }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
