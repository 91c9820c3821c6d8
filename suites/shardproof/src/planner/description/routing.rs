//! Which keys the proxy sends to a cluster: the prefix routes of Envoy.
//!
//! Source: Envoy 1.40 `redis_proxy/router_impl.cc`: the longest prefix wins, and keys without one take the catch-all route.

/// The keys that go to one cluster. All of them, if a proxy has no routes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routing {
    /// One table for each filter that routes keys to the cluster: a key that any of them routes there counts.
    tables: Vec<Table>,
    shares_nodes: bool,
}

/// The prefix routes of one filter, as one cluster sees them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Table {
    /// Prefixes, and whether their keys go to the cluster.
    prefixes: Vec<(Vec<u8>, bool)>,
    /// Whether all other keys go to the cluster.
    others: bool,
    ignores_case: bool,
}

impl Routing {
    /// The keys that one of `tables` routes here. Other clusters of the proxy may have some of the same nodes.
    pub(super) fn new(tables: Vec<Table>, shares_nodes: bool) -> Self {
        if tables.iter().any(Table::takes_all) {
            return Self::default();
        }
        Self {
            tables,
            shares_nodes,
        }
    }

    /// Whether keys that are routed elsewhere may still be on a node of this cluster.
    #[must_use]
    pub fn shares_nodes(&self) -> bool {
        self.shares_nodes
    }

    /// Whether every key goes to the cluster.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        self.tables.is_empty()
    }

    /// Whether `key` goes to the cluster; the proxy sends it elsewhere, or refuses it, if not.
    #[must_use]
    pub fn takes(&self, key: &[u8]) -> bool {
        self.takes_all() || self.tables.iter().any(|table| table.takes(key))
    }
}

impl Table {
    /// The routes of a filter: prefixes with whether they lead to the cluster, and whether the catch-all route does.
    pub(super) fn new(
        prefixes: impl IntoIterator<Item = (Vec<u8>, bool)>,
        others: bool,
        ignores_case: bool,
    ) -> Self {
        let mut prefixes: Vec<_> = prefixes.into_iter().collect();
        if ignores_case {
            for (prefix, _) in &mut prefixes {
                prefix.make_ascii_lowercase();
            }
        }
        prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Self {
            prefixes,
            others,
            ignores_case,
        }
    }

    fn takes_all(&self) -> bool {
        let matches_all = self.prefixes.iter().any(|(prefix, _)| prefix.is_empty());
        (self.others || matches_all) && self.prefixes.iter().all(|(_, here)| *here)
    }

    fn takes(&self, key: &[u8]) -> bool {
        let begins = |prefix: &[u8]| match key.get(..prefix.len()) {
            Some(begin) if self.ignores_case => begin.eq_ignore_ascii_case(prefix),
            Some(begin) => begin == prefix,
            None => false,
        };
        let found = self.prefixes.iter().find(|(prefix, _)| begins(prefix));
        found.map_or(self.others, |(_, here)| *here)
    }
}

#[cfg(test)]
mod tests {
    use super::{Routing, Table};

    fn table(prefixes: &[(&str, bool)], others: bool, ignores_case: bool) -> Table {
        let prefixes = prefixes.iter();
        let prefixes = prefixes.map(|(prefix, here)| (prefix.as_bytes().to_vec(), *here));
        Table::new(prefixes, others, ignores_case)
    }

    #[track_caller]
    fn check(tables: Vec<Table>, keys: &[(&str, bool)]) {
        let routing = Routing::new(tables, false);
        for (key, expected) in keys {
            assert_eq!(
                routing.takes(key.as_bytes()),
                *expected,
                "{key} of {routing:?}"
            );
        }
    }

    #[test]
    fn the_longest_prefix_wins() {
        check(vec![], &[("", true), ("2:x", true)]);
        let elsewhere = table(&[("2:", false)], true, false);
        check(
            vec![elsewhere],
            &[
                ("", true),
                ("2", true),
                ("2:", false),
                ("2:x", false),
                ("x2:", true),
            ],
        );
        let nested = table(&[("a", false), ("abc", true)], false, false);
        check(
            vec![nested],
            &[
                ("", false),
                ("ab", false),
                ("abc", true),
                ("abcd", true),
                ("ABC", false),
            ],
        );
        let empty = table(&[("", true), ("a", false)], false, false);
        check(vec![empty], &[("", true), ("b", true), ("a", false)]);
    }

    #[test]
    fn case_counts_unless_a_filter_ignores_it() {
        let ignores = table(&[("Ab", false)], true, true);
        check(vec![ignores], &[("ab", false), ("AB1", false), ("a", true)]);
        let minds = table(&[("Ab", false)], true, false);
        check(vec![minds], &[("ab", true), ("Ab", false)]);
    }

    #[test]
    fn a_key_is_taken_that_any_filter_sends_here() {
        let one = table(&[("1", true)], false, false);
        let two = table(&[("2", true)], false, false);
        check(
            vec![one.clone(), two],
            &[("1", true), ("2", true), ("3", false)],
        );
        let all = table(&[("1", true)], true, false);
        assert!(Routing::new(vec![one, all], true).takes_all());
    }
}
