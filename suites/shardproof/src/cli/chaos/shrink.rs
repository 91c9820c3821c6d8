//! `--shrink-for`: a failing run is cut down, and the smallest scenario that still fails becomes a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use chaos::report::{CaseFile, Shrunk, Smallest};
use chaos::scenario::{Scenario, Time};
use chaos::shrink::{Attempt, RUNS, Size};
use clap::Args;
use shardproof::run::{self, Judged, Limits, Observer, RunOptions};
use testbed::text::shell_quoted;

use super::selection::Chosen;
use super::{Subject, command};
use crate::cli::{Console, repeat};

/// How far failing runs are cut down.
#[derive(Debug, Args)]
pub(super) struct Shrinking {
    /// Run smaller scenarios after a run that fails, for at most this time, such as 60s or 500ms. The smallest that still
    /// breaks the law is written as a scenario file, and as a case file if a few of its requests alone fail in three of
    /// three runs. Each runs up to three times
    #[arg(long = "shrink-for", value_name = "TIME", value_parser = time)]
    within: Option<Duration>,
    /// Folder for these files. Default: that of --history, else the current one
    #[arg(long = "shrink-to", value_name = "DIR", requires = "within")]
    folder: Option<PathBuf>,
}

fn time(text: &str) -> Result<Duration, String> {
    let Time(time) = text.parse()?;
    match time.is_zero() {
        true => Err("expected more than no time".to_owned()),
        false => Ok(time),
    }
}

impl Shrinking {
    /// Creates the folder for files, so that one that cannot be created is known before the first run.
    ///
    /// # Errors
    /// The folder.
    pub(super) fn prepare(&self, history: Option<&Path>) -> anyhow::Result<()> {
        match self.folder(history).filter(|_| self.within.is_some()) {
            Some(folder) => std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot create {}", folder.display())),
            None => Ok(()),
        }
    }

    /// None for the current folder.
    fn folder<'a>(&'a self, history: Option<&'a Path>) -> Option<&'a Path> {
        self.folder.as_deref().or(history)
    }
}

/// A run that may have failed.
pub(super) struct Ran<'a> {
    pub(super) subject: &'a Subject,
    pub(super) version: &'a str,
    pub(super) chosen: &'a Chosen,
    pub(super) options: &'a RunOptions,
    pub(super) judged: &'a Judged,
}

