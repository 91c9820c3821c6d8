//! Watches over a run: stalls of the machine, and the memory of the proxy.
//!
//! The machine stalls where this watch wakes up late, and where a thread of the suite, the proxy or a node waits for a
//! processor.

use std::collections::BTreeMap;
use std::time::Duration;

use testbed::child::resident_bytes;
use testbed::scheduling;
use tokio::time::sleep;

use super::clock::{Clock, nanoseconds};
use crate::observed::{Sample, Span};

/// Between two readings of the clock.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How much later than asked for a look may be, and how long a thread may wait for a processor between two samples. Far
/// below any time limit of a proxy.
const TOLERANCE: Duration = Duration::from_millis(60);
/// Between two samples, in looks.
const SAMPLE_EVERY: u32 = 5;

/// The results of the watch.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) stalls: Vec<Span>,
    pub(super) samples: Vec<Sample>,
}

/// Watches until `stop` is true, or has no sender any more because the run has failed.
pub(super) async fn watch(
    clock: Clock,
    proxy: Option<u32>,
    stop: tokio::sync::watch::Receiver<bool>,
) -> Watched {
    let mut watched = Watched::default();
    let mut waiting = Waiting::begin(&clock);
    for look in 0_u32.. {
        if *stop.borrow() || stop.has_changed().is_err() {
            break;
        }
        if look % SAMPLE_EVERY == 0 {
            watched.samples.extend(sample(&clock, proxy));
            watched.stalls.extend(waiting.stall(&clock));
        }
        let before = clock.now();
        sleep(LOOK_EVERY).await;
        let after = clock.now();
        if after - before > nanoseconds(LOOK_EVERY + TOLERANCE) {
            watched.stalls.push(Span {
                from: before,
                to: after,
            });
        }
    }
    watched
}

/// How long threads have waited for a processor at the last sample.
struct Waiting {
    waits: BTreeMap<u32, Duration>,
    at: u64,
}

impl Waiting {
    fn begin(clock: &Clock) -> Self {
        Self {
            waits: scheduling::waits(),
            at: clock.now(),
        }
    }

    /// The time since the last sample, if a thread waited too long in it. A wait counts when it is over, so that it may
    /// have begun earlier.
    fn stall(&mut self, clock: &Clock) -> Option<Span> {
        let before = std::mem::replace(self, Self::begin(clock));
        let waited = |(thread, wait): (&u32, &Duration)| {
            let earlier = before.waits.get(thread).copied().unwrap_or_default();
            wait.saturating_sub(earlier)
        };
        let longest = self.waits.iter().map(waited).max()?;
        (longest > TOLERANCE).then(|| Span {
            from: before.at.saturating_sub(nanoseconds(longest)),
            to: self.at,
        })
    }
}

/// The connections are filled in from the tap when the run is over.
pub(super) fn sample(clock: &Clock, proxy: Option<u32>) -> Option<Sample> {
    Some(Sample {
        at: clock.now(),
        proxy_bytes: resident_bytes(proxy?)?,
        node_connections: None,
    })
}
