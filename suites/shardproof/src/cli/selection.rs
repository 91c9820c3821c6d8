//! Which cases a command line asks for.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use conformance::verdict::Level;
use conformance::{self, Case};
use testbed::fixtures::Source;
use testbed::text;

use super::{Folder, Usage, repeat};

/// Cases by id.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Only cases whose id contains this text or matches this pattern with *; @10..20 selects shapes by number. Repeat for
    /// several
    #[arg(long = "filter", value_name = "PATTERN")]
    pub(super) filters: Vec<String>,
    /// Not these cases: as --filter, which it wins over; repeat for several
    #[arg(long = "exclude", value_name = "PATTERN")]
    excludes: Vec<String>,
    /// Only cases of this level: must, should or may; repeat for several
    #[arg(long = "level", value_name = "LEVEL", value_parser = level)]
    levels: Vec<Level>,
    /// Case file to use instead of the suite's cases; repeat for several
    #[arg(long = "case", value_name = "FILE.case")]
    files: Vec<PathBuf>,
}

impl Selection {
    /// Whether every case is asked for.
    pub(super) fn is_all(&self) -> bool {
        self.filters.is_empty()
            && self.excludes.is_empty()
            && self.levels.is_empty()
            && self.files.is_empty()
    }

    /// The flags of cases by id and level, in the form of a command line.
    pub(super) fn repeated(&self, repeat: &mut repeat::Flags) {
        for filter in &self.filters {
            repeat.value("--filter", filter);
        }
        for exclude in &self.excludes {
            repeat.value("--exclude", exclude);
        }
        for level in &self.levels {
            repeat.value("--level", level.name());
        }
    }

    /// The files that are used instead of the suite's cases.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// All cases, sorted by id.
    pub(super) fn all(&self, folder: &Folder) -> anyhow::Result<Vec<Case>> {
        conformance::load(&self.sources(folder)?).map_err(|errors| anyhow::anyhow!(lines(&errors)))
    }

    /// The selected cases, sorted by id. A filter that matches no case is a usage error.
    pub(super) fn cases(&self, folder: &Folder) -> anyhow::Result<Vec<Case>> {
        self.of(self.all(folder)?)
    }

    /// The selected ones of `cases`. A filter that matches none is a usage error.
    pub(super) fn of(&self, mut cases: Vec<Case>) -> anyhow::Result<Vec<Case>> {
        let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
        let idle = |pattern: &&String| !ids.iter().any(|id| matches(pattern, id));
        for (flag, patterns) in [("--filter", &self.filters), ("--exclude", &self.excludes)] {
            if let Some(pattern) = patterns.iter().find(idle) {
                let count = ids.len();
                let why = format!("{flag} {pattern}: matches none of {count} cases");
                return Err(Usage(why).into());
            }
        }
        cases.retain(|case| self.selects(case));
        if cases.is_empty() {
            let why = "no case is left by --filter, --exclude and --level";
            return Err(Usage(why.to_owned()).into());
        }
        Ok(cases)
    }

    fn selects(&self, case: &Case) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|it| matches(it, &case.id));
        (self.filters.is_empty() || any(&self.filters))
            && !any(&self.excludes)
            && (self.levels.is_empty() || self.levels.contains(&case.level))
    }

    fn sources(&self, folder: &Folder) -> anyhow::Result<Vec<Source>> {
        match self.files.is_empty() {
            true => Ok(conformance::files::cases(&folder.fixtures())?),
            false => self.files.iter().map(|file| read(file)).collect(),
        }
    }
}

/// A case file, with its stem as its id.
fn read(file: &Path) -> anyhow::Result<Source> {
    let path = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {path}"))?;
    let stem = file.file_stem().unwrap_or_default();
    let id = stem.to_string_lossy().into_owned();
    Ok(Source { path, id, text })
}

fn level(text: &str) -> Result<Level, String> {
    let levels = [Level::Must, Level::Should, Level::May];
    let found = levels.into_iter().find(|level| level.name() == text);
    found.ok_or_else(|| "expected must, should or may".to_owned())
}

fn matches(filter: &str, id: &str) -> bool {
    if filter.contains('*') || filter.contains("..") {
        text::selects(filter, id)
    } else {
        id.contains(filter)
    }
}

fn lines(errors: &[conformance::ParseError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
