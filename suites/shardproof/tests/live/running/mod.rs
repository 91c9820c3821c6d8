//! `chaos --proxy`: a twemproxy that the run under test did not start, with faults that links of `shardproof links` and a
//! hook carry out. Nothing of a run stays on nodes, links or processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod hook;
mod killed;
mod links;
mod several;
mod site;

use libtest_mimic::Trial;
use testbed::targets::Target;

use crate::support;
use site::Site;

/// A trial of each function, on a site of its own.
macro_rules! promises {
    ($target:expr, $($room:ident::$promise:ident),* $(,)?) => {
        vec![$(promise(
            $target,
            concat!(stringify!($room), "::", stringify!($promise)),
            $room::$promise,
        )),*]
    };
}

pub(crate) fn trials() -> Vec<Trial> {
    let targets = support::targets();
    let target = targets.iter().find(|target| target.name == "twemproxy");
    let target = target.unwrap();
    promises![
        target,
        links::toxics_of_replies_are_carried_out_by_links_of_shardproof,
        links::a_toxiproxy_without_them_skips_their_scenarios,
        links::an_interrupted_run_takes_its_toxics_off,
        hook::a_paused_node_is_judged,
        hook::what_the_hook_cannot_do_is_skipped,
        hook::a_hook_that_fails_leaves_its_scenario_unknown,
        hook::a_hook_that_hangs_is_killed_and_healed,
        hook::a_fault_that_is_not_healed_ends_the_judging,
        hook::an_interrupted_run_heals,
        hook::nothing_is_called_without_permission,
        several::proxies_with_the_same_list_agree,
        several::proxies_with_different_lists_are_reported,
        several::one_proxy_is_not_compared,
        killed::keys_of_a_killed_run_are_removed_by_their_prefix,
    ]
}

fn promise(target: &Target, name: &str, test: fn(&Site)) -> Trial {
    let name = format!("running::{name}").replace('_', "-");
    let target = target.clone();
    support::trial(name, support::presence(&target), move || {
        test(&Site::start(&target)?);
        Ok(())
    })
}
