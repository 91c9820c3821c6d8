//! Conformance runs: cases on targets, or on a proxy that already runs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Error, Ground};
use crate::cluster::Source;
use crate::conformance::{Case, Stage};
use crate::target::{self, Target};
use crate::verdict::{Class, Result as CaseResult, Standing, Verdict, as_ms};

/// What is judged.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A proxy that the suite starts over a cluster of its own.
    Target(Box<Target>),
    /// A proxy that already runs.
    Running {
        /// Where clients reach it.
        proxy: SocketAddr,
        /// Its time limit for one request, as far as known.
        op_timeout_ms: u64,
        /// Whether cases may destroy what others keep there.
        allow_destructive: bool,
    },
}

/// Every target of a run with its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Conformance {
    /// `shardproof.conformance/1`
    pub format: &'static str,
    /// What the run can be repeated with.
    pub seed: String,
    /// One entry a target, in the order asked for.
    pub targets: Vec<Judged>,
}

impl Conformance {
    /// A report over what was judged.
    #[must_use]
    pub fn new(seed: u64, targets: Vec<Judged>) -> Self {
        Self {
            format: "shardproof.conformance/1",
            seed: format!("{seed:x}"),
            targets,
        }
    }
}

/// One target with its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Judged {
    /// Its name, or the address of a proxy that already ran.
    pub target: String,
    /// Its version, where it is known.
    pub version: String,
    /// How many results have each meaning for the run.
    pub summary: Summary,
    /// A result a case, in the order of their ids.
    pub results: Vec<CaseResult>,
    /// How long it took; in JSON milliseconds.
    #[serde(rename = "took_ms", serialize_with = "as_ms")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// Results by what they mean for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// As promised.
    pub kept: usize,
    /// Broken as recorded.
    pub known: usize,
    /// Broken, and nobody recorded it.
    pub broken: usize,
    /// Recorded as broken, and it is not.
    pub mended: usize,
    /// Not judged.
    pub skipped: usize,
    /// Could not be decided.
    pub unknown: usize,
    /// Answers that are not true, without an error: recorded or not.
    pub wrong: usize,
}

impl Judged {
    /// What `results` come to.
    #[must_use]
    pub fn new(target: String, version: String, results: Vec<CaseResult>, took: Duration) -> Self {
        Self {
            target,
            version,
            summary: Summary::of(&results),
            results,
            took,
        }
    }
}

impl Judged {
    /// What names it on the command line: a proxy that already ran is called by its address.
    #[must_use]
    pub fn flag(&self) -> String {
        let flag = match self.target.parse::<SocketAddr>() {
            Ok(_) => "--proxy",
            Err(_) => "--target",
        };
        format!("{flag} {}", self.target)
    }
}

impl Summary {
    fn of(results: &[CaseResult]) -> Self {
        let mut summary = Self::default();
        for result in results {
            *match result.standing() {
                Standing::Kept => &mut summary.kept,
                Standing::Known => &mut summary.known,
                Standing::Broken => &mut summary.broken,
                Standing::Mended => &mut summary.mended,
                Standing::Skipped => &mut summary.skipped,
                Standing::Unknown => &mut summary.unknown,
            } += 1;
            if matches!(&result.verdict, Verdict::Fail(evidence) if evidence.class == Class::Wrong)
            {
                summary.wrong += 1;
            }
        }
        summary
    }
}

/// Judges `subject` by `cases`; `say` hears of each case before it runs.
///
/// # Errors
/// What stood in the way. What the proxy does is never an error.
pub async fn judge(
    ground: &Ground,
    subject: &Subject,
    cases: &[Case],
    say: &dyn Fn(&Case),
) -> Result<Judged, Error> {
    let started = Instant::now();
    let (name, version, mut stage) = set_up(ground, subject).await?;
    let mut results = Vec::with_capacity(cases.len());
    for case in cases {
        say(case);
        results.push(stage.judge(case).await);
    }
    stage.finish().await?;
    Ok(Judged::new(name, version, results, started.elapsed()))
}

async fn set_up(ground: &Ground, subject: &Subject) -> Result<(String, String, Stage), Error> {
    match subject {
        Subject::Target(target) => {
            let version = target::version(target, &ground.search)?;
            let pinned = &target.version.pinned;
            if version != *pinned {
                tracing::warn!(
                    "{} is {version}; its deviations were seen with {pinned}",
                    target.name
                );
            }
            let stage = Stage::start(target, ground);
            Ok((target.name.clone(), version, stage.await?))
        }
        Subject::Running {
            proxy,
            op_timeout_ms,
            allow_destructive,
        } => {
            let nodes = match &ground.nodes {
                Source::Process | Source::Docker { .. } => &[][..],
                Source::External(nodes) => nodes,
            };
            let stage = Stage::attach(
                *proxy,
                nodes,
                *op_timeout_ms,
                *allow_destructive,
                ground.seed,
            );
            Ok((proxy.to_string(), "unknown".to_owned(), stage.await?))
        }
    }
}
