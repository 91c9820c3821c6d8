//! Collects the number of judgements and the earliest violation of a law, and turns both into a verdict.

use super::{Verdict, Violation};

/// Records in the evidence of one violation.
const SHOWN_RECORDS: usize = 12;

/// The findings of a law so far.
#[derive(Default)]
pub(super) struct Findings {
    judged: usize,
    broken: usize,
    first: Option<(u64, Violation)>,
}

impl Findings {
    /// Counts one more judgement.
    pub(super) fn judge(&mut self) {
        self.judge_all(1);
    }

    /// More things were judged.
    pub(super) fn judge_all(&mut self, judged: usize) {
        self.judged += judged;
    }

    /// Adds a violation. The earliest is shown.
    pub(super) fn broken(
        &mut self,
        at: u64,
        records: impl IntoIterator<Item = usize>,
        sentence: impl FnOnce() -> String,
    ) {
        self.broken += 1;
        if self.first.as_ref().is_some_and(|(first, _)| *first <= at) {
            return;
        }
        let mut records: Vec<usize> = records.into_iter().collect();
        records.sort_unstable();
        records.dedup();
        records.truncate(SHOWN_RECORDS);
        let violation = Violation {
            sentence: sentence(),
            records,
            count: 0,
        };
        self.first = Some((at, violation));
    }

    /// The verdict: `what` names what the law judged, `missing` what the run lacks if it judged nothing.
    pub(super) fn verdict(self, what: &str, missing: &str) -> Verdict {
        match self.first {
            Some((_, violation)) => Verdict::Broken(Violation {
                count: self.broken,
                ..violation
            }),
            None if self.judged == 0 => Verdict::Unknown {
                missing: missing.to_owned(),
            },
            None => Verdict::Kept {
                judged: self.judged,
                evidence: format!("{} {what}", self.judged),
            },
        }
    }
}
