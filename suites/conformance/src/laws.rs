//! Laws over the fixtures: cases and target files belong together.

use std::collections::BTreeSet;

use super::{Case, load};
use testbed::fixtures::Fixtures;
use testbed::targets::{Target, load_all};
use testbed::text::matches;

fn cases() -> Vec<Case> {
    load(&crate::files::cases(&Fixtures::compiled_in()).unwrap()).unwrap()
}

fn targets() -> Vec<Target> {
    load_all(&Fixtures::compiled_in().targets().unwrap()).unwrap()
}

#[test]
fn cases_are_many_and_named_by_their_promise() {
    let cases = cases();
    assert!(cases.len() >= 40, "{}", cases.len());
    for case in &cases {
        let (group, name) = case.id.split_once('/').unwrap();
        for part in [group, name] {
            let kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(part.bytes().all(kebab), "{}", case.id);
        }
        assert!(case.promise.ends_with('.'), "{}: {}", case.id, case.promise);
        assert!(case.promise.len() <= 120, "{}: {}", case.id, case.promise);
        let ids = case.promise.split(|char: char| !char.is_alphanumeric());
        for target in targets() {
            let named = ids
                .clone()
                .any(|word| word.eq_ignore_ascii_case(&target.name));
            assert!(!named, "{} names {}", case.id, target.name);
        }
    }
}

#[test]
fn promises_differ() {
    let cases = cases();
    let promises: BTreeSet<&str> = cases.iter().map(|case| case.promise.as_str()).collect();
    assert_eq!(promises.len(), cases.len());
}

#[test]
fn every_need_is_claimed_and_every_claim_is_needed() {
    let needed: BTreeSet<String> = cases().into_iter().flat_map(|case| case.needs).collect();
    let targets = targets();
    let claimed: BTreeSet<String> = targets
        .iter()
        .flat_map(|target| target.capabilities.clone())
        .collect();
    assert_eq!(needed, claimed);
    for target in targets {
        assert!(
            target.capabilities.is_sorted_by(|one, other| one < other),
            "{}: sorted, without duplicates",
            target.name
        );
    }
}

#[test]
fn every_deviation_covers_a_case_that_is_judged() {
    let cases = cases();
    for target in targets() {
        for deviation in &target.deviations {
            let covered = cases.iter().any(|case| {
                target.deviation(&case.id) == Some(deviation)
                    && target.lacks(&case.needs).next().is_none()
            });
            let glob = &deviation.cases;
            assert!(covered, "{}: deviation `{glob}` covers none", target.name);
            assert!(!deviation.why.is_empty() && !deviation.seen.is_empty());
        }
    }
}

#[test]
fn no_glob_hides_another() {
    for target in targets() {
        for (index, deviation) in target.deviations.iter().enumerate() {
            let earlier = &target.deviations[..index];
            let hidden = earlier
                .iter()
                .find(|one| matches(&one.cases, &deviation.cases));
            assert_eq!(hidden, None, "{}: {}", target.name, deviation.cases);
        }
    }
}

#[test]
fn the_reference_has_no_exceptions() {
    let reference = |target: &Target| target.program.install.contains("cargo build");
    for target in targets().iter().filter(|target| reference(target)) {
        assert_eq!(target.deviations, []);
    }
}
