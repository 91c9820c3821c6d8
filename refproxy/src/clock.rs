//! Time as one worker counts it: microseconds since it started, read once per batch.

use std::time::{Duration, Instant};

/// Microseconds since the worker's start.
pub(crate) type Micros = u64;

/// The worker's start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(&self) -> Micros {
        micros(self.0.elapsed())
    }

    /// The same moment for the runtime's timers.
    pub(crate) fn instant(&self, at: Micros) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.0 + Duration::from_micros(at))
    }
}

/// A duration as the clock counts.
pub(crate) fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
