//! A value as its dump with its expiry time, read from one node and restored on another.

use super::Error;
use super::connection::{Connection, Request};
use testbed::wire::Value;

/// Two computed times of expiry that differ by no more are the same.
const SLACK_MS: u64 = 20;

/// How a source reports the expiry of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// PEXPIRETIME, since Redis 7.0.
    Absolute,
    /// TIME and, asked after it, PTTL: early by the time between them, never late.
    Computed,
}

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) dump: Vec<u8>,
    /// Milliseconds since 1970; 0 is never.
    pub(super) expires_ms: u64,
}

/// The reply of the right node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Placed {
    /// It has taken the key from us.
    Restored,
    /// It has a value of its own.
    Busy,
    /// It has a value of its own that is another one, and such copies are spared.
    Spared,
    /// It does not take it.
    Refused(String),
    /// The key was gone.
    Gone,
}

impl Placed {
    /// Whether the right node has the key, so that the source may delete it.
    pub(super) fn is_confirmed(&self) -> bool {
        matches!(self, Self::Restored | Self::Busy)
    }
}

impl Taken {
    /// Whether it equals the one taken before, with the same time of expiry.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.dump == other.dump && self.expires_ms.abs_diff(other.expires_ms) <= SLACK_MS
    }
}

impl Expiry {
    /// How the node at the end of `source` reports it.
    pub(super) async fn of(source: &mut Connection) -> Result<Self, Error> {
        // An empty key is a key as good as any to ask with.
        let answer = source.ask(&[b"PEXPIRETIME", b""]).await?;
        let is_known = matches!(answer, Value::Integer(_));
        Ok(if is_known {
            Self::Absolute
        } else {
            Self::Computed
        })
    }
}

/// Watches the keys on `source` and dumps their values.
pub(super) async fn take(
    source: &mut Connection,
    expiry: Expiry,
    keys: &[&[u8]],
) -> Result<Vec<Option<Taken>>, Error> {
    let mut requests: Vec<Request<'_>> = vec![[&[&b"WATCH"[..]], keys].concat()];
    for key in keys {
        match expiry {
            Expiry::Absolute => requests.push(vec![b"PEXPIRETIME", key]),
            Expiry::Computed => requests.extend([vec![&b"TIME"[..]], vec![b"PTTL", key]]),
        }
        requests.push(vec![b"DUMP", key]);
    }
    let mut replies = source.ask_all(&requests).await?.into_iter();
    let watched = replies.next().unwrap_or(Value::NullBulk);
    if watched != Value::Simple(b"OK".to_vec()) {
        return Err(source.unexpected("WATCH", &watched));
    }
    let mut taken = Vec::with_capacity(keys.len());
    while let Some(first) = replies.next() {
        let expires_ms = match expiry {
            Expiry::Absolute => absolute(&first),
            Expiry::Computed => computed(&first, replies.next().as_ref()),
        };
        let expires_ms = expires_ms.ok_or_else(|| source.unexpected("PTTL", &first))?;
        taken.push(match replies.next() {
            Some(Value::Bulk(dump)) => Some(Taken { dump, expires_ms }),
            Some(Value::NullBulk) => None,
            other => {
                let other = other.unwrap_or(Value::NullArray);
                return Err(source.unexpected("DUMP", &other));
            }
        });
    }
    Ok(taken)
}

/// Restores values with their times of expiry, without REPLACE.
pub(super) async fn restore(
    target: &mut Connection,
    given: &[(&[u8], &Taken)],
) -> Result<Vec<Placed>, Error> {
    let times: Vec<String> = given
        .iter()
        .map(|(_, taken)| taken.expires_ms.to_string())
        .collect();
    let requests: Vec<Request<'_>> = given
        .iter()
        .zip(&times)
        .map(|((key, taken), time)| {
            vec![
                &b"RESTORE"[..],
                key,
                time.as_bytes(),
                &taken.dump,
                b"ABSTTL",
            ]
        })
        .collect();
    let mut placed = Vec::with_capacity(given.len());
    for answer in target.ask_all(&requests).await? {
        placed.push(match answer {
            Value::Simple(ok) if ok == b"OK" => Placed::Restored,
            Value::Error(text) if text.starts_with(b"BUSYKEY") => Placed::Busy,
            Value::Error(text) => Placed::Refused(String::from_utf8_lossy(&text).into_owned()),
            other => return Err(target.unexpected("RESTORE", &other)),
        });
    }
    Ok(placed)
}

/// PEXPIRETIME's reply: -1 is never. A key that is gone by now has no dump either.
fn absolute(reply: &Value) -> Option<u64> {
    match reply {
        Value::Integer(at) => Some(u64::try_from(*at).unwrap_or(0)),
        _ => None,
    }
}

/// TIME's and PTTL's replies: seconds and microseconds, and milliseconds from then on.
fn computed(time: &Value, ttl: Option<&Value>) -> Option<u64> {
    let (Value::Array(time), Some(Value::Integer(ttl))) = (time, ttl) else {
        return None;
    };
    let Ok(ttl) = u64::try_from(*ttl) else {
        return Some(0);
    };
    let number = |part: &Value| match part {
        Value::Bulk(digits) => std::str::from_utf8(digits).ok()?.parse::<u64>().ok(),
        _ => None,
    };
    let [seconds, micros] = time.as_slice() else {
        return None;
    };
    Some(number(seconds)? * 1000 + number(micros)? / 1000 + ttl)
}

#[cfg(test)]
mod tests {
    use super::{Value, absolute, computed};

    #[test]
    fn the_time_of_expiry_is_read_or_computed() {
        assert_eq!(
            absolute(&Value::Integer(1_700_000_000_123)),
            Some(1_700_000_000_123)
        );
        assert_eq!(absolute(&Value::Integer(-1)), Some(0));
        assert_eq!(absolute(&Value::NullBulk), None);
        let time = Value::Array(vec![
            Value::Bulk(b"1700000000".to_vec()),
            Value::Bulk(b"123999".to_vec()),
        ]);
        let at = |ttl| computed(&time, Some(&Value::Integer(ttl)));
        assert_eq!(at(5), Some(1_700_000_000_128));
        assert_eq!(at(-1), Some(0));
        assert_eq!(computed(&time, None), None);
    }
}
