//! Which trials run at the same time: scenarios of several targets, on a machine with many processors; everything else
//! alone.
//!
//! Placements hash addresses, so the links of a run have fixed ports. Scenarios of each target have ports of their own.

use std::num::NonZero;
use std::sync::{LazyLock, PoisonError, RwLock};
use std::thread;

use libtest_mimic::{Failed, Trial};
use shardproof::harness::Host;

use crate::support::{self, Presence};

/// Trials that run at once, unless the command line says otherwise: scenarios of three targets and of containers where
/// there are processors for them, otherwise one.
pub(crate) fn threads() -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    match processors >= PROCESSORS_FOR_ALL {
        true => 4,
        false => 1,
    }
}

/// Proxy, nodes, links and clients of each scenario are busy at the same time.
const PROCESSORS_FOR_ALL: usize = 8;

/// Shared by scenarios, and exclusive for everything else.
static TURNS: RwLock<()> = RwLock::new(());

/// The harness that cases share.
pub(crate) static HOST: LazyLock<Host> =
    LazyLock::new(|| Host::new(support::search()).unwrap_or_else(|why| panic!("{why}")));

/// A trial of which no other one is in the way.
pub(crate) fn trial(
    name: impl Into<String>,
    presence: Presence,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    support::trial(name, presence, move || alone(test))
}

/// Runs `test` while nothing else runs. It may use the usual ports, which the harness of the last case gives back.
pub(crate) fn alone(test: impl FnOnce() -> Result<(), Failed>) -> Result<(), Failed> {
    let _turn = TURNS.write().unwrap_or_else(PoisonError::into_inner);
    HOST.close();
    test()
}

/// Judges a case while nothing else runs, with the harness of the last one.
pub(crate) fn with_host(test: impl FnOnce(&Host) -> Result<(), Failed>) -> Result<(), Failed> {
    let _turn = TURNS.write().unwrap_or_else(PoisonError::into_inner);
    test(&HOST)
}

/// Runs `test` next to other scenarios. It has to have ports of its own.
pub(crate) fn shared(test: impl FnOnce() -> Result<(), Failed>) -> Result<(), Failed> {
    let _turn = TURNS.read().unwrap_or_else(PoisonError::into_inner);
    test()
}
