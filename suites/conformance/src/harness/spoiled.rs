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

/// Whether time may explain the verdict: never an untrue answer, or a wrong node that was asked.
pub(super) fn is_by_time(verdict: &Verdict) -> bool {
    let Verdict::Fail(evidence) = verdict else {
        return false;
    };
    match evidence.class {
        Class::Refused | Class::Closed | Class::Partial | Class::Hung => true,
        Class::Correct | Class::Misrouted | Class::Wrong => false,
    }
}

/// Whether a wait for a processor is long enough to explain a request that was not answered in time.
pub(super) fn is_long(waited: Duration, op_timeout: Duration) -> bool {
    waited > op_timeout / 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Evidence;

    #[test]
    fn only_failures_by_time_are_spoiled() {
        let failed = |class| {
            Verdict::Fail(Evidence {
                class,
                at: String::new(),
                expected: String::new(),
                got: String::new(),
                transcript: Vec::new(),
                keys: BTreeMap::new(),
                log: Vec::new(),
            })
        };
        for (verdict, expected) in [
            (failed(Class::Refused), true),
            (failed(Class::Closed), true),
            (failed(Class::Partial), true),
            (failed(Class::Hung), true),
            (failed(Class::Misrouted), false),
            (failed(Class::Wrong), false),
            (Verdict::Pass, false),
        ] {
            assert_eq!(is_by_time(&verdict), expected, "{verdict:?}");
        }
    }

    #[test]
    fn a_wait_of_more_than_a_quarter_of_the_time_limit_is_long() {
        let [short, long, op_timeout] = [50, 51, 200].map(Duration::from_millis);
        assert!(!is_long(short, op_timeout));
        assert!(is_long(long, op_timeout));
    }
}
