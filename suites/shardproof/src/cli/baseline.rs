//! Known failures on the command line: a baseline to compare with, or one to write.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use shardproof::baseline::{Baseline, Command, Outcome, Versions};

use super::{Basics, Console, Usage, repeat};

/// Known failures.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// Known failures, as --write-baseline writes them. Exit code 1 only if something else fails, fails worse, or no longer
    /// fails
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write all failures as known ones, and accept them. If FILE exists, its reasons stay, and so do rows that the run does
    /// not judge
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
}

/// Known failures, read and checked.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The failures to expect.
    pub(super) expected: Option<Baseline>,
    /// The file to write, with its rows so far.
    written: Option<(PathBuf, Option<Baseline>)>,
}

/// The subject of a run, as a baseline names it.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The subcommand.
    pub(super) command: Command,
    /// The name of every target of the command line.
    pub(super) targets: &'a [String],
    /// Whether a row names something that the suite has. None if the suite's own cases are not used.
    pub(super) exists: Option<&'a dyn Fn(&str) -> bool>,
}

/// The names of the targets that a command line gives by name or by file.
pub(super) fn names(basics: &Basics, targets: &[String]) -> anyhow::Result<Vec<String>> {
    let targets = basics.targets(targets)?.into_iter();
    Ok(targets.map(|target| target.name).collect())
}

impl Subject<'_> {
    /// The name in the file. A proxy that already runs may have another address in each run.
    fn name(&self) -> &str {
        self.targets.first().map_or("running proxy", String::as_str)
    }

    fn read(&self, file: &Path, text: &str) -> anyhow::Result<Baseline> {
        let path = file.display().to_string();
        let baseline = Baseline::parse(&path, text)?.of(self.command, self.name())?;
        let unknown = self.exists.map(|exists| baseline.unknown(exists));
        match unknown.unwrap_or_default() {
            unknown if unknown.is_empty() => Ok(baseline),
            unknown => Err(Usage(unknown.join("\n")).into()),
        }
    }
}

impl Flags {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that cannot be read, is of another proxy, or has rows of nothing; a baseline for several targets.
    pub(super) fn read(&self, subject: Subject<'_>, console: &Console) -> anyhow::Result<Known> {
        let flag = match (&self.baseline, &self.write_baseline) {
            (None, None) => return Ok(Known::default()),
            (Some(_), _) => "--baseline",
            (None, Some(_)) => "--write-baseline",
        };
        if subject.targets.len() > 1 {
            let count = subject.targets.len();
            let why = format!("{flag}: {count} targets, expected one: a baseline is of one proxy");
            return Err(Usage(why).into());
        }
        let text = |file: &Path| {
            let unread = || format!("cannot read {}", file.display());
            std::fs::read_to_string(file).with_context(unread)
        };
        let mut known = Known::default();
        if let Some(file) = &self.baseline {
            known.expected = Some(subject.read(file, &text(file)?)?);
        }
        if let Some(file) = &self.write_baseline {
            // Its rows may name cases that are gone: they are not written again.
            let before = Subject {
                exists: None,
                ..subject
            };
            let before = match file.exists() {
                true => Some(before.read(file, &text(file)?)?),
                false => None,
            };
            console.check(file)?;
            known.written = Some((file.clone(), before));
        }
        Ok(known)
    }

    /// The flags that affect verdicts.
    pub(super) fn repeated(&self, repeat: &mut repeat::Flags) {
        if let Some(file) = &self.baseline {
            repeat.value("--baseline", file.display());
        }
    }
}

impl Known {
    /// Writes the file if one is to be written and the run was not `stopped`. Returns the failures to mark in the report.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn settle(
        self,
        subject: Subject<'_>,
        (outcomes, stopped): (&[Outcome], bool),
        versions: Versions,
        console: &Console,
    ) -> anyhow::Result<Option<Baseline>> {
        if let Some(expected) = self.expected {
            console.notes(&expected.differences(&versions));
            return Ok(Some(expected));
        }
        let Some((file, before)) = self.written else {
            return Ok(None);
        };
        let path = file.display().to_string();
        if stopped {
            (console.err)(&format!(
                "baseline: {path} is not written, because the run stopped"
            ));
            return Ok(None);
        }
        let name = (path.as_str(), subject.command, subject.name());
        let mut baseline = Baseline::after(name, versions, outcomes, before.as_ref());
        if let Some(exists) = subject.exists {
            baseline.rows.retain(|row| exists(&row.case));
        }
        let text = baseline.text()?;
        console.save(&file, &text)?;
        let count = baseline.rows.len();
        (console.err)(&format!("baseline: {path}, known failures: {count}"));
        // Read again for the lines of its rows.
        Ok(Some(Baseline::parse(&path, &text)?))
    }
}
