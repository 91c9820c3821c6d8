//! One report of each kind, in which every free text is a given one: names, versions, commands, errors, keys, addresses.

use std::time::Duration;

use chaos::ledger::Tally;
use chaos::rescale::{self, Rescales};
use conformance::differential::{Compared, Differential, Parted};
use conformance::matrix::{CLASSES, Cell, Column, Matrix};
use conformance::report::{Conformance, Judged};
use conformance::verdict::{
    Class, Direction, Evidence, Known, Level, Line, Repeats, Result, Verdict,
};
use shardproof::fleet::{
    Check, ConflictKey, Finding, LargeKey, Migration, MoveOutcome, OtherDatabase, Probed,
};
use shardproof::planner::description::{Hints, inline};
use shardproof::planner::fingerprint::report::{
    Fingerprint, Nearest, Outcome as FingerprintOutcome, Placed, SeenNode, Spread,
};
use shardproof::planner::{Cluster, ClusterFile, Node, Policy, plan};

use crate::fleet;

/// A run that ended early, with a result of every verdict, known and not.
pub(crate) fn conformance(text: &str) -> Conformance {
    let known = |always| Known {
        why: text.to_owned(),
        seen: text.to_owned(),
        always,
        class: None,
        link: Some(text.to_owned()),
        row: Some(text.to_owned()),
    };
    let verdicts = [
        Verdict::Pass,
        Verdict::Fail(evidence(text, Class::Wrong)),
        Verdict::Fail(evidence(text, Class::Correct)),
        Verdict::Skip {
            reason: text.to_owned(),
        },
        Verdict::Unknown {
            why: text.to_owned(),
        },
    ];
    let deviations = [None, Some(known(true)), Some(known(false))];
    let mut results = Vec::new();
    for (level, group) in [(Level::Must, "one"), (Level::Should, "other")] {
        for verdict in &verdicts {
            for deviation in &deviations {
                results.push(Result {
                    case: format!("{group} {text}/{text} {}", results.len()),
                    promise: text.to_owned(),
                    level,
                    spec: text.to_owned(),
                    verdict: verdict.clone(),
                    deviation: deviation.clone(),
                    repeats: Some(Repeats {
                        failed: 1,
                        judged: 2,
                        seed: text.to_owned(),
                    }),
                    took: Duration::from_millis(5),
                });
            }
        }
    }
    let took = Duration::from_secs(2);
    let judged = |name: &str| Judged {
        stopped: Some(text.to_owned()),
        ..Judged::new(
            format!("{name} {text}"),
            text.to_owned(),
            results.clone(),
            took,
        )
    };
    Conformance {
        seed: text.to_owned(),
        ..Conformance::new(1, vec![judged("one"), judged("other")])
    }
}

/// A transcript of everything between two clients and two nodes.
fn evidence(text: &str, class: Class) -> Evidence {
    let parties =
        ["client", "other client", "node A", "node B"].map(|name| format!("{name} {text}"));
    let ways = [Direction::ToProxy, Direction::FromProxy, Direction::Event];
    let line = |party: &String, way, text: String| Line {
        at: Duration::from_millis(1),
        party: party.clone(),
        way,
        text,
    };
    let transcript = parties.iter().flat_map(|party| {
        let lines = ways.map(|way| line(party, way, text.to_owned()));
        let error = line(party, Direction::FromProxy, format!("-ERR {text}"));
        lines.into_iter().chain([error])
    });
    Evidence {
        class,
        at: text.to_owned(),
        expected: text.to_owned(),
        got: text.to_owned(),
        transcript: transcript.collect(),
        keys: [(text.to_owned(), text.to_owned())].into(),
        log: vec![text.to_owned()],
    }
}

/// A command of each class on two targets, with evidence.
pub(crate) fn matrix(text: &str) -> Matrix {
    let targets = ["one", "other"].map(|name| format!("{name} {text}"));
    let cells = CLASSES.iter().flat_map(|class| {
        targets.iter().map(|target| Cell {
            command: format!("{text} {}", class.name()),
            target: target.clone(),
            class: *class,
            calls: 3,
            refused: 1,
            evidence: (*class != Class::Correct).then(|| evidence(text, *class)),
            known: None,
            repeats: None,
        })
    });
    let columns = targets.iter().map(|target| Column {
        target: target.clone(),
        argument: Some(target.clone()),
        version: text.to_owned(),
    });
    let servers = (text.to_owned(), vec![text.to_owned(), text.to_owned()]);
    Matrix {
        seed: text.to_owned(),
        flags: text.to_owned(),
        ..Matrix::new(1, servers, columns.collect(), cells.collect(), 2000)
    }
}

/// Two policies, one of them predicted otherwise.
pub(crate) fn rescales(text: &str) -> Rescales {
    let report = |policy: &str, predicted| rescale::Report {
        format: "shardproof.rescale/1",
        target: text.to_owned(),
        version: text.to_owned(),
        policy: policy.to_owned(),
        from: 3,
        to: 4,
        seed: text.to_owned(),
        keys: 100,
        refused: 1,
        found: 60,
        unreachable: 30,
        unreachable_share: 0.3,
        lost: 0,
        stale: 5,
        wrong: 2,
        failed: 2,
        minimum: 25,
        there: Tally::default(),
        back: Tally::default(),
        nodes: vec![rescale::NodeCount {
            addr: "127.0.0.1:6379".to_owned(),
            before: 60,
            after: 40,
            held: 60,
        }],
        laws: [
            (rescale::Law::OneOwner, rescale::LawVerdict::Kept),
            (rescale::Law::EachNodeUsed, rescale::LawVerdict::Unknown),
            (rescale::Law::WayBack, rescale::LawVerdict::Broken),
        ]
        .map(|(law, verdict)| rescale::JudgedLaw {
            law,
            verdict,
            violations: 1,
            examples: vec![text.to_owned()],
        })
        .to_vec(),
        predicted,
    };
    let prediction = rescale::Prediction {
        agree: 99,
        differ: 1,
        examples: vec![text.to_owned()],
    };
    Rescales {
        reports: vec![
            report("maglev", None),
            report("ring_hash", Some(prediction)),
            report(text, None),
        ],
    }
}

