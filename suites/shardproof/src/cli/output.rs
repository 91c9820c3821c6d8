//! The one way out of a command: its report to stdout or to files, in the formats asked for, and the exit code.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use shardproof::report::{self, Report};

use super::{Console, Exit};

/// A report in JSON.
#[derive(Debug, Args)]
pub(super) struct Json {
    /// Write the report as JSON; - for stdout
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
}

/// A report in JSON and as a page.
#[derive(Debug, Args)]
pub(super) struct Page {
    #[command(flatten)]
    json: Json,
    /// Write the report as a self-contained HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// A report in JSON, as a page, and for CI servers.
#[derive(Debug, Args)]
pub(super) struct Junit {
    #[command(flatten)]
    page: Page,
    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report in the Common Test Report Format, as JSON
    #[arg(long, value_name = "FILE")]
    ctrf: Option<PathBuf>,
    /// Append a summary in Markdown, such as to $GITHUB_STEP_SUMMARY
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Write the count of wrong answers, or of broken laws, as a badge that shields.io shows
    #[arg(long, value_name = "FILE")]
    badge: Option<PathBuf>,
}

/// Where a report goes beyond the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Output<'a> {
    json: Option<&'a Path>,
    html: Option<&'a Path>,
    junit: Option<&'a Path>,
    ctrf: Option<&'a Path>,
    summary: Option<&'a Path>,
    badge: Option<&'a Path>,
    /// Whether something else goes to stdout.
    stdout_taken: bool,
}

impl Json {
    pub(super) fn output(&self) -> Output<'_> {
        Output {
            json: self.json.as_deref(),
            ..Output::default()
        }
    }
}

impl Page {
    pub(super) fn output(&self) -> Output<'_> {
        Output {
            html: self.html.as_deref(),
            ..self.json.output()
        }
    }
}

impl Junit {
    pub(super) fn output(&self) -> Output<'_> {
        Output {
            junit: self.junit.as_deref(),
            ctrf: self.ctrf.as_deref(),
            summary: self.summary.as_deref(),
            badge: self.badge.as_deref(),
            ..self.page.output()
        }
    }
}

impl Output<'_> {
    /// Whether a format other than text goes to stdout, so that text must not.
    pub(super) fn takes_stdout(&self) -> bool {
        self.stdout_taken || self.files().any(|file| file == Path::new("-"))
    }

    /// The same if `file`, which is not a report, may go to stdout.
    pub(super) fn with_file(self, file: Option<&Path>) -> Self {
        Self {
            stdout_taken: file == Some(Path::new("-")),
            ..self
        }
    }

    /// Whether any file is written.
    pub(super) fn is_any(&self) -> bool {
        self.files().next().is_some()
    }

    /// Makes sure that every file can be written, before anything is judged. Leaves the content of files as it is.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn check(&self, console: &Console) -> anyhow::Result<()> {
        self.files().try_for_each(|file| console.check(file))
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        let ci = [self.junit, self.ctrf, self.summary, self.badge];
        [self.json, self.html].into_iter().chain(ci).flatten()
    }

    /// Writes `report` in every format asked for.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn write(&self, report: &impl Report, console: &Console) -> anyhow::Result<Exit> {
        if !self.takes_stdout() {
            (console.out)(&report.terminal());
        }
        if let Some(file) = self.json {
            console.save(file, &report::json::text(report)?)?;
        }
        if let (Some(file), Some(page)) = (self.html, report.html()) {
            console.save(file, &page)?;
        }
        let (exit, unjudged) = (report.exit(), report.unjudged());
        let suites = report.suites();
        if let Some(file) = self.junit {
            console.save(file, &report::junit(&suites)?)?;
        }
        if let Some(file) = self.ctrf {
            console.save(file, &report::ctrf(&suites, SystemTime::now())?)?;
        }
        if let Some(file) = self.summary {
            console.append(file, &report::markdown(&suites, exit, &unjudged))?;
        }
        if let Some(file) = self.badge {
            console.save(file, &report::badge(&suites, exit)?)?;
        }
        for why in unjudged {
            (console.err)(&format!("shardproof: {why}"));
        }
        for file in self.files().filter(|file| *file != Path::new("-")) {
            (console.err)(&format!("report: {}", file.display()));
        }
        Ok(exit.into())
    }
}
