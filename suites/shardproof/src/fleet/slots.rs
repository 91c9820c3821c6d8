//! The slots of a Redis Cluster, as its seeds answer CLUSTER SLOTS. Only primaries count.
//!
//! Source: Redis 7 `CLUSTER SLOTS`; Envoy 1.40 `extensions/clusters/redis/redis_cluster.cc`, which asks one seed by chance,
//! and another one if it does not answer, and refuses an answer with an empty or a missing host.

use testbed::client::cause;
use testbed::endpoint::Endpoint;
use testbed::wire::Value;

use super::Error;
use super::connection::Connection;
use crate::planner::description::SlotRange;

/// The end of a refusal by a server that is not in cluster mode.
const NO_CLUSTER: &[u8] = b"cluster support disabled";

/// The slots of a Redis Cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    /// The first seed that answered.
    pub seed: String,
    /// Its answer, in the order of slots.
    pub ranges: Vec<SlotRange>,
    /// Seeds that do not answer, each with the reason.
    pub silent: Vec<String>,
}

/// Asks every seed, each called as the proxy sees it. All that answer must answer alike, because the proxy may ask any of
/// them.
///
/// # Errors
/// No seed answers, one is not in a Redis Cluster, or two differ.
pub async fn ask(seeds: &[(String, Endpoint)]) -> Result<Slots, Error> {
    let mut found: Option<(String, Vec<SlotRange>)> = None;
    let mut silent = Vec::new();
    for (seed, addr) in seeds {
        let answer = match answer(seed, *addr).await {
            Ok(answer) => answer,
            Err(why) => {
                silent.push(why);
                continue;
            }
        };
        let ranges = ranges(&answer).map_err(|why| Error::Seed {
            seed: seed.clone(),
            why,
        })?;
        match &found {
            None => found = Some((seed.clone(), ranges)),
            Some((_, known)) if *known == ranges => {}
            Some((one, _)) => {
                return Err(Error::SeedsDiffer {
                    one: one.clone(),
                    other: seed.clone(),
                });
            }
        }
    }
    match found {
        Some((seed, ranges)) => Ok(Slots {
            seed,
            ranges,
            silent: silent.iter().map(Error::to_string).collect(),
        }),
        None => Err(silent.into_iter().next().unwrap_or_else(|| Error::Seed {
            seed: "(none)".to_owned(),
            why: "no seed is known".to_owned(),
        })),
    }
}

/// What a seed answers, or why it does not.
async fn answer(seed: &str, addr: Endpoint) -> Result<Value, Error> {
    let asking = async {
        let mut connection = Connection::open(seed, addr).await?;
        connection.ask(&[b"CLUSTER", b"SLOTS"]).await
    };
    asking.await.map_err(|error| match error {
        Error::Lost { who, why } => Error::Seed {
            seed: who,
            why: why.to_string(),
        },
        other => other,
    })
}

/// The ranges of an answer, in the order of slots.
fn ranges(answer: &Value) -> Result<Vec<SlotRange>, String> {
    let rows = match answer {
        Value::Array(rows) if !rows.is_empty() => rows,
        Value::Array(_) => return Err("no slot has an owner".to_owned()),
        Value::Error(text) if text.ends_with(NO_CLUSTER) => {
            return Err(format!("not in cluster mode: {answer}"));
        }
        other => return Err(format!("answers with {}", cause::of_answer(other))),
    };
    let mut ranges = rows.iter().map(range).collect::<Result<Vec<_>, _>>()?;
    ranges.sort();
    Ok(ranges)
}

/// `first, last, [host, port, ...], replicas...`
fn range(row: &Value) -> Result<SlotRange, String> {
    let malformed = || format!("answers with a range that cannot be read: {row}");
    let Value::Array(fields) = row else {
        return Err(malformed());
    };
    let [
        Value::Integer(first),
        Value::Integer(last),
        Value::Array(primary),
        ..,
    ] = fields.as_slice()
    else {
        return Err(malformed());
    };
    let [host, Value::Integer(port), ..] = primary.as_slice() else {
        return Err(malformed());
    };
    let slot = |number: &i64| u16::try_from(*number).map_err(|_| malformed());
    Ok(SlotRange {
        first: slot(first)?,
        last: slot(last)?,
        host: named(host).ok_or_else(|| {
            format!(
                "the owner of slots {first} to {last} has no address in its answer: \
                 cluster-announce-ip, CLUSTER MEET or cluster-preferred-endpoint-type give it one"
            )
        })?,
        port: slot(port)?,
    })
}

/// A host that is an address or a name. `?` is a name that a node has not announced.
fn named(host: &Value) -> Option<String> {
    let Value::Bulk(host) = host else {
        return None;
    };
    let host = std::str::from_utf8(host).ok()?;
    (!matches!(host, "" | "?")).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{SlotRange, Value, ranges};

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.as_bytes().to_vec())
    }

    fn row(first: i64, last: i64, host: Value, port: i64) -> Value {
        let node = |host: Value, port| {
            let id = bulk("07c37dfeb235213a872192d90877d0cd55635b91");
            Value::Array(vec![host, Value::Integer(port), id, Value::Array(vec![])])
        };
        let replica = node(bulk("10.0.0.9"), 6379);
        Value::Array(vec![
            Value::Integer(first),
            Value::Integer(last),
            node(host, port),
            replica,
        ])
    }

    #[test]
    fn the_ranges_of_primaries_are_in_the_order_of_slots() {
        let answer = Value::Array(vec![
            row(5461, 16383, bulk("10.0.0.2"), 6380),
            row(0, 5460, bulk("10.0.0.1"), 6379),
        ]);
        let range = |first, last, host: &str, port| SlotRange {
            first,
            last,
            host: host.to_owned(),
            port,
        };
        let expected = vec![
            range(0, 5460, "10.0.0.1", 6379),
            range(5461, 16383, "10.0.0.2", 6380),
        ];
        assert_eq!(ranges(&answer), Ok(expected));
    }

    #[test]
    fn other_answers_are_refused_with_the_reason() {
        let error = |text: &str| Value::Error(text.as_bytes().to_vec());
        let rows = |row: Value| Value::Array(vec![row]);
        for (answer, part) in [
            (
                error("ERR This instance has cluster support disabled"),
                "not in cluster mode",
            ),
            (
                error("NOAUTH Authentication required."),
                "a password is needed",
            ),
            (Value::Array(vec![]), "no slot has an owner"),
            (rows(row(0, 1, bulk(""), 1)), "slots 0 to 1 has no address"),
            (rows(row(0, 1, bulk("?"), 1)), "has no address"),
            (rows(row(0, 1, Value::NullBulk, 1)), "has no address"),
            (rows(row(-1, 1, bulk("a"), 1)), "cannot be read"),
            (rows(row(0, 1, bulk("a"), 65536)), "cannot be read"),
            (rows(Value::Array(vec![])), "cannot be read"),
            (Value::Integer(1), "answers with :1"),
        ] {
            let why = ranges(&answer).unwrap_err();
            assert!(why.contains(part), "{why}");
        }
    }
}
