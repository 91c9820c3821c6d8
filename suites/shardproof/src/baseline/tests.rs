use super::*;
use ::conformance::report::Judged;
use ::conformance::verdict::{Evidence, Level, Result as CaseResult, Status, Verdict};
use std::collections::BTreeMap;
use std::time::Duration;

const TEXT: &str = "\
format = \"shardproof.baseline/1\"
command = \"run\"
target = \"some-proxy\"

[versions]
suite = \"0.1.0\"
proxy = \"1\"
server = \"redis 7.0.15\"

[[known]]
case = \"group/always\"
class = \"hung\"
seen = \"20 of 20\"
why = \"waits for ever\"

[[known]]
case = \"group/rare\"
class = \"wrong\"
seen = \"12 of 20\"
occurs = \"by-placement\"
";

fn baseline() -> Baseline {
    Baseline::parse("known.toml", TEXT).unwrap_or_else(|why| panic!("{why}"))
}

fn outcome(case: &str, (failed, judged): (usize, usize), class: Option<Class>) -> Outcome {
    let case = case.to_owned();
    Outcome {
        case,
        failed,
        judged,
        class,
    }
}

/// The case, class, `seen`, `occurs` and `why` of a row.
type Parts = (String, Option<Class>, String, Occurs, Option<String>);

/// What a run makes of the rows of [`TEXT`].
fn after(outcomes: &[Outcome]) -> Vec<Parts> {
    let name = ("known.toml", Command::Run, "some-proxy");
    let versions = Versions::new("2", "redis 8.0.0");
    let rows = Baseline::after(name, versions, outcomes, Some(&baseline())).rows;
    let parts = |row: Row| (row.case, row.class, row.seen, row.occurs, row.why);
    rows.into_iter().map(parts).collect()
}

#[track_caller]
fn check_wrong(from: &str, to: &str, said: &str) {
    assert!(TEXT.contains(from), "{from}");
    let read = Baseline::parse("known.toml", &TEXT.replacen(from, to, 1));
    let why = read.expect_err(said).to_string();
    assert_eq!(why, said);
}

#[test]
fn mistakes_are_named_with_their_line() {
    let row = "[[known]]\ncase = \"group/rare\"";
    check_wrong(
        "shardproof.baseline/1",
        "shardproof.list/1",
        "known.toml:1: format `shardproof.list/1`, expected `shardproof.baseline/1`",
    );
    check_wrong(
        row,
        "[[known]]\ncase = \"group/always\"",
        "known.toml:16: known `group/always`: a second row, expected one per case",
    );
    check_wrong(
        "class = \"wrong\"",
        "verdict = \"broken\"",
        "known.toml:16: known `group/rare`: expected a class and no verdict",
    );
    check_wrong(
        "command = \"run\"",
        "command = \"chaos\"",
        "known.toml:10: known `group/always`: expected `verdict = \"broken\"` and no class",
    );
    let read = Baseline::parse("known.toml", &TEXT.replace("class =", "clas ="));
    let why = read.expect_err("a typo").to_string();
    assert!(
        why.starts_with("known.toml:12: unknown field `clas`"),
        "{why}"
    );
}

#[test]
fn a_baseline_is_of_one_command_and_one_proxy() {
    assert!(baseline().of(Command::Run, "some-proxy").is_ok());
    for (command, target) in [(Command::Matrix, "some-proxy"), (Command::Run, "other")] {
        let why = baseline().of(command, target).expect_err("another one");
        let expected = format!(
            "known.toml: a baseline of `run some-proxy`, expected one of `{} {target}`",
            command.name()
        );
        assert_eq!(why.to_string(), expected);
    }
}

#[test]
fn a_written_baseline_reads_the_same() {
    for command in [Command::Run, Command::Matrix, Command::Chaos] {
        let mut before = Baseline {
            command,
            ..baseline()
        };
        if command == Command::Chaos {
            before.rows.iter_mut().for_each(|row| row.class = None);
        }
        let text = before.text().expect("a text");
        let mut after = Baseline::parse("known.toml", &text).unwrap_or_else(|why| panic!("{why}"));
        for (row, old) in after.rows.iter_mut().zip(&before.rows) {
            let line = text.lines().nth(row.line - 1);
            assert_eq!(line, Some("[[known]]"), "{text}");
            row.line = old.line;
        }
        assert_eq!(after, before);
    }
}

#[test]
fn a_failure_of_some_runs_is_a_row_that_may_pass() {
    let rows = after(&[
        outcome("group/always", (3, 3), Some(Class::Wrong)),
        outcome("group/new", (1, 3), Some(Class::Closed)),
        outcome("group/kept", (0, 3), None),
    ]);
    let expected = [
        (
            "group/always",
            Class::Wrong,
            "3 of 3",
            Occurs::Always,
            Some("waits for ever"),
        ),
        (
            "group/new",
            Class::Closed,
            "1 of 3",
            Occurs::ByPlacement,
            None,
        ),
        // Not judged.
        (
            "group/rare",
            Class::Wrong,
            "12 of 20",
            Occurs::ByPlacement,
            None,
        ),
    ];
    let expected = expected.map(|(case, class, seen, occurs, why)| {
        let why = why.map(str::to_owned);
        (case.to_owned(), Some(class), seen.to_owned(), occurs, why)
    });
    assert_eq!(rows, expected);
}

