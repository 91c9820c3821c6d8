//! The figures of a change: the model of every report on a plan.

use schemars::JsonSchema;
use serde::Serialize;

use super::alternatives::alternatives;
use super::balance::{balance, expected};
use super::curve::{self, curves};
use super::{Alternatives, Balance, Change, Counts, Curve, HotTags, share};
use crate::planner::{Cluster, Placement, TagRule};

/// The format of the JSON report.
const FORMAT: &str = "shardproof.plan/1";

/// One change of one cluster.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// `shardproof.plan/1`
    pub format: &'static str,
    /// The cluster before.
    pub from: Side,
    /// The cluster after.
    pub to: Side,
    /// Source of the keys.
    pub source: String,
    /// Number of keys, without keys that are routed to other clusters.
    pub keys: u64,
    /// Keys that the proxy routes to another cluster or to none. They are not counted elsewhere.
    pub routed_elsewhere: u64,
    /// Keys that move to another node.
    pub moved: u64,
    /// `moved` as a share of `keys`.
    pub moved_share: f64,
    /// The fewest moves that lead from the key counts before to those after: the sum of what nodes gain.
    pub minimum: u64,
    /// `minimum` as a share of `keys`.
    pub minimum_share: f64,
    /// Expected minimum share of keys that move, for any set of keys: from the shares of all digests.
    pub expected_minimum_share: f64,
    /// Keys that move between nodes that are in both clusters.
    pub unforced: u64,
    /// `unforced` as a share of `keys`.
    pub unforced_share: f64,
    /// Key counts per node: the nodes before the change in their order, then new nodes.
    pub nodes: Vec<NodeKeys>,
    /// Balance before the change.
    pub balance_before: Balance,
    /// Balance after the change.
    pub balance_after: Balance,
    /// Number of keys that move, by node before and after. Pairs without keys are omitted.
    pub flows: Vec<Flow>,
    /// The same change under other policies.
    pub alternatives: Alternatives,
    /// The tags with the most keys; null if no key has a tag.
    pub hot_tags: Option<HotTags>,
    /// Cost of adding one node, by number of nodes; null if it was not requested.
    pub curves: Option<Vec<Curve>>,
}

/// A cluster, before or after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Side {
    /// The file, or the description on the command line.
    pub description: String,
    /// The placement policy.
    pub policy: String,
    /// The characters around hash tags; null if whole keys are hashed.
    pub tags: Option<String>,
    /// Number of nodes.
    pub nodes: usize,
}

/// Key counts of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeKeys {
    /// Its address as the proxy sees it.
    pub address: String,
    /// Name of the tag.
    pub name: Option<String>,
    /// Keys on it before the change; null if it was added.
    pub before: Option<u64>,
    /// Keys on it after the change; null if it was removed.
    pub after: Option<u64>,
    /// Keys that move to it from other nodes.
    pub arriving: u64,
    /// Keys that move from it to other nodes.
    pub leaving: u64,
}

/// Keys that move from one node to another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Flow {
    /// Address of the node before the change.
    pub from: String,
    /// Address of the node after the change.
    pub to: String,
    /// Number of keys.
    pub keys: u64,
}

/// How much is to be computed for a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything but the curves, which take a second.
    Table,
    /// Everything.
    Curves,
}

impl Report {
    /// Builds the report of a counted change. `descriptions` are the names of the clusters before and after, and of the
    /// keys.
    #[must_use]
    pub fn new(change: &Change, counts: Counts, descriptions: [&str; 3], detail: Detail) -> Self {
        let Counts {
            keys,
            routed_elsewhere,
            cells,
            mut sample,
            tags,
        } = counts;
        let [from, to, source] = descriptions;
        let whole = sample.is_whole();
        let sampled: Vec<(&[u8], u64)> = sample.keys().collect();
        let table = Table::new(change, &cells);
        let minimum = table.minimum(change.addresses.len());
        let on = [&change.from, &change.to].map(|side| rule(&side.cluster));
        let few = &sampled[..sampled.len().min(curve::KEYS)];
        Self {
            format: FORMAT,
            from: Side::new(from, &change.from.cluster),
            to: Side::new(to, &change.to.cluster),
            source: source.to_owned(),
            keys,
            routed_elsewhere,
            moved: table.moved(),
            moved_share: share(table.moved(), keys),
            minimum,
            minimum_share: share(minimum, keys),
            expected_minimum_share: expected_minimum_share(change),
            unforced: table.unforced(),
            unforced_share: share(table.unforced(), keys),
            nodes: table.nodes(change),
            balance_before: table.balance(&change.from.cluster, &change.before, Axis::Before),
            balance_after: table.balance(&change.to.cluster, &change.after, Axis::After),
            flows: table.flows(change),
            alternatives: alternatives(change, &sampled, whole),
            hot_tags: tags.top(keys, on.iter().any(|rule| *rule != TagRule::WholeKey)),
            curves: (detail == Detail::Curves).then(|| curves(change, few)),
        }
    }
}

