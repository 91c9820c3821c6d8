//! How many bytes of replies may wait for clients that do not read them.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// No client is closed for the sake of the others while it holds less.
const FLOOR: usize = 64 * 1024;
/// What a worker may hold before it tells the others.
const STEP: usize = 64 * 1024;

/// One worker's view of the bytes that wait in all workers.
#[derive(Debug)]
pub(crate) struct OutputBudget {
    client_max: usize,
    total_max: usize,
    /// Of all workers, as far as told.
    total: Arc<AtomicUsize>,
    own: Cell<usize>,
    told: Cell<usize>,
}

impl OutputBudget {
    pub(crate) fn new(client_max: usize, total_max: usize, total: Arc<AtomicUsize>) -> Self {
        Self {
            client_max,
            total_max,
            total,
            own: Cell::new(0),
            told: Cell::new(0),
        }
    }

    #[inline]
    pub(crate) fn grow(&self, bytes: usize) {
        self.own.set(self.own.get() + bytes);
        if self.own.get() >= self.told.get() + STEP {
            self.tell();
        }
    }

    #[inline]
    pub(crate) fn shrink(&self, bytes: usize) {
        self.own.set(self.own.get() - bytes);
        if self.own.get() + STEP <= self.told.get() {
            self.tell();
        }
    }

    fn tell(&self) {
        let (own, told) = (self.own.get(), self.told.get());
        // Wrapping: the sum over all workers is what counts.
        self.total
            .fetch_add(own.wrapping_sub(told), Ordering::Relaxed);
        self.told.set(own);
    }

    /// Whether a client that holds `bytes` holds too much.
    #[inline]
    pub(crate) fn is_over(&self, bytes: usize) -> bool {
        bytes > FLOOR
            && (bytes > self.client_max || self.total.load(Ordering::Relaxed) > self.total_max)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::OutputBudget;

    #[test]
    fn all_workers_count_together() {
        let total = Arc::new(AtomicUsize::new(0));
        let a = OutputBudget::new(1 << 20, 3 << 20, Arc::clone(&total));
        let b = OutputBudget::new(1 << 20, 3 << 20, Arc::clone(&total));
        assert!(!a.is_over(1 << 20));
        assert!(a.is_over((1 << 20) + 1));
        a.grow(2 << 20);
        b.grow((1 << 20) + 1);
        assert!(a.is_over(100_000), "the total is over");
        assert!(!a.is_over(1_000), "small holders are spared");
        b.shrink((1 << 20) + 1);
        assert!(!a.is_over(100_000));
        a.shrink(2 << 20);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }
}
