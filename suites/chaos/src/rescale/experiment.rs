//! The experiment: from one number of nodes to another and back, with every key accounted for.

use super::Error;
use super::front::{Front, Running, Side};
use super::nodes::{self, Contents};
use super::plan::Plan;
use super::traffic::{Round, Traffic, kept};
use super::worker::PIPELINE;
use crate::ledger::{KeyOutcome, Read, fate};
use testbed::cluster::Cluster;
use testbed::endpoint::Endpoint;
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
    let front = Front::Started {
        proxy,
        links: cluster.link_addrs(),
    };
    let observed = steps(plan, &cluster.node_endpoints(), front, say).await;
    cluster.tap().set_paused(false);
    observed
}

/// Runs the experiment on running proxies, whose clusters are the first `plan.from` and the first `plan.to` of `nodes`.
/// `say` is called with each step.
///
/// # Errors
/// Why the suite could not judge: also nodes that are not those of the proxies.
pub async fn observe_running(
    plan: &Plan,
    nodes: &[Endpoint],
    running: &Running,
    say: &dyn Fn(&str),
) -> Result<Observed, Error> {
    steps(plan, nodes, Front::Running(running), say).await
}

async fn steps(
    plan: &Plan,
    nodes: &[Endpoint],
    front: Front<'_>,
    say: &dyn Fn(&str),
) -> Result<Observed, Error> {
    let steps = Steps {
        plan,
        traffic: Traffic::new(plan, nodes.to_vec(), PIPELINE),
        nodes,
        say,
    };
    steps.run(front).await
}

struct Steps<'a> {
    plan: &'a Plan,
    traffic: Traffic<'a>,
    nodes: &'a [Endpoint],
    say: &'a dyn Fn(&str),
}

impl Steps<'_> {
    async fn run(&self, mut front: Front<'_>) -> Result<Observed, Error> {
        let (from, to) = (self.plan.from, self.plan.to);
        let (traffic, all) = (&self.traffic, self.traffic.keys());

        (self.say)(&format!("writing {} keys over {from} nodes", all.len()));
        // Before anything is written.
        traffic.connect(front.endpoint(Side::After)).await?;
        let proxy = front.endpoint(Side::Before);
        let acknowledged = traffic.write(proxy, &all, Round::First).await?;
        let keys: Vec<&[u8]> = kept(&all, &acknowledged);
        let before = traffic.look(&keys).await?;
        let placed_before = traffic.holders(&keys, &before, Round::First);
        if front.is_of_others() {
            self.expect_nodes(proxy, from, keys.iter().zip(&placed_before))?;
        }

        (self.say)(&format!("{from} -> {to} nodes, reading everything back"));
        let there = self.change(&mut front, Side::After, &keys).await?;

        (self.say)(&format!("writing every key again over {to} nodes"));
        let proxy = front.endpoint(Side::After);
        let rewritten = traffic.write(proxy, &keys, Round::Second).await?;
        let after = traffic.look(&keys).await?;
        let placed_after = traffic.holders(&keys, &after, Round::Second);
        if front.is_of_others() {
            let placed = keys.iter().zip(&placed_after).zip(&rewritten);
            let placed = placed.filter_map(|(placed, written)| written.then_some(placed));
            self.expect_nodes(proxy, to, placed)?;
            if placed_before == placed_after {
                return Err(Error::Same { keys: keys.len() });
            }
        }

        (self.say)(&format!("{to} -> {from} nodes, reading everything back"));
        let back = self.change(&mut front, Side::Before, &keys).await?;

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
            before: placed_before,
            after: placed_after,
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
        front: &mut Front<'_>,
        side: Side,
        keys: &[&[u8]],
    ) -> Result<Vec<Read>, Error> {
        front.change(side, (self.plan, &self.traffic), keys).await?;
        self.traffic.read(front.endpoint(side), keys).await
    }
    /// The nodes of a proxy of others are what the user says. If keys show that they are not, no law can be judged.
    fn expect_nodes<'k>(
        &self,
        proxy: Endpoint,
        count: usize,
        placed: impl Iterator<Item = (&'k &'k [u8], &'k Option<usize>)>,
    ) -> Result<(), Error> {
        let (mut keys, mut astray) = (0, 0);
        for (key, node) in placed {
            keys += 1;
            match node {
                None => astray += 1,
                Some(node) if *node < count => {}
                Some(node) => {
                    return Err(Error::Outside {
                        key: key.escape_ascii().to_string(),
                        node: Box::new(self.nodes[*node]),
                        proxy: Box::new(proxy),
                        nodes: count,
                    });
                }
            }
        }
        match astray {
            0 => Ok(()),
            count => Err(Error::Astray {
                count,
                keys,
                proxy: Box::new(proxy),
            }),
        }
    }
}
