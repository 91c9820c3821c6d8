//! Our keys are Redis' keys: the table finds the same keys in a request as `COMMAND GETKEYS` of a real server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use refproxy::command::{COMMANDS, Row, SUBCOMMANDS};
use testbed::client::Client;
use testbed::node::{Node, Process};
use testbed::program::{Program, Search};
use testbed::wire::Value;
use tokio::runtime::Builder;

/// Calls of each command.
const CALLS: usize = 2000;
const DEADLINE: Duration = Duration::from_secs(30);

/// Refused by the proxy whatever their keys: described in a form that no other command needs, or naming channels.
const LEFT_OUT: [&str; 6] = [
    "CLUSTERSCAN",
    "MIGRATE",
    "PFDEBUG",
    "SPUBLISH",
    "SSUBSCRIBE",
    "SUNSUBSCRIBE",
];

/// Works with one key, though its specification asks for a second one.
const ONE_IS_ENOUGH: (&str, usize) = ("PFMERGE", 2);

/// Calls with an invalid word in the place of the STORE option, or calls of GEORADIUS that give it twice: the code that
/// finds keys is then less strict than the command, and finds other keys.
fn stores_oddly(row: &Row, call: &[String]) -> bool {
    let stores = |word: &String| word.to_uppercase().starts_with("STORE");
    let unit = match row.name {
        "GEORADIUS" => 5,
        "GEORADIUSBYMEMBER" => 4,
        "SORT" => return call.windows(2).any(|pair| pair.iter().all(stores)),
        _ => return false,
    };
    let counts = |pair: &[String]| pair[0] == "COUNT" && stores(&pair[1]);
    call.get(unit).is_some_and(stores)
        || call.windows(2).any(counts)
        || call.iter().filter(|word| stores(word)).count() > 1
}

/// Calls with several words that may be STORE options: only running them, not GETKEYS, shows which one counts. `k` has
/// all that they need.
const STORING: [&str; 16] = [
    "GEORADIUS k 13 38 10 km STORE a STOREDIST b",
    "GEORADIUS k 13 38 10 km STOREDIST b STORE a",
    "GEORADIUS k 13 38 10 km STORE a ASC store b COUNT 1",
    "GEORADIUS k 13 38 10 km STORE store",
    "GEORADIUS k 13 38 10 km STORE STOREDIST STOREDIST STORE",
    "GEORADIUS k 13 38 10 km STOREDIST STORE",
    "GEORADIUSBYMEMBER k here 10 km STORE store",
    "GEORADIUSBYMEMBER k store 10 km STORE a",
    "GEORADIUSBYMEMBER k here 10 km STORE a STOREDIST b STORE c",
    "SORT k STORE a STORE b ALPHA",
    "SORT k STORE b ALPHA STORE a",
    "SORT k STORE store ALPHA",
    "SORT k STORE store STORE STORE ALPHA",
    "SORT k BY STORE STORE a",
    "SORT k ALPHA GET STORE STORE a GET # STORE b",
    "SORT k ALPHA STORE a LIMIT 0 1 STORE b",
];

/// Words that are options of some command, next to plain keys.
const WORDS: [&str; 34] = [
    "a",
    "b",
    "c",
    "k1",
    "k2",
    "0",
    "1",
    "2",
    "3",
    "4",
    "7",
    "-1",
    "02",
    "+1",
    "2x",
    "STORE",
    "storedist",
    "STREAMS",
    "streams",
    "KEYS",
    "BLOCK",
    "COUNT",
    "GROUP",
    "LIMIT",
    "BY",
    "get",
    "WEIGHTS",
    "AGGREGATE",
    "WITHSCORES",
    "ID",
    "*",
    "#",
    "",
    "DB",
];

/// A small generator whose numbers repeat with its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap_or(0)
    }

    /// A call of at least two words that GETKEYS accepts, with an arity that the row accepts. Small numbers are in the
    /// places of numbers of keys, so that many calls are complete.
    fn call(&mut self, row: &Row) -> Vec<String> {
        let mut words: Vec<String> = row.name.split('|').map(str::to_owned).collect();
        let least = usize::from(row.arity.unsigned_abs());
        let more = if row.arity < 0 { self.below(8) } else { 0 };
        while words.len() < (least + more).max(2) {
            let word = match self.below(4) {
                0 => self.below(5).to_string(),
                _ => WORDS[self.below(WORDS.len())].to_owned(),
            };
            words.push(word);
        }
        words
    }
}

/// The keys that the table finds, or `None` if the call is unclear.
fn ours(row: &Row, call: &[String]) -> Option<Vec<String>> {
    let args: Vec<&[u8]> = call.iter().map(String::as_bytes).collect();
    let positions = row.key_positions(&args).ok()?;
    Some(positions.into_iter().map(|at| call[at].clone()).collect())
}

/// The keys that Redis finds, or `None` if the call is wrong.
fn theirs(reply: &Value) -> Option<Vec<String>> {
    match reply {
        Value::Array(keys) => {
            let text = |key: &Value| match key {
                Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => panic!("a key is {other:?}"),
            };
            Some(keys.iter().map(text).collect())
        }
        Value::Error(text) => {
            let text = String::from_utf8_lossy(text);
            if text.contains("no key arguments") {
                return Some(Vec::new());
            }
            assert!(
                text.contains("Invalid arguments") || text.contains("Invalid number of arguments"),
                "{text}"
            );
            None
        }
        other => panic!("GETKEYS answers {other:?}"),
    }
}

