//! Weights that agree with how many keys each node got.

/// The greatest weight that is tried.
pub(super) const WEIGHT_MAX: u32 = 10;
/// How many standard deviations a count may be off.
const SIGMAS: f64 = 4.0;

/// Vectors of weights from 1 to 10 without a common divisor that agree with `counts`, those of the smallest sum first,
/// at most `limit`. Equal weights are not among them. `points` is how many points a ring has, whose uneven gaps add
/// randomness; infinite if shares equal weights.
pub(super) fn vectors(counts: &[u64], points: f64, limit: usize) -> Vec<Vec<u32>> {
    let nodes = counts.len() as u32;
    let all: u64 = counts.iter().sum();
    let mut found = Vec::new();
    for sum in nodes + 1..=nodes * WEIGHT_MAX {
        let possible: Vec<Vec<u32>> = counts
            .iter()
            .map(|count| possible(*count, all, sum, points))
            .collect();
        extend(&possible, sum, &mut Vec::new(), limit, &mut found);
        if found.len() >= limit {
            break;
        }
    }
    found
}

/// The closest vectors to `counts`, one per sum, without multiples of another.
pub(super) fn rounded(counts: &[u64]) -> Vec<Vec<u32>> {
    let all: u64 = counts.iter().sum();
    let nodes = counts.len() as u32;
    let mut found: Vec<Vec<u32>> = Vec::new();
    for sum in nodes + 1..=nodes * WEIGHT_MAX {
        let near = |count: &u64| {
            let weight = (*count as f64 * f64::from(sum) / all as f64).round();
            weight.clamp(1.0, f64::from(WEIGHT_MAX)) as u32
        };
        let weights: Vec<u32> = counts.iter().map(near).collect();
        if divisor(&weights) == 1
            && weights.iter().any(|weight| *weight > 1)
            && !found.contains(&weights)
        {
            found.push(weights);
        }
    }
    found
}

/// The weights out of `sum` that agree with one count.
fn possible(count: u64, all: u64, sum: u32, points: f64) -> Vec<u32> {
    let seen = count as f64 / all as f64;
    let agrees = |weight: &u32| {
        let share = f64::from(*weight) / f64::from(sum);
        let variance = share * (1.0 - share) * (1.0 / all as f64 + 1.0 / points);
        (seen - share).abs() <= SIGMAS * variance.sqrt()
    };
    (1..=WEIGHT_MAX).filter(agrees).collect()
}

/// Every way to take one of each list so that they add up to `left`.
fn extend(
    possible: &[Vec<u32>],
    left: u32,
    taken: &mut Vec<u32>,
    limit: usize,
    found: &mut Vec<Vec<u32>>,
) {
    let Some((next, rest)) = possible.split_first() else {
        if left == 0 && divisor(taken) == 1 {
            found.push(taken.clone());
        }
        return;
    };
    let least: u32 = rest.iter().filter_map(|list| list.first()).sum();
    let most: u32 = rest.iter().filter_map(|list| list.last()).sum();
    for weight in next {
        if found.len() >= limit {
            return;
        }
        if *weight + least <= left && left <= *weight + most {
            taken.push(*weight);
            extend(rest, left - weight, taken, limit, found);
            taken.pop();
        }
    }
}

/// The greatest common divisor.
pub(super) fn divisor(weights: &[u32]) -> u32 {
    let gcd = |mut a: u32, mut b: u32| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    weights.iter().copied().fold(0, gcd)
}

#[cfg(test)]
mod tests {
    use super::{divisor, rounded, vectors};

    #[test]
    fn the_smallest_that_agrees_comes_first() {
        let found = vectors(&[100, 200, 300], f64::INFINITY, 1000);
        assert_eq!(found[0], [1, 2, 3]);
        assert!(found.iter().all(|weights| divisor(weights) == 1));
        assert!(!found.contains(&vec![3, 2, 1]));
        let sums: Vec<u32> = found.iter().map(|weights| weights.iter().sum()).collect();
        assert!(sums.is_sorted());
    }

    #[test]
    fn counts_are_rounded_to_weights() {
        let found = rounded(&[101, 199, 300]);
        assert!(found.contains(&vec![1, 2, 3]), "{found:?}");
        assert!(!found.contains(&vec![2, 4, 6]), "{found:?}");
    }

    #[test]
    fn the_gaps_of_a_ring_leave_more() {
        let maglev = vectors(&[500, 1000], f64::INFINITY, 1000).len();
        let ring = vectors(&[500, 1000], 320.0, 1000).len();
        assert!(maglev < ring, "{maglev} {ring}");
        assert_eq!(vectors(&[500, 1000], 320.0, 3).len(), 3);
    }

    #[test]
    fn counts_that_no_weights_make_have_none() {
        assert!(vectors(&[1, 1000], f64::INFINITY, 10).is_empty());
    }
}
