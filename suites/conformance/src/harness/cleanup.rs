//! After a case or a run: evidence, a silent or disturbed proxy, and cleanup.

use std::time::Duration;

use super::{Error, Harness, Stopped};
use crate::cases::case::Case;
use crate::harness::canary::{self, Canary};
use crate::harness::deadlines::After;
use crate::harness::names::Names;
use crate::verdict::{Class, Direction, Evidence, Line};

impl Harness {
    /// Why no more cases are judged, if so: the state of the proxy, and what its operator should do.
    #[must_use]
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_ref().map(|stopped| stopped.why.as_str())
    }

    /// Remembers what a case showed about the proxy, and stops if no more cases can be judged.
    pub(crate) fn note(
        &mut self,
        case: &Case,
        after: After,
        restored: &Result<Option<String>, Error>,
    ) {
        let stopped = |case: &str, why: String| Stopped {
            case: case.to_owned(),
            why,
        };
        match restored {
            Ok(restarted) => {
                self.deadlines.heard();
                // Latency alone proves nothing: connections to nodes must be lost and opened again.
                if after == After::Broken || case.loses_connections() {
                    self.deadlines.recovered(restarted.is_none());
                }
            }
            Err(Error::Disturbed(why)) => self.stopped = Some(stopped(&case.id, why.clone())),
            Err(Error::Unsettled(why)) => {
                if let Some(first) = self.deadlines.silence(&case.id) {
                    let why = format!(
                        "the proxy stopped answering in {first}, and serves no new connection after {}: {why}",
                        case.id
                    );
                    self.stopped = Some(stopped(&case.id, why));
                }
            }
            Err(_) => {}
        }
    }

    /// Writes the keys that are read after every case, through a foreign proxy.
    pub(crate) async fn establish_canary(&mut self) -> Result<(), Error> {
        let nodes = self.environment.nodes.len();
        self.fill(1).await?;
        let keys: Vec<Vec<u8>> = match nodes {
            0 => (0..canary::KEYS).map(|_| self.pool.fresh()).collect(),
            _ => (0..nodes).filter_map(|node| self.pool.take(node)).collect(),
        };
        let value = format!("{}canary", self.environment.prefix).into_bytes();
        let within = self.within();
        match Canary::establish(self.environment.proxy, keys, value, within).await {
            Ok(canary) => self.canary = Some(canary),
            Err(reading) => tracing::warn!(
                "the proxy does not keep a key ({}), so disturbed clients cannot be detected",
                reading.shown()
            ),
        }
        Ok(())
    }
}

/// The promise was kept, and the proxy was not the same afterwards.
pub(crate) fn left_behind(
    case: &Case,
    (transcript, names): (Vec<Line>, &Names),
    why: String,
) -> Evidence {
    let last = case.steps.last().map_or(0, |step| step.line);
    let evidence = Evidence {
        class: Class::Hung,
        at: format!("{}:{last}", case.path),
        expected: "the proxy serves every node again".to_owned(),
        got: why.clone(),
        transcript,
        keys: names.keys(),
        log: Vec::new(),
    };
    with(evidence, &why)
}

/// The evidence with the events after the case.
pub(crate) fn with(mut evidence: Evidence, text: &str) -> Evidence {
    let at = evidence.transcript.last();
    evidence.transcript.push(Line {
        at: at.map_or(Duration::ZERO, |line| line.at),
        party: "proxy".to_owned(),
        way: Direction::Event,
        text: text.to_owned(),
    });
    evidence
}
