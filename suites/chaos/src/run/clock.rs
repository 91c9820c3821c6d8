//! The clock of a run: the tap's, counted from the start of the load.

use std::time::Duration;

use testbed::link::Tap;
use tokio::time::{Instant, sleep_until};

/// Nanoseconds since the start of the load.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    tap: Tap,
    zero: Duration,
}

impl Clock {
    /// A clock that starts now.
    pub(super) fn start(tap: &Tap) -> Self {
        Self {
            tap: tap.clone(),
            zero: tap.now(),
        }
    }

    /// When the load began, on the tap's clock.
    pub(super) fn zero(&self) -> Duration {
        self.zero
    }

    pub(super) fn now(&self) -> u64 {
        nanoseconds(self.tap.now().saturating_sub(self.zero))
    }

    /// Waits for a time, unless it has passed.
    pub(super) async fn wait_until(&self, at: u64) {
        let left = at.saturating_sub(self.now());
        if left > 0 {
            sleep_until(Instant::now() + Duration::from_nanos(left)).await;
        }
    }
}

/// Whole nanoseconds; half a millennium at most.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
