//! Several proxies in front of the same nodes: what one acknowledged, each finds.
//!
//! Where their lists of nodes are known to differ, exactly the keys that the lists give to different nodes are affected.

use testbed::wire::quoted;

use super::findings::Findings;
use super::on_proxies::{KeyOnProxies, nodes, on_proxies};
use super::{Law, Verdict};
use crate::ledger::KeyOutcome;
use crate::observed::{Observed, Subject};

pub(super) struct ProxiesAgree;

impl Law for ProxiesAgree {
    fn id(&self) -> &'static str {
        "proxies-agree"
    }

    fn promise(&self) -> &'static str {
        "all proxies ask the same node for a key and find its last value; lists of nodes that differ affect only the keys \
         that they give to different nodes"
    }

    fn source(&self) -> &'static str {
        "https://doi.org/10.1145/258533.258660"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        let keys = on_proxies(observed);
        for key in &keys {
            findings.judge();
            if let Some(sentence) = violation(observed, key) {
                findings.broken(observed.load.to, key.writes.iter().copied(), || sentence);
            }
        }
        let differing = keys.iter().filter(|key| key.differs()).count();
        let what = match differing {
            0 => "acknowledged keys are found through every proxy, each on one node".to_owned(),
            _ => format!(
                "acknowledged keys are where the lists of nodes give them; {differing} of them are on different nodes for \
                 different proxies, as predicted"
            ),
        };
        findings.verdict(&what, "several proxies, and an acknowledged key")
    }
}

/// The first thing that is wrong with a key.
fn violation(observed: &Observed, key: &KeyOnProxies) -> Option<String> {
    let name = quoted(&key.key);
    let proxies = || observed.proxies.iter().map(|proxy| &proxy.addr).enumerate();
    match nodes(observed, &key.key, |proxy| &proxy.predicted) {
        Some(predicted) => {
            let mut proxies = proxies();
            let other = proxies.find(|(place, _)| predicted[*place] != key.asked[*place]);
            if let Some((place, proxy)) = other {
                let [asked, listed] = [key.asked[place], predicted[place]].map(Subject::Node);
                return Some(format!(
                    "proxy {proxy} asks node {asked} for key {name}, its list of nodes gives node {listed}"
                ));
            }
        }
        None if key.differs() => {
            let each = proxies().map(|(place, proxy)| {
                let (node, found) = (Subject::Node(key.asked[place]), found(key.outcomes[place]));
                format!("proxy {proxy} asks node {node} ({found})")
            });
            let each: Vec<String> = each.collect();
            return Some(format!("key {name} has several nodes: {}", each.join(", ")));
        }
        None => {}
    }
    let unfound = |(place, _): &(usize, &String)| {
        key.on_node[*place].is_some_and(|outcome| outcome != KeyOutcome::Found)
    };
    let (place, proxy) = proxies().find(unfound)?;
    let (node, found) = (Subject::Node(key.asked[place]), found(key.on_node[place]));
    Some(format!(
        "key {name} is {found} through proxy {proxy}, compared with the writes to its node {node}"
    ))
}

fn found(outcome: Option<KeyOutcome>) -> &'static str {
    outcome.unwrap_or(KeyOutcome::Failed).name()
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_kept, check_unknown, ok};

    /// A key that is written through the second proxy last.
    fn written(reads: [&str; 2]) -> Run {
        let mut run = Run::healthy();
        run.ok(8, "SET a-x one", ok());
        run.ok(9, "SET a-x two", ok());
        for (proxy, read) in run.observed.proxies.iter_mut().zip(reads) {
            proxy.reads.insert(b"a-x".to_vec(), bulk(read));
        }
        run
    }

    /// The second proxy asks node 2 for it.
    fn apart(reads: [&str; 2]) -> Run {
        let mut run = written(reads);
        run.observed.proxies[1].owners.insert(b"a-x".to_vec(), 2);
        run.observed.history.records.last_mut().unwrap().seen[0].node = 2;
        run
    }

    fn predict(run: &mut Run, nodes: [u16; 2]) {
        for (proxy, node) in run.observed.proxies.iter_mut().zip(nodes) {
            proxy.predicted.insert(b"a-x".to_vec(), node);
        }
    }

    pub(in crate::law) fn double() -> Run {
        let mut run = apart(["one", "two"]);
        let copies = vec![(0, bulk("one")), (2, bulk("two"))];
        run.observed.contents.insert(b"a-x".to_vec(), copies);
        run
    }

    #[test]
    fn a_key_with_two_nodes_breaks_it() {
        let sentence = r#"key "a-x" has several nodes: proxy 127.0.0.1:6001 asks node A (stale), proxy 127.0.0.1:6002 asks node C (found)"#;
        check_broken(&ProxiesAgree, &double(), sentence);
    }

    #[test]
    fn a_key_with_one_node_that_one_proxy_reads_stale_breaks_it() {
        let sentence = r#"key "a-x" is stale through proxy 127.0.0.1:6001, compared with the writes to its node A"#;
        check_broken(&ProxiesAgree, &written(["one", "two"]), sentence);
        check_kept(&ProxiesAgree, &written(["two", "two"]));
    }

    #[test]
    fn a_key_that_lists_give_to_two_nodes_is_one_register_on_each() {
        let mut run = double();
        predict(&mut run, [0, 2]);
        check_kept(&ProxiesAgree, &run);
        // A copy of the last value where it was not written through.
        let mut run = apart(["two", "two"]);
        predict(&mut run, [0, 2]);
        let sentence = r#"key "a-x" is wrong through proxy 127.0.0.1:6001, compared with the writes to its node A"#;
        check_broken(&ProxiesAgree, &run, sentence);
    }

    #[test]
    fn a_key_on_another_node_than_its_list_says_breaks_it() {
        let mut run = double();
        predict(&mut run, [0, 1]);
        let sentence =
            r#"proxy 127.0.0.1:6002 asks node C for key "a-x", its list of nodes gives node B"#;
        check_broken(&ProxiesAgree, &run, sentence);
    }

    #[test]
    fn one_proxy_is_not_judged() {
        let mut run = written(["two", "two"]);
        run.observed.proxies.clear();
        check_unknown(&ProxiesAgree, &run);
    }
}
