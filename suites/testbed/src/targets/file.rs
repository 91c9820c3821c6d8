//! A target file: how to start a proxy, its capabilities, and its known deviations.

use serde::{Deserialize, Serialize};

use super::capability::Capability;
use super::seen::{Seen, Version};
use crate::class::Class;
use crate::program::Program;

/// The policy of a proxy whose placement is not known: no movement is predicted.
pub(super) const UNKNOWN_POLICY: &str = "unknown";

/// A proxy under test, as its target file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name in reports; for a file of the fixtures, its stem.
    pub name: String,
    /// Its name for people; the name if the file has none.
    #[serde(default)]
    pub title: String,
    /// How the command line names it: by its name, or by the path of its file.
    #[serde(skip)]
    pub argument: String,
    /// The path of its file, for messages.
    #[serde(skip)]
    pub path: String,
    /// Where it comes from.
    #[serde(default)]
    pub home: String,
    /// The program.
    pub program: Program,
    /// How to find out its version.
    #[serde(default)]
    pub version: Version,
    /// How it is started and when it is ready.
    pub start: Start,
    /// How its cluster is changed while it serves.
    #[serde(default)]
    pub rescale: Rescale,
    /// The placement policies that its template supports, the default first.
    #[serde(default = "unknown_policy")]
    pub policies: Vec<String>,
    /// Claimed capabilities; a case that needs others is skipped.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// Commands that it sends to nodes by itself, in upper case.
    #[serde(default)]
    pub own_traffic: Vec<String>,
    /// Its time limit for one request in conformance cases.
    #[serde(default = "op_timeout_ms")]
    pub op_timeout_ms: u64,
    /// Whether its configuration ejects nodes that fail: `eject` in its template. Chosen by a scenario, never by the file.
    #[serde(skip)]
    pub ejects: bool,
    /// Limits on its resources in chaos scenarios.
    #[serde(default)]
    pub limits: Limits,
    /// Its known, reasoned exceptions.
    #[serde(default, rename = "deviation")]
    pub deviations: Vec<Deviation>,
}

/// Limits that the proxy promises to keep under load and faults. A limit that is absent is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Resident memory, in MiB.
    pub memory_mib: Option<u64>,
    /// Connections to all nodes together.
    pub node_connections: Option<u64>,
    /// The same when no client waits for a reply or is in a transaction.
    pub idle_node_connections: Option<u64>,
}

/// How a proxy is started. All texts are templates over the setting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Arguments; `{{ config }}` is the path of the written configuration.
    pub args: Vec<String>,
    /// File name of the configuration; some programs depend on its extension.
    #[serde(default = "config_name")]
    pub config_name: String,
    /// The configuration; empty for a program that has none.
    #[serde(default)]
    pub config: String,
    /// Path on the admin port that answers 200 when the proxy serves; without it a PING through the proxy decides.
    pub ready_path: Option<String>,
    /// How long it may take until it serves, in seconds.
    #[serde(default = "ready_within_s")]
    pub ready_within_s: u64,
}

fn unknown_policy() -> Vec<String> {
    vec![UNKNOWN_POLICY.to_owned()]
}

fn op_timeout_ms() -> u64 {
    1000
}

fn config_name() -> String {
    "proxy.conf".to_owned()
}

fn ready_within_s() -> u64 {
    30
}

/// How to change the nodes of a running proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, tag = "how", rename_all = "kebab-case")]
pub enum Rescale {
    /// It is stopped and started with a new configuration.
    #[default]
    Restart,
    /// The new cluster is put to its admin port.
    Put {
        /// Path on the admin port.
        path: String,
        /// The body, a template over the setting.
        body: String,
        /// Bodies that the proxy must refuse, each a template over the setting.
        #[serde(default)]
        malformed: Vec<String>,
    },
}

impl Rescale {
    /// Templates of bodies that the proxy must refuse.
    #[must_use]
    pub fn malformed(&self) -> &[String] {
        match self {
            Self::Restart => &[],
            Self::Put { malformed, .. } => malformed,
        }
    }
}

/// The version of a proxy that runs in this process.
const IN_PROCESS: &str = "in-process";

/// A recorded, reasoned exception of a target.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Pattern of case ids; `*` matches any text.
    pub cases: String,
    /// Behaviour of the proxy.
    pub why: String,
    /// The versions that deviate.
    #[serde(default)]
    pub seen: Seen,
    /// When it shows.
    #[serde(default)]
    pub occurs: Occurs,
    /// The worst outcome for clients, for a deviation that does not show in every run: it is counted as that in all of
    /// them.
    pub class: Option<Class>,
    /// Link to a report of it.
    pub link: Option<String>,
}

/// When a deviation shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occurs {
    /// In every run: a run without it fails, so that the row is removed.
    #[default]
    Always,
    /// Depends on where keys or nodes happen to lie, or on which of two connections is faster. It counts as known in
    /// every run, whether it shows or not.
    ByPlacement,
}

impl Target {
    /// A proxy that runs in this process ([`super::Serve`]): it claims no capabilities, and changes its cluster by a
    /// restart.
    #[must_use]
    pub fn in_process(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            argument: name.to_owned(),
            path: String::new(),
            home: String::new(),
            program: Program {
                name: name.to_owned(),
                env: String::new(),
                install: String::new(),
                package: None,
            },
            version: Version {
                args: Vec::new(),
                pinned: IN_PROCESS.to_owned(),
                earlier: Vec::new(),
            },
            start: Start {
                args: Vec::new(),
                config_name: config_name(),
                config: String::new(),
                ready_path: None,
                ready_within_s: ready_within_s(),
            },
            rescale: Rescale::Restart,
            policies: unknown_policy(),
            capabilities: Vec::new(),
            own_traffic: Vec::new(),
            op_timeout_ms: 200,
            ejects: false,
            limits: Limits::default(),
            deviations: Vec::new(),
        }
    }

    /// Records a failure that is accepted: the cases whose ids match, and what the proxy does instead.
    #[must_use]
    pub fn with_deviation(mut self, cases: &str, why: &str) -> Self {
        self.deviations.push(Deviation {
            cases: cases.to_owned(),
            why: why.to_owned(),
            seen: Seen::from(self.version.pinned.clone()),
            occurs: Occurs::Always,
            class: None,
            link: None,
        });
        self
    }

    /// The target as it is in one version: with the deviations that were seen in it, or all if it was never judged.
    #[must_use]
    pub fn in_version(mut self, version: &str) -> Self {
        let versions = &self.version;
        self.deviations
            .retain(|row| row.seen.covers(version, versions));
        self
    }

    /// The deviation that is recorded for a case, if any.
    #[must_use]
    pub fn deviation(&self, case: &str) -> Option<&Deviation> {
        self.deviations
            .iter()
            .find(|deviation| crate::text::selects(&deviation.cases, case))
    }

    /// The capabilities out of `needs` that this target does not have.
    pub fn lacks<'a>(&'a self, needs: &'a [Capability]) -> impl Iterator<Item = &'a str> {
        needs
            .iter()
            .filter(|need| !self.capabilities.contains(need))
            .map(String::as_str)
    }
}
