//! A scenario file, and everything that is checked before it runs.
//!
//! - `write`: the file of a scenario that was made otherwise.

mod write;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use testbed::fault::Fault;
use testbed::fixtures::Source;
use testbed::targets::{Target, correction};

use super::text::{ConditionName, FaultText, LawName, Moment, On, Time, WorkloadName};
use crate::cover::{COMPLETED, Condition};
use crate::law::Law;
use crate::workload::Workload;

/// Nodes of a cluster have one letter each.
const NODES_MAX: u16 = 26;

/// A scenario.
#[derive(Clone)]
pub struct Scenario {
    /// Its name on the command line and in reports: the stem of its file.
    pub id: String,
    /// The file, for messages.
    pub path: String,
    /// The name that its draws follow from, together with the seed: its id, unless its file says otherwise. So a file that
    /// was made from a scenario, or has another name now, repeats the same run.
    pub seeded_as: String,
    /// What it shows, in one sentence.
    pub shows: String,
    /// Where it comes from: an issue, a paper or a specification.
    pub source: Option<String>,
    /// Nodes that the proxy has at the start.
    pub nodes: u16,
    /// Further proxies in front of the same nodes. Clients are spread over all proxies.
    pub proxies: Vec<ProxyRow>,
    /// How long clients send requests.
    pub duration: Duration,
    /// What a target must be able to do for it, beyond its workloads.
    pub needs: Vec<String>,
    /// Whether the proxy ejects nodes that fail.
    pub ejects: bool,
    /// What clients send.
    pub loads: Vec<Load>,
    /// Faults during the load.
    pub faults: Vec<FaultRow>,
    /// When the number of nodes changes.
    pub rescales: Vec<RescaleRow>,
    /// What must hold.
    pub laws: Vec<&'static dyn Law>,
    /// What a run must have had to be judged. Always that each workload got a request through.
    pub covers: Vec<Cover>,
}

/// A further proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyRow {
    /// Nodes of its list: the first ones of the cluster.
    pub nodes: u16,
}

/// A coverage condition with its threshold.
#[derive(Clone, Copy)]
pub struct Cover {
    /// The condition.
    pub condition: &'static dyn Condition,
    /// The threshold.
    pub at_least: usize,
}

/// One workload with its clients.
#[derive(Clone)]
pub struct Load {
    /// What its clients send.
    pub workload: &'static dyn Workload,
    /// Number of clients.
    pub clients: u16,
    /// Number of keys.
    pub keys: u32,
    /// Requests that a client sends together.
    pub pipeline: u32,
    /// When requests are sent.
    pub pace: Pace,
    /// Whether each client uses keys of one node only.
    pub apart: bool,
    /// How long, from the start of the load.
    pub lasts: Duration,
}

/// When a client sends requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As soon as the last ones are answered.
    Closed,
    /// At a rate of requests per second over all clients, independent of the replies.
    Rate(u32),
}

/// One fault, possibly repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRow {
    /// The fault.
    pub fault: Fault,
    /// What it acts on.
    pub on: On,
    /// When it is applied first.
    pub at: Moment,
    /// How long it lasts.
    pub lasts: Moment,
    /// From one time to the next, until the load ends.
    pub every: Option<Time>,
}

/// A change of the number of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RescaleRow {
    /// When.
    pub at: Moment,
    /// Nodes afterwards.
    pub nodes: u16,
}

/// A scenario file is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {why}")]
pub struct Error {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The error.
    pub why: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "three")]
    nodes: u16,
    duration: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    seeded_as: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    needs: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    ejects: bool,
    laws: Vec<LawName>,
    #[serde(default, rename = "proxy", skip_serializing_if = "Vec::is_empty")]
    proxies: Vec<ProxyRow>,
    #[serde(rename = "workload")]
    loads: Vec<LoadText>,
    #[serde(default, rename = "fault", skip_serializing_if = "Vec::is_empty")]
    faults: Vec<FaultRowText>,
    #[serde(default, rename = "rescale", skip_serializing_if = "Vec::is_empty")]
    rescales: Vec<RescaleText>,
    covers: Vec<CoverText>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CoverText {
    condition: ConditionName,
    at_least: usize,
}

