//! Forecast of the outcome of each key for a fault during a rescale, from the nodes of the key before and after.
//!
//! Pure. The nodes of a key are given: measured, or computed by the caller from the policy.

use super::report::Predicted;
use crate::ledger::KeyOutcome;
use testbed::fault::{Effect, Fault};

/// The forecast outcomes of each key, in the order of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Read back in the changed cluster, while the fault lasts.
    pub during: Vec<KeyOutcome>,
    /// Whether another write in the changed cluster is acknowledged while the fault lasts.
    pub rewritten: Vec<bool>,
    /// The outcome after the fault: one of these. More than one if the write was not acknowledged, because such a write
    /// may have happened anyway, and may still happen.
    pub after: Vec<&'static [KeyOutcome]>,
}

/// The forecast for a fault of the node at index `node`, which begins before the change and ends after the second
/// write. None if the effect of the fault is not certain: delayed or cut bytes may arrive in time.
#[must_use]
pub fn forecast(placed: &Predicted, node: usize, fault: &Fault) -> Option<Forecast> {
    let row = fault.row();
    let service = Service {
        node,
        reads: match row.effect {
            Effect::Delay | Effect::Cut | Effect::Partial | Effect::Nothing => return None,
            Effect::Close | Effect::Silence => false,
            Effect::RefuseWrites => true,
        },
        keeps_data: row.keeps_data,
    };
    let keys = || {
        placed
            .before
            .iter()
            .copied()
            .zip(placed.after.iter().copied())
    };
    Some(Forecast {
        during: keys()
            .map(|(before, after)| service.during(before, after))
            .collect(),
        rewritten: keys().map(|(_, after)| after != node).collect(),
        after: keys()
            .map(|(before, after)| service.healed(before, after))
            .collect(),
    })
}

/// The remaining service of a node with a fault. It never accepts writes.
struct Service {
    node: usize,
    reads: bool,
    keeps_data: bool,
}

impl Service {
    fn during(&self, before: usize, after: usize) -> KeyOutcome {
        if after == self.node && !self.reads {
            // Its node does not serve. "Not there" would be wrong.
            KeyOutcome::Failed
        } else if after == before {
            KeyOutcome::Found
        } else if before == self.node && !self.keeps_data {
            KeyOutcome::Lost
        } else {
            KeyOutcome::Unreachable
        }
    }

    fn healed(&self, before: usize, after: usize) -> &'static [KeyOutcome] {
        if after != self.node {
            // Written again while the fault lasted, on a node that served.
            &[KeyOutcome::Found]
        } else if before != self.node {
            // The old copy is on a node that is not asked; the new one may have been written.
            &[KeyOutcome::Unreachable, KeyOutcome::Found]
        } else if self.keeps_data {
            // The old value, or the new one: either is the last that was acknowledged or a later one.
            &[KeyOutcome::Found]
        } else {
            &[KeyOutcome::Lost, KeyOutcome::Found]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Forecast, KeyOutcome, Predicted, forecast};

    /// Keys that stay or move, with the faulted node 1 as the old node, the new one, both and neither.
    fn placed() -> Predicted {
        Predicted {
            before: vec![0, 0, 1, 1, 0],
            after: vec![0, 3, 1, 3, 1],
        }
    }

    fn forecast_of(fault: &str) -> Option<Forecast> {
        forecast(&placed(), 1, &fault.parse().unwrap())
    }

    #[test]
    fn a_node_that_refuses_writes_is_read() {
        let forecast = forecast_of("readonly").unwrap();
        let expected = [
            KeyOutcome::Found,
            KeyOutcome::Unreachable,
            KeyOutcome::Found,
            KeyOutcome::Unreachable,
            KeyOutcome::Unreachable,
        ];
        assert_eq!(forecast.during, expected);
        assert_eq!(forecast.rewritten, [true, true, false, true, false]);
        assert_eq!(
            forecast.after[4],
            [KeyOutcome::Unreachable, KeyOutcome::Found]
        );
    }

    #[test]
    fn a_delay_that_may_end_in_time_is_not_forecast() {
        assert_eq!(forecast_of("latency 5s"), None);
        assert_eq!(forecast_of("limit_data 0B"), None);
    }

    #[test]
    fn a_node_that_keeps_its_data_loses_nothing() {
        let expected = Forecast {
            during: vec![
                KeyOutcome::Found,
                KeyOutcome::Unreachable,
                KeyOutcome::Failed,
                KeyOutcome::Unreachable,
                KeyOutcome::Failed,
            ],
            rewritten: vec![true, true, false, true, false],
            after: vec![
                &[KeyOutcome::Found],
                &[KeyOutcome::Found],
                &[KeyOutcome::Found],
                &[KeyOutcome::Found],
                &[KeyOutcome::Unreachable, KeyOutcome::Found],
            ],
        };
        for fault in ["pause", "down", "hold", "reset_peer", "timeout"] {
            assert_eq!(forecast_of(fault), Some(expected.clone()), "{fault}");
        }
    }

    #[test]
    fn a_killed_node_loses_keys_that_were_not_written_again() {
        let forecast = forecast_of("kill").unwrap();
        assert_eq!(
            forecast.during[2..4],
            [KeyOutcome::Failed, KeyOutcome::Lost]
        );
        assert_eq!(forecast.after[2], [KeyOutcome::Lost, KeyOutcome::Found]);
        assert_eq!(forecast.after[3], [KeyOutcome::Found]);
    }
}
