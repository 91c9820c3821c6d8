//! How the values of one field of all nodes become one, according to the field's [`Way`](super::fields::Way).

use super::fields::{
    self,
    Way::{Alike, Human, Least, Limit, Most, OneServer, Peak, Ratio, Sum, Unless, Version},
};
use super::own::{Facts, own};
use super::tally::{is_tally, tally};
use super::text::NodeInfo;

/// The values of a field, one unless its name repeats; empty if they cannot express the nodes' values. `all` is true if
/// every node has answered.
pub(super) fn values(name: &str, infos: &[&NodeInfo<'_>], all: bool, facts: &Facts) -> Vec<String> {
    if let Some(own) = own(name, facts) {
        return vec![own];
    }
    if let ([only], true) = (infos, all) {
        let values = only.values(name).iter();
        return values.map(|value| (*value).to_owned()).collect();
    }
    let each: Vec<&str> = infos.iter().filter_map(|info| info.value(name)).collect();
    let one = match fields::way(name) {
        Some(Sum) => all.then(|| added(&each)).flatten(),
        Some(Most) => most(&each, |one, other| one > other),
        Some(Least) => most(&each, |one, other| one < other),
        Some(Human(field)) => {
            let bytes = values(field, infos, all, facts).pop();
            bytes.and_then(|bytes| human(bytes.parse().ok()?))
        }
        Some(Alike) => return alike(name, infos),
        Some(Version) => (each.len() == infos.len()).then(|| lowest(&each)).flatten(),
        Some(Limit) => all.then(|| limit(&each)).flatten(),
        Some(Unless(word)) => {
            let other = each.iter().find(|value| **value != word);
            other.or(each.first()).map(|value| (*value).to_owned())
        }
        Some(Ratio | Peak | OneServer) => None,
        None if is_tally(name) => all.then(|| tally(name, &each)).flatten(),
        None if infos.iter().any(|info| info.values(name).len() > 1) => return alike(name, infos),
        None => {
            let mut words = alike(name, infos);
            words.retain(|value| !value.contains(|at: char| at.is_ascii_digit()));
            return words;
        }
    };
    one.into_iter().collect()
}

/// The values that all nodes have, in the order of the first.
fn alike(name: &str, infos: &[&NodeInfo<'_>]) -> Vec<String> {
    let Some((first, others)) = infos.split_first() else {
        return Vec::new();
    };
    let everywhere = |value: &&&str| others.iter().all(|info| info.values(name).contains(value));
    let values = first.values(name).iter().filter(everywhere);
    values.map(|value| (*value).to_owned()).collect()
}

/// The lowest version, number by number.
fn lowest(versions: &[&str]) -> Option<String> {
    let numbers = |version: &&str| -> Vec<u64> {
        let parts = version.split('.').map(|part| {
            let rest = part.trim_start_matches(|at: char| at.is_ascii_digit());
            part[..part.len() - rest.len()].parse().unwrap_or(0)
        });
        parts.collect()
    };
    let lowest = versions.iter().min_by_key(|version| numbers(version));
    lowest.map(|version| (*version).to_owned())
}

fn limit(values: &[&str]) -> Option<String> {
    match values.contains(&"0") {
        true => Some("0".to_owned()),
        false => added(values),
    }
}

/// The sum, with as many decimal places as the values have.
fn added(values: &[&str]) -> Option<String> {
    let whole: Option<Vec<i64>> = values.iter().map(|value| value.parse().ok()).collect();
    if let Some(whole) = whole {
        let sum = whole.into_iter().try_fold(0_i64, i64::checked_add)?;
        return Some(sum.to_string());
    }
    let places = values.iter().filter_map(|value| value.split_once('.'));
    let places = places.map(|(_, behind)| behind.len()).max()?;
    let parts: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
    Some(format!("{:.places$}", parts?.iter().sum::<f64>()))
}

fn most(values: &[&str], wins: impl Fn(i64, i64) -> bool) -> Option<String> {
    let numbers: Option<Vec<i64>> = values.iter().map(|value| value.parse().ok()).collect();
    let better = |one, other| if wins(other, one) { other } else { one };
    Some(numbers?.into_iter().reduce(better)?.to_string())
}

/// Source: Redis 7.0 `src/util.c`, `bytesToHuman`.
fn human(bytes: u64) -> Option<String> {
    let units = [(40, 'T'), (30, 'G'), (20, 'M'), (10, 'K')];
    let unit = units.iter().find(|(shift, _)| bytes >> shift > 0);
    Some(match unit {
        None => format!("{bytes}B"),
        Some((shift, letter)) => format!("{:.2}{letter}", bytes as f64 / (1_u64 << shift) as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_are_written_as_by_redis() {
        assert_eq!(human(1000).unwrap(), "1000B");
        assert_eq!(human(916_320).unwrap(), "894.84K");
        assert_eq!(human(25_276_502_016).unwrap(), "23.54G");
    }
}