#[test]
fn a_rare_failure_stays_with_its_worst_class_and_a_passed_one_goes() {
    let cases = |outcomes: &[Outcome]| -> Vec<(String, Option<Class>, Occurs)> {
        let rows = after(outcomes).into_iter();
        rows.map(|row| (row.0, row.1, row.3)).collect()
    };
    let rare = |class| vec![("group/rare".to_owned(), Some(class), Occurs::ByPlacement)];
    let gone = outcome("group/always", (0, 1), None);
    let passed = outcome("group/rare", (0, 1), None);
    assert_eq!(cases(&[gone.clone(), passed]), rare(Class::Wrong));
    let closed = outcome("group/rare", (1, 1), Some(Class::Closed));
    assert_eq!(cases(&[gone, closed]), rare(Class::Wrong));
    let skipped = outcome("group/always", (0, 0), None);
    assert_eq!(cases(&[skipped]).len(), 2);
}

fn result(case: &str, class: Option<Class>) -> CaseResult {
    CaseResult {
        case: case.to_owned(),
        promise: "A promise.".to_owned(),
        level: Level::Must,
        spec: "https://redis.io".to_owned(),
        verdict: match class {
            None => Verdict::Pass,
            Some(class) => Verdict::Fail(Evidence {
                class,
                at: format!("{case}.case:1"),
                expected: "nil".to_owned(),
                got: "\"x\"".to_owned(),
                transcript: Vec::new(),
                keys: BTreeMap::new(),
                log: Vec::new(),
            }),
        },
        deviation: None,
        repeats: None,
        took: Duration::ZERO,
    }
}

#[track_caller]
fn check_status(case: &str, class: Option<Class>, status: Status) {
    let (name, results) = ("some-proxy".to_owned(), vec![result(case, class)]);
    let mut judged = Judged::new(name, "1".to_owned(), results, Duration::ZERO);
    baseline().mark_all(&mut judged);
    assert_eq!(judged.results[0].status(), status, "{case} {class:?}");
    let counted = judged.summary;
    judged.count();
    assert_eq!(counted, judged.summary);
}

#[test]
fn known_failures_are_known_and_others_are_not() {
    check_status("group/always", Some(Class::Hung), Status::Known);
    check_status("group/always", Some(Class::Wrong), Status::Broken);
    check_status("group/always", None, Status::Mended);
    check_status("group/rare", Some(Class::Wrong), Status::Known);
    check_status("group/rare", None, Status::Known);
    check_status("group/other", Some(Class::Hung), Status::Broken);
    check_status("group/other", None, Status::Kept);
}

#[test]
fn rows_of_nothing_and_other_versions_are_named() {
    let unknown = baseline().unknown(&|case| case == "group/rare");
    assert_eq!(unknown.len(), 1);
    assert!(
        unknown[0].starts_with("known.toml:10: `group/always` is not in"),
        "{unknown:?}"
    );
    let now = Versions {
        proxy: "2".to_owned(),
        ..baseline().versions
    };
    let expected = ["known.toml was written with some-proxy 1, this is 2"];
    assert_eq!(baseline().differences(&now), expected);
}

mod chaos {
    use super::super::*;
    use ::chaos::report::{LawReport, ScenarioReport, Stressed, Verdict};
    use ::chaos::scenario::Scenario;
    use testbed::fixtures::Source;

    const TEXT: &str = "\
format = \"shardproof.baseline/1\"
command = \"chaos\"
target = \"some-proxy\"

[versions]
suite = \"0.1.0\"
proxy = \"1\"
server = \"redis 7.0.15\"

[[known]]
case = \"node-slow/isolation\"
verdict = \"broken\"
seen = \"1 of 1\"
";

    fn ran(verdict: Verdict) -> ScenarioReport {
        let text = "# Shows it.\nduration = \"1s\"\nlaws = [\"isolation\"]\ncovers = []\n\
                    [[workload]]\nkind = \"register\"\nclients = 1\nkeys = 1\n";
        let scenario = Scenario::parse(&Source {
            path: "node-slow.toml".to_owned(),
            id: "node-slow".to_owned(),
            text: text.to_owned(),
        });
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        let law = LawReport {
            law: "isolation".to_owned(),
            promise: String::new(),
            source: String::new(),
            optional: false,
            verdict,
            sentence: String::new(),
            violations: usize::from(verdict == Verdict::Broken),
            evidence: Vec::new(),
            messages: Vec::new(),
            known: None,
        };
        ScenarioReport {
            laws: vec![law],
            ..ScenarioReport::without_run(&scenario, verdict, String::new())
        }
    }

