//! Where texts go: reports to stdout or a file, progress to stderr.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use indicatif::ProgressBar;
use testbed::text::printable;
use tokio::sync::watch;

/// The two outputs and the environment, passed in by main. Both escape the characters that a terminal would obey.
pub(crate) struct Console {
    /// Whether stderr is a terminal.
    pub(crate) terminal: bool,
    /// Whether progress is unwanted.
    pub(crate) quiet: bool,
    /// Writes to stdout. Main reports the first error when the subcommand ends, so no caller can forget it.
    pub(crate) out: fn(&str),
    /// Writes to stdout, for callers that stop at the first error.
    pub(crate) write: fn(&str) -> io::Result<()>,
    /// Writes a line to stderr.
    pub(crate) err: fn(&str),
    /// Asks a question on a terminal. Without one, there is no answer.
    pub(crate) ask: fn(&str) -> io::Result<Option<String>>,
    /// Whether a signal asks the subcommand to end.
    pub(crate) stop: Stop,
    /// Reads a variable of the environment. An empty one counts as absent.
    pub(crate) variable: fn(&str) -> Option<String>,
}

/// A request to end, which a signal makes.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A request, and the way to make it.
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Waits for the request.
    pub(crate) async fn requested(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop).await.is_err() {
            // Nothing can make it any more.
            std::future::pending::<()>().await;
        }
    }

    /// Whether it was made.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}

impl Console {
    /// Writes `text` to a file; `-` is stdout.
    pub(crate) fn save(&self, file: &Path, text: &str) -> anyhow::Result<()> {
        if file == Path::new("-") {
            return Ok((self.write)(text)?);
        }
        std::fs::write(file, &*printable(text)).with_context(|| unwritten(file))
    }

    /// Adds `text` to the end of a file; `-` is stdout.
    pub(crate) fn append(&self, file: &Path, text: &str) -> anyhow::Result<()> {
        if file == Path::new("-") {
            return Ok((self.write)(text)?);
        }
        let mut options = File::options();
        let opened = options.append(true).create(true).open(file);
        let written = opened.and_then(|mut it| it.write_all(printable(text).as_bytes()));
        written.with_context(|| unwritten(file))
    }

    /// Makes sure that a file can be written. One that did not exist does not exist afterwards.
    pub(crate) fn check(&self, file: &Path) -> anyhow::Result<()> {
        if file == Path::new("-") {
            return Ok(());
        }
        let is_new = !file.exists();
        let opened = File::options().append(true).create(true).open(file);
        opened.with_context(|| unwritten(file))?;
        if is_new {
            // It is written at the end.
            let _ = std::fs::remove_file(file);
        }
        Ok(())
    }

    /// A file to write to little by little; `-` is stdout.
    pub(crate) fn stream(&self, file: &Path) -> anyhow::Result<Box<dyn Write + Send>> {
        if file == Path::new("-") {
            return Ok(Box::new(Out(self.write)));
        }
        let name = unwritten(file);
        let file = File::create(file).with_context(|| name.clone())?;
        Ok(Box::new(BufWriter::new(Named { name, file })))
    }

    /// Writes notes that are needed to understand the report, to stderr.
    pub(crate) fn notes(&self, notes: &[String]) {
        for note in notes {
            (self.err)(&format!("note: {note}"));
        }
    }

    /// Shows the current step: in place on a terminal, as plain lines elsewhere.
    pub(crate) fn progress(&self, title: &str) -> Progress {
        let bar = if self.terminal && !self.quiet {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(std::time::Duration::from_millis(100));
            bar
        } else {
            ProgressBar::hidden()
        };
        Progress {
            title: title.to_owned(),
            plain: (!self.terminal).then_some(self.err),
            err: self.err,
            quiet: self.quiet,
            bar,
        }
    }
}

fn unwritten(file: &Path) -> String {
    format!("cannot write {}", file.display())
}

/// A file whose errors name it.
struct Named {
    name: String,
    file: File,
}

impl Write for Named {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let named = |why: io::Error| io::Error::new(why.kind(), format!("{}: {why}", self.name));
        self.file.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Stdout as a file. Callers write whole lines.
struct Out(fn(&str) -> io::Result<()>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)(&String::from_utf8_lossy(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The step that is being done.
pub(crate) struct Progress {
    title: String,
    plain: Option<fn(&str)>,
    err: fn(&str),
    quiet: bool,
    bar: ProgressBar,
}

impl Progress {
    /// Shows the current step.
    pub(crate) fn say(&self, step: &str) {
        if self.quiet {
            return;
        }
        let line = format!("{}: {step}", self.title);
        match self.plain {
            Some(err) => err(&line),
            None => self.bar.set_message(printable(&line).into_owned()),
        }
    }
}

impl Progress {
    /// Writes a line that stays, above the current step.
    pub(crate) fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        self.bar.suspend(|| (self.err)(text));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
