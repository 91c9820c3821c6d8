//! Clients that others wrote, with their defaults, each at small real work: on one plain Redis, which proves what is
//! expected, then through a proxy over three nodes. One named test a target, client and workload:
//! `refproxy::redis-py-8.1.0::transactions`.
//!
//! What this workspace builds must serve them all. Other proxies are asked with `-- --ignored` only, for information:
//! what they are known to do wrongly is recorded by the cases.

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

/// What a client does at a site, or why it did not go as it should.
type Work = Arc<dyn Fn(&Site) -> Result<(), Failed> + Send + Sync>;

/// The same, where it needs nothing but the site.
type Deed = fn(&Site) -> Result<(), Failed>;

/// A client, and all that it is to do.
struct Client {
    /// What it is called in the names of tests.
    name: &'static str,
    /// What it is called in `SHARDPROOF_REQUIRE`.
    package: &'static str,
    /// Why it is not at hand, if it is not.
    missing: Option<String>,
    /// Names, and what they stand for.
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

/// Deeds as workloads.
fn named(deeds: &[(&str, Deed)]) -> Vec<(String, Work)> {
    let named = |(name, deed): &(&str, Deed)| ((*name).to_owned(), Arc::new(*deed) as Work);
    deeds.iter().map(named).collect()
}

fn trial(target: &Target, client: &Client, workload: &str, work: &Work) -> Trial {
    let name = format!("clients::{}::{}::{workload}", target.name, client.name);
    let presence = Presence::of(client.package, client.missing.clone());
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
    let told = |whom: &str, why: Failed| {
        let why = why.message().unwrap_or("no reason").to_owned();
        Failed::from(format!("{whom}: {why}"))
    };
    work(&Site::one()?).map_err(|why| told("on one plain Redis", why))?;
    work(&Site::sharded(target)?).map_err(|why| told(&format!("through {}", target.name), why))
}
