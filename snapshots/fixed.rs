//! One fixed run: cases that end in every way. Times are round, because a snapshot has no clock.

use std::time::Duration;

use conformance::report::{Conformance, Judged};
use conformance::verdict::{Class, Direction, Evidence, Known, Level, Line, Result, Verdict};

/// The run.
pub(crate) fn run() -> Conformance {
    let results = vec![
        result(
            "multi-key/mget-keeps-key-order",
            Level::Must,
            Verdict::Pass,
            None,
        ),
        result(
            "multi-key/mget-missing-keys",
            Level::Must,
            Verdict::Fail(evidence()),
            None,
        ),
        result(
            "errors/texts",
            Level::Should,
            Verdict::Fail(evidence()),
            Some(known()),
        ),
        result(
            "errors/unknown-commands",
            Level::Should,
            Verdict::Fail(evidence()),
            None,
        ),
        result(
            "fan-out/keys-of-all-nodes",
            Level::Must,
            Verdict::Pass,
            Some(Known {
                always: false,
                class: Some(Class::Wrong),
                ..known()
            }),
        ),
        result(
            "fan-out/flushall-empties-each-node",
            Level::Must,
            Verdict::Pass,
            Some(known()),
        ),
        result(
            "node-down/keys-fail-at-once",
            Level::Must,
            Verdict::Unknown {
                why: "node A did not answer".to_owned(),
            },
            None,
        ),
        result(
            "fan-out/dbsize-sums-nodes",
            Level::Must,
            Verdict::Skip {
                reason: "some proxy does not claim fan-out".to_owned(),
            },
            None,
        ),
    ];
    let judged = Judged::new(
        "some-proxy".to_owned(),
        "1.2.3".to_owned(),
        results,
        Duration::from_secs(2),
    );
    Conformance::new(0x7c1f, vec![judged])
}

fn result(case: &str, level: Level, verdict: Verdict, deviation: Option<Known>) -> Result {
    Result {
        case: case.to_owned(),
        promise: "A promise, in one sentence.".to_owned(),
        level,
        spec: "https://redis.io/docs/latest/commands/mget/".to_owned(),
        verdict,
        deviation,
        repeats: None,
        took: Duration::from_millis(5),
    }
}

fn evidence() -> Evidence {
    let line = |at, party: &str, way, text: &str| Line {
        at: Duration::from_millis(at),
        party: party.to_owned(),
        way,
        text: text.to_owned(),
    };
    Evidence {
        class: Class::Wrong,
        at: "fixtures/conformance/multi-key/mget-missing-keys.case:9".to_owned(),
        expected: "*2 \"one\" nil".to_owned(),
        got: "*2 \"one\" \"\"".to_owned(),
        transcript: vec![
            line(0, "client 1", Direction::ToProxy, "MGET a <b>"),
            line(1, "node A", Direction::FromProxy, "MGET a <b>"),
            line(2, "node A", Direction::ToProxy, "*2 \"one\" nil"),
            line(3, "client 1", Direction::FromProxy, "*2 \"one\" \"\""),
        ],
        keys: [("$a1".to_owned(), "sp-1-0a".to_owned())].into(),
        log: vec!["[warning] a line of the proxy".to_owned()],
    }
}

fn known() -> Known {
    Known {
        why: "answers in its own words".to_owned(),
        seen: "1.2.3".to_owned(),
        always: true,
        class: None,
        link: None,
        row: None,
    }
}
