//! Whether two nodes hold the same value under a key.
//!
//! Equal dumps mean equal values. Different dumps prove nothing for sets and hashes, whose order differs between
//! servers, nor for values that were built in different steps. Those are read and compared by content. Time to live is
//! not part of a value, and streams with different dumps count as different.
//!
//! Never reads a value that is too large: a node serves no other client while it dumps a key. Such values count as different.

use super::Error;
use super::connection::{Connection, Request};
use super::sizes::{self, KeyBytesMax};
use testbed::wire::Value;

/// Values that are compared at once: both nodes' values are in memory.
const BATCH: usize = 20;

/// Whether order counts, or how many elements belong together if it does not.
enum Order {
    Counts,
    Runs(usize),
}

/// How the values of a type are read whole.
const READS: [(&[u8], &str, &[&str], Order); 5] = [
    (b"string", "GET", &[], Order::Counts),
    (b"list", "LRANGE", &["0", "-1"], Order::Counts),
    (b"zset", "ZRANGE", &["0", "-1", "WITHSCORES"], Order::Counts),
    (b"set", "SMEMBERS", &[], Order::Runs(1)),
    (b"hash", "HGETALL", &[], Order::Runs(2)),
];

/// For each key whether its values are the same `here` and `there`; `None` if one of them is gone.
pub(super) async fn same(
    here: &mut Connection,
    there: &mut Connection,
    keys: &[&[u8]],
    key_bytes_max: KeyBytesMax,
) -> Result<Vec<Option<bool>>, Error> {
    let sizes = sizes::of(here, keys).await?.into_iter();
    let sizes: Vec<_> = sizes.zip(sizes::of(there, keys).await?).collect();
    let large = |at: usize| {
        let (here, there) = sizes[at];
        key_bytes_max.is_exceeded_by(here) || key_bytes_max.is_exceeded_by(there)
    };
    let mut same = vec![Some(false); keys.len()];
    let small: Vec<usize> = (0..keys.len()).filter(|at| !large(*at)).collect();
    for batch in small.chunks(BATCH) {
        let names: Vec<&[u8]> = batch.iter().map(|at| keys[*at]).collect();
        let pairs = dumps(here, &names).await?.into_iter();
        let pairs = pairs.zip(dumps(there, &names).await?);
        for (at, pair) in batch.iter().zip(pairs) {
            same[*at] = match pair {
                (Some(here), Some(there)) if here == there => Some(true),
                (Some(_), Some(_)) => same_by_meaning(here, there, keys[*at]).await?,
                _ => None,
            };
        }
    }
    Ok(same)
}

async fn dumps(node: &mut Connection, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, Error> {
    let requests: Vec<Request<'_>> = keys.iter().map(|key| vec![&b"DUMP"[..], key]).collect();
    let mut dumps = Vec::with_capacity(keys.len());
    for answer in node.ask_all(&requests).await? {
        match answer {
            Value::Bulk(dump) => dumps.push(Some(dump)),
            Value::NullBulk => dumps.push(None),
            other => return Err(node.unexpected("DUMP", &other)),
        }
    }
    Ok(dumps)
}

async fn same_by_meaning(
    here: &mut Connection,
    there: &mut Connection,
    key: &[u8],
) -> Result<Option<bool>, Error> {
    let kinds = (kind(here, key).await?, kind(there, key).await?);
    if kinds.0 == b"none" || kinds.1 == b"none" {
        return Ok(None);
    }
    let read = READS.iter().find(|(known, ..)| *known == kinds.0);
    let Some((_, command, words, order)) = read.filter(|_| kinds.0 == kinds.1) else {
        return Ok(Some(false));
    };
    let mut request: Request<'_> = vec![command.as_bytes(), key];
    request.extend(words.iter().map(|word| word.as_bytes()));
    let here = here.ask(&request).await?;
    let there = there.ask(&request).await?;
    Ok(Some(meaning(here, order) == meaning(there, order)))
}

async fn kind(node: &mut Connection, key: &[u8]) -> Result<Vec<u8>, Error> {
    match node.ask(&[b"TYPE", key]).await? {
        Value::Simple(kind) => Ok(kind),
        other => Err(node.unexpected("TYPE", &other)),
    }
}

/// The elements in runs that belong together, sorted if their order does not count.
fn meaning(value: Value, order: &Order) -> Vec<Vec<Vec<u8>>> {
    let elements = match value {
        Value::Array(elements) => elements,
        single => vec![single],
    };
    let bytes: Vec<Vec<u8>> = elements
        .into_iter()
        .map(|element| match element {
            Value::Bulk(bytes) => bytes,
            other => other.to_string().into_bytes(),
        })
        .collect();
    match order {
        Order::Counts => vec![bytes],
        Order::Runs(length) => {
            let mut runs: Vec<Vec<Vec<u8>>> = bytes.chunks(*length).map(<[_]>::to_vec).collect();
            runs.sort();
            runs
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, Value, meaning};

    #[track_caller]
    fn check(order: &Order, here: &str, there: &str, same: bool) {
        let value = |text: &str| {
            let words = text.split(' ');
            Value::Array(words.map(|word| Value::Bulk(word.into())).collect())
        };
        let equal = meaning(value(here), order) == meaning(value(there), order);
        assert_eq!(equal, same, "{here} and {there}");
    }

    #[test]
    fn order_counts_where_it_is_part_of_the_value() {
        check(&Order::Counts, "a b", "a b", true);
        check(&Order::Counts, "a b", "b a", false);
        check(&Order::Runs(1), "a b", "b a", true);
        check(&Order::Runs(1), "a b", "a c", false);
        check(&Order::Runs(2), "f 1 g 2", "g 2 f 1", true);
        check(&Order::Runs(2), "f 1 g 2", "f 2 g 1", false);
    }
}
