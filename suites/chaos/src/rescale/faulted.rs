//! The experiment with a fault: the cluster changes while one node does not serve, and every key has an outcome.
//!
//! Reads and writes are judged differently. A failed write may have been executed, and a paused node executes the
//! requests in its buffers when it resumes. So such a key may have either value.

use std::time::{Duration, Instant};

use super::Error;
use super::nodes::{self, Contents};
use super::plan::Plan;
use super::refusal::{self, Refusal};
use super::traffic::{Round, Traffic, kept};
use crate::ledger::{KeyOutcome, Read, fate};
use testbed::cluster::Cluster;
use testbed::fault::Fault;
use testbed::targets::Proxy;

/// Requests per pipeline: a batch takes as long as the proxy waits for the node that does not serve, so few and large
/// ones.
const PIPELINE: usize = 500;
/// Proxies avoid a node that failed for a second or two.
const RECOVERS_WITHIN: Duration = Duration::from_secs(10);

/// A rescale and its fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultPlan {
    /// The rescale.
    pub rescale: Plan,
    /// The fault.
    pub fault: Fault,
    /// The node with the fault, by its place in the cluster.
    pub node: usize,
    /// Requests that the proxy has to refuse: asked before, during and after.
    pub refused: Vec<Vec<String>>,
}

/// Observations of each acknowledged key; lists are parallel to `keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulted {
    /// The acknowledged keys.
    pub keys: Vec<Vec<u8>>,
    /// Keys whose first write was not acknowledged.
    pub refused: usize,
    /// The node that held the key before.
    pub before: Vec<Option<usize>>,
    /// Outcome of the key in the changed cluster, during the fault.
    pub during: Vec<KeyOutcome>,
    /// Whether another write was acknowledged while the fault lasted.
    pub rewritten: Vec<bool>,
    /// How the proxy found back to the node.
    pub recovery: Recovery,
    /// Outcome of the key after the fault, when the proxy had recovered.
    pub after: Vec<KeyOutcome>,
    /// The node that holds the second value in the end.
    pub holder: Vec<Option<usize>>,
    /// Outcomes of requests that must be refused: before, during and after the fault.
    pub refusals: [Vec<Refusal>; 3],
}

/// How a proxy finds back to a node that serves again: at once, or when the time has come that it keeps away for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// Keys that were still answered with an error when all were read right after the fault.
    pub failed_at_first: usize,
    /// From the end of the fault to the end of the first reading without an error, or of the last one.
    pub took: Duration,
}

/// Runs the experiment on a proxy that serves the first `from` nodes of `cluster`. `say` is called with each step.
///
/// # Errors
/// Why the suite could not judge. A loss by the proxy is not an error.
pub async fn observe_fault(
    plan: &FaultPlan,
    cluster: &Cluster,
    proxy: &mut Proxy,
    say: &dyn Fn(&str),
) -> Result<Faulted, Error> {
    cluster.tap().set_paused(true);
    let steps = Steps {
        plan,
        traffic: Traffic::new(&plan.rescale, cluster.node_endpoints(), PIPELINE),
        cluster,
        say,
    };
    let faulted = steps.run(proxy).await;
    cluster.tap().set_paused(false);
    faulted
}

struct Steps<'a> {
    plan: &'a FaultPlan,
    traffic: Traffic<'a>,
    cluster: &'a Cluster,
    say: &'a dyn Fn(&str),
}

