//! The experiment: from one number of nodes to another and back, with every key accounted for.

use std::net::SocketAddr;

use super::Error;
use super::nodes::{self, Contents};
use super::plan::Plan;
use super::traffic::{Round, Traffic, kept};
use super::worker::PIPELINE;
use crate::ledger::{KeyOutcome, Read, fate};
use testbed::cluster::Cluster;
use testbed::targets::Proxy;

/// Observations of each acknowledged key; all lists are parallel to `keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The acknowledged keys.
    pub keys: Vec<Vec<u8>>,
    /// Keys whose write was not acknowledged; nothing is promised of them.
    pub refused: usize,
    /// The node that held the key before the change.
    pub before: Vec<Option<usize>>,
    /// The node that took the key's new value after the change.
    pub after: Vec<Option<usize>>,
    /// All nodes that held the first value before the change.
    pub first_on: Vec<Vec<usize>>,
    /// All nodes that held the second value after the change.
    pub second_on: Vec<Vec<usize>>,
    /// Outcome of the key after the change.
    pub there: Vec<KeyOutcome>,
    /// Outcome of its new value after the change back; `None` if that value was not acknowledged.
    pub back: Vec<Option<KeyOutcome>>,
    /// Keys on each node after all were written again: copies left behind are among them.
    pub held_after: Vec<usize>,
}

/// Runs the experiment on a proxy that serves the first `plan.from` nodes of `cluster`. `say` is called with each step.
///
/// # Errors
/// Why the suite could not judge. A loss by the proxy is not an error.
pub async fn observe(
    plan: &Plan,
    cluster: &Cluster,
    proxy: &mut Proxy,
    say: &dyn Fn(&str),
) -> Result<Observed, Error> {
    // The traffic depends on the proxy; the record of the tap would only grow.
    cluster.tap().set_paused(true);
    let steps = Steps {
        plan,
        traffic: Traffic::new(plan, cluster.node_addrs(), PIPELINE),
        link_addrs: cluster.link_addrs(),
        say,
    };
    let observed = steps.run(proxy).await;
    cluster.tap().set_paused(false);
    observed
}

struct Steps<'a> {
    plan: &'a Plan,
    traffic: Traffic<'a>,
    link_addrs: Vec<SocketAddr>,
    say: &'a dyn Fn(&str),
}

impl Steps<'_> {
    async fn run(&self, proxy: &mut Proxy) -> Result<Observed, Error> {
        let (from, to) = (self.plan.from, self.plan.to);
        let (traffic, all) = (&self.traffic, self.traffic.keys());

        (self.say)(&format!("writing {} keys over {from} nodes", all.len()));
        let acknowledged = traffic.write(proxy, &all, Round::First).await?;
        let keys: Vec<&[u8]> = kept(&all, &acknowledged);
        let before = traffic.look(&keys).await?;

        (self.say)(&format!("{from} -> {to} nodes, reading everything back"));
        let there = self.change(proxy, to, &keys).await?;

        (self.say)(&format!("writing every key again over {to} nodes"));
        let rewritten = traffic.write(proxy, &keys, Round::Second).await?;
        let after = traffic.look(&keys).await?;

        (self.say)(&format!("{to} -> {from} nodes, reading everything back"));
        let back = self.change(proxy, from, &keys).await?;

        let fates = |reads: &[Read], rounds: &[Round], contents: &Contents| {
            let judged = |(index, read): (usize, &Read)| {
                let values: Vec<Vec<u8>> = rounds
                    .iter()
                    .map(|round| traffic.value(keys[index], *round))
                    .collect();
                let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
                fate(read, &values, nodes::held(contents, index))
            };
            reads
                .iter()
                .enumerate()
                .map(judged)
                .collect::<Vec<KeyOutcome>>()
        };
        let back = fates(&back, &[Round::First, Round::Second], &after);
        let observed = Observed {
            refused: all.len() - keys.len(),
            before: traffic.holders(&keys, &before, Round::First),
            after: traffic.holders(&keys, &after, Round::Second),
            first_on: traffic.all_holders(&keys, &before, Round::First),
            second_on: traffic.all_holders(&keys, &after, Round::Second),
            there: fates(&there, &[Round::First], &before),
            back: back
                .into_iter()
                .zip(rewritten)
                .map(|(fate, acknowledged)| acknowledged.then_some(fate))
                .collect(),
            held_after: nodes::counts(&after),
            keys: keys.iter().map(|key| key.to_vec()).collect(),
        };
        traffic.finish().await?;
        Ok(observed)
    }

    async fn change(
        &self,
        proxy: &mut Proxy,
        count: usize,
        keys: &[&[u8]],
    ) -> Result<Vec<Read>, Error> {
        proxy.rescale(self.link_addrs[..count].to_vec()).await?;
        self.traffic.read(proxy, keys).await
    }
}
