//! A target file: how to start a proxy, its capabilities, and its known deviations.

use serde::{Deserialize, Serialize};

use super::capability::{Capability, correction};
use super::seen::{Seen, Version};
use crate::class::Class;
use crate::fixtures::Source;
use crate::program::Program;

/// A proxy under test, as its file in `fixtures/targets/` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name on the command line and in reports; the stem of the file.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Where it comes from.
    pub home: String,
    /// The program.
    pub program: Program,
    /// How to find out its version.
    pub version: Version,
    /// How it is started and when it is ready.
    pub start: Start,
    /// How its cluster is changed while it serves.
    pub rescale: Rescale,
    /// The placement policies that its template supports, the default first.
    pub policies: Vec<String>,
    /// Claimed capabilities; a case that needs others is skipped.
    pub capabilities: Vec<Capability>,
    /// Commands that it sends to nodes by itself, in upper case.
    #[serde(default)]
    pub own_traffic: Vec<String>,
    /// Its time limit for one request in conformance cases.
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
    pub config_name: String,
    /// The configuration.
    pub config: String,
    /// Path on the admin port that answers 200 when the proxy serves; without it a PING through the proxy decides.
    pub ready_path: Option<String>,
    /// How long it may take until it serves, in seconds.
    #[serde(default = "ready_within_s")]
    pub ready_within_s: u64,
}

fn ready_within_s() -> u64 {
    30
}

/// How to change the nodes of a running proxy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, tag = "how", rename_all = "kebab-case")]
pub enum Rescale {
    /// It is stopped and started with a new configuration.
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

/// The capability of a proxy that changes its cluster while it serves.
const LIVE: &str = "rescale-live";

/// A recorded, reasoned exception of a target.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Pattern of case ids; `*` matches any text.
    pub cases: String,
    /// Behaviour of the proxy.
    pub why: String,
    /// The versions that deviate.
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

impl Deviation {
    /// A deviation that is counted in every run needs a class; one that shows in every run is counted as it shows.
    fn check(&self, versions: &Version) -> Result<(), String> {
        let cases = &self.cases;
        let seen = self.seen.check(versions);
        seen.map_err(|why| format!("deviation {cases}: {why}"))?;
        match (self.occurs, self.class) {
            (Occurs::ByPlacement, None) => Err(format!(
                "deviation {cases}: occurs = \"by-placement\" needs the class that clients see"
            )),
            (Occurs::Always, Some(_)) => Err(format!(
                "deviation {cases}: class is for occurs = \"by-placement\" only"
            )),
            _ => Ok(()),
        }
    }
}

/// A target file is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct Error {
    path: String,
    why: String,
}

impl Target {
    /// Reads a target file.
    ///
    /// # Errors
    /// The problem, with its location in the file.
    pub fn parse(source: &Source) -> Result<Self, Error> {
        let failed = |why: String| Error {
            path: source.path.clone(),
            why,
        };
        let target: Self =
            toml::from_str(&source.text).map_err(|why| failed(one_line(&why, &source.text)))?;
        for claimed in &target.capabilities {
            if let Some(correction) = correction(claimed) {
                let line = line_of(&source.text, &format!("\"{claimed}\""));
                return Err(Error {
                    path: format!("{}:{line}", source.path),
                    why: format!("capabilities: `{claimed}` is unknown, {correction}"),
                });
            }
        }
        if target.policies.is_empty() {
            return Err(failed("policies: expected at least one".to_owned()));
        }
        if target.rescale == Rescale::Restart && target.capabilities.iter().any(|it| it == LIVE) {
            let why = format!("capabilities: `{LIVE}`, but rescale.how is \"restart\"");
            return Err(failed(why));
        }
        for deviation in &target.deviations {
            deviation.check(&target.version).map_err(failed)?;
        }
        Ok(target)
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

/// All targets of the fixtures, by name.
///
/// # Errors
/// The first file that is wrong; also one whose name is not its own.
pub fn load_all(sources: &[Source]) -> Result<Vec<Target>, Error> {
    sources
        .iter()
        .map(|source| {
            let target = Target::parse(source)?;
            if target.name == source.id {
                Ok(target)
            } else {
                Err(Error {
                    path: source.path.clone(),
                    why: format!("name: `{}`, expected the name of the file", target.name),
                })
            }
        })
        .collect()
}

/// The line of the list of capabilities, or below it, on which `word` is.
fn line_of(text: &str, word: &str) -> usize {
    let from = text.find("capabilities").unwrap_or(0);
    let at = text[from..].find(word).map_or(from, |at| from + at);
    text[..at].matches('\n').count() + 1
}

/// TOML errors contain an excerpt of several lines; scripts can read one line with the position.
fn one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error
        .span()
        .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
    format!("line {line}: {}", error.message().replace('\n', ", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = r#"
name = "x"
title = "X"
home = "https://x"
policies = ["none"]
op_timeout_ms = 200
capabilities = []
program = { name = "x", env = "X", install = "x" }
version = { args = [], pinned = "1" }
rescale = { how = "restart" }
start = { args = [], config_name = "x", config = "" }
"#;

    #[track_caller]
    fn check(text: &str, expected: Result<(), &str>) {
        let source = Source {
            path: "x.toml".to_owned(),
            id: "x".to_owned(),
            text: text.to_owned(),
        };
        let parsed = Target::parse(&source).map(|_| ());
        let shown = parsed.map_err(|why| why.to_string());
        assert_eq!(shown, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_proxy_that_restarts_does_not_change_live() {
        let live = TARGET.replace("capabilities = []", "capabilities = [\"rescale-live\"]");
        let put = r#"{ how = "put", path = "/", body = "", malformed = ["{"] }"#;
        check(TARGET, Ok(()));
        check(&live.replace("{ how = \"restart\" }", put), Ok(()));
        let why = "x.toml: capabilities: `rescale-live`, but rescale.how is \"restart\"";
        check(&live, Err(why));
    }
}