impl Steps<'_> {
    async fn run(&self, proxy: &mut Proxy) -> Result<Faulted, Error> {
        let Plan { from, to, .. } = self.plan.rescale;
        let (fault, node) = (&self.plan.fault, self.plan.node);
        let (traffic, all) = (&self.traffic, self.traffic.keys());

        (self.say)(&format!("writing {} keys over {from} nodes", all.len()));
        let acknowledged = traffic
            .write(proxy.addr().into(), &all, Round::First)
            .await?;
        let keys = kept(&all, &acknowledged);
        let before = traffic.look(&keys).await?;
        let refused_before = self.refusals(proxy).await?;

        let site = self.cluster.site(node);
        (self.say)(&format!(
            "fault {fault} on node {node}, {from} -> {to} nodes"
        ));
        fault.apply(site).await?;
        proxy
            .rescale(self.cluster.link_addrs()[..to].to_vec())
            .await?;
        let refused_during = self.refusals(proxy).await?;
        let read_during = traffic.read(proxy.addr().into(), &keys).await?;
        let rewritten = traffic
            .write(proxy.addr().into(), &keys, Round::Second)
            .await?;

        (self.say)(&format!("fault {fault} healed, reading everything back"));
        fault.heal(site).await?;
        let (recovery, read_after) = self.recover(proxy, &keys).await?;
        let refused_after = self.refusals(proxy).await?;
        let after = traffic.look(&keys).await?;

        let faulted = Faulted {
            refused: all.len() - keys.len(),
            before: traffic.holders(&keys, &before, Round::First),
            during: self.during(&keys, &read_during, &before),
            after: self.after(&keys, &read_after, &rewritten, &after),
            rewritten,
            recovery,
            holder: traffic.holders(&keys, &after, Round::Second),
            refusals: [refused_before, refused_during, refused_after],
            keys: keys.iter().map(|key| key.to_vec()).collect(),
        };
        traffic.finish().await?;
        Ok(faulted)
    }

    /// Reads until no key is answered with an error, and no longer than a proxy may keep away from a node.
    async fn recover(&self, proxy: &Proxy, keys: &[&[u8]]) -> Result<(Recovery, Vec<Read>), Error> {
        let healed = Instant::now();
        let failed = |reads: &[Read]| {
            let errors = reads.iter().filter(|read| matches!(read, Read::Error(_)));
            errors.count()
        };
        let mut reads = self.traffic.read(proxy.addr().into(), keys).await?;
        let failed_at_first = failed(&reads);
        while failed(&reads) > 0 && healed.elapsed() < RECOVERS_WITHIN {
            reads = self.traffic.read(proxy.addr().into(), keys).await?;
        }
        let took = healed.elapsed();
        Ok((
            Recovery {
                failed_at_first,
                took,
            },
            reads,
        ))
    }

    /// No client writes between the scan of the nodes and these reads; only a killed node loses its keys.
    fn during(&self, keys: &[&[u8]], reads: &[Read], before: &Contents) -> Vec<KeyOutcome> {
        let gone = |node: usize| node == self.plan.node && !self.plan.fault.row().keeps_data;
        let held = |index: usize| {
            let mut nodes = before.iter().enumerate();
            nodes.any(|(node, keys)| keys[index].is_some() && !gone(node))
        };
        reads
            .iter()
            .enumerate()
            .map(|(index, read)| {
                let first = self.traffic.value(keys[index], Round::First);
                fate(read, &[&first], held(index))
            })
            .collect()
    }

    fn after(
        &self,
        keys: &[&[u8]],
        reads: &[Read],
        rewritten: &[bool],
        contents: &Contents,
    ) -> Vec<KeyOutcome> {
        reads
            .iter()
            .enumerate()
            .map(|(index, read)| {
                let first = self.traffic.value(keys[index], Round::First);
                let second = self.traffic.value(keys[index], Round::Second);
                let held = nodes::held(contents, index);
                let happened = matches!(read, Read::Value(value) if *value == second);
                if rewritten[index] || happened {
                    fate(read, &[&first, &second], held)
                } else {
                    fate(read, &[&first], held)
                }
            })
            .collect()
    }

    async fn refusals(&self, proxy: &Proxy) -> Result<Vec<Refusal>, Error> {
        let asked = refusal::ask(proxy.addr(), self.cluster.tap(), &self.plan.refused).await;
        Ok(asked?)
    }
}
