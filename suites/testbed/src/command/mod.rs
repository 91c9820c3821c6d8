//! Commands of the operator that change something and change it back, where the suite cannot.
//!
//! - `template`: a command with placeholders. Pure.
//! - `call`: one call of it.
//!
//! Every call to change something is followed by one to undo it, however the run ends, unless its owner knows that it
//! has changed nothing. Calls follow one another, so that a change is never undone while it is being made.

mod call;
mod template;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use call::call;
pub(crate) use call::{Failure, UNABLE};
pub use template::Mistake;
pub(crate) use template::Template;

/// How long the calls that are due may take in this process.
static DUE: Mutex<Duration> = Mutex::new(Duration::ZERO);

/// How long commands may take to undo all changes that this process made by them. Zero if there is none.
#[must_use]
pub fn undone_within() -> Duration {
    *lock(&DUE)
}

/// A change and its end, as the words of two calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change<L> {
    /// What its owner knows it by.
    pub(crate) label: L,
    /// The program and its arguments that make the change.
    pub(crate) apply: Vec<String>,
    /// The program and its arguments that undo it.
    pub(crate) undo: Vec<String>,
}

/// One call at a time, and the changes in force.
#[derive(Debug)]
pub(crate) struct Calls<L> {
    within: Duration,
    /// Locked during a call.
    open: Mutex<Vec<Change<L>>>,
    stopped: AtomicBool,
}

impl<L: Clone + PartialEq> Calls<L> {
    /// Calls that take at most `within` each.
    pub(crate) fn new(within: Duration) -> Self {
        Self {
            within,
            open: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Makes a change. It is in force then, and must be undone, also if this fails.
    pub(crate) fn apply(&self, change: &Change<L>) -> Result<(), Failure> {
        let mut open = lock(&self.open);
        let is_stopped = || self.stopped.load(Ordering::Relaxed);
        if is_stopped() {
            return Err(Failure::Other("the run was stopped".to_owned()));
        }
        open.push(change.clone());
        *lock(&DUE) += self.within;
        call(&change.apply, self.within, &is_stopped)
    }

    /// Takes a change for undone: it was never made.
    pub(crate) fn forget(&self, change: &Change<L>) {
        let mut open = lock(&self.open);
        if let Some(at) = open.iter().position(|it| it == change) {
            open.remove(at);
            self.undone();
        }
    }

    /// Undoes a change. Does nothing if it is not in force.
    pub(crate) fn undo(&self, change: &Change<L>) -> Result<(), String> {
        let mut open = lock(&self.open);
        let Some(at) = open.iter().position(|it| it == change) else {
            return Ok(());
        };
        let undone = call(&change.undo, self.within, &|| false);
        open.remove(at);
        self.undone();
        undone.map_err(|failure| match failure {
            Failure::Other(why) => why,
            Failure::Unable(line) => format!("exit status: {UNABLE}{}", after(&line)),
        })
    }

    /// Ends a call that makes a change. No further change is made.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// The changes in force, in the order in which they were made. Waits for a call.
    pub(crate) fn in_force(&self) -> Vec<Change<L>> {
        lock(&self.open).clone()
    }

    /// One call less is due.
    fn undone(&self) {
        let mut due = lock(&DUE);
        *due = due.saturating_sub(self.within);
    }
}

/// The last line of a command's output, after a colon.
pub(crate) fn after(line: &str) -> String {
    match line.is_empty() {
        true => String::new(),
        false => format!(": {line}"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
