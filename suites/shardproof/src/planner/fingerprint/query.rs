//! Input of the search: the nodes, and the user's information about the proxy.

use placement::hash::TagRule;

/// The known facts about a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its address as the proxy sees it.
    pub seen: String,
    /// Its address as we reach it.
    pub reached: String,
    /// The name that the proxy may use: a server's name, a hash key or a host name.
    pub name: Option<String>,
}

/// The question, with everything that narrows the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The nodes, in the order in which the proxy probably has them; at least two.
    pub nodes: Vec<Known>,
    /// Their weights, if they are known.
    pub weights: Option<Vec<u32>>,
    /// The rules of hash tags to try besides whole keys and braces.
    pub tags: Vec<TagRule>,
    /// Sizes of maglev tables to try first.
    pub table_sizes: Vec<u32>,
    /// Minimum sizes of rings to try first.
    pub ring_sizes: Vec<u32>,
    /// Maximum number of keys to write.
    pub keys_max: usize,
    /// The prefix of all keys.
    pub prefix: String,
    /// Makes the keys.
    pub seed: u64,
}

impl Query {
    /// The given weights, or equal ones.
    pub(super) fn usual_weights(&self) -> Vec<u32> {
        match &self.weights {
            Some(weights) => weights.clone(),
            None => vec![1; self.nodes.len()],
        }
    }

    /// Every rule to try, the commonest first.
    pub(super) fn rules(&self) -> Vec<TagRule> {
        let mut rules = vec![TagRule::WholeKey, TagRule::BRACES];
        for rule in &self.tags {
            if !rules.contains(rule) {
                rules.push(*rule);
            }
        }
        rules
    }
}
