//! The cost of a proxy: operations per second, and CPU per operation compared with the Redis nodes behind it, from the
//! same minutes.
//!
//! `cargo bench --bench proxy` runs redis-benchmark through every installed target, in turn, round by round: a noisy
//! machine is noisy for all of them. The nodes are behind the proxy without links. CPU is the operating system's
//! account of the process, so it does not include delays by other work of the machine.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use testbed::fixtures::Fixtures;
use testbed::node::{Node, Process};
use testbed::program::{Program, Search};
use testbed::targets::{self, Proxy, Setting, Target};

const ROUNDS: usize = 3;
const NODES: usize = 3;
const OPERATIONS: u64 = 300_000;
/// As users measure: pipelines of 16, 50 clients, 100,000 keys.
const LOAD: &[&str] = &["-P", "16", "-c", "50", "-n", "300000", "-r", "100000"];
const TESTS: [&str; 2] = ["set", "get"];

fn main() -> anyhow::Result<()> {
    build_refproxy()?;
    let search = Search::new(&env::current_exe()?, env::vars_os());
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(measure(&search))
}

/// The release build, which is the one that people run.
fn build_refproxy() -> anyhow::Result<()> {
    escargot::CargoBuild::new()
        .package("refproxy")
        .bin("refproxy")
        .release()
        .run()
        .context("refproxy does not build")?;
    Ok(())
}

async fn measure(search: &Search) -> anyhow::Result<()> {
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(Process::start(search).await?);
    }
    let targets = targets::load_all(&Fixtures::compiled_in().targets()?)?;
    println!(
        "redis-benchmark {} over {NODES} nodes, {ROUNDS} rounds, the median of each",
        LOAD.join(" ")
    );
    println!(
        "{:<28} {:>12} {:>16} {:>16} {:>10}",
        "", "ops/s", "proxy us/op", "nodes us/op", "ratio"
    );
    for test in TESTS {
        let mut runs: Vec<(String, Vec<Cost>)> = Vec::new();
        for _ in 0..ROUNDS {
            for target in &targets {
                let name = format!(
                    "{test} {} {}",
                    target.name,
                    targets::version(target, search).unwrap_or_default()
                );
                match through(target, &nodes, search, test).await {
                    Err(why) => eprintln!("{name}: {why:#}"),
                    Ok(cost) => match runs.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, costs)) => costs.push(cost),
                        None => runs.push((name, vec![cost])),
                    },
                }
            }
        }
        for (name, costs) in runs {
            let median = |part: fn(&Cost) -> f64| median(costs.iter().map(part).collect());
            println!(
                "{name:<28} {:>12.0} {:>16.2} {:>16.2} {:>10.2}",
                median(|cost| cost.rate),
                median(|cost| cost.proxy_us),
                median(|cost| cost.nodes_us),
                median(|cost| cost.proxy_us / cost.nodes_us),
            );
        }
    }
    Ok(())
}

struct Cost {
    /// Operations per second.
    rate: f64,
    /// CPU of the proxy per operation, in microseconds.
    proxy_us: f64,
    /// CPU of all nodes per operation, in microseconds.
    nodes_us: f64,
}

async fn through(
    target: &Target,
    nodes: &[Process],
    search: &Search,
    test: &str,
) -> anyhow::Result<Cost> {
    let setting = Setting {
        nodes: nodes.iter().map(Node::addr).collect(),
        policy: target.policies[0].clone(),
        hash_tags: false,
        op_timeout_ms: 5000,
    };
    let proxy = Proxy::start(target, setting, search).await?;
    let node_pids: Vec<u32> = nodes.iter().filter_map(Process::pid).collect();
    let (proxy_before, nodes_before) = (cpu_us(&[proxy.pid()])?, cpu_us(&node_pids)?);
    let rate = redis_benchmark(search, proxy.addr(), test)?;
    let (proxy_after, nodes_after) = (cpu_us(&[proxy.pid()])?, cpu_us(&node_pids)?);
    Ok(Cost {
        rate,
        proxy_us: (proxy_after - proxy_before) / OPERATIONS as f64,
        nodes_us: (nodes_after - nodes_before) / OPERATIONS as f64,
    })
}

fn redis_benchmark(search: &Search, proxy: SocketAddr, test: &str) -> anyhow::Result<f64> {
    let program = Program {
        name: "redis-benchmark".to_owned(),
        env: "SHARDPROOF_REDIS_BENCHMARK".to_owned(),
        install: "install Debian's package redis-tools".to_owned(),
        package: None,
    };
    let output = Command::new(search.find(&program)?)
        .args([
            "-h",
            &proxy.ip().to_string(),
            "-p",
            &proxy.port().to_string(),
        ])
        .args(["-t", test, "--csv"])
        .args(LOAD)
        .stdin(Stdio::null())
        .output()?;
    let (table, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    // "SET","1234567.00",... below a line of names.
    let rate = table
        .lines()
        .last()
        .and_then(|line| line.split(',').nth(1)?.trim_matches('"').parse().ok());
    match rate {
        Some(rate) if output.status.success() && !errors.contains("Error") => Ok(rate),
        _ => bail!("redis-benchmark: {table}{errors}"),
    }
}

/// User and system time of processes together, in microseconds.
fn cpu_us(pids: &[u32]) -> anyhow::Result<f64> {
    let ticks_a_second = rustix::param::clock_ticks_per_second() as f64;
    let mut ticks = 0;
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name before may contain anything, so count from its closing bracket: fields 14 and 15 of proc(5).
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let mut fields = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        for _ in 0..2 {
            ticks += fields.next().context("too few fields")??;
        }
    }
    Ok(1e6 * ticks as f64 / ticks_a_second)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
