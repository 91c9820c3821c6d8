//! The command line of shardproof. Only this file prints, reads the environment, and decides about exit codes: 0 as
//! expected, 1 a promise broken, 2 could not judge, 64 usage, 128 and the number of a signal that ended it.

mod cli;

use std::env;
use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::thread;

use clap::error::ErrorKind;
use testbed::leftovers;
use testbed::program::Search;
use testbed::text::printable;
use tokio::sync::oneshot;

use cli::signals::{End, Signals};
use cli::{Cli, Exit};

/// The first error of a write to stdout, which is reported at the end.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

fn main() -> ExitCode {
    let words: Vec<_> = env::args_os().collect();
    let cli = match Cli::read(&words) {
        Ok(cli) => cli,
        Err(help)
            if matches!(
                help.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            let _ = write_out(&help.to_string());
            return exit(Exit::Expected);
        }
        Err(wrong) => {
            write_err(&wrong);
            return exit(Exit::Usage);
        }
    };
    log();
    match start(cli) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    let search = Search::new(&env::current_exe()?, env::vars_os());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let signals = {
        let _entered = runtime.enter();
        Signals::listen(cli.ends_by_signals())?
    };
    let (stop, stopped) = cli::Stop::new();
    let (reports, quiet) = (cli.reports_when_stopped(), cli.is_quiet());
    let (done, ended) = oneshot::channel();
    let handle = runtime.handle().clone();
    // A thread of its own: a subcommand that computes for seconds must not delay signals.
    thread::Builder::new()
        .name("subcommand".to_owned())
        .spawn(move || {
            let console = console(stopped, quiet);
            let stop = console.stop.clone();
            let result = handle.block_on(async {
                tokio::select! {
                    result = cli::run(cli, search, &console) => Some(result),
                    () = stop.requested(), if !reports => None,
                }
            });
            // Main may have ended the wait already.
            let _ = done.send(result);
        })?;
    let ended = runtime.block_on(cli::signals::wait(signals, ended, (stop, reports), &report));
    runtime.shutdown_background();
    Ok(match ended {
        End::Signal(number) => ExitCode::from(128 + number),
        End::Done(Ok(code)) => exit(code),
        End::Done(Err(error)) => fail(&error),
    })
}

/// Reports remaining keys after the cleanup.
fn report(left: &[leftovers::Left]) {
    if !left.is_empty() {
        write_err(&format!("{}\n", leftovers::report(left)));
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    write_err(&format!("shardproof: {error:#}\n"));
    let usage = error.downcast_ref::<cli::Usage>().is_some();
    if usage { Exit::Usage } else { Exit::Unjudged }.into()
}

/// The exit code. If stdout could not be written, the report is lost.
fn exit(code: Exit) -> ExitCode {
    match UNWRITTEN.get() {
        None => code.into(),
        Some(why) => {
            write_err(&format!("shardproof: {why}\n"));
            Exit::Unjudged.into()
        }
    }
}

fn console(stop: cli::Stop, quiet: bool) -> cli::Console {
    cli::Console {
        stop,
        quiet,
        terminal: io::stderr().is_terminal(),
        out: |text| {
            // Kept in UNWRITTEN.
            let _ = show(text);
        },
        write: write_out,
        err: |text| write_err(&format!("{text}\n")),
        ask,
        variable: |name| env::var(name).ok().filter(|value| !value.is_empty()),
    }
}

/// Asks a question on a terminal, and returns the line that is typed.
fn ask(question: &str) -> io::Result<Option<String>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    write_err(&question);
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(Some(line.trim().to_owned()))
}

/// Writes a report to stdout: in colours on a terminal, unless NO_COLOR says otherwise.
fn show(text: &str) -> io::Result<()> {
    let colours = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    match colours {
        true => write_bytes(cli::paint::painted(&printable(text)).as_bytes()),
        false => write_out(text),
    }
}

/// Writes to stdout. It is no error if the reader has gone away, as `head` does.
fn write_out(text: &str) -> io::Result<()> {
    write_bytes(printable(text).as_bytes())
}

fn write_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes);
    match written.and_then(|()| out.flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            let what = format!("cannot write stdout: {why}");
            let _ = UNWRITTEN.set(what.clone());
            Err(io::Error::new(why.kind(), what))
        }
        _ => Ok(()),
    }
}

/// Writes to stderr; a failure there cannot be reported.
fn write_err(text: &dyn Display) {
    let text = text.to_string();
    let _ = io::stderr().lock().write_all(printable(&text).as_bytes());
}

/// The level is from `RUST_LOG`, or warnings. To stderr, because reports go to stdout. Without colours, because escape
/// sequences are escaped.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,shardproof=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Stderr)
        .with_ansi(false)
        .init();
}

/// Stderr as a writer of whole lines.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_err(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
