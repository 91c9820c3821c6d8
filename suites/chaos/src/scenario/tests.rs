//! Scenario files are read strictly, and schedules follow from the seed.

use std::time::Duration;

use testbed::chance::Chance;
use testbed::fixtures::{Fixtures, Source};
use testbed::targets::{Deviation, load_all as load_targets};

use super::*;
use crate::cover::COMPLETED;
use crate::law::Law;
use crate::observed::Subject;

const SMALL: &str = r#"# A node hangs, and comes back.
# https://example.org/1
nodes = 2
duration = "2s"
laws = ["answers-within-deadline"]

[[workload]]
kind = "register"
clients = 2
keys = 4

[[fault]]
kind = "latency 50ms"
on = "any"
at = "300ms..900ms"
for = "200ms"
every = "500ms"

[[covers]]
condition = "requests-in-fault"
at_least = 5
"#;

fn source(text: &str) -> Source {
    Source {
        path: "x.toml".to_owned(),
        id: "x".to_owned(),
        text: text.to_owned(),
    }
}

#[track_caller]
fn check_refused(old: &str, new: &str, expected: &str) {
    assert!(SMALL.contains(old), "{old}");
    let error = Scenario::parse(&source(&SMALL.replace(old, new))).err();
    let error = error.map(|error| error.to_string()).expect("a wrong file");
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn the_head_has_the_purpose_and_the_source_of_a_scenario() {
    let scenario = Scenario::parse(&source(SMALL)).unwrap();
    assert_eq!(scenario.shows, "A node hangs, and comes back.");
    assert_eq!(scenario.source.as_deref(), Some("https://example.org/1"));
    assert_eq!(scenario.duration, Duration::from_secs(2));
    assert_eq!(scenario.loads[0].lasts, scenario.duration);
}

#[test]
fn an_error_names_its_line() {
    check_refused(
        "keys = 4",
        "keys = 4\ncolour = 1",
        "x.toml:11: unknown field `colour`",
    );
    check_refused(
        "latency 50ms",
        "latenzy 50ms",
        "x.toml:13: `latenzy`, expected a fault: ",
    );
    check_refused(
        "register",
        "registar",
        "x.toml:8: `registar` is unknown, did you mean `register`?",
    );
    check_refused(
        "answers-within",
        "answer-within",
        "x.toml:5: `answer-within-deadline` is unknown, did",
    );
    check_refused(
        "\"2s\"",
        "\"2\"",
        "x.toml:4: `2`, expected a time such as 500ms or 2s",
    );
    check_refused(
        "300ms..900ms",
        "900ms..300ms",
        "x.toml:15: `900ms..300ms`, expected the earlier",
    );
    check_refused(
        "\"any\"",
        "\"a\"",
        "x.toml:14: `a`, expected a node such as A, or any, all",
    );
    check_refused(
        "\"any\"",
        "\"C\"",
        "x.toml:12: fault latency 50ms: the cluster has 2 nodes",
    );
    check_refused(
        "clients = 2",
        "clients = 0",
        "x.toml:7: workload register: clients, keys",
    );
    check_refused(
        "\"500ms\"",
        "\"200ms\"",
        "x.toml:17: fault latency 50ms: every is expected to be longer",
    );
    check_refused(
        "nodes = 2",
        "nodes = 2\nneeds = [\"splt-mget\"]",
        "x.toml:4: needs: `splt-mget` is unknown, did",
    );
    check_refused(
        "# A node hangs, and comes back.\n# h",
        "# h",
        "x.toml:1: the first lines",
    );
}

#[test]
fn a_fault_acts_on_objects_of_its_kind_only() {
    let parse = |kind: &str, on: &str| {
        let fault = format!("kind = \"{kind}\"\non = \"{on}\"");
        let text = SMALL.replace("kind = \"latency 50ms\"\non = \"any\"", &fault);
        Scenario::parse(&source(&text)).map_err(|error| error.to_string())
    };
    for (kind, on) in [
        ("pause", "B"),
        ("proxy_kill", "proxy"),
        ("client_disconnect", "clients"),
    ] {
        assert!(parse(kind, on).is_ok(), "{kind}");
    }
    for (kind, on) in [
        ("pause", "proxy"),
        ("proxy_kill", "B"),
        ("client_disconnect", "any"),
    ] {
        let error = parse(kind, on).err().expect(kind);
        assert!(error.contains("acts on a"), "{error}");
    }
}

#[test]
fn a_seed_repeats_a_schedule_and_everything_is_healed() {
    let scenario = Scenario::parse(&source(SMALL)).unwrap();
    for seed in 0..50 {
        let schedule = Schedule::new(&scenario, Chance::seeded(seed));
        assert_eq!(schedule, Schedule::new(&scenario, Chance::seeded(seed)));
        let mut open = Vec::new();
        for step in &schedule.steps {
            match &step.change {
                Change::Apply(number, _, Subject::Node(0..2)) => open.push(*number),
                Change::Heal(number, ..) => open.retain(|other| other != number),
                other => panic!("{other:?}"),
            }
            assert!(step.at <= scenario.duration);
        }
        assert!(open.is_empty());
        assert!(schedule.steps.is_sorted_by_key(|step| step.at));
        let first = schedule.steps[0].at.as_millis();
        assert!((300..=900).contains(&first), "{first}");
    }
    let drawn = |seed| Schedule::new(&scenario, Chance::seeded(seed));
    assert!((1..20).any(|seed| drawn(seed) != drawn(0)));
}

/// All that a run of a scenario depends on, and what reports say of it.
pub(crate) fn facts(scenario: &Scenario) -> String {
    let loads = scenario.loads.iter().map(|load| {
        let Load {
            workload,
            clients,
            keys,
            pipeline,
            pace,
            apart,
            lasts,
        } = load;
        let id = workload.id();
        format!("{id} {clients} {keys} {pipeline} {pace:?} {apart} {lasts:?}")
    });
    let covers = scenario.covers.iter();
    let covers = covers.map(|cover| format!("{} {}", cover.condition.id(), cover.at_least));
    let laws = scenario.laws.iter().map(|law| law.id().to_owned());
    let rows = [loads.collect::<Vec<_>>(), covers.collect(), laws.collect()];
    let Scenario {
        id,
        path,
        seeded_as,
        shows,
        source,
        nodes,
        duration,
        needs,
        faults,
        rescales,
        ..
    } = scenario;
    format!(
        "{id} {path} {seeded_as} {shows} {source:?}\n{nodes} {duration:?} {needs:?}\n{faults:#?}\n\
         {rescales:#?}\n{rows:#?}"
    )
}

#[test]
fn a_scenario_is_read_back_from_its_text() {
    let sources = files(&Fixtures::compiled_in()).unwrap();
    for original in sources.into_iter().chain([source(SMALL)]) {
        let scenario = Scenario::parse(&original).unwrap_or_else(|error| panic!("{error}"));
        for notes in [&[][..], &["made by hand".to_owned(), "a\nb".to_owned()]] {
            let text = scenario.text(notes).unwrap();
            let written = Source {
                text: text.clone(),
                ..original.clone()
            };
            let read = Scenario::parse(&written).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(facts(&read), facts(&scenario), "{text}");
        }
    }
}

#[test]
fn a_file_of_another_name_draws_the_same() {
    let scenario = Scenario::parse(&source(SMALL)).unwrap();
    let renamed = Source {
        id: "y".to_owned(),
        ..source(&scenario.text(&[]).unwrap())
    };
    let renamed = Scenario::parse(&renamed).unwrap();
    assert_eq!(
        (renamed.id.as_str(), renamed.seeded_as.as_str()),
        ("y", "x")
    );
}

#[test]
fn every_workload_is_expected_to_get_a_request_through() {
    let covers = |text: &str| {
        let scenario = Scenario::parse(&source(text)).unwrap();
        let covers = scenario.covers.iter();
        covers
            .map(|cover| (cover.condition.id(), cover.at_least))
            .collect::<Vec<_>>()
    };
    let implicit = [("requests-in-fault", 5), ("completed-per-workload", 1)];
    assert_eq!(covers(SMALL), implicit);
    let demanded = SMALL.replace("requests-in-fault", "completed-per-workload");
    assert_eq!(covers(&demanded), [("completed-per-workload", 5)]);
}

#[test]
fn every_scenario_of_the_fixtures_is_right() {
    let sources = files(&Fixtures::compiled_in()).unwrap();
    let scenarios = load_all(&sources).unwrap_or_else(|error| panic!("{error}"));
    assert!(!scenarios.is_empty());
    for scenario in &scenarios {
        assert!(
            scenario.source.is_some(),
            "{}: no link at its head",
            scenario.path
        );
        let mut conditions = scenario.covers.iter().map(|cover| cover.condition.id());
        assert!(
            conditions.any(|id| id != COMPLETED.id()),
            "{}: nothing says that it was exercised",
            scenario.path
        );
        assert!(scenario.shows.ends_with('.'), "{}", scenario.path);
    }
}

#[test]
fn every_recorded_violation_is_of_a_law_of_a_scenario() {
    let fixtures = Fixtures::compiled_in();
    let scenarios = load_all(&files(&fixtures).unwrap()).unwrap_or_else(|error| panic!("{error}"));
    for target in load_targets(&fixtures.targets().unwrap()).unwrap() {
        let of_chaos = |row: &&Deviation| row.cases.starts_with("chaos/");
        for row in target.deviations.iter().filter(of_chaos) {
            let covered = scenarios.iter().any(|scenario| {
                let judged = scenario.lacking(&target).is_empty();
                let mut laws = scenario.laws.iter();
                let place = |law: &dyn Law| format!("chaos/{}/{}", scenario.id, law.id());
                judged && laws.any(|law| target.deviation(&place(*law)) == Some(row))
            });
            assert!(covered, "{}: `{}` covers none", target.name, row.cases);
        }
    }
}
