//! Passwords on the command line: refused before anything repeats them.

use std::collections::HashSet;
use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::ErrorKind;
use shardproof::planner::description::check_address;

use super::Cli;

/// Value names of options that take addresses.
const ADDRESSES: [&str; 4] = ["HOST", "ADDR", "NODE", "redis://"];

/// Checks that no address has a user or a password. The parser of the command line would repeat it in its errors.
pub(super) fn check(words: &[OsString]) -> Result<(), clap::Error> {
    let options = options();
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let mut before = "";
    for word in &words {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, value),
            _ => (before, &**word),
        };
        let is_address = options.contains(option) || is_url(value);
        if let (true, Err(secret)) = (is_address, check_address(value)) {
            let place = if options.contains(option) {
                option
            } else {
                "an argument"
            };
            return Err(clap::Error::raw(
                ErrorKind::ValueValidation,
                format!("{place}: {secret}\n"),
            ));
        }
        before = word;
    }
    Ok(())
}

/// Whether a word is a URL of Redis, wherever it is.
fn is_url(word: &str) -> bool {
    ["redis://", "rediss://", "unix://"]
        .iter()
        .any(|scheme| word.starts_with(scheme))
}

/// The options of all subcommands that take addresses.
fn options() -> HashSet<String> {
    let command = Cli::command();
    let all = command
        .get_subcommands()
        .flat_map(clap::Command::get_arguments);
    let taking = all.filter(|option| {
        let names = option.get_value_names().unwrap_or_default();
        names
            .iter()
            .any(|name| ADDRESSES.iter().any(|part| name.contains(part)))
    });
    taking
        .filter_map(|option| option.get_long().map(|long| format!("--{long}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn no_error_repeats_a_password() {
        for words in [
            &["check", "--to", "x", "--proxy", "redis://:hunter2@host:1"][..],
            &["check", "--to", "x", "--proxy=user:hunter2@host:1"],
            &["check", "--to", "x", "--node", "user:hunter2@host:1=host:1"],
            &["check", "--to", "x", "--from-node", "hunter2@host:1"],
            &[
                "plan",
                "--from",
                "x",
                "--to",
                "y",
                "--scan",
                "redis://:hunter2@host",
            ],
            &["plan", "--from", "x", "--add-node", "u:hunter2@host:1"],
            &["run", "--node", "u:hunter2@host:1"],
            &["run", "redis://:hunter2@host:1"],
            &[
                "locate",
                "--cluster",
                "x",
                "--nod",
                "redis://:hunter2@host:1",
                "k",
            ],
        ] {
            let words: Vec<_> = ["shardproof"].iter().chain(words).map(Into::into).collect();
            let error = check(&words).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error} of {words:?}");
            assert!(error.contains("expected HOST:PORT"), "{error}");
        }
        let key = [
            "shardproof",
            "locate",
            "--cluster",
            "x@y.yaml",
            "user:1@host:2",
        ];
        check(&key.map(Into::into)).unwrap();
    }
}
