//! Cases: their outcomes, and which of them are known.

use super::{Baseline, Outcome};
use ::conformance::report::Judged;
use ::conformance::verdict::{Result as CaseResult, Status, Verdict};

impl Outcome {
    /// The outcomes of cases. Those with a recorded deviation of the target are left out.
    #[must_use]
    pub fn of_cases(judged: &Judged) -> Vec<Self> {
        let open = judged.results.iter().filter(|result| {
            let deviates = result.deviation.as_ref().is_some_and(|it| it.row.is_none());
            !deviates || result.status() == Status::Broken
        });
        open.map(Self::of_case).collect()
    }

    fn of_case(result: &CaseResult) -> Self {
        let (failed, judged, class) = match &result.verdict {
            Verdict::Fail(found) => (1, 1, Some(found.class)),
            Verdict::Pass => (0, 1, None),
            Verdict::Skip { .. } | Verdict::Unknown { .. } => (0, 0, None),
        };
        let repeats = result.repeats.as_ref();
        let (failed, judged) = repeats.map_or((failed, judged), |it| (it.failed, it.judged));
        Self {
            case: result.case.clone(),
            failed,
            judged,
            class,
        }
    }
}

impl Baseline {
    /// Marks a result whose failure is known. A recorded deviation of the target goes first.
    pub fn mark(&self, result: &mut CaseResult) {
        let is_open = result.deviation.is_none() || result.status() == Status::Broken;
        if is_open && let Some(known) = self.known(&result.case) {
            result.deviation = Some(known);
        }
    }

    /// Marks all known failures of a target.
    pub fn mark_all(&self, judged: &mut Judged) {
        judged.results.iter_mut().for_each(|it| self.mark(it));
        judged.count();
    }
}
