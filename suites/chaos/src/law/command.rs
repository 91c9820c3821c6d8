//! A request as laws understand it: its effect on its keys.
//!
//! A request that is not understood exactly is [`Command::Other`], and may have done anything to any key that it names.

use testbed::wire::Arguments;

/// A request by its effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// GET.
    Get(&'a [u8]),
    /// MGET.
    Mget(&'a [Vec<u8>]),
    /// EXISTS.
    Exists(&'a [Vec<u8>]),
    /// SET without options: key and value.
    Set(&'a [u8], &'a [u8]),
    /// MSET: keys and values in turn.
    Mset(&'a [Vec<u8>]),
    /// DEL or UNLINK.
    Remove(&'a [Vec<u8>]),
    /// INCR.
    Increment(&'a [u8]),
    /// RPUSH: key and values.
    Append(&'a [u8], &'a [Vec<u8>]),
    /// LRANGE over the whole list.
    List(&'a [u8]),
    /// SCAN: cursor and options.
    Scan(&'a [u8], &'a [Vec<u8>]),
    /// WATCH.
    Watch(&'a [Vec<u8>]),
    /// MULTI.
    Multi,
    /// EXEC.
    Exec,
    /// DISCARD.
    Discard,
    /// A request without keys that changes none: PING, ECHO and the like.
    Keyless,
    /// A change of one key that no law follows: SET with options, EXPIRE and the like.
    Change(&'a [u8]),
    /// Anything else: its arguments, any of which may be a key.
    Other(&'a [Vec<u8>]),
}

impl<'a> Command<'a> {
    /// Reads a request.
    pub(super) fn of(request: &'a Arguments) -> Self {
        let Some((name, arguments)) = request.split_first() else {
            return Self::Keyless;
        };
        match (name.to_ascii_uppercase().as_slice(), arguments) {
            (b"GET", [key]) => Self::Get(key),
            (b"MGET", keys) => Self::Mget(keys),
            (b"EXISTS", keys) => Self::Exists(keys),
            (b"SET", [key, value]) => Self::Set(key, value),
            (b"SET" | b"SETEX" | b"PSETEX" | b"EXPIRE" | b"PEXPIRE" | b"INCRBY", [key, ..]) => {
                Self::Change(key)
            }
            (b"DECR" | b"APPEND" | b"LPUSH" | b"LPOP" | b"HSET" | b"SADD", [key, ..]) => {
                Self::Change(key)
            }
            (b"MSET", pairs) if pairs.len() % 2 == 0 => Self::Mset(pairs),
            (b"DEL" | b"UNLINK", keys) => Self::Remove(keys),
            (b"INCR", [key]) => Self::Increment(key),
            (b"RPUSH", [key, values @ ..]) => Self::Append(key, values),
            (b"LRANGE", [key, from, to]) if from == b"0" && to == b"-1" => Self::List(key),
            (b"SCAN", [cursor, options @ ..]) => Self::Scan(cursor, options),
            (b"WATCH", keys) => Self::Watch(keys),
            (b"MULTI", []) => Self::Multi,
            (b"EXEC", []) => Self::Exec,
            (b"DISCARD", []) => Self::Discard,
            (b"UNWATCH" | b"PING" | b"ECHO" | b"TIME", _) => Self::Keyless,
            (b"HELLO" | b"AUTH" | b"CLIENT" | b"COMMAND" | b"INFO", _) => Self::Keyless,
            _ => Self::Other(arguments),
        }
    }

    /// Every key that it names, or may name.
    pub(super) fn keys(&self) -> Vec<&'a [u8]> {
        let all = |keys: &'a [Vec<u8>]| keys.iter().map(Vec::as_slice).collect();
        match self {
            Self::Get(key)
            | Self::Set(key, _)
            | Self::Increment(key)
            | Self::Append(key, _)
            | Self::List(key)
            | Self::Change(key) => vec![key],
            Self::Mset(pairs) => pairs.iter().step_by(2).map(Vec::as_slice).collect(),
            Self::Mget(keys)
            | Self::Exists(keys)
            | Self::Watch(keys)
            | Self::Remove(keys)
            | Self::Other(keys) => all(keys),
            Self::Scan(..) | Self::Multi | Self::Exec | Self::Discard | Self::Keyless => Vec::new(),
        }
    }

    /// Whether it changes no key.
    pub(super) fn reads(&self) -> bool {
        match self {
            Self::Get(_)
            | Self::Mget(_)
            | Self::Exists(_)
            | Self::Watch(_)
            | Self::List(_)
            | Self::Scan(..)
            | Self::Keyless => true,
            Self::Set(..)
            | Self::Mset(_)
            | Self::Remove(_)
            | Self::Increment(_)
            | Self::Append(..)
            | Self::Multi
            | Self::Exec
            | Self::Discard
            | Self::Change(_)
            | Self::Other(_) => false,
        }
    }

    /// The values that it writes, by key.
    pub(super) fn writes(&self) -> Vec<(&'a [u8], &'a [u8])> {
        match self {
            Self::Set(key, value) => vec![(key, value)],
            Self::Mset(pairs) => {
                let pair = |pair: &'a [Vec<u8>]| (pair[0].as_slice(), pair[1].as_slice());
                pairs.chunks_exact(2).map(pair).collect()
            }
            _ => Vec::new(),
        }
    }
}
