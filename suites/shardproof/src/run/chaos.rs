//! Chaos runs: a cluster and a proxy for each scenario, and the verdicts of the laws on it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chaos::law::{Law, Level, Verdict as LawVerdict};
use chaos::report::{
    CoverageReport, KnownViolation, LawReport, ScenarioReport, Verdict, evidence_lines, messages,
};
use chaos::rescale;
use chaos::run::{self, Means, NodesOf, Run, Subject};
use chaos::scenario::Scenario;
use testbed::client;
use testbed::cluster::{Cluster, Source};
use testbed::endpoint::Endpoint;
use testbed::fault::{Clients, Links, Owned};
use testbed::leftovers::{self, Record};
use testbed::targets::{Deviation, Occurs, Proxy, Setting, Target};

use super::{Error, RunOptions};
use crate::planner;

/// A scenario that was judged, with the run that it was judged on.
pub struct Judged {
    /// The verdicts.
    pub report: ScenarioReport,
    /// The run; `None` if there was none.
    pub run: Option<Run>,
    /// Name and version of the server program of the nodes, if they were asked.
    pub server: Option<String>,
}

/// Runs one scenario on a target, over a cluster of its own. `say` is called with each step.
///
/// # Errors
/// When there is no cluster or proxy. A run that fails is unknown.
pub async fn chaos(
    options: &RunOptions,
    target: &Target,
    scenario: &Scenario,
    say: &dyn Fn(&str),
) -> Result<Judged, Error> {
    if let Some(why) = obstacle(options, target, scenario) {
        return Ok(without_run(scenario, Verdict::Skipped, why));
    }
    let began = Instant::now();
    let target = &Target {
        ejects: scenario.ejects,
        ..target.clone()
    };
    let cluster = Cluster::start(options, scenario.nodes_max().into()).await?;
    let server = server(&cluster.node_endpoints()).await;
    let begin_with = cluster.link_addrs()[..scenario.nodes.into()].to_vec();
    let setting = Setting::usual(target, begin_with);
    let prefix = rescale::prefix(options.seed);
    record(options, &cluster, &prefix);
    let mut proxy = Proxy::start(target, setting.clone(), &options.search).await?;
    let mut further = Vec::new();
    for row in &scenario.proxies {
        let nodes = cluster.link_addrs()[..row.nodes.into()].to_vec();
        let setting = Setting {
            nodes,
            ..setting.clone()
        };
        further.push(Proxy::start(target, setting, &options.search).await?);
    }
    let clients = Clients::new(proxy.addr(), format!("{prefix}misbehaving").as_bytes());
    let mut subject = Subject {
        name: target.name.clone(),
        proxy: proxy.addr().into(),
        further: further.iter().map(|proxy| proxy.addr().into()).collect(),
        nodes: cluster.node_endpoints(),
        nodes_of: match options.owned().nodes {
            true => NodesOf::Suite,
            false => NodesOf::Others,
        },
        node_names: cluster
            .link_addrs()
            .iter()
            .map(ToString::to_string)
            .collect(),
        tap: (options.owned().links == Links::Own).then(|| cluster.tap().clone()),
        promises: run::promises(Duration::from_millis(target.op_timeout_ms), target.limits),
        prefix,
        means: Means::Own {
            cluster: &cluster,
            clients,
            proxy: &mut proxy,
        },
    };
    let observed = run::observe(scenario, &mut subject, options.seed, say).await;
    let mut judged = match observed {
        Ok(mut run) => {
            predict(&mut run, scenario, &setting, &cluster.link_addrs());
            judged(Some(target), scenario, run)
        }
        Err(why) => without_run(scenario, Verdict::Unknown, why.to_string()),
    };
    judged.server = server;
    judged.report.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(judged)
}

/// The server program of the first node, if it answers.
pub(super) async fn server(nodes: &[Endpoint]) -> Option<String> {
    client::server(*nodes.first()?).await.ok()
}

/// Fills in the node of each key for each of several proxies, as its list of nodes gives it. Where the policy cannot be
/// computed, the lists are known to differ all the same: what the proxies ask is taken as given.
fn predict(run: &mut Run, scenario: &Scenario, setting: &Setting, addrs: &[SocketAddr]) {
    let (policy, tags) = (&setting.policy, setting.hash_tags);
    let further = scenario.proxies.iter().map(|row| row.nodes);
    let sizes = [scenario.nodes].into_iter().chain(further);
    for (view, size) in run.observed.proxies.iter_mut().zip(sizes) {
        let keys: Vec<&[u8]> = view.owners.keys().map(Vec::as_slice).collect();
        let nodes = planner::predict(policy, tags, &addrs[..size.into()], keys.iter().copied());
        view.predicted = match nodes {
            Some(nodes) => {
                let nodes = nodes
                    .into_iter()
                    .map(|node| u16::try_from(node).unwrap_or(u16::MAX));
                keys.into_iter().map(<[u8]>::to_vec).zip(nodes).collect()
            }
            None => view.owners.clone(),
        };
    }
}

