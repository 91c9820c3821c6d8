//! A chaos report with one text in every place that takes one, and every verdict.

use chaos::ledger::{KeyOutcome, Tally};
use chaos::report::{
    Bin, CaseFile, Chaos, CoverageReport, DifferingKey, Ended, KeyCounts, KnownViolation, Latency,
    LawReport, Message, ProxiesReport, ProxyKeys, Recovery, ScenarioReport, Shrunk, Smallest,
    Stressed, Summary, Timeline, Verdict, Way, WindowReport,
};
use chaos::shrink::Size;

pub(crate) fn chaos(text: &str) -> Chaos {
    let verdicts = [
        Verdict::Broken,
        Verdict::Mended,
        Verdict::Unknown,
        Verdict::Known,
        Verdict::Kept,
        Verdict::Skipped,
    ];
    let target = |_| Stressed {
        target: text.to_owned(),
        version: text.to_owned(),
        server: text.to_owned(),
        scenarios: verdicts.map(|verdict| scenario(text, verdict)).to_vec(),
    };
    Chaos::new(7, true, (0..2).map(target).collect())
}

fn scenario(text: &str, verdict: Verdict) -> ScenarioReport {
    ScenarioReport {
        scenario: text.to_owned(),
        shows: text.to_owned(),
        source: Some(text.to_owned()),
        verdict,
        why: Some(text.to_owned()),
        took_ms: 1,
        repeat: text.to_owned(),
        laws: vec![law(text, verdict)],
        coverage: vec![CoverageReport {
            condition: text.to_owned(),
            holds: false,
            found: text.to_owned(),
        }],
        observed: Some(summary(text)),
        shrunk: Some(shrunk(text)),
    }
}

pub(crate) fn shrunk(text: &str) -> Shrunk {
    let size = |clients| Size {
        faults: 1,
        repeated_faults: 1,
        rescales: 1,
        workloads: 1,
        clients,
        keys: 12,
        pipeline: 4,
        nodes: 3,
        duration_ms: 1800,
    };
    Shrunk {
        law: text.to_owned(),
        from: size(6),
        smallest: Some(Smallest {
            size: size(1),
            laws: vec![text.to_owned()],
            seed: text.to_owned(),
            file: text.to_owned(),
            repeat: text.to_owned(),
        }),
        case: CaseFile::Saved {
            file: text.to_owned(),
            repeat: text.to_owned(),
        },
        runs: 9,
        took_ms: 1,
        ended: Ended::Stopped,
        why: Some(text.to_owned()),
    }
}

fn law(text: &str, verdict: Verdict) -> LawReport {
    let message = |party: &str, way| Message {
        at_us: 1500,
        party: party.to_owned(),
        way,
        text: text.to_owned(),
    };
    LawReport {
        law: text.to_owned(),
        promise: text.to_owned(),
        source: text.to_owned(),
        optional: false,
        verdict,
        sentence: text.to_owned(),
        violations: 2,
        evidence: vec![text.to_owned()],
        messages: vec![
            message(text, Way::ToProxy),
            message("node A", Way::FromProxy),
        ],
        known: Some(KnownViolation {
            why: text.to_owned(),
            seen: text.to_owned(),
            link: Some(text.to_owned()),
            row: Some(text.to_owned()),
        }),
    }
}

fn summary(text: &str) -> Summary {
    let bin = |at_ms| Bin {
        at_ms,
        requests: 10,
        ok: 9,
        errors: [(text.to_owned(), 1)].into_iter().collect(),
        latency: latency(),
        by_node: vec![10],
    };
    Summary {
        requests: 20,
        ok: 18,
        failed: 1,
        indefinite: 1,
        latency: latency(),
        timeline: Timeline {
            load_ms: 200,
            bin_ms: 100,
            bins: vec![bin(0), bin(100)],
            windows: vec![WindowReport {
                fault: text.to_owned(),
                on: text.to_owned(),
                from_ms: 50,
                to_ms: 150,
            }],
            stalls_ms: vec![(10, 20)],
            samples: Vec::new(),
            nodes: vec![text.to_owned()],
        },
        recoveries: vec![Recovery {
            fault: text.to_owned(),
            node: text.to_owned(),
            healed_at_ms: 150,
            served_after_ms: None,
        }],
        keys: KeyCounts::default(),
        proxies: Some(proxies(text)),
    }
}

fn proxies(text: &str) -> ProxiesReport {
    ProxiesReport {
        keys: 2,
        proxies: vec![ProxyKeys {
            proxy: text.to_owned(),
            nodes: vec![text.to_owned()],
            found: Tally::default(),
        }],
        differing: vec![DifferingKey {
            key: text.to_owned(),
            nodes: vec![text.to_owned()],
            outcomes: vec![KeyOutcome::Stale],
        }],
        predicted: Some(1),
    }
}

fn latency() -> Latency {
    Latency {
        p50_us: 500,
        p90_us: 800,
        p99_us: 1000,
        p999_us: 1500,
        max_us: 20_000,
    }
}
