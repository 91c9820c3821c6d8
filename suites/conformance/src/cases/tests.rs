//! Laws over the fixtures: cases and target files belong together.

use std::collections::BTreeSet;

use super::case::{Action, Case, Party, Step};
use super::{in_order_of_starts, load};
use testbed::fault::{Fault, selection_usage};
use testbed::fixtures::{Fixtures, Source};
use testbed::targets::{Deviation, Target, load_all};
use testbed::text::selects;

fn cases() -> Vec<Case> {
    load(&crate::files::cases(&Fixtures::compiled_in()).unwrap()).unwrap()
}

fn targets() -> Vec<Target> {
    load_all(&Fixtures::compiled_in().targets().unwrap()).unwrap()
}

#[test]
fn cases_are_named_by_their_promise() {
    let (cases, targets) = (cases(), targets());
    assert!(!cases.is_empty());
    for case in &cases {
        let (group, name) = case.id.split_once('/').unwrap();
        let (name, shape) = name.split_once('@').unwrap_or((name, ""));
        assert_eq!(case.template.is_some(), !shape.is_empty(), "{}", case.id);
        for part in [group, name] {
            let kebab = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            assert!(part.bytes().all(kebab), "{}", case.id);
        }
        assert!(case.promise.ends_with('.'), "{}: {}", case.id, case.promise);
        assert!(case.promise.len() <= 120, "{}: {}", case.id, case.promise);
        let ids = case.promise.split(|char: char| !char.is_alphanumeric());
        for target in &targets {
            let named = ids
                .clone()
                .any(|word| word.eq_ignore_ascii_case(&target.name));
            assert!(!named, "{} names {}", case.id, target.name);
        }
    }
}

#[test]
fn a_proxy_is_started_seldom() {
    let cases = cases();
    let ordered = in_order_of_starts(&cases);
    let disturbs = |case: &&Case| !case.disturbs.is_empty();
    assert!(ordered.is_sorted_by_key(disturbs));
    let calm = ordered.iter().filter(|case| !disturbs(case));
    assert!(calm.is_sorted_by_key(|case| case.op_timeout));
    let templates = ordered.chunk_by(|one, next| one.template == next.template);
    let templates: Vec<_> = templates.filter_map(|of| of[0].template.as_ref()).collect();
    let different: BTreeSet<&String> = templates.iter().map(|it| &it.id).collect();
    assert_eq!(
        different.len(),
        templates.len(),
        "shapes of a template follow one another"
    );
}

#[test]
fn promises_differ() {
    let cases = cases();
    let promises: BTreeSet<&str> = cases.iter().map(|case| case.promise.as_str()).collect();
    assert_eq!(promises.len(), cases.len());
}

/// Capabilities that only chaos scenarios need.
const NEEDED_BY_SCENARIOS: &[&str] = &["eject"];

#[test]
fn every_need_is_claimed_and_every_claim_is_needed() {
    let by_scenarios = NEEDED_BY_SCENARIOS.iter().map(|need| (*need).to_owned());
    let by_cases = cases().into_iter().flat_map(|case| case.needs);
    let needed: BTreeSet<String> = by_cases.chain(by_scenarios).collect();
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
        let of_cases = |row: &&Deviation| !row.cases.starts_with("chaos/");
        for deviation in target.deviations.iter().filter(of_cases) {
            let judged = target.version.judged();
            let seen = judged.filter(|it| deviation.seen.covers(it, &target.version));
            for version in seen {
                let target = target.clone().in_version(version);
                let covered = cases.iter().any(|case| {
                    target.deviation(&case.id) == Some(deviation)
                        && target.lacks(&case.needs).next().is_none()
                });
                let (name, glob) = (&target.name, &deviation.cases);
                assert!(covered, "{name} {version}: `{glob}` covers no case");
            }
            assert!(!deviation.why.is_empty());
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
                .filter(|one| one.seen.overlaps(&deviation.seen, &target.version))
                .find(|one| selects(&one.cases, &deviation.cases));
            assert_eq!(hidden, None, "{}: {}", target.name, deviation.cases);
        }
    }
}

#[test]
fn the_reference_has_no_exceptions() {
    let mut references = targets();
    references.retain(|target| target.program.package.is_some());
    assert!(!references.is_empty(), "no target is built here");
    for target in references {
        assert_eq!(target.deviations, [], "{}", target.name);
    }
}

