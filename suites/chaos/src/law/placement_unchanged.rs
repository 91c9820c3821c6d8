//! A key keeps its node, and is asked nowhere else.

use std::collections::BTreeMap;

use testbed::wire::quoted;

use super::command::Command;
use super::findings::Findings;
use super::{Law, Verdict, text};
use crate::history::Record;
use crate::observed::{Key, Observed};

pub(super) struct PlacementUnchanged;

impl Law for PlacementUnchanged {
    fn id(&self) -> &'static str {
        "placement-unchanged"
    }

    fn promise(&self) -> &'static str {
        "a key has the same node before and after the faults, and no other node is asked for it"
    }

    fn source(&self) -> &'static str {
        "https://github.com/twitter/twemproxy/issues/604"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        for (index, record) in observed.history.records.iter().enumerate() {
            asked(observed, index, record, &mut findings);
        }
        moved(observed, &mut findings);
        findings.verdict(
            "keys and requests were on the nodes of their keys",
            "nodes that could be looked at, or a tap",
        )
    }
}

/// Every node that a request went to has one of its keys.
fn asked(observed: &Observed, index: usize, record: &Record, findings: &mut Findings) {
    let command = Command::of(&record.request);
    let keys = match command {
        Command::Other(_) => return,
        _ => command.keys(),
    };
    let nodes = owners(observed, record);
    let owners = keys.iter().map(|key| nodes.get(*key).copied());
    let Some(owners) = owners
        .collect::<Option<Vec<u16>>>()
        .filter(|owners| !owners.is_empty())
    else {
        return;
    };
    // A request without a unique value may have been matched with one through another proxy, which asks another node.
    let matched = command.reads() || matches!(command, Command::Remove(_) | Command::Increment(_));
    let anothers = |node| {
        let has_one = |owners: &BTreeMap<Key, u16>| {
            let mut nodes = keys.iter().filter_map(|key| owners.get(*key));
            nodes.any(|owner| *owner == node)
        };
        matched && observed.proxies.iter().any(|proxy| has_one(&proxy.owners))
    };
    for seen in &record.seen {
        findings.judge();
        if !owners.contains(&seen.node) && !anothers(seen.node) {
            findings.broken(record.sent, [index], || {
                let (request, node) = (text::request(record), seen.node);
                format!("{request} went to node {node}, which has none of its keys")
            });
        }
    }
}

/// The nodes that the proxy of a request asks.
fn owners<'a>(observed: &'a Observed, record: &Record) -> &'a BTreeMap<Key, u16> {
    let session = observed.sessions.get(&record.session);
    let proxy = session.and_then(|session| observed.proxies.get(usize::from(session.proxy)));
    proxy.map_or(&observed.owners, |proxy| &proxy.owners)
}

/// The node of each key is the same in the end.
fn moved(observed: &Observed, findings: &mut Findings) {
    for (key, after) in &observed.owners_after {
        let Some(before) = observed.owners.get(key) else {
            continue;
        };
        findings.judge();
        if before != after {
            findings.broken(observed.load.to, [], || {
                format!(
                    "key {} moved from node {before} to node {after}",
                    quoted(key)
                )
            });
        }
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, check_broken, check_kept, check_unknown, ok};
    use testbed::wire::Value;

    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.observed.owners_after = run.observed.owners.clone();
        run.observed.owners.insert(b"a-moved".to_vec(), 0);
        run.observed.owners_after.insert(b"a-moved".to_vec(), 2);
        run
    }

    #[test]
    fn a_key_that_moved_breaks_it() {
        check_broken(
            &PlacementUnchanged,
            &double(),
            r#"key "a-moved" moved from node 0 to node 2"#,
        );
    }

    #[test]
    fn a_request_to_another_node_breaks_it() {
        let mut run = Run::healthy();
        let elsewhere = run.ok(7, "SET a-x one", ok());
        run.record(elsewhere).seen[0].node = 2;
        let sentence = r#"SET "a-x" "one" (session 7, sent at 9.000 s) went to node 2, which has none of its keys"#;
        check_broken(&PlacementUnchanged, &run, sentence);
    }

    #[test]
    fn a_read_may_be_that_of_another_proxy_which_asks_another_node() {
        let elsewhere = |request, reply| {
            let mut run = Run::healthy();
            let place = run.ok(7, request, reply);
            run.record(place).seen[0].node = 2;
            // The session uses the second proxy.
            for (proxy, node) in run.observed.proxies.iter_mut().zip([2, 0]) {
                proxy.owners.insert(b"a-x".to_vec(), node);
            }
            run
        };
        check_kept(&PlacementUnchanged, &elsewhere("GET a-x", Value::NullBulk));
        check_broken(
            &PlacementUnchanged,
            &elsewhere("SET a-x one", ok()),
            r#"SET "a-x" "one" (session 7, sent at 9.000 s) went to node 2, which has none of its keys"#,
        );
    }

    #[test]
    fn without_nodes_nothing_is_known() {
        let mut run = Run::healthy();
        run.observed.owners.clear();
        run.observed.proxies.clear();
        check_unknown(&PlacementUnchanged, &run);
    }
}