impl Ran<'_> {
    /// What the run is cut down to. None if it did not fail, or nothing was asked for.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) async fn shrink(
        &self,
        flags: &super::Flags,
        console: &Console,
    ) -> anyhow::Result<Option<Shrunk>> {
        let Some(within) = flags.shrinking.within else {
            return Ok(None);
        };
        let (subject, scenario) = (self.subject, &self.chosen.scenario);
        let file = self.file(flags);
        let progress = console.progress(&format!("{} {}", subject.name(), scenario.id));
        let before_run = |number: u64, attempt: &Attempt<'_>| {
            if console.terminal {
                progress.say(&step(number, attempt));
            }
        };
        let on_smaller = |smaller: &Scenario, seed: u64| {
            let size = Size::of(smaller);
            progress.line(&format!("{}: still fails with {size}", scenario.id));
            self.save(flags, console, &file, (smaller, seed))
        };
        let judge = async |candidate: &Scenario, seed: u64| {
            let options = RunOptions {
                seed,
                ..self.options.clone()
            };
            subject.run(&options, candidate, &|_| ()).await
        };
        let limits = Limits {
            within,
            strict: flags.strict,
        };
        let observer = Observer {
            before_run: &before_run,
            on_smaller: &on_smaller,
        };
        let first = (self.options.seed, self.judged);
        let Some(search) = run::shrink(scenario, first, limits, judge, observer).await? else {
            return Ok(None);
        };
        progress.say("running the violation as a case");
        let case = self.case(flags, console, &file, &search).await?;
        Ok(Some(self.report(flags, &file, search, case)))
    }

    fn report(
        &self,
        flags: &super::Flags,
        file: &Path,
        search: run::Search,
        case: CaseFile,
    ) -> Shrunk {
        let smallest = |(smallest, seed): (&Scenario, u64)| Smallest {
            size: Size::of(smallest),
            laws: laws(smallest),
            seed: format!("{seed:x}"),
            file: file.display().to_string(),
            repeat: self.repeat(flags, file, seed),
        };
        Shrunk {
            law: search.shrink.followed().id().to_owned(),
            from: Size::of(&self.chosen.scenario),
            smallest: search.shrink.smallest().map(smallest),
            case,
            runs: search.runs,
            took_ms: u64::try_from(search.took.as_millis()).unwrap_or(u64::MAX),
            ended: search.ended,
            why: search.why,
        }
    }

    /// Writes the violation of the smallest scenario, or of the first if no smaller one failed, as a case next to the
    /// scenario's file.
    async fn case(
        &self,
        flags: &super::Flags,
        console: &Console,
        file: &Path,
        search: &run::Search,
    ) -> anyhow::Result<CaseFile> {
        let none = |why: String| Ok(CaseFile::None { why });
        let Subject::Target(target) = self.subject else {
            return none("its faults need a proxy that the suite starts".to_owned());
        };
        let run = search.failed.as_ref().or(self.judged.run.as_ref());
        let Some(run) = run else {
            return none("there was no run".to_owned());
        };
        let (scenario, seed) =
            (search.shrink.smallest()).unwrap_or((&self.chosen.scenario, self.options.seed));
        let file = file.with_extension("case");
        let path = file.display().to_string();
        let id = file.file_stem().unwrap_or_default().to_string_lossy();
        let (name, version, law) = (&target.name, self.version, search.shrink.followed());
        let notes = [format!(
            "From a run of {} with seed {seed:x} that broke {}, on {name} {version}.",
            self.chosen.word,
            law.id()
        )];
        let needs = scenario.needs();
        let exported = run::export(
            self.options,
            target,
            (&run.observed, law),
            (&path, &id),
            (&needs, &notes),
        );
        match exported.await {
            Ok(run::Exported::Case(text)) => {
                console.save(&file, &text)?;
                let repeat = repeat_case(flags, &target.argument, (&path, self.options.seed));
                Ok(CaseFile::Saved { file: path, repeat })
            }
            Ok(run::Exported::None(why)) => none(why),
            Err(why) => none(why.to_string()),
        }
    }

    /// Named as the history of the run is.
    fn file(&self, flags: &super::Flags) -> PathBuf {
        let target = super::in_file_name(&self.subject.name());
        let scenario = &self.chosen.scenario.id;
        let name = format!("{target}-{scenario}-{:x}.toml", self.options.seed);
        let folder = flags.shrinking.folder(flags.history.as_deref());
        folder.map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name))
    }

    fn repeat(&self, flags: &super::Flags, file: &Path, seed: u64) -> String {
        let file = shell_quoted(&file.display().to_string());
        // The file has its own duration.
        command(flags, self.subject, (&file, seed), None)
    }

    /// Writes the smallest scenario so far, in the place of the one before.
    fn save(
        &self,
        flags: &super::Flags,
        console: &Console,
        file: &Path,
        (smallest, seed): (&Scenario, u64),
    ) -> anyhow::Result<()> {
        let (word, name, version) = (&self.chosen.word, self.subject.name(), self.version);
        let (from, first) = (Size::of(&self.chosen.scenario), self.options.seed);
        let laws = laws(smallest).join(", ");
        let notes = [
            format!("Shrunk from {word} with {from} and seed {first:x}, on {name} {version}."),
            format!("Broke {laws} with seed {seed:x}:"),
            self.repeat(flags, file, seed),
        ];
        if let Some(folder) = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            let unwritable = || format!("cannot create {}", folder.display());
            std::fs::create_dir_all(folder).with_context(unwritable)?;
        }
        let text = smallest.text(&notes)?;
        console.save(file, &text)
    }
}

fn laws(scenario: &Scenario) -> Vec<String> {
    let laws = scenario.laws.iter();
    laws.map(|law| law.id().to_owned()).collect()
}

fn step(number: u64, attempt: &Attempt<'_>) -> String {
    let (cut, run, size) = (attempt.cut.name(), attempt.run, Size::of(attempt.scenario));
    format!("shrinking, run {number}: {cut}, {run} of {RUNS}: {size}")
}

/// The command that runs a case file.
fn repeat_case(flags: &super::Flags, target: &str, (file, seed): (&str, u64)) -> String {
    let mut repeat = repeat::Flags::default();
    repeat.common(&flags.common);
    let (file, target, flags) = (shell_quoted(file), shell_quoted(target), repeat.text());
    format!("shardproof run --case {file} --target {target} --seed {seed:x}{flags}")
}