fn three() -> u16 {
    3
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LoadText {
    kind: WorkloadName,
    clients: u16,
    keys: u32,
    #[serde(default = "one")]
    pipeline: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<u32>,
    #[serde(default, skip_serializing_if = "is_false")]
    apart: bool,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    lasts: Option<Time>,
}

fn one() -> u32 {
    1
}

fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FaultRowText {
    kind: FaultText,
    on: On,
    at: Moment,
    #[serde(rename = "for")]
    lasts: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<Time>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RescaleText {
    at: Moment,
    nodes: u16,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// The error, with its line.
    pub fn parse(source: &Source) -> Result<Self, Error> {
        let text = &source.text;
        let file: File = toml::from_str(text).map_err(|why| {
            let line = why.span().map_or(1, |span| line_at(text, span.start));
            error(source, line, why.message().replace('\n', ", "))
        })?;
        let (shows, link) = head(text);
        if shows.is_empty() {
            let why = "the first lines are expected to be a comment that says what it shows";
            return Err(error(source, 1, why.to_owned()));
        }
        let scenario = file.scenario(source, shows, link);
        scenario
            .check()
            .map_err(|(word, why)| error(source, line_of(text, word), why))?;
        Ok(scenario)
    }

    /// Makes the load last this long. Workloads that end before the load keep their time.
    pub fn set_duration(&mut self, lasts: Duration) {
        let whole = self.duration;
        for load in self.loads.iter_mut().filter(|load| load.lasts == whole) {
            load.lasts = lasts;
        }
        self.duration = lasts;
    }

    /// Nodes that the cluster needs.
    #[must_use]
    pub fn nodes_max(&self) -> u16 {
        let rescaled = self.rescales.iter().map(|row| row.nodes);
        let further = self.proxies.iter().map(|row| row.nodes);
        rescaled.chain(further).fold(self.nodes, u16::max)
    }

    /// The capabilities that the scenario and its workloads need.
    #[must_use]
    pub fn needs(&self) -> Vec<String> {
        let of_loads = self.loads.iter().flat_map(|load| load.workload.needs());
        let of_loads = of_loads.map(|need| (*need).to_owned());
        let ejects = self.ejects.then(|| "eject".to_owned());
        let needs = self.needs.iter().cloned().chain(of_loads).chain(ejects);
        let mut needs: Vec<String> = needs.collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// The capabilities that the scenario needs and `target` does not have.
    #[must_use]
    pub fn lacking(&self, target: &Target) -> Vec<String> {
        let needs = self.needs();
        target.lacks(&needs).map(str::to_owned).collect()
    }

    /// Why it cannot be judged without taps, if it cannot: a coverage condition needs them.
    #[must_use]
    pub fn obstacle_without_taps(&self) -> Option<String> {
        let mut conditions = self.covers.iter().map(|cover| cover.condition);
        let condition = conditions.find(|condition| condition.needs_taps())?;
        Some(format!(
            "its coverage condition {} needs a record of the nodes, and these links have none",
            condition.id()
        ))
    }

    /// Checks that serde does not do. An error is the word to find the line by, and its text.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        if !(1..=NODES_MAX).contains(&self.nodes_max()) {
            return Err(("nodes", format!("nodes: expected 1 to {NODES_MAX}")));
        }
        if self.proxies.iter().any(|row| row.nodes == 0) {
            return Err(("[[proxy]]", "proxy: nodes is at least 1".to_owned()));
        }
        for need in &self.needs {
            if let Some(correction) = correction(need) {
                return Err(("needs", format!("needs: `{need}` is unknown, {correction}")));
            }
        }
        if self.laws.is_empty() {
            return Err(("laws", "laws: at least one is expected".to_owned()));
        }
        for load in &self.loads {
            if load.clients == 0 || load.keys == 0 || load.pipeline == 0 {
                let id = load.workload.id();
                let why = format!("workload {id}: clients, keys and pipeline are at least 1");
                return Err(("[[workload]]", why));
            }
        }
        self.faults.iter().try_for_each(|row| self.check_fault(row))
    }

    fn check_fault(&self, row: &FaultRow) -> Result<(), (&'static str, String)> {
        let fault = &row.fault;
        match row.on {
            On::Node(node) if node >= self.nodes_max() => {
                let why = format!("fault {fault}: the cluster has {} nodes", self.nodes_max());
                Err(("[[fault]]", why))
            }
            on if !on.fits(fault.row().acts_on) => {
                let object = fault.row().acts_on.name();
                Err((
                    "on",
                    format!("fault {fault}: acts on a {object}, not on what `on` names"),
                ))
            }
            _ if row.every.is_some_and(|every| every <= row.lasts.to) => {
                let why = format!("fault {fault}: every is expected to be longer than for");
                Err(("every", why))
            }
            _ => Ok(()),
        }
    }
}

impl File {
    fn scenario(self, source: &Source, shows: String, link: Option<String>) -> Scenario {
        let duration = self.duration.0;
        let load = |load: LoadText| Load {
            workload: load.kind.0,
            clients: load.clients,
            keys: load.keys,
            pipeline: load.pipeline,
            pace: load.rate.map_or(Pace::Closed, Pace::Rate),
            apart: load.apart,
            lasts: load.lasts.map_or(duration, |lasts| lasts.0),
        };
        let fault = |row: FaultRowText| FaultRow {
            fault: row.kind.0,
            on: row.on,
            at: row.at,
            lasts: row.lasts,
            every: row.every,
        };
        let rescale = |row: RescaleText| RescaleRow {
            at: row.at,
            nodes: row.nodes,
        };
        let cover = |row: CoverText| Cover {
            condition: row.condition.0,
            at_least: row.at_least,
        };
        Scenario {
            id: source.id.clone(),
            path: source.path.clone(),
            seeded_as: self.seeded_as.unwrap_or_else(|| source.id.clone()),
            shows,
            source: link,
            nodes: self.nodes,
            proxies: self.proxies,
            duration,
            needs: self.needs,
            ejects: self.ejects,
            loads: self.loads.into_iter().map(load).collect(),
            faults: self.faults.into_iter().map(fault).collect(),
            rescales: self.rescales.into_iter().map(rescale).collect(),
            laws: self.laws.into_iter().map(|law| law.0).collect(),
            covers: with_completed(self.covers.into_iter().map(cover).collect()),
        }
    }
}

/// With one request of each workload, unless the scenario demands more.
fn with_completed(mut covers: Vec<Cover>) -> Vec<Cover> {
    let id = COMPLETED.id();
    if !covers.iter().any(|cover| cover.condition.id() == id) {
        covers.push(Cover {
            condition: COMPLETED,
            at_least: 1,
        });
    }
    covers
}

/// All scenarios, in the order of `sources`.
///
/// # Errors
/// The first file that is wrong.
pub fn load_all(sources: &[Source]) -> Result<Vec<Scenario>, Error> {
    sources.iter().map(Scenario::parse).collect()
}

fn error(source: &Source, line: usize, why: String) -> Error {
    Error {
        path: source.path.clone(),
        line,
        why,
    }
}

/// The comment at the top: its sentences as one text, and the link among its lines.
fn head(text: &str) -> (String, Option<String>) {
    let lines = text.lines().map_while(|line| line.strip_prefix('#'));
    let (links, sentences): (Vec<&str>, Vec<&str>) = lines
        .map(str::trim)
        .partition(|line| line.starts_with("http"));
    let link = links.first().map(|link| (*link).to_owned());
    (sentences.join(" ").trim().to_owned(), link)
}

fn line_at(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

/// The first line that begins with `word`.
fn line_of(text: &str, word: &str) -> usize {
    let line = text.lines().position(|line| line.starts_with(word));
    line.map_or(1, |line| line + 1)
}
