//! A hook: a command of the operator that applies and heals faults where the suite cannot.
//!
//! - `template`: the command with its placeholders. Pure.
//! - `call`: one call of it.
//!
//! Every call to apply a fault is followed by one call to heal it, however the run ends, unless the hook said that it
//! cannot do the fault. Calls follow one another, so that a fault is never healed while it is being applied.

mod call;
mod template;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Fault;
use call::{Failure, call};
use template::Values;

pub use template::{Action, Template, TemplateError};

/// How long the heals that are due may take in this process.
static DUE: Mutex<Duration> = Mutex::new(Duration::ZERO);

/// How long the hooks of this process may take to heal all faults in force. Zero if there is none.
#[must_use]
pub fn heals_within() -> Duration {
    *lock(&DUE)
}

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

fn after(line: &str) -> String {
    match line.is_empty() {
        true => String::new(),
        false => format!(": {line}"),
    }
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
            calls: Arc::new(Calls {
                hook: self.clone(),
                open: Mutex::default(),
                stopped: AtomicBool::new(false),
            }),
        }
    }
}

/// The calls of one run. When it is dropped, a call that still runs is killed, and all faults in force are healed.
#[derive(Debug)]
pub struct HookRun {
    calls: Arc<Calls>,
}

impl HookRun {
    /// Puts a fault in force on `on`, which has this address.
    ///
    /// # Errors
    /// What the hook did instead. It must be healed then too.
    pub async fn apply(&self, fault: &Fault, on: &str, node: SocketAddr) -> Result<(), Error> {
        self.call(Calls::apply, Order::new(fault, on, node)).await
    }

    /// Ends a fault. Does nothing if it was not applied.
    ///
    /// # Errors
    /// What the hook did instead.
    pub async fn heal(&self, fault: &Fault, on: &str, node: SocketAddr) -> Result<(), Error> {
        self.call(Calls::heal, Order::new(fault, on, node)).await
    }

    async fn call(
        &self,
        does: fn(&Calls, &Order) -> Result<(), Error>,
        order: Order,
    ) -> Result<(), Error> {
        let (calls, given) = (Arc::clone(&self.calls), order.clone());
        let called = tokio::task::spawn_blocking(move || does(&calls, &given));
        // Only a runtime that ends drops it.
        called
            .await
            .unwrap_or_else(|why| Err(order.failed(Action::Apply, why.to_string())))
    }
}

impl Drop for HookRun {
    fn drop(&mut self) {
        self.calls.stopped.store(true, Ordering::Relaxed);
        for why in self.calls.heal_all() {
            tracing::warn!("{why}");
        }
    }
}

/// What a hook is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    fault: String,
    kind: &'static str,
    on: String,
    node: String,
}

impl Order {
    fn new(fault: &Fault, on: &str, node: SocketAddr) -> Self {
        Self {
            fault: fault.to_string(),
            kind: fault.name(),
            on: on.to_owned(),
            node: node.to_string(),
        }
    }

    fn values(&self, action: Action) -> Values<'_> {
        Values {
            action,
            fault: &self.fault,
            kind: self.kind,
            on: &self.on,
            node: &self.node,
        }
    }

    fn failed(&self, action: Action, why: String) -> Error {
        let (fault, on) = (self.fault.clone(), self.on.clone());
        match action {
            Action::Apply => Error::Apply { fault, on, why },
            Action::Heal => Error::Heal { fault, on, why },
        }
    }
}

/// One call at a time, and the faults in force.
#[derive(Debug)]
struct Calls {
    hook: Hook,
    /// Locked during a call.
    open: Mutex<Vec<Order>>,
    stopped: AtomicBool,
}

impl Calls {
    fn apply(&self, order: &Order) -> Result<(), Error> {
        let mut open = lock(&self.open);
        if self.is_stopped() {
            return Err(order.failed(Action::Apply, "the run was stopped".to_owned()));
        }
        open.push(order.clone());
        *lock(&DUE) += self.hook.within;
        let is_stopped = || self.is_stopped();
        match self.run(order, Action::Apply, &is_stopped) {
            Ok(()) => Ok(()),
            Err(Failure::Other(why)) => Err(order.failed(Action::Apply, why)),
            Err(Failure::Unable(why)) => {
                open.pop();
                self.healed();
                let (fault, on) = (order.fault.clone(), order.on.clone());
                Err(Error::Unable { fault, on, why })
            }
        }
    }

    fn heal(&self, order: &Order) -> Result<(), Error> {
        let mut open = lock(&self.open);
        let Some(at) = open.iter().position(|it| it == order) else {
            return Ok(());
        };
        let healed = self.run(order, Action::Heal, &|| false);
        open.remove(at);
        self.healed();
        healed.map_err(|failure| {
            let why = match failure {
                Failure::Other(why) => why,
                Failure::Unable(line) => format!("exit status: {}{}", call::UNABLE, after(&line)),
            };
            let error = order.failed(Action::Heal, why);
            lock(&self.hook.unhealed).get_or_insert(error.clone());
            error
        })
    }

    /// Heals all faults in force, in the order in which they were applied. Returns the faults that were not healed.
    fn heal_all(&self) -> Vec<Error> {
        let open = lock(&self.open).clone();
        let healed = open.iter().map(|order| self.heal(order));
        healed.filter_map(Result::err).collect()
    }

    fn run(
        &self,
        order: &Order,
        action: Action,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        let words = self.hook.command.words(&order.values(action));
        call(&words, self.hook.within, is_stopped)
    }

    /// One heal less is due.
    fn healed(&self) {
        let mut due = lock(&DUE);
        *due = due.saturating_sub(self.hook.within);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
