//! Which trials run at the same time: those that have ports of their own, or need none; the others run alone.
//!
//! Placements hash addresses, so the links of a run have fixed ports. Runs that need the same ports wait for each other,
//! so neighbours in the list of trials need different ones.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{LazyLock, PoisonError, RwLock};
use std::thread;

use libtest_mimic::{Failed, Trial};
use shardproof::harness::Host;
use testbed::targets::Target;

use crate::support::{self, Presence};

/// Trials that run at once, unless the command line says otherwise: scenarios of three targets and of containers where
/// there are processors for them, otherwise two. A trial waits for most of its time: a scenario needs a third of one
/// processor.
pub(crate) fn threads() -> usize {
    match thread::available_parallelism().map_or(1, NonZero::get) {
        1 => 1,
        2..PROCESSORS_FOR_ALL => 2,
        _ => 4,
    }
}

/// Proxy, nodes, links and clients of each scenario are busy at the same time.
const PROCESSORS_FOR_ALL: usize = 8;

/// The first port of the links of the first target's cases. Each target has ports of its own.
const CASES_PORT_BASE: u16 = 21801;

/// Shared by trials with ports of their own, and exclusive for everything else.
static TURNS: RwLock<()> = RwLock::new(());

/// The harnesses that the cases of each target share.
static HOSTS: LazyLock<BTreeMap<String, Host>> = LazyLock::new(|| {
    let targets = support::targets().into_iter().zip((0..).step_by(100));
    let host = |(target, place): (Target, u16)| {
        let host = Host::new(support::search()).unwrap_or_else(|why| panic!("{why}"));
        (target.name, host.with_link_ports(CASES_PORT_BASE + place))
    };
    targets.map(host).collect()
});

/// A trial of which no other one is in the way. It may use the usual ports.
pub(crate) fn alone(
    name: impl Into<String>,
    presence: Presence,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    support::trial(name, presence, move || {
        let _turn = TURNS.write().unwrap_or_else(PoisonError::into_inner);
        test()
    })
}

/// A trial that runs next to others. It has to have ports of its own, or none.
pub(crate) fn shared(
    name: impl Into<String>,
    presence: Presence,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    support::trial(name, presence, move || next_to_others(test))
}

/// Judges a case with the harness of the last one of its target.
pub(crate) fn with_host(
    target: &Target,
    test: impl FnOnce(&Host) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let host = HOSTS.get(&target.name).ok_or("no host for the target")?;
    next_to_others(|| test(host))
}

fn next_to_others(test: impl FnOnce() -> Result<(), Failed>) -> Result<(), Failed> {
    let _turn = TURNS.read().unwrap_or_else(PoisonError::into_inner);
    test()
}

/// Stops the proxies of the last cases, and their nodes.
pub(crate) fn close() {
    HOSTS.values().for_each(Host::close);
}

/// The trials of all lists, one of each in turn: neighbours are from different lists.
pub(crate) fn in_turn(lists: impl IntoIterator<Item = Vec<Trial>>) -> Vec<Trial> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    while !lists.is_empty() {
        lists.retain_mut(|list| {
            let next = list.next();
            let is_left = next.is_some();
            all.extend(next);
            is_left
        });
    }
    all
}
