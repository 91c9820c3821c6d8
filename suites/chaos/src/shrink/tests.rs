//! The search ends at the smallest scenario that fails, and no candidate is used for another reason.

use std::time::Duration;

use proptest::prelude::*;
use testbed::fault::Fault;
use testbed::fixtures::{Fixtures, Source};

use super::*;
use crate::law::law;
use crate::scenario::{self, Scenario, tests::facts};

const SEED: u64 = 7;
const LAW: &str = "no-cross-talk";
const OTHER: &str = "answers-within-deadline";

/// Three faults, of which one is repeated, and two workloads.
const LARGE: &str = r#"# A node hangs while others are slow.
# https://example.org/1
nodes = 3
duration = "2s"
laws = ["answers-within-deadline", "replies-in-order", "no-cross-talk"]

[[workload]]
kind = "register"
clients = 6
keys = 24
pipeline = 4
rate = 1200

[[workload]]
kind = "counter"
clients = 3
keys = 9
pipeline = 2
for = "1500ms"

[[fault]]
kind = "latency 50ms"
on = "any"
at = "300ms..900ms"
for = "200ms"
every = "500ms"

[[fault]]
kind = "pause"
on = "B"
at = "400ms"
for = "300ms"
every = "700ms"

[[fault]]
kind = "down"
on = "C"
at = "1200ms"
for = "300ms"

[[covers]]
condition = "requests-in-fault"
at_least = 20

[[covers]]
condition = "errors-seen"
at_least = 5
"#;

fn large() -> Scenario {
    let source = Source {
        path: "large.toml".to_owned(),
        id: "large".to_owned(),
        text: LARGE.to_owned(),
    };
    Scenario::parse(&source).unwrap_or_else(|error| panic!("{error}"))
}

fn fixtures() -> Vec<Scenario> {
    let sources = scenario::files(&Fixtures::compiled_in()).unwrap();
    scenario::load_all(&sources).unwrap_or_else(|error| panic!("{error}"))
}

fn broken(laws: &[&str]) -> Outcome {
    Outcome {
        broken: laws.iter().map(|law| (*law).to_owned()).collect(),
        covered: vec![30, 0],
    }
}

fn broken_if(fails: bool) -> Outcome {
    match fails {
        true => broken(&[LAW]),
        false => Outcome::default(),
    }
}

/// Every run of a search to its end, by a judge that is given a scenario and a seed.
fn searched(
    scenario: &Scenario,
    first: &Outcome,
    judge: impl Fn(&Scenario, u64) -> Outcome,
) -> (Shrink, Vec<(Cut, u64)>) {
    let mut shrink = Shrink::new(scenario, SEED, first).expect("a failing run");
    let mut runs = Vec::new();
    while let Some(attempt) = shrink.attempt() {
        runs.push((attempt.cut, attempt.seed));
        let outcome = judge(attempt.scenario, attempt.seed);
        shrink.report(&outcome);
        assert!(runs.len() < 10_000, "the search does not end");
    }
    (shrink, runs)
}

fn has(scenario: &Scenario, fault: &str) -> bool {
    let fault: Fault = fault.parse().expect("a fault");
    scenario.faults.iter().any(|row| row.fault == fault)
}

fn clients(scenario: &Scenario) -> u32 {
    Size::of(scenario).clients
}

#[test]
fn the_search_ends_at_the_smallest_scenario_that_fails() {
    let fails = |it: &Scenario| has(it, "pause") && clients(it) >= 2;
    let (shrink, _) = searched(&large(), &broken(&[LAW]), |it, _| broken_if(fails(it)));
    let (smallest, seed) = shrink.smallest().expect("a smaller scenario");
    assert_eq!(
        Size::of(smallest),
        Size {
            faults: 1,
            repeated_faults: 0,
            rescales: 0,
            workloads: 1,
            clients: 2,
            keys: 1,
            pipeline: 1,
            // The fault is on the second one.
            nodes: 2,
            duration_ms: 125,
        }
    );
    assert_eq!(seed, SEED);
    assert!(has(smallest, "pause"));
    // Within the load, as before.
    let row = &smallest.faults[0];
    assert!(row.at.from.0 < smallest.duration && row.lasts.from.0 > Duration::ZERO);
}

