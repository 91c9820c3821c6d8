//! Every case on every target, one named test each: `cases::envoy::multi-key/mget-keeps-key-order`.
//!
//! A target's cases share its cluster, one after the other. Neighbours are of different targets.

use std::env;

use conformance::verdict::Result as Judged;
use conformance::{Case, in_order_of_starts};
use libtest_mimic::Trial;
use shardproof::harness;
use testbed::targets::Target;

use crate::support;
use crate::turns;

/// Set to anything, promises of level `should` count too.
const STRICT: &str = "SHARDPROOF_STRICT";

/// Every case on every target.
pub(crate) fn trials() -> Vec<Trial> {
    let all = all();
    let cases = in_order_of_starts(&all);
    let of = |target: Target| {
        let trial = |case: &&Case| trial(target.clone(), (*case).clone());
        cases.iter().map(trial).collect::<Vec<_>>()
    };
    turns::in_turn(support::targets().into_iter().map(of))
}

/// The cases of this workspace, with the first and the last shape of each template.
pub(super) fn samples() -> Vec<Case> {
    let id = |case: &Case| case.template.as_ref().map(|template| template.id.clone());
    let all = all();
    // Shapes of a template are neighbours.
    let runs = all.chunk_by(|one, next| id(one).is_some() && id(one) == id(next));
    let ends = runs.flat_map(|run| [run.first(), run.get(1..).and_then(<[Case]>::last)]);
    ends.flatten().cloned().collect()
}

/// The cases of this workspace.
pub(super) fn all() -> Vec<Case> {
    harness::cases().unwrap_or_else(|why| panic!("{why}"))
}

fn trial(target: Target, case: Case) -> Trial {
    let presence = support::presence(&target);
    harness::case_trial(&target.clone(), &case.clone(), presence, move || {
        turns::with_host(&target, |host| {
            support::prepare(&target);
            host.judge(&target, &case)
        })
    })
}

/// The error of a failed test.
pub(super) fn outcome(judged: &Judged) -> Result<(), String> {
    harness::outcome(judged, env::var_os(STRICT).is_some())
}
