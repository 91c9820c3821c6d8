//! How well keys are spread: figures over counts a node and over the nodes of keys in a row.

use schemars::JsonSchema;
use serde::Serialize;

/// Pearson's test of counts against the shares that were expected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ChiSquare {
    /// The sum of squared differences over what was expected.
    pub statistic: f64,
    /// Degrees of freedom: the number of shares above 0, less one.
    pub degrees: usize,
    /// How often chance alone spreads at least as unevenly, from 0 to 1.
    pub p: f64,
}

/// Tests `counts` against `shares`, which add up to 1. A share of 0 is left out, unless something was counted there: then
/// chance does not explain it, and `p` is 0.
#[must_use]
pub fn chi_square(counts: &[u64], shares: &[f64]) -> ChiSquare {
    let all: u64 = counts.iter().sum();
    let mut statistic = 0.0;
    let mut cells = 0_usize;
    for (count, share) in counts.iter().zip(shares) {
        let expected = share * all as f64;
        if expected > 0.0 {
            statistic += (*count as f64 - expected).powi(2) / expected;
            cells += 1;
        } else if *count > 0 {
            statistic = f64::INFINITY;
        }
    }
    let degrees = cells.saturating_sub(1);
    let p = if statistic.is_infinite() {
        0.0
    } else if degrees == 0 {
        1.0
    } else {
        upper_gamma(degrees as f64 / 2.0, statistic / 2.0)
    };
    ChiSquare {
        statistic,
        degrees,
        p,
    }
}

/// The fullest node over what its share should bring it; 1 is even, and where all shares are the same this is the maximum over
/// the mean. 1 too where nothing was counted.
#[must_use]
pub fn fullest(counts: &[u64], shares: &[f64]) -> f64 {
    let all: u64 = counts.iter().sum();
    if all == 0 {
        return 1.0;
    }
    counts
        .iter()
        .zip(shares)
        .filter(|(_, share)| **share > 0.0)
        .map(|(count, share)| *count as f64 / (share * all as f64))
        .fold(0.0, f64::max)
}

/// The longest run of equal places: where it begins and how long it is. The first of several.
#[must_use]
pub fn longest_run(places: &[usize]) -> (usize, usize) {
    let (mut begin, mut longest) = (0, (0, 0));
    for (index, place) in places.iter().enumerate() {
        if *place != places[begin] {
            begin = index;
        }
        let length = index + 1 - begin;
        if length > longest.1 {
            longest = (begin, length);
        }
    }
    longest
}

/// The mean share of each group that lies on the group's fullest place: 1 where all of a group lie together. `None`
/// without a group.
#[must_use]
pub fn concentration(groups: &[Vec<usize>]) -> Option<f64> {
    let fullest = |group: &Vec<usize>| {
        let most = group
            .iter()
            .map(|place| group.iter().filter(|other| *other == place).count())
            .max()?;
        Some(most as f64 / group.len() as f64)
    };
    let shares: Vec<f64> = groups.iter().filter_map(fullest).collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

/// More terms than a 64-bit float can tell apart at any number of nodes that is met.
const TERMS_MAX: u32 = 10_000;

/// The regularised upper incomplete gamma function Q(a, x), by its series below a + 1 and by its continued fraction above.
///
/// Source: Abramowitz and Stegun, 6.5.29 and 6.5.31.
fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..TERMS_MAX {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return (1.0 - scale * sum).clamp(0.0, 1.0);
    }
    // Lentz's way through the fraction, from its front.
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut value = d;
    for n in 1..TERMS_MAX {
        let n = f64::from(n);
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        value *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (scale * value).clamp(0.0, 1.0)
}

/// The logarithm of the gamma function above 0: Stirling's series, after shifting the argument to where it is exact.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square)
        / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::{chi_square, concentration, fullest, longest_run, upper_gamma};

    /// The 5 % and 1 ‰ points of the tables that every textbook has.
    #[test]
    fn the_tables_of_textbooks() {
        for (degrees, statistic, p) in [
            (1, 3.841_459, 0.05),
            (2, 5.991_465, 0.05),
            (3, 7.814_728, 0.05),
            (10, 18.307_04, 0.05),
            (100, 124.342_1, 0.05),
            (1, 10.827_57, 0.001),
            (9, 27.877_16, 0.001),
            (4, 0.710_723, 0.95),
        ] {
            let computed = upper_gamma(f64::from(degrees) / 2.0, statistic / 2.0);
            assert!(
                (computed - p).abs() < 1e-6,
                "{degrees} degrees, {statistic}: {computed}, expected {p}"
            );
        }
    }

    #[test]
    fn counts_against_shares() {
        let even = chi_square(&[10, 10, 10], &[1.0 / 3.0; 3]);
        assert!((even.p - 1.0).abs() < 1e-9 && even.degrees == 2, "{even:?}");
        // Two degrees: p is exp(-statistic / 2).
        let skewed = chi_square(&[20, 5, 5], &[1.0 / 3.0; 3]);
        assert!((skewed.statistic - 15.0).abs() < 1e-9, "{skewed:?}");
        assert!((skewed.p - (-7.5_f64).exp()).abs() < 1e-12, "{skewed:?}");
        assert!(chi_square(&[600, 400], &[0.6, 0.4]).p > 0.999);
        assert!(chi_square(&[600, 400], &[0.5, 0.5]).p < 1e-9);
        assert_eq!(
            chi_square(&[5, 0], &[1.0, 0.0]).p.to_bits(),
            1.0_f64.to_bits()
        );
        assert_eq!(
            chi_square(&[5, 1], &[1.0, 0.0]).p.to_bits(),
            0.0_f64.to_bits()
        );
    }

    #[test]
    fn runs_and_fullest_nodes() {
        assert_eq!(longest_run(&[]), (0, 0));
        assert_eq!(longest_run(&[1, 1, 2, 2, 2, 1, 2, 2, 2]), (2, 3));
        assert!((fullest(&[30, 0, 0], &[1.0 / 3.0; 3]) - 3.0).abs() < 1e-12);
        assert!((fullest(&[30, 60], &[0.25, 0.75]) - 4.0 / 3.0).abs() < 1e-12);
        assert!((fullest(&[], &[]) - 1.0).abs() < 1e-12);
        assert_eq!(concentration(&[]), None);
        assert_eq!(
            concentration(&[vec![1, 1, 1, 1], vec![0, 0, 1, 2]]),
            Some(0.75)
        );
    }
}
