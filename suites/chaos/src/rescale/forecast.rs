//! What a fault during a rescale must come to for each key, from where the key lies before and after.
//!
//! Pure. Where a key lies is given: measured, or computed by whoever knows the policy.

use super::fault::NodeFault;
use super::report::Predicted;
use crate::ledger::Fate;

/// What becomes of each key, in the order of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Read back in the changed cluster, while the fault lasts.
    pub during: Vec<Fate>,
    /// Whether another write in the changed cluster is acknowledged while the fault lasts.
    pub rewritten: Vec<bool>,
    /// Read back when the fault is over: one of these. More than one where the write was not acknowledged, because such
    /// a write may have happened all the same, and may still happen.
    pub after: Vec<&'static [Fate]>,
}

/// The forecast for a fault of the node at place `node`, which begins before the change and ends after the rewriting.
#[must_use]
pub fn forecast(placed: &Predicted, node: usize, fault: NodeFault) -> Forecast {
    let keys = || {
        placed
            .before
            .iter()
            .copied()
            .zip(placed.after.iter().copied())
    };
    Forecast {
        during: keys()
            .map(|(before, after)| during(before, after, node, fault))
            .collect(),
        rewritten: keys().map(|(_, after)| after != node).collect(),
        after: keys()
            .map(|(before, after)| healed(before, after, node, fault))
            .collect(),
    }
}

fn during(before: usize, after: usize, node: usize, fault: NodeFault) -> Fate {
    if after == node {
        // Its node does not serve. "Not there" would be a lie.
        Fate::Failed
    } else if after == before {
        Fate::Found
    } else if before == node && !fault.keeps_data() {
        Fate::Lost
    } else {
        Fate::Unreachable
    }
}

fn healed(before: usize, after: usize, node: usize, fault: NodeFault) -> &'static [Fate] {
    if after != node {
        // Written again while the fault lasted, on a node that served.
        &[Fate::Found]
    } else if before != node {
        // The old copy lies where nobody asks; the new one may have been written.
        &[Fate::Unreachable, Fate::Found]
    } else if fault.keeps_data() {
        // The old value, or the new one: either is the last that was acknowledged or a later one.
        &[Fate::Found]
    } else {
        &[Fate::Lost, Fate::Found]
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, Forecast, NodeFault, Predicted, forecast};

    /// Keys that stay and move, with the faulted node 1 as the old one, the new one, both and neither.
    fn placed() -> Predicted {
        Predicted {
            before: vec![0, 0, 1, 1, 0],
            after: vec![0, 3, 1, 3, 1],
        }
    }

    #[test]
    fn a_node_that_keeps_its_data_loses_nothing() {
        let expected = Forecast {
            during: vec![
                Fate::Found,
                Fate::Unreachable,
                Fate::Failed,
                Fate::Unreachable,
                Fate::Failed,
            ],
            rewritten: vec![true, true, false, true, false],
            after: vec![
                &[Fate::Found],
                &[Fate::Found],
                &[Fate::Found],
                &[Fate::Found],
                &[Fate::Unreachable, Fate::Found],
            ],
        };
        assert_eq!(forecast(&placed(), 1, NodeFault::Paused), expected);
        assert_eq!(forecast(&placed(), 1, NodeFault::LinkDown), expected);
    }

    #[test]
    fn a_killed_node_loses_what_was_not_written_again() {
        let forecast = forecast(&placed(), 1, NodeFault::Killed);
        assert_eq!(forecast.during[2..4], [Fate::Failed, Fate::Lost]);
        assert_eq!(forecast.after[2], [Fate::Lost, Fate::Found]);
        assert_eq!(forecast.after[3], [Fate::Found]);
    }
}
