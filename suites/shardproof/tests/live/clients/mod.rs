//! Foreign clients with their defaults, each at small real work: on one plain Redis, which proves the expectations,
//! then through a proxy over three nodes. One named test per target, client and workload:
//! `refproxy::redis-py-8.1.0::transactions`.
//!
//! The proxies of this workspace must serve them all. Other proxies are tested with `-- --ignored` only, for
//! information: the cases record their known errors.

mod hiredis;
mod program;
mod redis_rs;
mod redis_tools;
mod script;
mod site;

use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use testbed::targets::Target;

use crate::support::{self, Presence};
use site::Site;

/// The work of a client at a site; an error says why it failed.
type Work = Arc<dyn Fn(&Site) -> Result<(), Failed> + Send + Sync>;

/// The same, if it needs only the site.
type Action = fn(&Site) -> Result<(), Failed>;

/// A client, and its workloads.
struct Client {
    /// Its name in the names of tests.
    name: &'static str,
    /// Its name in `SHARDPROOF_REQUIRE`.
    package: &'static str,
    /// Why it is not installed, if it is not.
    missing: Option<String>,
    /// Names, and their work.
    workloads: Vec<(String, Work)>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut clients = script::clients();
    clients.extend([hiredis::client(), redis_rs::client()]);
    clients.extend(redis_tools::clients());
    let mut trials = Vec::new();
    for target in support::targets() {
        for client in &clients {
            assert!(!client.workloads.is_empty(), "{} is idle", client.name);
            let named = client.workloads.iter();
            trials.extend(named.map(|(name, work)| trial(&target, client, name, work)));
        }
    }
    trials
}

/// Actions as workloads.
fn named(actions: &[(&str, Action)]) -> Vec<(String, Work)> {
    let named = |(name, action): &(&str, Action)| ((*name).to_owned(), Arc::new(*action) as Work);
    actions.iter().map(named).collect()
}

fn trial(target: &Target, client: &Client, workload: &str, work: &Work) -> Trial {
    let name = format!("clients::{}::{}::{workload}", target.name, client.name);
    let presence = support::present(client.package, client.missing.clone());
    let presence = presence.and(support::presence(target));
    let is_expected = matches!(presence, Presence::Expected);
    let ours = target.program.package.is_some();
    let (target, work) = (target.clone(), Arc::clone(work));
    let trial = support::trial(name, presence, move || serve(&target, &work));
    if is_expected && !ours {
        return trial.with_ignored_flag(true);
    }
    trial
}

fn serve(target: &Target, work: &Work) -> Result<(), Failed> {
    support::prepare(target);
    let failed = |whom: &str, why: Failed| {
        let why = why.message().unwrap_or("no reason").to_owned();
        Failed::from(format!("{whom}: {why}"))
    };
    work(&Site::one()?).map_err(|why| failed("on one plain Redis", why))?;
    work(&Site::sharded(target)?).map_err(|why| failed(&format!("through {}", target.name), why))
}
