//! The timeline counts every request once, and a scenario reports no law as kept that its run did not cover.

use testbed::fixtures::Source;
use testbed::targets::Limits;
use testbed::wire::Value;

use super::{
    CaseFile, Cell, Chaos, CoverageReport, Ended, LawReport, ScenarioReport, Shrunk, Smallest,
    Stressed, Verdict, write_hgrm,
};
use crate::history::{Completion, Header, History, Library, Record, Seen};
use crate::observed::{Observed, Span, Subject, Window};
use crate::run::{Run, promises};
use crate::scenario::Scenario;
use crate::shrink::Size;

const MILLISECOND: u64 = 1_000_000;

fn scenario() -> Scenario {
    let text = "# Shows it.\nduration = \"1s\"\nlaws = [\"isolation\"]\ncovers = []\n\
                [[workload]]\nkind = \"register\"\nclients = 1\nkeys = 1\n";
    let source = Source {
        path: "a.toml".to_owned(),
        id: "a".to_owned(),
        text: text.to_owned(),
    };
    Scenario::parse(&source).unwrap_or_else(|error| panic!("{error}"))
}

/// A request at a time, answered after another, in milliseconds.
fn record(at: u64, took: u64, node: u16, reply: Option<Value>) -> Record {
    let completion = match &reply {
        Some(reply) if !reply.is_error() => Completion::Ok,
        _ => Completion::Indefinite,
    };
    Record {
        session: 0,
        sequence: at,
        client: Library::Raw,
        sent: at * MILLISECOND,
        received: reply.is_some().then_some((at + took) * MILLISECOND),
        request: ["SET", "k", "v"]
            .map(|word| word.as_bytes().to_vec())
            .into(),
        reply,
        completion,
        seen: vec![Seen {
            node,
            connection: 1,
            order: at,
            asked: at * MILLISECOND,
            answered: None,
        }],
    }
}

fn run() -> Run {
    let ok = || Some(Value::Simple(b"OK".to_vec()));
    let records = vec![
        record(0, 1, 0, ok()),
        record(10, 200, 1, Some(Value::Error(b"ERR node B".to_vec()))),
        record(30, 1, 1, None),
        record(500, 10, 1, ok()),
    ];
    let mut header = Header::new("a-proxy", "a", 1);
    header.tapped = true;
    let span = |from: u64, to: u64| Span {
        from: from * MILLISECOND,
        to: to * MILLISECOND,
    };
    let observed = Observed {
        history: History { header, records },
        sessions: Default::default(),
        windows: vec![Window {
            fault: "pause".to_owned(),
            on: Subject::Node(1),
            span: span(5, 400),
            in_force: span(5, 400),
            empties: false,
        }],
        load: span(0, 1000),
        owners: [(b"k".to_vec(), 1)].into(),
        owners_after: [(b"k".to_vec(), 1)].into(),
        contents: [(b"k".to_vec(), vec![(0, Value::Bulk(b"v".to_vec()))])].into(),
        proxies: Vec::new(),
        predicted: Default::default(),
        samples: Vec::new(),
        stalls: Vec::new(),
        waits: Vec::new(),
        node_names: vec!["a:1".to_owned(), "b:1".to_owned()],
        promises: promises(std::time::Duration::from_millis(200), Limits::default()),
    };
    Run {
        intended: vec![0, 10 * MILLISECOND, 30 * MILLISECOND, 490 * MILLISECOND],
        observed,
    }
}

fn law(verdict: Verdict) -> LawReport {
    LawReport {
        law: "isolation".to_owned(),
        promise: String::new(),
        source: String::new(),
        optional: false,
        verdict,
        sentence: String::new(),
        violations: 0,
        evidence: Vec::new(),
        messages: Vec::new(),
        known: None,
    }
}

#[test]
fn every_request_is_in_one_bin_with_its_outcome() {
    let report = ScenarioReport::new(&scenario(), &run(), vec![law(Verdict::Kept)], Vec::new());
    let observed = report.observed.unwrap();
    let bins = &observed.timeline.bins;
    assert_eq!(bins.iter().map(|bin| bin.requests).sum::<u64>(), 4);
    assert_eq!((bins[0].ok, bins[0].requests), (1, 2));
    assert_eq!(bins[0].errors, [("ERR".to_owned(), 1)].into());
    assert_eq!(bins[1].errors, [("no-reply".to_owned(), 1)].into());
    assert_eq!(bins[0].by_node, [1, 1]);
    // From when it was to be sent: 10 ms of waiting count.
    assert_eq!(observed.latency.max_us / 1000, 20);
    assert_eq!(
        (observed.ok, observed.failed, observed.indefinite),
        (2, 0, 2)
    );
    let [recovery] = &observed.recoveries[..] else {
        panic!("{:?}", observed.recoveries);
    };
    assert_eq!(
        (recovery.healed_at_ms, recovery.served_after_ms),
        (400, Some(110))
    );
    assert_eq!(
        (observed.keys.acknowledged, observed.keys.unreachable),
        (1, 1)
    );
}

