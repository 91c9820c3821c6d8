//! The tools of Redis: redis-cli and redis-benchmark.

use std::io::Write;
use std::process::{Command, Stdio};

use libtest_mimic::Failed;

use crate::clients::site::Site;
use crate::clients::{Action, Client, named, program};

pub(crate) fn clients() -> [Client; 2] {
    let cli: &[(&str, Action)] = &[
        ("one-command", one_command),
        ("commands-from-its-input", commands),
        ("resp3", resp3),
        ("scan", scan),
        ("bigkeys", bigkeys),
        ("mass-insertion", mass_insertion),
        ("a-script", script),
    ];
    let benchmark: &[(&str, Action)] = &[
        ("all-its-tests", all_tests),
        ("pipelined-with-threads", pipelined),
        ("a-command-of-ones-own", own_command),
    ];
    [
        client("redis-cli", cli),
        client("redis-benchmark", benchmark),
    ]
}

fn client(program: &'static str, actions: &[(&str, Action)]) -> Client {
    let started = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    Client {
        name: program,
        package: program,
        missing: started
            .err()
            .map(|why| format!("{program} cannot be run ({why}): run `make setup`")),
        workloads: named(actions),
    }
}

fn said(site: &Site, program: &str, args: &[&str], input: &str) -> Result<String, Failed> {
    let mut command = Command::new(program);
    program::said(command.args(["-p", &site.port()]).args(args), input)
}

fn cli(site: &Site, args: &[&str], wanted: &str) -> Result<(), Failed> {
    expect(site, args, "", wanted)
}

fn expect(site: &Site, args: &[&str], input: &str, wanted: &str) -> Result<(), Failed> {
    let said = said(site, "redis-cli", args, input)?;
    if said.trim_end() == wanted {
        return Ok(());
    }
    Err(format!(
        "redis-cli {}: expected {wanted:?}, got {said:?}",
        args.join(" ")
    )
    .into())
}

fn contains(said: &str, wanted: &[&str]) -> Result<(), Failed> {
    match wanted.iter().find(|wanted| !said.contains(**wanted)) {
        Some(missing) => Err(format!("expected {missing:?} in:\n{said}").into()),
        None => Ok(()),
    }
}

fn one_command(site: &Site) -> Result<(), Failed> {
    cli(site, &["SET", "a", "1"], "OK")?;
    cli(site, &["MGET", "a", "b"], "1")?;
    cli(site, &["-n", "0", "GET", "a"], "1")?;
    cli(site, &["-r", "3", "INCR", "n"], "1\n2\n3")?;
    cli(site, &["--no-raw", "MGET", "a", "b"], "1) \"1\"\n2) (nil)")?;
    expect(site, &["-x", "SET", "piped"], "from its input", "OK")?;
    cli(site, &["GET", "piped"], "from its input")?;
    if site.is_sharded() {
        let refusal =
            "ERR command 'SUBSCRIBE' is not supported by this proxy: pub/sub has no single node";
        cli(site, &["SUBSCRIBE", "a"], refusal)?;
    }
    Ok(())
}

fn commands(site: &Site) -> Result<(), Failed> {
    let input = "MULTI\nSET {t}a 2\nINCR {t}a\nEXEC\nMSET x 1 y 2 z 3\nMGET z y x\nDBSIZE\n";
    expect(
        site,
        &[],
        input,
        "OK\nQUEUED\nQUEUED\nOK\n3\nOK\n3\n2\n1\n4",
    )
}

fn resp3(site: &Site) -> Result<(), Failed> {
    cli(site, &["-3", "HSET", "h", "f", "v"], "1")?;
    cli(
        site,
        &["-3", "--no-raw", "HGETALL", "h"],
        "1# \"f\" => \"v\"",
    )?;
    cli(site, &["-3", "ZADD", "z", "1.5", "m"], "1")?;
    cli(
        site,
        &["-3", "--no-raw", "ZSCORE", "z", "m"],
        "(double) 1.5",
    )?;
    cli(site, &["-3", "--json", "HGETALL", "h"], "{\"f\":\"v\"}")
}

/// Lines of SET with a common prefix of keys.
fn sets(count: usize) -> String {
    (0..count)
        .map(|number| format!("SET item:{number} {number}\r\n"))
        .collect()
}

