//! The command line of shardproof. Only here is anything printed, read from the environment, or decided about exit
//! codes: 0 as expected, 1 a promise broken, 2 could not judge, 64 usage.

mod cli;

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use shardproof::program::Search;

use cli::{Cli, Exit};

fn main() -> ExitCode {
    let cli = match Cli::read(env::args_os().collect()) {
        Ok(cli) => cli,
        Err(help)
            if matches!(
                help.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            print!("{help}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprint!("{wrong}");
            return Exit::Usage.into();
        }
    };
    log();
    match start(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("shardproof: {error:#}");
            let usage = error.downcast_ref::<cli::Usage>().is_some();
            if usage { Exit::Usage } else { Exit::Unjudged }.into()
        }
    }
}

fn start(cli: Cli) -> anyhow::Result<Exit> {
    let search = Search::new(&env::current_exe()?, env::vars_os());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let console = cli::Console {
        terminal: io::stderr().is_terminal(),
        out: |text| {
            // A reader that has gone away, as `head` does, wants no more.
            let _ = io::stdout().write_all(text.as_bytes());
        },
        err: |text| eprintln!("{text}"),
    };
    runtime.block_on(cli::run(cli, search, &console))
}

/// `RUST_LOG` decides; warnings otherwise. To stderr, because reports go to stdout.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,shardproof=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}
