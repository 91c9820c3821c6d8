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
use crate::observed::{Sample, Span, Wait};

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
    pub(super) waits: Vec<Wait>,
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
            let wait = waiting.longest(&clock);
            watched.waits.extend(wait);
            watched.stalls.extend(wait.and_then(stall));
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

    /// The longest wait since the last sample, if a thread waited. A wait counts when it is over, so that it may have begun
    /// earlier.
    fn longest(&mut self, clock: &Clock) -> Option<Wait> {
        let before = std::mem::replace(self, Self::begin(clock));
        let waited = |(thread, wait): (&u32, &Duration)| {
            let earlier = before.waits.get(thread).copied().unwrap_or_default();
            wait.saturating_sub(earlier)
        };
        let longest = nanoseconds(self.waits.iter().map(waited).max()?);
        let span = Span {
            from: before.at.saturating_sub(longest),
            to: self.at,
        };
        (longest > 0).then_some(Wait { span, longest })
    }
}

/// The span of a wait that was too long.
fn stall(wait: Wait) -> Option<Span> {
    (wait.longest > nanoseconds(TOLERANCE)).then_some(wait.span)
}

/// The connections are filled in from the tap when the run is over.
pub(super) fn sample(clock: &Clock, proxy: Option<u32>) -> Option<Sample> {
    Some(Sample {
        at: clock.now(),
        proxy_bytes: resident_bytes(proxy?)?,
        node_connections: None,
    })
}