fn scan(site: &Site) -> Result<(), Failed> {
    said(site, "redis-cli", &["--pipe"], &sets(500))?;
    let found = said(site, "redis-cli", &["--scan", "--pattern", "item:*"], "")?;
    let mut found: Vec<&str> = found.lines().collect();
    found.sort_unstable();
    found.dedup();
    match found.len() {
        500 => Ok(()),
        other => Err(format!("--scan found {other} of 500 keys").into()),
    }
}

fn bigkeys(site: &Site) -> Result<(), Failed> {
    said(site, "redis-cli", &["--pipe"], &sets(200))?;
    said(site, "redis-cli", &["RPUSH", "list", "a", "b", "c"], "")?;
    let said = said(site, "redis-cli", &["--bigkeys"], "")?;
    let wanted = [
        "Sampled 201 keys in the keyspace!",
        "1 lists with 3 items",
        "200 strings with 490 bytes",
    ];
    contains(&said, &wanted)
}

fn mass_insertion(site: &Site) -> Result<(), Failed> {
    let inserted = said(site, "redis-cli", &["--pipe"], &sets(5000))?;
    contains(
        &inserted,
        &[
            "Last reply received from server.",
            "errors: 0, replies: 5000",
        ],
    )?;
    cli(site, &["DBSIZE"], "5000")?;
    let one_wrong = said(
        site,
        "redis-cli",
        &["--pipe"],
        "SET a 1\r\nNONSENSE\r\nSET b 2\r\n",
    )?;
    contains(
        &one_wrong,
        &["ERR unknown command", "errors: 1, replies: 3"],
    )
}

fn script(site: &Site) -> Result<(), Failed> {
    let file = tempfile::NamedTempFile::new()?;
    file.as_file()
        .write_all(b"return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}")?;
    let path = file.path().to_str().ok_or("a path that is no text")?;
    cli(site, &["--eval", path, "a", ",", "b"], "a\nb\n1")
}

/// The names of the tests that redis-benchmark came to the end of.
fn finished(csv: &str) -> Result<Vec<&str>, Failed> {
    let mut lines = csv.lines();
    match lines.next() {
        Some(header) if header.starts_with("\"test\",\"rps\"") => {}
        _ => return Err(format!("no header: {csv}").into()),
    }
    Ok(lines
        .filter_map(|line| line.strip_prefix('"')?.split('"').next())
        .collect())
}

fn benchmark(site: &Site, args: &[&str], wanted: &[&str]) -> Result<(), Failed> {
    let csv = said(site, "redis-benchmark", &[&["--csv"], args].concat(), "")?;
    let finished = finished(&csv)?;
    if finished == wanted {
        return Ok(());
    }
    Err(format!("expected {wanted:?}, got {finished:?}:\n{csv}").into())
}

fn all_tests(site: &Site) -> Result<(), Failed> {
    let wanted = [
        "PING_INLINE",
        "PING_MBULK",
        "SET",
        "GET",
        "INCR",
        "LPUSH",
        "RPUSH",
        "LPOP",
        "RPOP",
        "SADD",
        "HSET",
        "SPOP",
        "ZADD",
        "ZPOPMIN",
        "LPUSH (needed to benchmark LRANGE)",
        "LRANGE_100 (first 100 elements)",
        "LRANGE_300 (first 300 elements)",
        "LRANGE_500 (first 500 elements)",
        "LRANGE_600 (first 600 elements)",
        "MSET (10 keys)",
    ];
    // The default of 100,000 requests would prove no more.
    benchmark(site, &["-n", "2000"], &wanted)
}

fn pipelined(site: &Site) -> Result<(), Failed> {
    let args = [
        "-t",
        "set,get,mset,zadd",
        "-P",
        "16",
        "-c",
        "20",
        "-n",
        "20000",
        "-r",
        "1000",
        "--threads",
        "2",
    ];
    benchmark(site, &args, &["SET", "GET", "ZADD", "MSET (10 keys)"])
}

fn own_command(site: &Site) -> Result<(), Failed> {
    let args = [
        "-n",
        "2000",
        "-r",
        "100",
        "HSET",
        "h:__rand_int__",
        "f",
        "__data__",
    ];
    benchmark(site, &args, &["HSET h:__rand_int__ f __data__"])
}
