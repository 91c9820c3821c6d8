//! Watches over a run: stalls of the machine, and the memory of the proxy.

use std::time::Duration;

use testbed::child::resident_bytes;
use tokio::time::sleep;

use super::clock::{Clock, nanoseconds};
use crate::observed::{Sample, Span};

/// Between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How much later than asked for a look may be. Far below any time limit of a proxy.
const TOLERANCE: Duration = Duration::from_millis(60);
/// Between two samples of the proxy's memory, in looks.
const SAMPLE_EVERY: u32 = 5;

/// What was watched.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) stalls: Vec<Span>,
    pub(super) samples: Vec<Sample>,
}

/// Watches until `stop` is true.
pub(super) async fn watch(
    clock: Clock,
    proxy: Option<u32>,
    stop: tokio::sync::watch::Receiver<bool>,
) -> Watched {
    let mut watched = Watched::default();
    for look in 0_u32.. {
        if *stop.borrow() {
            break;
        }
        if look % SAMPLE_EVERY == 0 {
            watched.samples.extend(sample(&clock, proxy));
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

/// The connections are filled in from the tap when the run is over.
pub(super) fn sample(clock: &Clock, proxy: Option<u32>) -> Option<Sample> {
    Some(Sample {
        at: clock.now(),
        proxy_bytes: resident_bytes(proxy?)?,
        node_connections: None,
    })
}
