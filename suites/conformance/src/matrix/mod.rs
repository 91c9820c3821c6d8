//! The command matrix: every command of Redis on a proxy over nodes, and on one plain Redis with the same data.
//!
//! Judged from outside: by the replies to the client, and by the data on the nodes afterwards.

mod report;
mod sheet;
mod trial;

use super::harness::Error;
use crate::oracle::{Oracle, Place};
use crate::verdict::{Class, Evidence};
use testbed::cluster::RunOptions;
use testbed::targets::Target;

pub use crate::oracle::Comparison;
pub use report::{CLASSES, Cell, Column, Matrix};
pub use sheet::{Request, Row, Trial, load};

/// Result of one command on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The worst outcome of its calls. Refusals of some of the calls, and of keys on several nodes, do not count.
    pub class: Class,
    /// Number of calls, by keys on one node and on several.
    pub calls: usize,
    /// Number of refused calls.
    pub refused: usize,
    /// The same of the calls with all keys on one node alone.
    pub together: Class,
    /// Whether one of those was refused that the plain Redis does, or refuses with another code.
    pub refuses_together: bool,
    /// Both sides of the worst, unless all is well.
    pub evidence: Option<Evidence>,
}

/// Judges commands one after the other.
pub struct Judge {
    target: Target,
    options: RunOptions,
    oracle: Option<Oracle>,
}

impl Judge {
    /// A judge over a target.
    #[must_use]
    pub fn new(target: &Target, options: &RunOptions) -> Self {
        Self {
            target: target.clone(),
            options: options.clone(),
            oracle: None,
        }
    }

    /// Name and version of the servers, as `redis 7.0.15`.
    ///
    /// # Errors
    /// Why the suite could not judge.
    pub async fn server(&mut self) -> Result<String, Error> {
        self.ready().await?.server().await
    }

    /// Judges a command by its row; `None` if the plain Redis does not support it, so that there is no reply to compare
    /// with.
    ///
    /// # Errors
    /// Why the suite could not judge. Never a verdict.
    pub async fn judge(&mut self, row: &Row) -> Result<Option<Finding>, Error> {
        if !self.ready().await?.knows(&row.command).await? {
            return Ok(None);
        }
        let mut seen = Vec::new();
        for place in [Place::Together, Place::Apart] {
            if place == Place::Apart && !row.crosses() {
                continue;
            }
            for trial in &row.trials {
                let oracle = self.ready().await?;
                let tried = trial::run(oracle, row, trial, place).await;
                if self.is_spoilt(row, tried.as_ref().ok()).await {
                    self.oracle = None;
                }
                seen.push((place, tried?));
            }
        }
        Ok(Some(weigh(seen)))
    }

    async fn ready(&mut self) -> Result<&mut Oracle, Error> {
        let open = match self.oracle.take() {
            Some(open) => open,
            None => Oracle::start(&self.target, &self.options, self.target.op_timeout_ms).await?,
        };
        Ok(self.oracle.insert(open))
    }

    /// Whether the servers cannot be used any more. A command that a target refused does not change them.
    async fn is_spoilt(&mut self, row: &Row, tried: Option<&TrialOutcome>) -> bool {
        let Some(oracle) = &mut self.oracle else {
            return false;
        };
        let harmless = tried.is_some_and(|tried| tried.class == Class::Refused);
        if row.dangerous && oracle.replace_plain().await.is_err() {
            return true;
        }
        tried.is_none() || (row.dangerous && !harmless) || !oracle.clean().await
    }
}

/// One trial at one place.
#[derive(Debug)]
struct TrialOutcome {
    class: Class,
    /// The plain Redis answers an error too, with the same code and another text.
    in_other_words: bool,
    evidence: Option<Evidence>,
}

fn weigh(seen: Vec<(Place, TrialOutcome)>) -> Finding {
    let calls = seen.len();
    let is_refused = |tried: &TrialOutcome| tried.class == Class::Refused;
    let refused = seen.iter().filter(|(_, tried)| is_refused(tried)).count();
    let together = || seen.iter().filter(|(place, _)| *place == Place::Together);
    let never_answered = together().all(|(_, tried)| is_refused(tried));
    let counts = |tried: &TrialOutcome| never_answered || !is_refused(tried);
    let worst_together = together()
        .map(|(_, tried)| tried)
        .filter(|tried| counts(tried))
        .max_by_key(|tried| tried.class);
    let refuses_together = together().any(|(_, tried)| is_refused(tried) && !tried.in_other_words);
    let together = worst_together.map_or(Class::Correct, |tried| tried.class);
    let worst = seen
        .into_iter()
        .map(|(_, tried)| tried)
        .filter(|tried| counts(tried))
        .max_by_key(|tried| tried.class);
    let (class, evidence) = worst.map_or((Class::Correct, None), |tried| {
        (tried.class, tried.evidence)
    });
    Finding {
        class,
        calls,
        refused,
        together,
        refuses_together,
        evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, TrialOutcome, weigh};
    use crate::oracle::Place::{self, Apart, Together};
    use crate::verdict::Class::{self, Closed, Correct, Refused, Wrong};

    #[track_caller]
    fn check(seen: &[(Place, Class)], class: Class, refused: usize, together: Class) {
        let tried = |(place, class): &(Place, Class)| {
            let (class, evidence) = (*class, None);
            let in_other_words = false;
            let tried = TrialOutcome {
                class,
                in_other_words,
                evidence,
            };
            (*place, tried)
        };
        let expected = Finding {
            class,
            calls: seen.len(),
            refused,
            together,
            refuses_together: seen.contains(&(Together, Refused)),
            evidence: None,
        };
        assert_eq!(weigh(seen.iter().map(tried).collect()), expected);
    }

    #[test]
    fn refusing_keys_of_several_nodes_is_right() {
        check(
            &[(Together, Correct), (Apart, Refused)],
            Correct,
            1,
            Correct,
        );
        check(
            &[(Together, Refused), (Apart, Refused)],
            Refused,
            2,
            Refused,
        );
        check(
            &[(Together, Refused), (Together, Correct)],
            Correct,
            1,
            Correct,
        );
        check(&[(Together, Correct), (Apart, Wrong)], Wrong, 0, Correct);
        check(&[(Together, Refused), (Apart, Closed)], Closed, 1, Refused);
    }
}
