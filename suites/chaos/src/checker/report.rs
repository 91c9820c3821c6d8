//! The report on the registers of a history: how many are linearizable, and the violations.

use schemars::JsonSchema;
use serde::Serialize;

use super::explanation::{Explanation, Reason};
use super::options::{Method, Options};
use super::registers::registers;
use super::verdict::{Checked, Verdict};
use crate::history::{Completion, History, Record, escaped, settle};

/// The format of the JSON report.
const FORMAT: &str = "shardproof.check-history/1";

/// Whether the registers of one history are linearizable, with session order.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// `shardproof.check-history/1`
    pub format: &'static str,
    /// The target.
    pub target: String,
    /// The scenario.
    pub scenario: String,
    /// Seed that repeats the run, in hexadecimal digits.
    pub seed: String,
    /// Requests in the history.
    pub requests: usize,
    /// Indefinite requests that were decided by what the nodes saw.
    pub decided: usize,
    /// Indefinite requests that may have been executed or not.
    pub indefinite: usize,
    /// Keys that are used as registers.
    pub registers: usize,
    /// Operations on them, without those that were certainly not executed.
    pub operations: usize,
    /// Linearizable registers.
    pub linearizable: Linearizable,
    /// Registers that are not.
    pub violations: Vec<Violation>,
    /// Registers that could not be judged.
    pub unknown: Vec<Unknown>,
}

/// Linearizable registers by what decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Linearizable {
    /// The order in which the node was asked explains every reply.
    pub by_witness: usize,
    /// The reads determine an order of the writes.
    pub by_clusters: usize,
    /// A search found an order.
    pub by_search: usize,
}

/// A register that is not linearizable.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Violation {
    /// The key. Bytes that are not UTF-8 are written as `\xNN`, a backslash as `\\`.
    pub key: String,
    /// The violated condition.
    pub reason: Reason,
    /// In `records`, the request that cannot be placed among the others.
    pub culprit: usize,
    /// A small set of requests that no order explains, in the order in which they were sent.
    pub records: Vec<Record>,
    /// All of it, in a few lines.
    pub text: String,
}

/// A register that could not be judged.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Unknown {
    /// The key, written as in violations.
    pub key: String,
    /// What the judgement lacks.
    pub why: String,
}

impl Report {
    /// Decides what the nodes can decide, and checks every register.
    #[must_use]
    pub fn new(history: History, options: Options) -> Self {
        let before = indefinite(&history);
        let history = settle(history);
        let mut report = Self::empty(&history);
        report.indefinite = indefinite(&history);
        report.decided = before - report.indefinite;
        for checked in registers(&history, options) {
            report.add(checked, &history);
        }
        report
    }

    fn empty(history: &History) -> Self {
        let header = &history.header;
        Self {
            format: FORMAT,
            target: header.target.clone(),
            scenario: header.scenario.clone(),
            seed: header.seed.clone(),
            requests: history.records.len(),
            decided: 0,
            indefinite: 0,
            registers: 0,
            operations: 0,
            linearizable: Linearizable::default(),
            violations: Vec::new(),
            unknown: Vec::new(),
        }
    }

    fn add(&mut self, checked: Checked, history: &History) {
        self.registers += 1;
        self.operations += checked.operations;
        let key = escaped(&checked.key);
        match checked.verdict {
            Verdict::Linearizable => *self.linearizable.count(checked.method) += 1,
            Verdict::Violation(explanation) => {
                self.violations
                    .push(Violation::new(key, explanation, history));
            }
            Verdict::Unknown(why) => self.unknown.push(Unknown { key, why }),
        }
    }
}

fn indefinite(history: &History) -> usize {
    let records = history.records.iter();
    let indefinite = records.filter(|record| record.completion == Completion::Indefinite);
    indefinite.count()
}

impl Linearizable {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> usize {
        self.by_witness + self.by_clusters + self.by_search
    }

    fn count(&mut self, method: Option<Method>) -> &mut usize {
        match method {
            Some(Method::Witness) => &mut self.by_witness,
            Some(Method::Clusters) => &mut self.by_clusters,
            Some(Method::Search) | None => &mut self.by_search,
        }
    }
}

impl Violation {
    fn new(key: String, explanation: Explanation, history: &History) -> Self {
        let mut places = explanation.records.iter();
        let culprit = places.position(|record| *record == explanation.culprit);
        let records = explanation.records.iter();
        Self {
            key,
            reason: explanation.reason,
            culprit: culprit.unwrap_or(0),
            records: records
                .map(|record| history.records[*record].clone())
                .collect(),
            text: explanation.text,
        }
    }
}
