//! How long the suite waits for a proxy that has stopped answering.
//!
//! The deadline shrinks only after a case that hung and a proxy that did not serve afterwards, and is back at its full
//! length with the first answer. Never a verdict: a failure under a short deadline is confirmed before it counts.

use std::time::Duration;

/// Cases in a row after which a proxy has stopped answering.
const CASES: usize = 3;
/// Cases in a row that a proxy did not recover from. After these the deadline shrinks.
const UNRECOVERED: usize = 2;
/// Shortest time for one reply.
const REPLY_WITHIN_MIN: Duration = Duration::from_millis(500);
/// How long a proxy may take after a case until it serves every node again.
pub(crate) const SETTLED_WITHIN: Duration = Duration::from_secs(5);
/// The same for a proxy that has not done so after several cases.
const SETTLED_WITHIN_MIN: Duration = Duration::from_secs(1);

/// The state of a proxy before a request, which decides how long its reply may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// A case without faults that went well.
    Calm,
    /// A case with faults.
    Faults,
    /// A case that did not go well.
    Broken,
}

/// The results of the last cases.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    /// Cases in a row that hung and left a proxy that does not serve, by their ids.
    silent: Vec<String>,
    /// Cases in a row, with faults or broken, after which the proxy served only when it was started again.
    unrecovered: usize,
}

impl Deadlines {
    /// The longest time for one reply, if it is shorter than usual.
    pub(crate) fn reply_within(&self, op_timeout: Duration) -> Option<Duration> {
        (!self.silent.is_empty()).then(|| op_timeout.max(REPLY_WITHIN_MIN))
    }

    /// Whether deadlines have their full length.
    pub(crate) fn is_full(&self) -> bool {
        self.silent.is_empty()
    }

    /// How long a proxy may take until it serves again, and whether that is long enough for a verdict.
    pub(crate) fn settled_within(&self, after: After) -> (Duration, bool) {
        match self.silent.is_empty() && self.unrecovered < UNRECOVERED {
            true => (SETTLED_WITHIN, true),
            // The case has its verdict: one look decides whether the proxy is started again.
            false if after == After::Broken => (Duration::ZERO, false),
            false => (SETTLED_WITHIN_MIN, false),
        }
    }

    /// The proxy serves after a case.
    pub(crate) fn heard(&mut self) {
        self.silent.clear();
    }

    /// Whether it recovered from faults or lost connections by itself, or only by a restart.
    pub(crate) fn recovered(&mut self, by_itself: bool) {
        match by_itself {
            true => self.unrecovered = 0,
            false => self.unrecovered += 1,
        }
    }

    /// A case hung, and the proxy does not serve on new connections. The first of the cases in a row, when the proxy is
    /// given up.
    pub(crate) fn silence(&mut self, case: &str) -> Option<&str> {
        // A case that is judged again counts once.
        if self.silent.last().is_none_or(|last| last != case) {
            self.silent.push(case.to_owned());
        }
        let first = self.silent.first().filter(|_| self.silent.len() >= CASES);
        first.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OP_TIMEOUT: Duration = Duration::from_millis(1000);

    #[test]
    fn only_silence_shortens_a_deadline_and_an_answer_restores_it() {
        let mut patience = Deadlines::default();
        assert_eq!(patience.reply_within(OP_TIMEOUT), None);
        assert_eq!(
            patience.settled_within(After::Faults),
            (SETTLED_WITHIN, true)
        );
        assert_eq!(patience.silence("a/a"), None);
        assert_eq!(patience.reply_within(OP_TIMEOUT), Some(OP_TIMEOUT));
        assert_eq!(
            patience.settled_within(After::Faults),
            (SETTLED_WITHIN_MIN, false)
        );
        patience.heard();
        assert_eq!(patience.reply_within(OP_TIMEOUT), None);
        assert_eq!(
            patience.settled_within(After::Faults),
            (SETTLED_WITHIN, true)
        );
    }

    #[test]
    fn three_silent_cases_in_a_row_end_a_run_at_the_first_of_them() {
        let mut patience = Deadlines::default();
        assert_eq!(patience.silence("a/a"), None);
        assert_eq!(patience.silence("a/b"), None);
        patience.heard();
        for _ in 0..CASES {
            assert_eq!(patience.silence("a/c"), None);
        }
        assert_eq!(patience.silence("a/d"), None);
        assert_eq!(patience.silence("a/e"), Some("a/c"));
    }

    #[test]
    fn a_proxy_that_recovers_is_waited_for_again() {
        let mut patience = Deadlines::default();
        patience.recovered(false);
        assert!(patience.settled_within(After::Faults).1);
        patience.recovered(false);
        assert!(!patience.settled_within(After::Faults).1);
        assert_eq!(patience.settled_within(After::Broken).0, Duration::ZERO);
        patience.recovered(true);
        assert!(patience.settled_within(After::Faults).1);
    }
}
