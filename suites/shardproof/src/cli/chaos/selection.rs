//! Which scenarios a command line asks for: by name, by pattern, or as files.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use chaos::scenario::{self, Scenario};
use testbed::fixtures::{Fixtures, Source};
use testbed::text;

use crate::cli::Usage;

/// A scenario that was asked for.
pub(super) struct Chosen {
    /// The scenario.
    pub(super) scenario: Scenario,
    /// How a command line asks for it alone.
    pub(super) word: String,
}

/// The scenarios that `words` ask for, each once, with the duration asked for. No word: all of `fixtures`.
pub(super) fn scenarios(
    words: &[String],
    fixtures: &Fixtures,
    duration: Option<Duration>,
) -> anyhow::Result<Vec<Chosen>> {
    let (files, names): (Vec<&String>, Vec<&String>) = words.iter().partition(|it| is_file(it));
    let mut chosen = match names.is_empty() && !files.is_empty() {
        true => Vec::new(),
        false => named(&names, fixtures)?,
    };
    for file in files {
        chosen.push(read(file)?);
    }
    if let Some(lasts) = duration {
        chosen
            .iter_mut()
            .for_each(|it| it.scenario.set_duration(lasts));
    }
    Ok(chosen)
}

/// The scenarios that no pattern of `excludes` matches. A pattern that matches none is a usage error.
pub(super) fn without(
    mut scenarios: Vec<Chosen>,
    excludes: &[String],
) -> anyhow::Result<Vec<Chosen>> {
    let matches = |pattern: &str, chosen: &Chosen| text::matches(pattern, &chosen.scenario.id);
    for pattern in excludes {
        if !scenarios.iter().any(|chosen| matches(pattern, chosen)) {
            let count = scenarios.len();
            let why = format!("--exclude {pattern}: matches none of {count} scenarios");
            return Err(Usage(why).into());
        }
    }
    scenarios.retain(|chosen| !excludes.iter().any(|pattern| matches(pattern, chosen)));
    match scenarios.is_empty() {
        true => Err(Usage("no scenario is left by --exclude".to_owned()).into()),
        false => Ok(scenarios),
    }
}

/// No name of a scenario has a dot or a slash.
fn is_file(word: &str) -> bool {
    word.ends_with(".toml") || word.contains('/')
}

fn named(names: &[&String], fixtures: &Fixtures) -> anyhow::Result<Vec<Chosen>> {
    let mut scenarios = scenario::load_all(&scenario::files(fixtures)?)?;
    for wanted in names {
        if !scenarios.iter().any(|it| text::matches(wanted, &it.id)) {
            let known: Vec<&str> = scenarios.iter().map(|it| it.id.as_str()).collect();
            let known = known.join(", ");
            return Err(Usage(format!(
                "{wanted}: unknown scenario, expected FILE.toml or one of {known}"
            ))
            .into());
        }
    }
    if !names.is_empty() {
        scenarios.retain(|it| names.iter().any(|name| text::matches(name, &it.id)));
    }
    let chosen = |scenario: Scenario| Chosen {
        word: scenario.id.clone(),
        scenario,
    };
    Ok(scenarios.into_iter().map(chosen).collect())
}

fn read(file: &str) -> anyhow::Result<Chosen> {
    let path = Path::new(file);
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
    let id = path.file_stem().unwrap_or_default();
    let scenario = Scenario::parse(&Source {
        path: file.to_owned(),
        id: id.to_string_lossy().into_owned(),
        text,
    })?;
    Ok(Chosen {
        scenario,
        word: text::shell_quoted(file),
    })
}
