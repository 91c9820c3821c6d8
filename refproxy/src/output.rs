//! How many bytes the clients may occupy: unread replies, incomplete requests, transactions.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A client that holds less is not closed to free memory.
const FLOOR: usize = 64 * 1024;
/// A worker reports its bytes to the shared total in steps of this size.
const STEP: usize = 64 * 1024;

/// One worker's view of the bytes that wait in all workers.
#[derive(Debug)]
pub(crate) struct OutputBudget {
    client_max: usize,
    total_max: usize,
    /// Bytes of all workers, as far as reported.
    total: Arc<AtomicUsize>,
    /// Clients of all workers.
    clients: Arc<AtomicUsize>,
    own: Cell<usize>,
    reported: Cell<usize>,
}

impl OutputBudget {
    pub(crate) fn new(
        client_max: usize,
        total_max: usize,
        total: Arc<AtomicUsize>,
        clients: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            client_max,
            total_max,
            total,
            clients,
            own: Cell::new(0),
            reported: Cell::new(0),
        }
    }

    #[inline]
    pub(crate) fn grow(&self, bytes: usize) {
        self.own.set(self.own.get() + bytes);
        if self.own.get() >= self.reported.get() + STEP {
            self.report();
        }
    }

    #[inline]
    pub(crate) fn shrink(&self, bytes: usize) {
        self.own.set(self.own.get() - bytes);
        if self.own.get() + STEP <= self.reported.get() {
            self.report();
        }
    }

    fn report(&self) {
        let (own, reported) = (self.own.get(), self.reported.get());
        // Wrapping: only the sum over all workers counts.
        self.total
            .fetch_add(own.wrapping_sub(reported), Ordering::Relaxed);
        self.reported.set(own);
    }

    /// Whether a client that has `output` bytes of replies, and occupies `bytes` in all, holds too much.
    #[inline]
    pub(crate) fn is_over(&self, output: usize, bytes: usize) -> bool {
        bytes > FLOOR
            && (output > self.client_max
                || self.total.load(Ordering::Relaxed) > self.total_max && self.is_unfair(bytes))
    }

    /// Whether `bytes` is more than an equal share of all. When too much is occupied, at least one client has more than
    /// that; clients with less are spared, and together cannot double the occupied bytes.
    #[cold]
    fn is_unfair(&self, bytes: usize) -> bool {
        bytes > self.total_max / self.clients.load(Ordering::Relaxed).max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::OutputBudget;

    #[test]
    fn all_workers_count_together() {
        let (total, clients) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(4)));
        let budget =
            || OutputBudget::new(1 << 20, 3 << 20, Arc::clone(&total), Arc::clone(&clients));
        let (a, b) = (budget(), budget());
        assert!(!a.is_over(1 << 20, 1 << 20));
        assert!(a.is_over((1 << 20) + 1, (1 << 20) + 1));
        assert!(!a.is_over(0, 2 << 20), "requests have a limit of their own");
        a.grow(2 << 20);
        b.grow((1 << 20) + 1);
        assert!(a.is_over(1 << 20, 1 << 20), "the total is over");
        assert!(a.is_over(0, 1 << 20), "whatever it is that is kept");
        assert!(
            !a.is_over(700_000, 700_000),
            "those who hold less than an equal share are spared"
        );
        b.shrink((1 << 20) + 1);
        assert!(!a.is_over(1 << 20, 1 << 20));
        a.shrink(2 << 20);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }
}
