//! The cost of a link: operations per second, and CPU per operation of the relay compared with the Redis node behind
//! it.
//!
//! `cargo bench --bench relay` runs redis-benchmark against one node directly, through a link without a tap, through one
//! whose tap is paused, and through one that records, in turn, round by round. This process only relays while it waits,
//! so its own CPU is the relay's.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{self, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, bail};
use testbed::chance::Chance;
use testbed::link::{Ending, Link, Setup, Tap, Toxics};
use testbed::node::{Node, Process};
use testbed::program::{Program, Search};

const ROUNDS: usize = 3;
const OPERATIONS: u64 = 200_000;
/// One request at a time and pipelines of 16, by 50 clients.
const PIPELINES: [&str; 2] = ["1", "16"];
const PATHS: [Path; 4] = [Path::Direct, Path::Untapped, Path::Paused, Path::Recorded];

#[derive(Debug, Clone, Copy)]
enum Path {
    Direct,
    Untapped,
    Paused,
    Recorded,
}

fn main() -> anyhow::Result<()> {
    let search = Search::new(&env::current_exe()?, env::vars_os());
    tokio::runtime::Runtime::new()?.block_on(measure(&search))
}

async fn measure(search: &Search) -> anyhow::Result<()> {
    let node = Process::start(search).await?;
    println!("redis-benchmark -t get -c 50 -n {OPERATIONS}, {ROUNDS} rounds, the median of each");
    println!(
        "{:<20} {:>12} {:>14} {:>14}",
        "", "ops/s", "relay us/op", "node us/op"
    );
    for pipeline in PIPELINES {
        let mut runs = vec![Vec::new(); PATHS.len()];
        for _ in 0..ROUNDS {
            for (path, costs) in PATHS.iter().zip(&mut runs) {
                costs.push(through(*path, &node, search, pipeline)?);
            }
        }
        for (path, costs) in PATHS.iter().zip(runs) {
            let median = |part: fn(&Cost) -> f64| median(costs.iter().map(part).collect());
            println!(
                "{:<20} {:>12.0} {:>14.2} {:>14.2}",
                format!("-P {pipeline} {path:?}").to_lowercase(),
                median(|cost| cost.rate),
                median(|cost| cost.relay_us),
                median(|cost| cost.node_us),
            );
        }
    }
    Ok(())
}

#[derive(Debug, Clone)]
struct Cost {
    /// Operations per second.
    rate: f64,
    /// CPU of this process per operation, in microseconds.
    relay_us: f64,
    /// CPU of the node per operation, in microseconds.
    node_us: f64,
}

fn through(path: Path, node: &Process, search: &Search, pipeline: &str) -> anyhow::Result<Cost> {
    let tap = Tap::default();
    tap.set_paused(matches!(path, Path::Paused));
    let link = Link::set_up(Setup {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        upstream: node.addr().to_string(),
        tap: (!matches!(path, Path::Untapped)).then_some((tap, 0)),
        toxics: Toxics::default(),
        traffic: Arc::default(),
        chance: Chance::seeded(0),
        ending: Ending::Reset,
    })?;
    let addr = match path {
        Path::Direct => node.addr(),
        _ => link.addr(),
    };
    let (own, of_node) = (process::id(), node.pid().context("the node has ended")?);
    let (relay_before, node_before) = (cpu_us(own)?, cpu_us(of_node)?);
    let rate = redis_benchmark(search, addr, pipeline)?;
    Ok(Cost {
        rate,
        relay_us: (cpu_us(own)? - relay_before) / OPERATIONS as f64,
        node_us: (cpu_us(of_node)? - node_before) / OPERATIONS as f64,
    })
}

fn redis_benchmark(search: &Search, addr: SocketAddr, pipeline: &str) -> anyhow::Result<f64> {
    let program = Program {
        name: "redis-benchmark".to_owned(),
        env: "SHARDPROOF_REDIS_BENCHMARK".to_owned(),
        install: "install Debian's package redis-tools".to_owned(),
        package: None,
    };
    let (ip, port) = (addr.ip().to_string(), addr.port().to_string());
    let operations = OPERATIONS.to_string();
    let output = Command::new(search.find(&program)?)
        .args(["-h", &ip, "-p", &port, "-t", "get", "--csv", "-c", "50"])
        .args(["-P", pipeline, "-n", &operations])
        .stdin(Stdio::null())
        .output()?;
    let table = String::from_utf8_lossy(&output.stdout);
    // "GET","1234567.00",... below a line of names.
    let rate = table
        .lines()
        .last()
        .and_then(|line| line.split(',').nth(1)?.trim_matches('"').parse().ok());
    match rate {
        Some(rate) if output.status.success() => Ok(rate),
        _ => bail!("redis-benchmark: {table}"),
    }
}

/// User and system time of a process, in microseconds.
fn cpu_us(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before may contain anything, so count from its closing bracket: fields 14 and 15 of proc(5).
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let fields = fields.split_whitespace().skip(11).take(2);
    let ticks: Result<Vec<u64>, _> = fields.map(str::parse).collect();
    let ticks: u64 = ticks?.iter().sum();
    Ok(1e6 * ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
