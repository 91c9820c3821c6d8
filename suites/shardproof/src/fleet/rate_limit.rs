//! A limit of keys per second, shared by all users.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Batches are no longer than this share of a second, so that a low rate is not a burst.
const BATCHES_A_SECOND: u64 = 10;

/// How fast keys may be inspected or moved.
#[derive(Debug)]
pub struct RateLimit {
    per_s: Option<u64>,
    /// When the next keys are due.
    next: Mutex<Instant>,
}

impl RateLimit {
    /// At most `per_s` keys per second; `None` and 0 mean no limit.
    #[must_use]
    pub fn new(per_s: Option<u64>) -> Self {
        Self {
            per_s: per_s.filter(|per_s| *per_s > 0),
            next: Mutex::new(Instant::now()),
        }
    }

    /// How many of `wanted` keys to take at once.
    pub(super) fn batch(&self, wanted: usize) -> usize {
        let most = |per_s: u64| usize::try_from(per_s / BATCHES_A_SECOND).unwrap_or(usize::MAX);
        wanted.min(self.per_s.map_or(wanted, most)).max(1)
    }

    /// Waits until `keys` more are due. Unused capacity expires.
    pub(super) async fn take(&self, keys: usize) {
        let Some(per_s) = self.per_s else { return };
        let mut next = self.next.lock().await;
        let due = (*next).max(Instant::now());
        *next = due + Duration::from_secs_f64(keys as f64 / per_s as f64);
        drop(next);
        sleep_until(due).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Instant, RateLimit};

    #[tokio::test]
    async fn takers_share_the_rate() {
        let pace = RateLimit::new(Some(1000));
        let started = Instant::now();
        for _ in 0..2 {
            tokio::join!(pace.take(100), pace.take(100));
        }
        // The fourth hundred is due when three hundred have passed.
        assert!(started.elapsed().as_millis() >= 295);
    }

    #[tokio::test]
    async fn a_low_rate_is_no_burst() {
        assert_eq!(RateLimit::new(Some(50)).batch(500), 5);
        assert_eq!(RateLimit::new(Some(1)).batch(500), 1);
        assert_eq!(RateLimit::new(None).batch(500), 500);
    }
}
