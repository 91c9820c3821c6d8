//! The command matrix: every command of Redis on a proxy over nodes, and on one plain Redis with the same data.
//!
//! Judged from outside: by the replies to the client, and by the data on the nodes afterwards.

mod report;
mod running;
mod sheet;
mod trial;

use super::harness::Error;
use crate::oracle::{Oracle, Place};
use crate::verdict::{Class, Evidence};
use testbed::cluster::RunOptions;
use testbed::targets::Target;

pub use crate::oracle::{Comparison, RunningProxy};
pub(crate) use report::by_reason;
pub use report::{CLASSES, Cell, Column, Matrix, Skipped};
pub use running::{Obstacle, by_risk};
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

/// The judgement of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It was compared.
    Found(Finding),
    /// The plain Redis does not support it, so that there is no reply to compare with.
    Unknown,
    /// It was not sent to the proxy, with the reason.
    Skipped(String),
}

/// The proxy whose commands are judged.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A proxy that the suite starts over nodes of its own.
    Target(Box<Target>),
    /// A proxy that already runs.
    Running(RunningProxy),
}

impl Subject {
    /// Why a command is not sent to the proxy.
    #[must_use]
    pub fn obstacle(&self, row: &Row) -> Option<Obstacle> {
        match self {
            Self::Target(_) => None,
            Self::Running(running) => running::obstacle(row, running),
        }
    }

    /// Whether the proxy can be given keys of several nodes at once.
    pub(crate) fn has_several_nodes(&self) -> bool {
        match self {
            Self::Target(_) => true,
            Self::Running(running) => running.nodes.len() > 1,
        }
    }
}

/// Judges commands one after the other.
pub struct Judge {
    subject: Subject,
    options: RunOptions,
    oracle: Option<Oracle>,
    /// Why no more commands can be judged on a proxy that the suite did not start.
    stopped: Option<Error>,
}

impl Judge {
    /// A judge over a target.
    #[must_use]
    pub fn new(target: &Target, options: &RunOptions) -> Self {
        Self::of(Subject::Target(Box::new(target.clone())), options)
    }

    /// A judge over a proxy.
    #[must_use]
    pub fn of(subject: Subject, options: &RunOptions) -> Self {
        Self {
            subject,
            options: options.clone(),
            oracle: None,
            stopped: None,
        }
    }

    /// Name and version of the plain Redis, as `redis 7.0.15`.
    ///
    /// # Errors
    /// Why the suite could not judge.
    pub async fn server(&mut self) -> Result<String, Error> {
        self.ready().await?.server().await
    }

    /// Name and version of the nodes if others run them. None if no node is known.
    ///
    /// # Errors
    /// Why the suite could not judge.
    pub async fn foreign_server(&mut self) -> Result<Option<String>, Error> {
        Ok(self.ready().await?.foreign_server().await)
    }

    /// Judges a command by its row.
    ///
    /// # Errors
    /// Why the suite could not judge, or can judge no more. Never a verdict.
    pub async fn judge(&mut self, row: &Row) -> Result<Judged, Error> {
        if let Some(why) = self.stopped.take() {
            return Err(why);
        }
        if let Some(obstacle) = self.subject.obstacle(row) {
            return Ok(Judged::Skipped(obstacle.to_string()));
        }
        if !self.ready().await?.knows(&row.command).await? {
            return Ok(Judged::Unknown);
        }
        let mut seen = Vec::new();
        for place in [Place::Together, Place::Apart] {
            if place == Place::Apart && !(row.crosses() && self.subject.has_several_nodes()) {
                continue;
            }
            for trial in &row.trials {
                let oracle = self.ready().await?;
                let tried = trial::run(oracle, row, trial, place).await;
                self.clear(row, tried.as_ref().ok()).await;
                match (tried, &self.subject) {
                    (Ok(tried), _) => seen.push((place, tried)),
                    (Err(why @ Error::Given { .. }), Subject::Running(_)) => {
                        return Ok(Judged::Skipped(why.to_string()));
                    }
                    (Err(why), _) => return Err(why),
                }
                if self.stopped.is_some() {
                    return Ok(Judged::Found(weigh(seen)));
                }
            }
        }
        Ok(Judged::Found(weigh(seen)))
    }

    /// Removes all remaining keys from a proxy that the suite did not start.
    ///
    /// # Errors
    /// Why nothing could be judged after the last command, or keys could not be removed.
    pub async fn finish(self) -> Result<(), Error> {
        if let Some(why) = self.stopped {
            return Err(why);
        }
        match self.oracle {
            Some(oracle) => oracle.finish().await,
            None => Ok(()),
        }
    }

    async fn ready(&mut self) -> Result<&mut Oracle, Error> {
        let open = match (self.oracle.take(), &self.subject) {
            (Some(open), _) => open,
            (None, Subject::Target(target)) => {
                Oracle::start(target, &self.options, target.op_timeout_ms).await?
            }
            (None, Subject::Running(running)) => Oracle::attach(running, &self.options).await?,
        };
        Ok(self.oracle.insert(open))
    }

    /// Clears the servers for the next call. Servers of our own that cannot be used any more are replaced.
    async fn clear(&mut self, row: &Row, tried: Option<&TrialOutcome>) {
        match self.subject {
            Subject::Target(_) => {
                if self.is_spoilt(row, tried).await {
                    self.oracle = None;
                }
            }
            Subject::Running(_) => self.stopped = self.restore(row).await.err(),
        }
    }

    async fn restore(&mut self, row: &Row) -> Result<(), Error> {
        let Some(oracle) = &mut self.oracle else {
            return Ok(());
        };
        if row.dangerous {
            oracle.replace_plain().await?;
        }
        let destructive = running::is_destructive(row);
        oracle.restore(&row.command, destructive).await
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