/// The clients that the step is about, in all of its repetitions.
fn clients_of(step: &Step) -> Vec<Party> {
    match step.action.party() {
        Some(Party::EachClient) => (1..=step.times)
            .filter_map(|number| u16::try_from(number).ok())
            .map(Party::Client)
            .collect(),
        Some(client @ Party::Client(_)) => vec![client],
        Some(Party::Node(_)) | None => Vec::new(),
    }
}

/// A client from before a change of the cluster that is used after it must have survived it.
#[test]
fn clients_stay_only_where_the_cluster_changes_live() {
    for case in cases() {
        let is_change =
            |step: &Step| matches!(step.action, Action::Rescale { .. } | Action::BadCluster);
        let Some(first) = case.steps.iter().position(is_change) else {
            continue;
        };
        let (before, after) = case.steps.split_at(first);
        let clients =
            |steps: &[Step]| -> BTreeSet<Party> { steps.iter().flat_map(clients_of).collect() };
        let at_once = |step: &Step| step.action.clusters().count() > 1;
        let needs_live =
            !clients(before).is_disjoint(&clients(after)) || case.steps.iter().any(at_once);
        let live = case.needs.iter().any(|need| need == "rescale-live");
        assert_eq!(live, needs_live, "{}", case.path);
    }
}

/// A text of each fault, with small values for its parameters.
fn faults() -> Vec<String> {
    Fault::rows().iter().map(|row| row.example()).collect()
}

#[test]
fn every_fault_can_be_written_in_a_case() {
    for text in faults() {
        let case = "case 1\n# P.\nspec https://x\nlevel must\nfault  B ";
        let source = Source {
            path: "x.case".to_owned(),
            id: "x/x".to_owned(),
            text: format!("{case}{text}\nwant any\n"),
        };
        let cases = load(&[source]).expect(&text);
        let Action::Fault { node: 1, fault } = &cases[0].steps[0].action else {
            panic!("{:?}", cases[0].steps);
        };
        assert_eq!(Ok(fault.clone()), text.parse());
    }
}

/// The tables of faults in the documentation are those of the code.
#[test]
fn the_documentation_lists_every_fault() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cases.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let rows = Fault::rows();
    let table: String = rows
        .iter()
        .map(|row| {
            // A bar would end the cell.
            let usage = row.usage().replace('|', "\\|");
            let acts_on = row.acts_on.name();
            format!("| `{usage}` | {acts_on} | {} |\n", row.summary)
        })
        .collect();
    let table = format!("| fault | acts on | |\n|---|---|---|\n{table}\n");
    assert!(readme.contains(&table), "docs/cases.md lacks:\n{table}");
    let grammars: Vec<String> = rows.iter().map(|row| grammar(&row.usage())).collect();
    let grammar = grammars.join("\n         | ");
    let replies = grammar_of_replies();
    let grammar = format!("\nfault    = {grammar}\n{replies}\neither ");
    assert!(readme.contains(&grammar), "docs/cases.md lacks:{grammar}");
    let selection = format!("`{}`", selection_usage());
    assert!(
        readme.contains(&selection),
        "docs/cases.md lacks: {selection}"
    );
}

/// The parameters that select replies, which come in any order.
fn grammar_of_replies() -> String {
    let usage = selection_usage();
    let each = usage.trim_matches(['[', ']']).split("] [");
    let each: Vec<String> = each.map(grammar).collect();
    format!("replies  = {{ {} }}", each.join(" | "))
}

/// `"latency" time [ "jitter" time ]` for `latency TIME [jitter TIME]`.
fn grammar(usage: &str) -> String {
    let spaced = usage.replace('[', "[ ").replace(']', " ]");
    let words = spaced.split(' ').map(|word| match word {
        "[" | "]" => word.to_owned(),
        choice if choice.contains('|') => {
            let words: Vec<String> = choice.split('|').map(|it| format!("\"{it}\"")).collect();
            format!("( {} )", words.join(" | "))
        }
        unit if unit.chars().all(char::is_uppercase) => unit.to_lowercase(),
        name => format!("\"{name}\""),
    });
    words.collect::<Vec<_>>().join(" ")
}