#[test]
fn a_scenario_is_as_good_as_its_worst_law_and_keeps_nothing_uncovered() {
    let cover = |holds| CoverageReport {
        condition: "requests-in-fault".to_owned(),
        holds,
        found: "1 request".to_owned(),
    };
    for (laws, holds, expected) in [
        (&[Verdict::Kept, Verdict::Kept][..], true, Verdict::Kept),
        (&[Verdict::Kept, Verdict::Known], true, Verdict::Known),
        (&[Verdict::Broken, Verdict::Unknown], true, Verdict::Broken),
        (&[Verdict::Kept, Verdict::Known], false, Verdict::Unknown),
        (&[Verdict::Kept, Verdict::Broken], false, Verdict::Broken),
    ] {
        let laws = laws.iter().map(|verdict| law(*verdict)).collect();
        let report = ScenarioReport::new(&scenario(), &run(), laws, vec![cover(holds)]);
        assert_eq!(report.verdict, expected);
        assert_eq!(report.why.is_some(), !holds);
    }
}

#[test]
fn latencies_are_written_as_hdrhistograms_tools_read_them() {
    let mut text = Vec::new();
    write_hgrm(&mut text, &run()).unwrap();
    let text = String::from_utf8(text).unwrap();
    let rows = text.lines().filter(|line| !line.is_empty());
    let rows: Vec<Vec<&str>> = rows.map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows[0],
        ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    );
    let last = rows
        .iter()
        .rev()
        .find(|row| !row[0].starts_with('#'))
        .unwrap();
    assert_eq!(last[1..], ["1.000000000000", "2"]);
    assert!(text.contains("Total count    =            2]"), "{text}");
}

#[test]
fn known_and_optional_violations_fail_no_run() {
    let optional = LawReport {
        optional: true,
        ..law(Verdict::Broken)
    };
    for (law, strict, fails) in [
        (law(Verdict::Broken), false, true),
        (law(Verdict::Known), true, false),
        (law(Verdict::Unknown), true, false),
        (law(Verdict::Mended), true, false),
        (optional.clone(), false, false),
        (optional, true, true),
    ] {
        let verdict = law.verdict;
        let report = ScenarioReport::new(&scenario(), &run(), vec![law], Vec::new());
        let failing = report.failing_laws(strict);
        assert_eq!(!failing.is_empty(), fails, "{verdict:?}, strict {strict}");
    }
}

#[test]
fn what_a_run_was_cut_down_to_is_one_sentence() {
    let from = Size::of(&scenario());
    let smallest = Smallest {
        size: Size {
            duration_ms: 250,
            ..from.clone()
        },
        laws: vec!["isolation".to_owned()],
        seed: "7".to_owned(),
        file: "a.toml".to_owned(),
        repeat: "shardproof chaos a.toml".to_owned(),
    };
    let (small, why) = (Some(smallest), "no port".to_owned());
    let size = "0 faults, 1 client, 1 key, 3 nodes";
    for (smallest, runs, ended, why, expected) in [
        (
            small.clone(),
            9,
            Ended::Complete,
            None,
            format!("shrunk from {size}, 1 s to {size}, 0.25 s: a.toml (9 runs)"),
        ),
        (
            None,
            1,
            Ended::OutOfTime,
            None,
            format!(
                "not shrunk from {size}, 1 s: no smaller scenario broke isolation (1 run, out of time)"
            ),
        ),
        (
            None,
            0,
            Ended::OutOfTime,
            None,
            format!("not shrunk from {size}, 1 s (no run, out of time)"),
        ),
        (
            small,
            2,
            Ended::Stopped,
            Some(why),
            format!("shrunk from {size}, 1 s to {size}, 0.25 s: a.toml (2 runs, stopped: no port)"),
        ),
    ] {
        let shrunk = Shrunk {
            law: "isolation".to_owned(),
            from: from.clone(),
            smallest,
            case: CaseFile::None {
                why: "the same requests pass".to_owned(),
            },
            runs,
            took_ms: 1,
            ended,
            why,
        };
        assert_eq!(shrunk.sentence(), expected);
        assert_eq!(shrunk.case_sentence(), "no case: the same requests pass");
    }
}

#[test]
fn a_cell_is_the_worst_of_all_runs_of_a_scenario_on_a_target() {
    let report = |verdict, took_ms| ScenarioReport {
        took_ms,
        ..ScenarioReport::without_run(&scenario(), verdict, String::new())
    };
    let target = |scenarios| Stressed {
        target: "a-proxy".to_owned(),
        version: "1".to_owned(),
        server: "redis 7.0.15".to_owned(),
        scenarios,
    };
    let runs = vec![
        report(Verdict::Kept, 5),
        report(Verdict::Broken, 3),
        report(Verdict::Broken, 4),
    ];
    let chaos = Chaos::new(1, false, vec![target(runs), target(Vec::new())]);
    let cell = Cell {
        verdict: Verdict::Broken,
        run: 1,
        took_ms: 5,
    };
    let rows = chaos.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(
        (rows[0].scenario, &rows[0].cells[..]),
        ("a", &[Some(cell), None][..])
    );
}