fn main() -> ExitCode {
    let search = Search::new(&std::env::current_exe().unwrap(), std::env::vars_os());
    let required = std::env::var("SHARDPROOF_REQUIRE").unwrap_or_default();
    let newer = Program::newer_servers();
    let servers = std::iter::once(Program::redis_server()).chain(newer);
    let trials = servers.flat_map(|program| {
        let name = program.name.clone();
        let insists =
            program == Program::redis_server() || required.split(',').any(|one| one == name);
        let missing = search.find(&program).err().filter(|_| !insists);
        let missing = missing.map(|why| why.to_string());
        let trial = |name: String, stores: bool| {
            let (search, program) = (search.clone(), program.clone());
            Trial::test(name, move || {
                let path = search.find(&program)?;
                let search = search.with_server(path);
                let runtime = Builder::new_current_thread().enable_all().build()?;
                match stores {
                    true => runtime.block_on(keys_are_where_the_server_stores(search)),
                    false => runtime.block_on(keys_are_where_the_server_says(search)),
                }
                Ok(())
            })
            .with_ignored_flag(missing.is_some())
            .with_kind(missing.clone().unwrap_or_default())
        };
        [
            trial(format!("keys-are-where-{name}-says"), false),
            trial(format!("keys-are-where-{name}-stores"), true),
        ]
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

async fn keys_are_where_the_server_says(search: Search) {
    let node = Process::start(&search).await.unwrap();
    let mut client = Client::connect(node.addr(), DEADLINE).await.unwrap();
    let mut chance = Chance(0x5eed);
    // A command with subcommands has no keys of its own.
    let has_below = |row: &&Row| {
        let below = format!("{}|", row.name);
        SUBCOMMANDS.iter().any(|sub| sub.name.starts_with(&below))
    };
    let plain = COMMANDS.iter().filter(|row| !has_below(row));
    let rows = plain.chain(SUBCOMMANDS).filter(|row| row.arity != 1);
    let (mut whole, mut compared) = (0, 0);
    for row in rows.filter(|row| !LEFT_OUT.contains(&row.name)) {
        let info = ["COMMAND", "INFO", row.name];
        let info = client.call(&info, DEADLINE).await.unwrap();
        let known = matches!(info, Value::Array(rows) if matches!(rows[..], [Value::Array(_)]));
        if !known {
            continue;
        }
        let calls: Vec<Vec<String>> = (0..CALLS).map(|_| chance.call(row)).collect();
        let asked: Vec<Vec<String>> = calls
            .iter()
            .map(|call| [&["COMMAND".to_owned(), "GETKEYS".to_owned()], &call[..]].concat())
            .collect();
        let replies = client.pipeline(&asked, DEADLINE).await.unwrap();
        for (call, reply) in calls.iter().zip(&replies) {
            let (ours, theirs) = (ours(row, call), theirs(reply));
            if (row.name, call.len()) == ONE_IS_ENOUGH || stores_oddly(row, call) {
                continue;
            }
            compared += 1;
            if ours.is_none() || theirs.is_none() {
                // GETKEYS tries again by looser rules, which the command itself does not use.
                let reply = client.call(call, DEADLINE).await.unwrap();
                assert!(
                    reply.is_error(),
                    "{call:?} is unclear, and Redis answers {reply}"
                );
                continue;
            }
            assert_eq!(ours, theirs, "keys of {call:?}");
            whole += usize::from(ours.is_some_and(|keys| !keys.is_empty()));
        }
    }
    assert!(
        compared > 300 * CALLS && whole > compared / 3,
        "{whole} of {compared} calls have keys"
    );
}

async fn keys_are_where_the_server_stores(search: Search) {
    let node = Process::start(&search).await.unwrap();
    let mut client = Client::connect(node.addr(), DEADLINE).await.unwrap();
    for line in STORING {
        let call: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let row = COMMANDS.iter().find(|row| row.name == call[0]).unwrap();
        let made = "GEOADD k 13 38 here 13 38 store".split(' ');
        let made: Vec<String> = made.map(str::to_owned).collect();
        let asked = [vec!["FLUSHALL".to_owned()], made, call.clone()];
        for asked in &asked {
            let reply = client.call(asked, DEADLINE).await.unwrap();
            assert!(!reply.is_error(), "{line}: {reply}");
        }
        let stored = client.call(&["KEYS", "*"], DEADLINE).await.unwrap();
        let beside_k = |keys: Option<Vec<String>>| {
            let keys: BTreeSet<String> = keys.unwrap().into_iter().collect();
            let keys = keys.into_iter().filter(|key| key != "k");
            keys.collect::<Vec<_>>()
        };
        let (ours, theirs) = (beside_k(ours(row, &call)), beside_k(theirs(&stored)));
        assert_eq!(ours, theirs, "where {line} stores");
        assert_eq!(theirs.len(), 1, "{line}");
    }
}
