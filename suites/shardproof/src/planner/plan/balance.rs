//! Balance of keys over nodes.

use schemars::JsonSchema;
use serde::Serialize;
use statrs::function::gamma::checked_gamma_ur;

use crate::planner::{Cluster, Health, Placement};

/// How evenly keys are distributed, compared with the weights of the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Balance {
    /// Keys on the fullest node, as a multiple of its even share; 1 is even.
    pub max_over_mean: f64,
    /// Pearson's chi-square statistic of the counts.
    pub chi_square: f64,
    /// Degrees of freedom: number of nodes that should have keys, minus one.
    pub degrees: usize,
    /// Probability of counts at least as uneven if keys were placed at random, by weight.
    pub p_value: f64,
}

/// The balance of `counts` against the `expected` shares, 1 in all. Nodes that should have none are left out.
pub(in crate::planner) fn balance(counts: &[u64], expected: &[f64]) -> Balance {
    let keys: u64 = counts.iter().sum();
    let nodes = || {
        counts
            .iter()
            .zip(expected)
            .filter(|(_, share)| **share > 0.0)
    };
    let mut max_over_mean: f64 = 0.0;
    let mut chi_square = 0.0;
    for (count, share) in nodes().filter(|_| keys > 0) {
        let expected = share * keys as f64;
        let count = *count as f64;
        max_over_mean = max_over_mean.max(count / expected);
        chi_square += (count - expected).powi(2) / expected;
    }
    let degrees = nodes().count().saturating_sub(1);
    let p_value = match degrees {
        0 => 1.0,
        degrees => checked_gamma_ur(degrees as f64 / 2.0, chi_square / 2.0).unwrap_or(1.0),
    };
    Balance {
        max_over_mean,
        chi_square,
        degrees,
        p_value,
    }
}

/// The expected share of each node: its part of the weights, or its part of the table if weights do not decide alone.
pub(super) fn expected(cluster: &Cluster, placement: &Placement) -> Vec<f64> {
    let plain = cluster.nodes.iter().all(|node| {
        node.health == Health::Healthy
            && node.priority == 0
            && node.locality.is_none()
            && node.slots.is_empty()
    });
    if !plain {
        return placement.shares();
    }
    let weights = || cluster.nodes.iter().map(|node| f64::from(node.weight));
    let sum: f64 = weights().sum();
    weights().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::balance;

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-3, "{found} is not {expected}");
    }

    /// The p-values are those of a table of the distribution.
    #[test]
    fn counts_are_held_against_their_shares() {
        let third = [1.0 / 3.0; 3];
        let even = balance(&[100, 100, 100], &third);
        near(even.max_over_mean, 1.0);
        near(even.p_value, 1.0);

        let uneven = balance(&[130, 85, 85], &third);
        near(uneven.max_over_mean, 1.3);
        near(uneven.chi_square, 13.5);
        assert_eq!(uneven.degrees, 2);
        near(uneven.p_value, 0.00117);

        // 3.841 is the 95 % quantile of one degree.
        let edge = balance(&[1098, 902], &[0.5, 0.5]);
        near(edge.chi_square, 19.208);
        let two = balance(&[531, 469], &[0.5, 0.5]);
        near(two.chi_square, 3.844);
        near(two.p_value, 0.0499);
    }

    #[test]
    fn weights_and_empty_nodes_are_reckoned_with() {
        let weighted = balance(&[200, 100, 0], &[2.0 / 3.0, 1.0 / 3.0, 0.0]);
        near(weighted.max_over_mean, 1.0);
        assert_eq!(weighted.degrees, 1);
        let nothing = balance(&[0, 0], &[0.5, 0.5]);
        assert_eq!((nothing.max_over_mean, nothing.chi_square), (0.0, 0.0));
        assert_eq!(balance(&[5], &[1.0]).p_value, 1.0);
    }
}