/// Why a scenario cannot run on a target with these options: what the target cannot do, or the nodes cannot suffer.
#[must_use]
pub fn obstacle(options: &RunOptions, target: &Target, scenario: &Scenario) -> Option<String> {
    let lacking = scenario.lacking(target);
    if !lacking.is_empty() {
        return Some(format!("needs {}", lacking.join(", ")));
    }
    let owned = options.owned();
    let taps = (owned.links != Links::Own).then(|| scenario.obstacle_without_taps());
    fault_obstacle(owned, scenario).or_else(|| taps.flatten())
}

pub(super) fn without_run(scenario: &Scenario, verdict: Verdict, why: String) -> Judged {
    Judged {
        report: ScenarioReport::without_run(scenario, verdict, why),
        run: None,
        server: None,
    }
}

/// Why a scenario cannot run with these options.
fn fault_obstacle(owned: Owned, scenario: &Scenario) -> Option<String> {
    let mut faults = scenario.faults.iter();
    faults.find_map(|row| {
        let row_obstacle = row.fault.row().obstacle(owned);
        let why = row_obstacle.or_else(|| row.fault.obstacle_of_files())?;
        Some(format!("fault {}: {why}", row.fault))
    })
}

/// Makes sure that no key stays on foreign nodes, however the run ends.
fn record(options: &RunOptions, cluster: &Cluster, prefix: &str) {
    if let Source::External(_) = options.nodes {
        let _ = Record::open(leftovers::Scope {
            prefix: Some(prefix.to_owned()),
            nodes: cluster.node_endpoints(),
            proxy: None,
        });
    }
}

pub(super) fn judged(target: Option<&Target>, scenario: &Scenario, run: Run) -> Judged {
    let law = |law: &&'static dyn Law| {
        let place = format!("chaos/{}/{}", scenario.id, law.id());
        law_report(*law, &run, target.and_then(|it| it.deviation(&place)))
    };
    let mut laws: Vec<LawReport> = scenario.laws.iter().map(law).collect();
    if target.is_none() {
        // Foreign nodes are not recorded: conditions that need a tap are not expected to hold.
        let unknown = laws
            .iter_mut()
            .filter(|law| law.verdict == Verdict::Unknown);
        unknown.for_each(|law| law.verdict = Verdict::Skipped);
    }
    let covers = scenario.covers.iter();
    let covers = covers
        .map(|cover| CoverageReport::new(*cover, &run))
        .collect();
    Judged {
        report: ScenarioReport::new(scenario, &run, laws, covers),
        run: Some(run),
        server: None,
    }
}

/// The verdict of a law on a run, with the recorded deviations of the target.
fn law_report(law: &dyn Law, run: &Run, known: Option<&Deviation>) -> LawReport {
    let (found, sentence, violations, records) = match law.judge(&run.observed) {
        LawVerdict::Kept { evidence, .. } => (Verdict::Kept, evidence, 0, Vec::new()),
        LawVerdict::NotPromised { missing } => (Verdict::Skipped, missing, 0, Vec::new()),
        LawVerdict::Unknown { missing } => (Verdict::Unknown, missing, 0, Vec::new()),
        LawVerdict::Broken(broken) => (
            Verdict::Broken,
            broken.sentence,
            broken.count,
            broken.records,
        ),
    };
    LawReport {
        law: law.id().to_owned(),
        promise: law.promise().to_owned(),
        source: law.source().to_owned(),
        optional: law.level() == Level::Should,
        verdict: verdict(found, known),
        sentence,
        violations,
        evidence: evidence_lines(&run.observed, &records),
        messages: messages(&run.observed, &records),
        known: known.map(|known| KnownViolation {
            why: known.why.clone(),
            seen: known.seen.to_string(),
            link: known.link.clone(),
            row: None,
        }),
    }
}

/// The verdict, considering the recorded deviation.
fn verdict(found: Verdict, known: Option<&Deviation>) -> Verdict {
    match (found, known.map(|known| known.occurs)) {
        (Verdict::Broken, Some(_)) | (_, Some(Occurs::ByPlacement)) => Verdict::Known,
        (Verdict::Kept, Some(Occurs::Always)) => Verdict::Mended,
        (found, _) => found,
    }
}