#[test]
fn another_law_takes_no_candidate() {
    let judge = |it: &Scenario, _| match clients(it) >= 4 {
        true => broken(&[LAW]),
        false => broken(&[OTHER]),
    };
    let (shrink, _) = searched(&large(), &broken(&[LAW]), judge);
    let (smallest, _) = shrink.smallest().expect("a smaller scenario");
    assert_eq!(clients(smallest), 4);
    let laws: Vec<&str> = smallest.laws.iter().map(|law| law.id()).collect();
    assert_eq!(laws, [LAW]);
}

#[test]
fn of_several_laws_the_first_of_the_table_is_followed() {
    let judge = |it: &Scenario, _| match clients(it) {
        4.. => broken(&[OTHER, LAW]),
        2..4 => broken(&[LAW]),
        _ => broken(&[OTHER]),
    };
    let (shrink, _) = searched(&large(), &broken(&[OTHER, LAW]), judge);
    assert_eq!(shrink.followed().id(), LAW);
    let (smallest, _) = shrink.smallest().expect("a smaller scenario");
    assert_eq!(clients(smallest), 2);
    // The other one stays only as long as the scenario breaks it too.
    assert_eq!(smallest.laws.len(), 1);
}

#[test]
fn an_unknown_run_takes_no_candidate_and_each_has_its_runs() {
    let (shrink, runs) = searched(&large(), &broken(&[LAW]), |_, _| Outcome::default());
    assert!(shrink.smallest().is_none());
    let candidates = smaller(&large()).len();
    assert_eq!(runs.len(), candidates * usize::try_from(RUNS).unwrap());
    let seeds: Vec<u64> = runs[..3].iter().map(|(_, seed)| *seed).collect();
    assert_eq!(seeds, [SEED, SEED + 1, SEED + 2]);
}

#[test]
fn the_seed_is_one_that_failed() {
    // Fails with every third seed only.
    let fails = |it: &Scenario, seed: u64| seed.is_multiple_of(3) && has(it, "pause");
    let judge = |it: &Scenario, seed| broken_if(fails(it, seed));
    let (shrink, _) = searched(&large(), &broken(&[LAW]), judge);
    let (smallest, seed) = shrink.smallest().expect("a smaller scenario");
    assert_eq!(seed, SEED + 2);
    assert!(fails(smallest, seed));
    assert_eq!(clients(smallest), 1);
}

#[test]
fn a_candidate_that_was_given_up_is_tried_again_in_a_smaller_scenario() {
    // Few clients fail without the slow link too. The last cut does not pay, so the search has to go back to the first.
    let slow = |it: &Scenario| has(it, "latency 50ms") || clients(it) <= 2;
    let fails = |it: &Scenario| has(it, "pause") && slow(it) && it.nodes == 3;
    let (shrink, _) = searched(&large(), &broken(&[LAW]), |it, _| broken_if(fails(it)));
    let (smallest, _) = shrink.smallest().expect("a smaller scenario");
    assert_eq!((smallest.faults.len(), clients(smallest)), (1, 1));
}

#[test]
fn a_run_that_broke_no_law_is_not_shrunk() {
    for outcome in [Outcome::default(), broken(&["isolation"])] {
        assert!(Shrink::new(&large(), SEED, &outcome).is_none());
    }
}

#[test]
fn coverage_conditions_expect_half_of_what_the_failing_run_had() {
    let judge = |it: &Scenario, _| broken_if(has(it, "pause"));
    let (shrink, _) = searched(&large(), &broken(&[LAW]), judge);
    let (smallest, _) = shrink.smallest().expect("a smaller scenario");
    let covers = smallest.covers.iter();
    let covers: Vec<(&str, usize)> = covers
        .map(|cover| (cover.condition.id(), cover.at_least))
        .collect();
    // 30 of them, and no error.
    assert_eq!(covers, [("requests-in-fault", 15)]);
}

