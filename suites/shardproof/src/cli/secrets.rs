//! Users and passwords on the command line: accepted where the address is one to connect to, else refused. Neither is
//! repeated by an error of the parser, so addresses are checked before it.

use std::collections::HashMap;
use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::ErrorKind;
use shardproof::planner::description::check_address;
use testbed::address::Address;

use super::node::NodeFlag;
use super::{ADDRESS, Cli};

/// Parts of the value names of options that take addresses.
const ADDRESSES: [&str; 3] = ["HOST", "ADDR", "NODE"];

/// What the value of an option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A server to connect to.
    Server,
    /// A node to connect to, and its name in a placement.
    Node,
    /// A name, which has no password.
    Name,
}

/// Checks every user and password before the parser sees it: its errors repeat the value.
pub(super) fn check(words: &[OsString]) -> Result<(), clap::Error> {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let options = options(&words);
    let mut before = "";
    for word in &words {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, value),
            _ => (before, &**word),
        };
        let kind = options.get(option).copied();
        if let Some(wrong) = wrong(kind, value) {
            let place = match kind {
                Some(_) => option,
                None => "an argument",
            };
            let text = format!("{place}: {wrong}\n");
            return Err(clap::Error::raw(ErrorKind::ValueValidation, text));
        }
        before = word;
    }
    Ok(())
}

/// The mistake in a word that has a user or a password, without the word.
fn wrong(kind: Option<Kind>, value: &str) -> Option<String> {
    if !value.contains('@') {
        return None;
    }
    match kind {
        Some(Kind::Server) => value
            .parse::<Address>()
            .err()
            .map(|wrong| wrong.to_string()),
        Some(Kind::Node) => value.parse::<NodeFlag>().err(),
        None if !is_url(value) => None,
        Some(Kind::Name) | None => check_address(value).err().map(|secret| secret.to_string()),
    }
}

/// Whether a word is a URL of Redis, wherever it is.
fn is_url(word: &str) -> bool {
    ["redis://", "rediss://", "unix://"]
        .iter()
        .any(|scheme| word.starts_with(scheme))
}

/// The options of the subcommand that take addresses.
fn options(words: &[impl AsRef<str>]) -> HashMap<String, Kind> {
    let command = Cli::command();
    let named = words.get(1).map_or("", AsRef::as_ref);
    let is_check = named == "plan" && words.iter().any(|word| word.as_ref() == "--check");
    let named = if is_check { "check" } else { named };
    let Some(subcommand) = command.find_subcommand(named) else {
        return HashMap::new();
    };
    let kinds = subcommand.get_arguments().filter_map(|option| {
        let names = option.get_value_names().unwrap_or_default();
        let kind = match names.first().map(|name| name.as_str()) {
            Some(ADDRESS) => Kind::Server,
            Some(name) if name.starts_with("ADDR[=SEEN]") => Kind::Node,
            _ if names
                .iter()
                .any(|name| ADDRESSES.iter().any(|part| name.contains(part))) =>
            {
                Kind::Name
            }
            _ => return None,
        };
        Some((format!("--{}", option.get_long()?), kind))
    });
    kinds.collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::cli::Cli;

    fn words(words: &[&str]) -> Vec<std::ffi::OsString> {
        ["shardproof"].iter().chain(words).map(Into::into).collect()
    }

    #[test]
    fn a_password_of_a_name_or_in_another_form_is_refused_and_not_repeated() {
        for line in [
            &["check", "--to", "x", "--proxy=user:hunter2@host:1"][..],
            &["check", "--to", "x", "--proxy", "redis://:hunter2@host"],
            &["check", "--to", "x", "--node", "user:hunter2@host:1=host:1"],
            &[
                "check",
                "--to",
                "x",
                "--node",
                "redis://user:hunter2@host:1=",
            ],
            &["check", "--to", "x", "--from-node", "hunter2@host:1"],
            &[
                "check",
                "--to",
                "x",
                "--from-node",
                "redis://:hunter2@host:1/x",
            ],
            &["plan", "--check", "--to", "x", "--proxy", "hunter2@host:1"],
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
            &[
                "plan",
                "--from",
                "x",
                "--add-node",
                "redis://u:hunter2@host:1",
            ],
            &[
                "plan",
                "--policy",
                "x",
                "--node",
                "redis://u:hunter2@host:1",
            ],
            &["run", "--node", "u:hunter2@host:1"],
            &["run", "redis://:hunter2@host:1"],
            &["run", "--toxiproxy", "redis://:hunter2@host:1"],
            &["links", "--node", "redis://:hunter2@host:1"],
            &["none", "--proxy", "redis://:hunter2@host:1"],
            &[
                "locate",
                "--cluster",
                "x",
                "--nod",
                "redis://:hunter2@host:1",
                "k",
            ],
        ] {
            let error = check(&words(line)).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error} of {line:?}");
            assert!(error.contains("expected "), "{error}");
        }
    }

    #[test]
    fn a_password_of_a_server_to_connect_to_is_accepted_and_not_shown() {
        for line in [
            &[
                "run",
                "--proxy",
                "redis://u:hunter2@127.0.0.1:1",
                "--node=rediss://:hunter2@h:1/2",
            ][..],
            &[
                "check",
                "--to",
                "x",
                "--node",
                "redis://:hunter2@h:1=s:1",
                "--from-node",
                "redis://:hunter2@h:1",
            ],
            &[
                "plan",
                "--check",
                "--to",
                "x",
                "--proxy",
                "redis://:hunter2@h:1",
            ],
            &[
                "plan",
                "--from",
                "x",
                "--to",
                "y",
                "--scan",
                "redis://u:hunter2@h:1/3",
            ],
            &[
                "locate",
                "--cluster",
                "x",
                "--look",
                "--proxy",
                "redis://:hunter2@h:1",
                "k",
            ],
            &[
                "fingerprint",
                "--proxy",
                "redis://:hunter2@h:1",
                "--node",
                "redis://:hunter2@h:1*2",
            ],
        ] {
            let words = words(line);
            check(&words).unwrap();
            let read = Cli::read(&words).unwrap();
            let shown = format!("{read:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn keys_and_files_may_contain_an_at_sign() {
        let line = ["locate", "--cluster", "x@y.yaml", "user:1@host:2"];
        check(&words(&line)).unwrap();
    }
}
