//! Failures that a busy machine may have caused: a thread of the suite, the proxy or a node had no processor for long.
//!
//! Such a case is judged again. It fails if it never passes, so that a promise that is always broken is found on any machine.

use std::collections::BTreeMap;
use std::time::Duration;

use testbed::class::Class;
use testbed::scheduling;

use crate::verdict::Verdict;

/// How often a case is judged at most.
pub(super) const ATTEMPTS: usize = 3;

/// How long each thread had waited for a processor when a case began.
pub(super) struct Waits(BTreeMap<u32, Duration>);

impl Waits {
    pub(super) fn begin() -> Self {
        Self(scheduling::waits())
    }

    /// The longest time that a thread has waited since.
    pub(super) fn longest(&self) -> Duration {
        let waited = |(thread, wait): (u32, Duration)| {
            wait.saturating_sub(self.0.get(&thread).copied().unwrap_or_default())
        };
        let waits = scheduling::waits().into_iter().map(waited);
        waits.max().unwrap_or_default()
    }
}

/// Whether a wait of a thread may explain the verdict: an untrue answer, or a wrong node that was asked, never is.
pub(super) fn is_spoiled(verdict: &Verdict, waited: Duration, op_timeout: Duration) -> bool {
    let Verdict::Fail(evidence) = verdict else {
        return false;
    };
    let by_time = match evidence.class {
        Class::Refused | Class::Closed | Class::Partial | Class::Hung => true,
        Class::Correct | Class::Misrouted | Class::Wrong => false,
    };
    by_time && waited > op_timeout / 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Evidence;

    #[test]
    fn only_failures_that_waiting_explains_are_spoiled() {
        let failed = |class| {
            Verdict::Fail(Evidence {
                class,
                at: String::new(),
                expected: String::new(),
                got: String::new(),
                transcript: Vec::new(),
            })
        };
        let [short, long, op_timeout] = [50, 51, 200].map(Duration::from_millis);
        for (verdict, expected) in [
            (failed(Class::Refused), true),
            (failed(Class::Closed), true),
            (failed(Class::Partial), true),
            (failed(Class::Hung), true),
            (failed(Class::Misrouted), false),
            (failed(Class::Wrong), false),
            (Verdict::Pass, false),
        ] {
            assert_eq!(
                is_spoiled(&verdict, long, op_timeout),
                expected,
                "{verdict:?}"
            );
            assert!(!is_spoiled(&verdict, short, op_timeout), "{verdict:?}");
        }
    }
}
