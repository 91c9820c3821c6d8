//! Chaos runs: a cluster and a proxy for each scenario, and what the laws make of what was observed there.

use std::time::{Duration, Instant};

use chaos::law::{Law, Level, Verdict as LawVerdict};
use chaos::report::{
    CoverageReport, KnownViolation, LawReport, ScenarioReport, Verdict, evidence_lines,
};
use chaos::rescale;
use chaos::run::{self, Means, Run, Subject};
use chaos::scenario::Scenario;
use testbed::cluster::{Cluster, Source};
use testbed::leftovers::{self, Record};
use testbed::targets::{Deviation, Occurs, Proxy, Setting, Target};

use super::{Error, RunOptions};

/// A scenario that was judged, with the run that it was judged on.
pub struct Judged {
    /// The verdicts.
    pub report: ScenarioReport,
    /// The run; none if there was none.
    pub run: Option<Run>,
}

/// Runs one scenario on a target, over a cluster of its own. `say` hears of each step.
///
/// # Errors
/// When there is no cluster or proxy. A run that cannot be carried out is unknown.
pub async fn chaos(
    options: &RunOptions,
    target: &Target,
    scenario: &Scenario,
    say: &dyn Fn(&str),
) -> Result<Judged, Error> {
    let lacking = scenario.lacking(target);
    if !lacking.is_empty() {
        let why = format!("needs {}", lacking.join(", "));
        return Ok(without_run(scenario, Verdict::Skipped, why));
    }
    if let Some(why) = obstacle(options, scenario) {
        return Ok(without_run(scenario, Verdict::Skipped, why));
    }
    let began = Instant::now();
    let cluster = Cluster::start(options, scenario.nodes_max().into()).await?;
    let setting = setting(target, &cluster, scenario);
    let prefix = rescale::prefix(options.seed);
    record(options, &cluster, &prefix);
    let mut proxy = Proxy::start(target, setting, &options.search).await?;
    let mut subject = Subject {
        name: target.name.clone(),
        proxy: proxy.addr(),
        nodes: cluster.node_addrs(),
        node_names: cluster
            .link_addrs()
            .iter()
            .map(ToString::to_string)
            .collect(),
        tap: options.owned().links.then(|| cluster.tap().clone()),
        promises: run::promises(Duration::from_millis(target.op_timeout_ms)),
        prefix,
        means: Means::Own {
            cluster: &cluster,
            proxy: &mut proxy,
        },
    };
    let observed = run::observe(scenario, &mut subject, options.seed, say).await;
    let mut judged = match observed {
        Ok(run) => judged(target, scenario, run),
        Err(why) => without_run(scenario, Verdict::Unknown, why.to_string()),
    };
    judged.report.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(judged)
}

fn without_run(scenario: &Scenario, verdict: Verdict, why: String) -> Judged {
    Judged {
        report: ScenarioReport::without_run(scenario, verdict, why),
        run: None,
    }
}

/// Why a scenario cannot run on what the options give.
fn obstacle(options: &RunOptions, scenario: &Scenario) -> Option<String> {
    let mut faults = scenario.faults.iter();
    faults.find_map(|row| {
        let why = row.fault.row().obstacle(options.owned())?;
        Some(format!("fault {}: {why}", row.fault))
    })
}

fn setting(target: &Target, cluster: &Cluster, scenario: &Scenario) -> Setting {
    Setting {
        nodes: cluster.link_addrs()[..scenario.nodes.into()].to_vec(),
        policy: target.policies.first().cloned().unwrap_or_default(),
        hash_tags: true,
        op_timeout_ms: target.op_timeout_ms,
    }
}

/// Makes sure that nothing stays on nodes of others, however the run ends.
fn record(options: &RunOptions, cluster: &Cluster, prefix: &str) {
    if let Source::External(_) = options.nodes {
        let _ = Record::open(leftovers::Scope {
            prefix: Some(prefix.to_owned()),
            nodes: cluster.node_addrs(),
            proxy: None,
        });
    }
}

fn judged(target: &Target, scenario: &Scenario, run: Run) -> Judged {
    let law = |law: &&'static dyn Law| {
        let place = format!("chaos/{}/{}", scenario.id, law.id());
        law_report(*law, &run, target.deviation(&place))
    };
    let laws = scenario.laws.iter().map(law).collect();
    let covers = scenario.covers.iter();
    let covers = covers
        .map(|cover| CoverageReport::new(*cover, &run))
        .collect();
    Judged {
        report: ScenarioReport::new(scenario, &run, laws, covers),
        run: Some(run),
    }
}

/// What a law says of a run, with what is recorded of the target.
fn law_report(law: &dyn Law, run: &Run, known: Option<&Deviation>) -> LawReport {
    let (found, sentence, violations, evidence) = match law.judge(&run.observed) {
        LawVerdict::Kept { evidence, .. } => (Verdict::Kept, evidence, 0, Vec::new()),
        LawVerdict::Unknown { missing } => (Verdict::Unknown, missing, 0, Vec::new()),
        LawVerdict::Broken(broken) => {
            let lines = evidence_lines(&run.observed, &broken.records);
            (Verdict::Broken, broken.sentence, broken.count, lines)
        }
    };
    LawReport {
        law: law.id().to_owned(),
        promise: law.promise().to_owned(),
        source: law.source().to_owned(),
        optional: law.level() == Level::Should,
        verdict: verdict(found, known),
        sentence,
        violations,
        evidence,
        known: known.map(|known| KnownViolation {
            why: known.why.clone(),
            seen: known.seen.clone(),
            link: known.link.clone(),
        }),
    }
}

/// What is found in the light of what is recorded.
fn verdict(found: Verdict, known: Option<&Deviation>) -> Verdict {
    match (found, known.map(|known| known.occurs)) {
        (Verdict::Broken, Some(_)) | (_, Some(Occurs::ByPlacement)) => Verdict::Known,
        (Verdict::Kept, Some(Occurs::Always)) => Verdict::Mended,
        (found, _) => found,
    }
}
