//! Help after the flags: exit codes, the environment, and examples.

use clap::{Command, CommandFactory};

use super::Cli;

/// After the list of subcommands.
const AFTER: &str = "\
Exit codes:
  0    as expected
  1    a promise is broken
  2    the suite could not judge
  64   wrong command line
  130  ended by Ctrl-C, after a report of the judged part; other signals: 128 and their number

Environment:
  SHARDPROOF_PROXY_PASSWORD, SHARDPROOF_NODE_PASSWORD  passwords of --proxy and --node
  SHARDPROOF_REDIS_SERVER, SHARDPROOF_REDIS_IMAGE      program or image of the nodes
  SHARDPROOF_ENVOY and the like                        program of a target: the variable in its file
  RUST_LOG                                             level of the log on stderr, such as debug

Examples:
  shardproof run --target refproxy
  shardproof run --proxy 127.0.0.1:6400 --node 127.0.0.1:7001 --html report.html";

/// Two examples for each subcommand, in the order of the help.
pub(super) const EXAMPLES: &[(&str, [&str; 2])] = &[
    (
        "list",
        [
            "shardproof list --filter transactions/",
            "shardproof list --json -",
        ],
    ),
    (
        "explain",
        [
            "shardproof explain multi-key/mget-keeps-key-order",
            "shardproof explain mget-keeps",
        ],
    ),
    (
        "run",
        [
            "shardproof run --target ./my-proxy.toml --baseline known.toml --junit report.xml",
            "shardproof run --proxy 127.0.0.1:6400 --node 127.0.0.1:7001 --node 127.0.0.1:7002",
        ],
    ),
    (
        "chaos",
        [
            "shardproof chaos late-reply node-paused --target envoy --seed 7 --html chaos.html",
            "shardproof chaos --target refproxy --shrink-for 60s",
        ],
    ),
    (
        "matrix",
        [
            "shardproof matrix --target envoy --target twemproxy --html matrix.html",
            "shardproof matrix --proxy 127.0.0.1:6400 --node 127.0.0.1:7001 --node 127.0.0.1:7002",
        ],
    ),
    (
        "diff",
        [
            "shardproof diff before.json after.json",
            "shardproof diff before.json after.json --json -",
        ],
    ),
    (
        "differential",
        [
            "shardproof differential --target refproxy --count 20000",
            "shardproof differential --proxy 127.0.0.1:6400 --node 127.0.0.1:7001 --node 127.0.0.1:7002",
        ],
    ),
    (
        "probe",
        [
            "shardproof probe --proxy 127.0.0.1:6400 --node 127.0.0.1:7001",
            "shardproof probe --target ./my-proxy.toml",
        ],
    ),
    (
        "init",
        [
            "shardproof init --program ./my-proxy --arg=--port --arg '{{ listen.port }}'",
            "shardproof init --program my-proxy --config my-proxy.yaml --arg '{{ config }}' --output my-proxy.toml",
        ],
    ),
    (
        "rescale",
        [
            "shardproof rescale --target envoy --from 3 --to 4",
            "shardproof rescale --target refproxy --from 3 --to 4 --keys-out keys.tsv",
        ],
    ),
    (
        "plan",
        [
            "shardproof plan --from envoy.yaml --add-node 127.0.0.1:7004 --keys keys.txt",
            "shardproof plan --from old.yaml --to new.yaml --scan 127.0.0.1:7001",
        ],
    ),
    (
        "locate",
        [
            "shardproof locate --cluster envoy.yaml user:1",
            "shardproof locate --cluster maglev:127.0.0.1:7001,127.0.0.1:7002 --look user:1",
        ],
    ),
    (
        "fingerprint",
        [
            "shardproof fingerprint --proxy 127.0.0.1:6400 --node 127.0.0.1:7001 --node 127.0.0.1:7002",
            "shardproof fingerprint --proxy redis-proxy:6400 --node redis-a:6379 --node redis-b:6379 --seed 7",
        ],
    ),
    (
        "check",
        [
            "shardproof check --to envoy.yaml --proxy 127.0.0.1:6400",
            "shardproof check --to envoy.yaml --keys-out astray.tsv",
        ],
    ),
    (
        "check-history",
        [
            "shardproof check-history runs/late-reply.jsonl",
            "shardproof check-history runs/late-reply.jsonl --json -",
        ],
    ),
    (
        "migrate",
        [
            "shardproof migrate --to envoy.yaml --proxy 127.0.0.1:6400",
            "shardproof migrate --to envoy.yaml --proxy 127.0.0.1:6400 --apply",
        ],
    ),
    (
        "links",
        [
            "shardproof links --node 127.0.0.1:7001 --node 127.0.0.1:7002",
            "shardproof links --node 127.0.0.1:7001 --listen 127.0.0.1:8474",
        ],
    ),
    (
        "toxiproxy",
        [
            "shardproof toxiproxy",
            "shardproof toxiproxy --listen 127.0.0.1:8474",
        ],
    ),
    (
        "completions",
        [
            "shardproof completions bash > shardproof.bash",
            "shardproof completions fish > shardproof.fish",
        ],
    ),
    ("man", ["shardproof man .", "shardproof man man1"]),
];

/// The command line with all help texts.
pub(super) fn command() -> Command {
    let with_examples = |command: Command| {
        let of_it = EXAMPLES
            .iter()
            .find(|(name, _)| *name == command.get_name());
        match of_it {
            None => command,
            Some((_, [one, other])) => command.after_help(format!("Examples:\n  {one}\n  {other}")),
        }
    };
    Cli::command()
        .after_help(AFTER)
        .mut_subcommands(with_examples)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn every_subcommand_has_examples_that_parse() {
        let command = command();
        let subcommands = command.get_subcommands().map(Command::get_name);
        let names: BTreeSet<&str> = subcommands.collect();
        let with_examples = EXAMPLES.iter().map(|(name, _)| *name);
        assert_eq!(names, with_examples.collect::<BTreeSet<&str>>());
        for (name, examples) in EXAMPLES {
            for example in examples {
                let words = shlex::split(example).expect("closed quotes");
                let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
                assert_eq!(words[1], *name, "{example}");
                // What follows is for the shell.
                let ends = words.iter().position(|word| word == ">");
                let read = Cli::read(&words[..ends.unwrap_or(words.len())]);
                assert!(read.is_ok(), "{example}\n{}", read.unwrap_err());
            }
        }
    }
}