impl Side {
    fn new(description: &str, cluster: &Cluster) -> Self {
        Self {
            description: description.to_owned(),
            policy: cluster.policy.name().to_owned(),
            tags: match rule(cluster) {
                TagRule::WholeKey => None,
                TagRule::Between(open, close) => Some([open, close].escape_ascii().to_string()),
            },
            nodes: cluster.nodes.len(),
        }
    }
}

/// The effective tag rule: slots are always placed by tags.
fn rule(cluster: &Cluster) -> TagRule {
    cluster.tag_rule()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Before,
    After,
}

/// The counters of a change, with the nodes that they belong to.
struct Table<'a> {
    cells: &'a [u64],
    rows: &'a [usize],
    columns: &'a [usize],
}

impl<'a> Table<'a> {
    fn new(change: &'a Change, cells: &'a [u64]) -> Self {
        Self {
            cells,
            rows: &change.rows,
            columns: &change.columns,
        }
    }

    /// Each counter with its node before and its node after, as places in each cluster.
    fn each(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let width = self.columns.len();
        let cells = self.cells.iter().enumerate();
        cells.map(move |(place, count)| (place / width, place % width, *count))
    }

    /// Counters of keys that move, with places in the list of all nodes.
    fn moving(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let each = self
            .each()
            .map(|(from, to, count)| (self.rows[from], self.columns[to], count));
        each.filter(|(from, to, _)| from != to)
    }

    fn moved(&self) -> u64 {
        self.moving().map(|(.., count)| count).sum()
    }

    /// How many more keys nodes have after than before: each of these keys has moved.
    fn minimum(&self, nodes: usize) -> u64 {
        let mut gained = vec![0_i128; nodes];
        for (from, to, count) in self.moving() {
            gained[from] -= i128::from(count);
            gained[to] += i128::from(count);
        }
        // Each key counts once, so that the sum is at most the number of keys.
        gained
            .into_iter()
            .filter(|gained| *gained > 0)
            .sum::<i128>() as u64
    }

    fn unforced(&self) -> u64 {
        let stays = |node: &usize| self.rows.contains(node) && self.columns.contains(node);
        self.moving()
            .filter(|(from, to, _)| stays(from) && stays(to))
            .map(|(.., count)| count)
            .sum()
    }

    /// Keys of each node of a cluster, in its order.
    fn counts(&self, axis: Axis) -> Vec<u64> {
        let nodes = match axis {
            Axis::Before => self.rows.len(),
            Axis::After => self.columns.len(),
        };
        let mut counts = vec![0; nodes];
        for (from, to, count) in self.each() {
            counts[if axis == Axis::Before { from } else { to }] += count;
        }
        counts
    }

    fn balance(&self, cluster: &Cluster, placement: &Placement, axis: Axis) -> Balance {
        balance(&self.counts(axis), &expected(cluster, placement))
    }

    fn nodes(&self, change: &Change) -> Vec<NodeKeys> {
        let mut nodes: Vec<NodeKeys> = change
            .addresses
            .iter()
            .map(|address| NodeKeys {
                address: address.clone(),
                name: None,
                before: None,
                after: None,
                arriving: 0,
                leaving: 0,
            })
            .collect();
        for (node, count) in self.counts(Axis::Before).into_iter().enumerate() {
            let shown = &mut nodes[self.rows[node]];
            *shown.before.get_or_insert(0) += count;
            shown.name.clone_from(&change.from.cluster.nodes[node].name);
        }
        for (node, count) in self.counts(Axis::After).into_iter().enumerate() {
            let shown = &mut nodes[self.columns[node]];
            *shown.after.get_or_insert(0) += count;
            shown.name.clone_from(&change.to.cluster.nodes[node].name);
        }
        for (from, to, count) in self.moving() {
            nodes[from].leaving += count;
            nodes[to].arriving += count;
        }
        nodes
    }

    fn flows(&self, change: &Change) -> Vec<Flow> {
        let flows = self.moving().filter(|(.., count)| *count > 0);
        flows
            .map(|(from, to, keys)| Flow {
                from: change.addresses[from].clone(),
                to: change.addresses[to].clone(),
                keys,
            })
            .collect()
    }
}

/// The share of all digests that nodes must give away at least, to have the shares that they have after.
fn expected_minimum_share(change: &Change) -> f64 {
    let mut surplus = vec![0.0; change.addresses.len()];
    for (node, share) in change.rows.iter().zip(change.before.shares()) {
        surplus[*node] += share;
    }
    for (node, share) in change.columns.iter().zip(change.after.shares()) {
        surplus[*node] -= share;
    }
    let given = surplus.into_iter().filter(|surplus| *surplus > 0.0);
    // Not `sum`, which returns -0 for an empty list.
    given.fold(0.0, |sum, surplus| sum + surplus)
}