#[track_caller]
fn check_candidates(scenario: &Scenario) -> Vec<Candidate> {
    let candidates = smaller(scenario);
    for candidate in &candidates {
        let (cut, made) = (candidate.cut, &candidate.scenario);
        let (size, before) = (Size::of(made), Size::of(scenario));
        assert!(size.is_below(&before), "{cut:?} of {}: {size}", scenario.id);
        let text = made.text(&["a note".to_owned()]).unwrap();
        let source = Source {
            path: made.path.clone(),
            id: made.id.clone(),
            text,
        };
        let read = Scenario::parse(&source).unwrap_or_else(|why| panic!("{why}\n{}", source.text));
        assert_eq!(facts(&read), facts(made), "{}", source.text);
    }
    assert!(candidates.is_sorted_by_key(|it| it.cut));
    candidates
}

#[test]
fn every_candidate_is_smaller_and_is_read_back_from_its_file() {
    for scenario in fixtures().iter().chain([&large()]) {
        let candidates = check_candidates(scenario);
        assert!(!candidates.is_empty(), "{}", scenario.id);
        for candidate in candidates {
            check_candidates(&candidate.scenario);
        }
    }
}

/// What a simulated proxy needs to fail.
#[derive(Debug, Clone)]
struct Needs {
    /// A fault of the scenario.
    fault: Option<prop::sample::Index>,
    clients: u32,
    keys: u64,
    pipeline: u64,
    duration_ms: u64,
    /// It fails with every n-th seed.
    every: u64,
}

impl Needs {
    /// The judge for `scenario`, which itself fails.
    fn judge(&self, scenario: &Scenario) -> impl Fn(&Scenario, u64) -> bool {
        let size = Size::of(scenario);
        let rows = &scenario.faults;
        let fault = self.fault.filter(|_| !rows.is_empty());
        let fault = fault.map(|index| index.get(rows).fault.clone());
        let needs = self.clone();
        move |it, seed| {
            let has = |fault: &Fault| it.faults.iter().any(|row| row.fault == *fault);
            let found = Size::of(it);
            fault.as_ref().is_none_or(has)
                && found.clients >= needs.clients.min(size.clients)
                && found.keys >= needs.keys.min(size.keys)
                && found.pipeline >= needs.pipeline.min(size.pipeline)
                && found.duration_ms >= needs.duration_ms.min(size.duration_ms)
                && seed.is_multiple_of(needs.every)
        }
    }
}

fn needs() -> impl Strategy<Value = Needs> {
    let fault = prop::option::of(any::<prop::sample::Index>());
    (fault, 0..8_u32, 0..60_u64, 0..8_u64, 0..2000_u64, 1..4_u64).prop_map(
        |(fault, clients, keys, pipeline, duration_ms, every)| Needs {
            fault,
            clients,
            keys,
            pipeline,
            duration_ms,
            every,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_result_fails_is_smaller_and_has_no_candidate_that_fails(
        place in any::<prop::sample::Index>(),
        needs in needs(),
    ) {
        let scenarios = fixtures();
        let scenario = place.get(&scenarios);
        let fails = needs.judge(scenario);
        let first = broken(&[scenario.laws[0].id()]);
        let judge = |it: &Scenario, seed: u64| match fails(it, seed) {
            true => first.clone(),
            false => Outcome::default(),
        };
        let (shrink, _) = searched(scenario, &first, judge);
        prop_assert_eq!(shrink.followed().id(), law(&first.broken[0]).unwrap().id());
        let (smallest, seed) = match shrink.smallest() {
            Some((smallest, seed)) => {
                prop_assert!(fails(smallest, seed));
                prop_assert!(Size::of(smallest).is_below(&Size::of(scenario)));
                (smallest.clone(), seed)
            }
            None => (scenario.clone(), SEED),
        };
        for candidate in smaller(&smallest) {
            let fails_once = (seed..seed + RUNS).any(|seed| fails(&candidate.scenario, seed));
            prop_assert!(!fails_once, "{:?} still fails", candidate.cut);
        }
    }
}