/// One node more than `nodes`: few flows are ribbons, many are a matrix.
pub(crate) fn plan(text: &str, nodes: usize) -> plan::Report {
    let cluster = |nodes: usize| {
        let nodes: Vec<String> = (1..=nodes).map(|node| format!("node{node}:1")).collect();
        format!("maglev/hash_tags:{}", nodes.join(","))
    };
    let described = |text: &str| inline(text, &Hints::default()).expect("a description");
    let change = plan::Change::new(described(&cluster(nodes)), described(&cluster(nodes + 1)));
    let change = change.expect("a change");
    let mut counts = change.counts();
    for number in 0..1000 {
        let key = match number % 4 {
            0 => format!("{{{text}}}:{number}"),
            _ => format!("key:{number}"),
        };
        change.count(&mut counts, key.as_bytes());
    }
    let mut report = plan::Report::new(&change, counts, [text, text, text], plan::Detail::Table);
    report.routed_elsewhere = 7;
    for side in [&mut report.from, &mut report.to] {
        side.policy = text.to_owned();
        side.tags = Some(text.to_owned());
    }
    for node in &mut report.nodes {
        node.address = format!("{} {text}", node.address);
        node.name = Some(text.to_owned());
    }
    for flow in &mut report.flows {
        flow.from = format!("{} {text}", flow.from);
        flow.to = format!("{} {text}", flow.to);
    }
    for other in &mut report.alternatives.policies {
        other.policy = format!("{} {text}", other.policy);
        other.note = Some(text.to_owned());
    }
    for tag in report.hot_tags.iter_mut().flat_map(|tags| &mut tags.top) {
        tag.tag = text.to_owned();
    }
    let point = |nodes| plan::Point {
        nodes,
        moved_share: 0.25,
    };
    report.curves = Some(vec![plan::Curve {
        policy: text.to_owned(),
        points: vec![point(2), point(64)],
    }]);
    report
}

/// A difference.
pub(crate) fn differential(text: &str) -> Differential {
    let difference = Parted {
        what: text.to_owned(),
        steps: 3,
        case: text.to_owned(),
        repeat: text.to_owned(),
    };
    Differential {
        format: "shardproof.differential/1",
        seed: text.to_owned(),
        targets: vec![Compared {
            target: text.to_owned(),
            version: text.to_owned(),
            commands: 9,
            requests: 100,
            answered: 40,
            cut_short: 2,
            left_out: Vec::new(),
            difference: Some(difference),
            took_ms: 12_000,
        }],
    }
}

/// A placement that others resemble, on nodes with every name that a node can have.
pub(crate) fn fingerprint(text: &str) -> Fingerprint {
    let mut node = Node::at(text);
    node.hash_key = Some(text.to_owned());
    let balance = plan("", 2).balance_before;
    let cluster = ClusterFile::of(&Cluster::new(Policy::ketama(), vec![node]));
    Fingerprint {
        format: "shardproof.fingerprint/1",
        proxy: text.to_owned(),
        seed: text.to_owned(),
        outcome: FingerprintOutcome::Undecided,
        found: Some(Placed {
            policy: text.to_owned(),
            naming: "addresses",
            tags: text.to_owned(),
            cluster: cluster.clone(),
            same_ring: None,
            alike: vec![text.to_owned()],
            undecided: vec![text.to_owned()],
        }),
        home_made: None,
        scatter: None,
        keys: 1000,
        keys_needed: 100,
        candidates: 10,
        nearest: vec![Nearest {
            policy: text.to_owned(),
            naming: "addresses",
            explained: 0.9,
            cluster,
        }],
        chance: 0.5,
        nodes: vec![SeenNode {
            address: text.to_owned(),
            reached: text.to_owned(),
            weight: Some(1),
            share: Some(1.0),
            keys: 1000,
        }],
        quality: Spread {
            balance,
            counted: 10,
            longest_run: 2,
            longest_run_from: 3,
            tag_concentration: Some(1.0),
        },
    }
}

/// A migration with leftovers of every kind.
pub(crate) fn migration(text: &str) -> Migration {
    let check = fleet::check();
    let named = || text.to_owned();
    let nodes = check.nodes.into_iter().map(|mut node| {
        node.addr = named();
        node
    });
    let findings = check.findings.into_iter().map(|finding| Finding {
        node: named(),
        what: named(),
        ..finding
    });
    let check = Check {
        elsewhere: vec![OtherDatabase {
            node: named(),
            database: 3,
            keys: 7,
        }],
        conflict_keys: vec![ConflictKey {
            key: named(),
            nodes: vec![named(), named()],
            database: 0,
        }],
        large_keys: vec![LargeKey {
            key: named(),
            node: named(),
            bytes: None,
            database: 0,
        }],
        findings: findings.collect(),
        nodes: nodes.collect(),
        proxy: check.proxy.map(|probed| Probed {
            examples: vec![named()],
            ..probed
        }),
        ..check
    };
    let carried = fleet::migration().carried.map(|carried| MoveOutcome {
        examples: vec![named()],
        ..carried
    });
    Migration::new(carried, 250, check)
}
