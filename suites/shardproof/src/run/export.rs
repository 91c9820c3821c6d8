//! A case out of a chaos run that broke a law: written with the replies of one plain Redis, and kept only if it fails on
//! the same target in every one of several runs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chaos::law::{Law, Level, Verdict as LawVerdict};
use chaos::observed::Observed;
use conformance::verdict::Verdict;
use conformance::{Case, Harness};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::cluster;
use testbed::node::{Node, Process};
use testbed::targets::Target;
use testbed::wire::Value;

use super::{Error, RunOptions};
use crate::export::{Act, Draft, Header, Reach, Refusal};

/// How often a case has to fail.
pub const CASE_RUNS: usize = 3;

/// A violation as a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// The text of a case that fails in every run.
    Case(String),
    /// Why there is none.
    None(String),
}

/// A case for the violation of `law` in a run on `target`. `source` is the path and the id of its file; `needs` and
/// `notes` are those of its header.
///
/// # Errors
/// The suite could not run the case.
pub async fn export(
    options: &RunOptions,
    target: &Target,
    (observed, law): (&Observed, &dyn Law),
    source: (&str, &str),
    (needs, notes): (&[String], &[String]),
) -> Result<Exported, Error> {
    let evidence = match evidence(observed, law) {
        Ok(evidence) => evidence,
        Err(why) => return Ok(Exported::None(why.to_string())),
    };
    let header = Header {
        promise: law.promise(),
        spec: law.source(),
        optional: law.level() == Level::Should,
        needs,
        notes,
    };
    let mut harness = Harness::start(target, options).await?;
    let exporting = Exporting {
        options,
        observed,
        law,
        evidence,
        source,
        header,
    };
    let exported = exporting.export(&mut harness).await;
    harness.finish().await?;
    exported
}

struct Exporting<'a> {
    options: &'a RunOptions,
    observed: &'a Observed,
    law: &'a dyn Law,
    evidence: Vec<usize>,
    source: (&'a str, &'a str),
    header: Header<'a>,
}

impl Exporting<'_> {
    /// The case with the fewest requests that fails in every run.
    async fn export(&self, harness: &mut Harness) -> Result<Exported, Error> {
        let mut why = String::new();
        let mut tried = Vec::new();
        let both = |reach| Act::ALL.map(|act| (reach, act));
        for form in Reach::ALL.into_iter().flat_map(both) {
            let draft = match Draft::new(self.observed, &self.evidence, form) {
                Ok(draft) if tried.contains(&draft) => continue,
                Ok(draft) => draft,
                Err(refusal) => return Ok(Exported::None(refusal.to_string())),
            };
            let said = on_one_redis(self.options, &draft).await?;
            let (case, text) = match draft.case(self.source, &self.header, &said) {
                Ok(case) => case,
                Err(refusal) => return Ok(Exported::None(refusal.to_string())),
            };
            match fails(harness, &case, self.law).await {
                Ok(()) => return Ok(Exported::Case(text)),
                Err(other) => why = other,
            }
            tried.push(draft);
        }
        Ok(Exported::None(why))
    }
}

/// The requests that prove the violation.
fn evidence(observed: &Observed, law: &dyn Law) -> Result<Vec<usize>, Refusal> {
    if law.classes().is_empty() {
        return Err(Refusal::NotInReplies(law.id()));
    }
    match law.judge(observed) {
        LawVerdict::Broken(violation) => Ok(violation.records),
        _ => Err(Refusal::NoRequest),
    }
}

/// The replies of one plain Redis, each request sent after the reply to the one before.
async fn on_one_redis(options: &RunOptions, draft: &Draft) -> Result<Vec<Value>, Error> {
    let unreachable =
        |why: testbed::client::Error| conformance::Error::Oracle(format!("plain Redis: {why}"));
    let redis = Process::start(&options.search);
    let redis = redis.await.map_err(cluster::Error::from)?;
    let mut clients = BTreeMap::new();
    let mut said = Vec::new();
    for (number, request) in draft.requests() {
        let client = match clients.entry(number) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let client = Client::connect(redis.addr(), NODE_DEADLINE).await;
                entry.insert(client.map_err(unreachable)?)
            }
        };
        said.push(
            client
                .call(&request, NODE_DEADLINE)
                .await
                .map_err(unreachable)?,
        );
    }
    Ok(said.split_off(draft.prepared()))
}

/// Whether the case fails in every run as a violation of the law does. An error is why it does not.
async fn fails(harness: &mut Harness, case: &Case, law: &dyn Law) -> Result<(), String> {
    for run in 1..=CASE_RUNS {
        match harness.judge(case).await.verdict {
            Verdict::Fail(evidence) if law.classes().contains(&evidence.class) => {}
            Verdict::Fail(evidence) => {
                let (class, expected, got) =
                    (evidence.class.name(), evidence.expected, evidence.got);
                return Err(format!(
                    "its case fails as {class}: expected {expected}, got {got}"
                ));
            }
            Verdict::Pass if run == 1 => {
                return Err(
                    "the same requests alone pass: the failure needs the scenario's timing"
                        .to_owned(),
                );
            }
            Verdict::Pass => {
                return Err(
                    "its case fails in some runs only: the failure needs the scenario's timing"
                        .to_owned(),
                );
            }
            Verdict::Skip { reason } => return Err(format!("its case is skipped: {reason}")),
            Verdict::Unknown { why } => return Err(format!("its case is unknown: {why}")),
        }
    }
    Ok(())
}