    fn stressed(verdicts: &[Verdict]) -> Stressed {
        Stressed {
            target: "some-proxy".to_owned(),
            version: "1".to_owned(),
            server: "redis 7.0.15".to_owned(),
            scenarios: verdicts.iter().copied().map(ran).collect(),
        }
    }

    #[track_caller]
    fn check(text: &str, runs: &[Verdict], expected: &[Verdict]) {
        let baseline = Baseline::parse("known.toml", text).unwrap_or_else(|why| panic!("{why}"));
        let mut stressed = stressed(runs);
        baseline.mark_laws(&mut stressed);
        let laws = stressed.scenarios.iter().map(|it| it.laws[0].verdict);
        assert_eq!(laws.collect::<Vec<_>>(), expected);
        let worst = stressed.scenarios.iter().map(|it| it.verdict);
        assert_eq!(worst.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_row_is_stale_only_if_its_law_held_in_every_run() {
        use Verdict::{Broken, Kept, Known, Mended, Skipped};
        check(TEXT, &[Broken, Broken], &[Known, Known]);
        check(TEXT, &[Broken, Kept], &[Known, Kept]);
        check(TEXT, &[Kept, Kept], &[Mended, Mended]);
        check(TEXT, &[Skipped], &[Skipped]);
        let rare = TEXT.replace("1 of 1\"", "1 of 2\"\noccurs = \"by-placement\"");
        check(&rare, &[Kept, Kept], &[Known, Known]);
        let other = TEXT.replace("node-slow/", "node-busy/");
        check(&other, &[Broken], &[Broken]);
    }

    #[test]
    fn the_runs_of_a_law_are_one_outcome() {
        let runs = stressed(&[Verdict::Broken, Verdict::Kept, Verdict::Unknown]);
        let expected = Outcome {
            case: "node-slow/isolation".to_owned(),
            failed: 1,
            judged: 2,
            class: None,
        };
        assert_eq!(Outcome::of_laws(&runs), [expected]);
    }
}

mod matrix {
    use super::super::*;
    use ::conformance::matrix::{Cell, Column, Matrix};
    use ::conformance::verdict::{Repeats, Status};

    fn matrix(seed: u64, class: Class) -> Matrix {
        let cell = Cell {
            command: "GET".to_owned(),
            target: "some-proxy".to_owned(),
            class,
            calls: 1,
            refused: 0,
            evidence: None,
            known: None,
            repeats: None,
        };
        let column = Column {
            target: "some-proxy".to_owned(),
            argument: Some("some-proxy".to_owned()),
            version: "1".to_owned(),
        };
        let server = ("redis 7.0.15".to_owned(), Vec::new());
        Matrix::new(seed, server, vec![column], vec![cell], 2)
    }

    #[track_caller]
    fn check(row: &str, class: Class, status: Status, as_expected: bool) {
        let text = TEXT.replace("class = \"hung\"", row);
        let baseline = Baseline::parse("known.toml", &text).unwrap_or_else(|why| panic!("{why}"));
        let mut matrix = matrix(1, class);
        baseline.mark_matrix(&mut matrix);
        assert_eq!(matrix.rows[0].status(), status, "{row} {class:?}");
        assert_eq!(matrix.as_expected(), as_expected, "{row} {class:?}");
    }

    const TEXT: &str = "\
format = \"shardproof.baseline/1\"
command = \"matrix\"
target = \"some-proxy\"

[versions]
suite = \"0.1.0\"
proxy = \"1\"
server = \"redis 7.0.15\"

[[known]]
case = \"GET\"
class = \"hung\"
seen = \"1 of 1\"
";

    #[test]
    fn only_commands_that_are_not_known_fail_the_run() {
        let row = "class = \"hung\"";
        check(row, Class::Hung, Status::Known, true);
        check(row, Class::Wrong, Status::Broken, false);
        check(row, Class::Refused, Status::Mended, false);
        let rare = "class = \"wrong\"\noccurs = \"by-placement\"";
        check(rare, Class::Correct, Status::Known, true);
        check(rare, Class::Wrong, Status::Known, true);
    }

    #[test]
    fn the_runs_of_a_command_are_one_outcome() {
        let runs = [Class::Correct, Class::Wrong, Class::Wrong];
        let runs = (10..).zip(runs).map(|(seed, class)| matrix(seed, class));
        let merged = Matrix::merged(runs.collect()).expect("a run");
        let cell = &merged.rows[0];
        let (failed, judged, seed) = (2, 3, "b".to_owned());
        assert_eq!(cell.class, Class::Wrong);
        assert_eq!(
            cell.repeats,
            Some(Repeats {
                failed,
                judged,
                seed
            })
        );
        assert_eq!(merged.count("some-proxy", Class::Wrong), 1);
        assert_eq!(merged.count("some-proxy", Class::Correct), 0);
        assert_eq!((merged.seed.as_str(), merged.took_ms), ("a", 6));
        assert!(merged.repeat(cell).ends_with("--filter GET --seed b"));
        assert_eq!(Outcome::of_commands(&merged)[0].failed, 2);
    }
}
