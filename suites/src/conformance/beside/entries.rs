//! How two answers to COMMAND compare: what is known of each command, element by element.
//!
//! The elements are those of <https://redis.io/docs/latest/commands/command/>. Redis keeps subcommands in a hash table with
//! a seed of its own, and flags, categories and hints are sets: none of them has an order.

use super::compare::sorted;
use crate::wire::Value;

/// Flags, categories and hints.
const SETS: [usize; 3] = [2, 6, 7];
const KEY_SPECS: usize = 8;
const SUBCOMMANDS: usize = 9;

/// Whether two lists of entries are equal, place by place: the answers to COMMAND INFO.
pub(super) fn alike(plain: &Value, seen: &Value) -> bool {
    match (plain, seen) {
        (Value::Array(plain), Value::Array(seen)) => {
            plain.len() == seen.len()
                && plain.iter().zip(seen).all(|(one, other)| entry(one, other))
        }
        _ => false,
    }
}

/// Whether each entry is the one of the same name: the answers to COMMAND. A proxy may leave out what it does not serve,
/// and list what only it knows; what both list has to be equal.
pub(super) fn agree(plain: &Value, seen: &Value) -> bool {
    let (Value::Array(plain), Value::Array(seen)) = (plain, seen) else {
        return false;
    };
    let of = |entries: &[Value], wanted: &[u8]| {
        let fits = |entry: &&Value| name(entry) == Some(wanted);
        let found: Vec<Value> = entries.iter().filter(fits).cloned().collect();
        found
    };
    let agrees = |seen_entry: &Value| match name(seen_entry) {
        None => false,
        Some(name) => match (&of(plain, name)[..], &of(seen, name)[..]) {
            ([], [_]) => true,
            ([one], [other]) => entry(one, other),
            _ => false,
        },
    };
    let known = |entry: &&Value| name(entry).is_some_and(|name| !of(plain, name).is_empty());
    seen.iter().all(agrees) && seen.iter().any(|entry| known(&entry))
}

fn name(entry: &Value) -> Option<&[u8]> {
    match entry {
        Value::Array(elements) => match elements.first() {
            Some(Value::Bulk(name)) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn entry(plain: &Value, seen: &Value) -> bool {
    let (Value::Array(plain), Value::Array(seen)) = (plain, seen) else {
        // No such command, in whatever way the protocol says it.
        return plain == seen;
    };
    let element = |(place, (one, other)): (usize, (&Value, &Value))| match place {
        place if SETS.contains(&place) || place == KEY_SPECS => sorted(one) == sorted(other),
        SUBCOMMANDS => subcommands(one, other),
        _ => one == other,
    };
    plain.len() == seen.len() && plain.iter().zip(seen).enumerate().all(element)
}

fn subcommands(plain: &Value, seen: &Value) -> bool {
    let (Value::Array(plain), Value::Array(seen)) = (plain, seen) else {
        return plain == seen;
    };
    let has = |one: &Value| seen.iter().any(|other| entry(one, other));
    plain.len() == seen.len() && plain.iter().all(has)
}

#[cfg(test)]
mod tests {
    use super::{agree, alike};
    use crate::wire::{Protocol, Value, reply};

    /// An entry in the notation of this test: elements by `;`, those of a list by spaces.
    fn listed(text: &str) -> Value {
        let word = |word: &str| match word.parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Simple(word.as_bytes().to_vec()),
        };
        let mut elements: Vec<Value> = text
            .split(';')
            .map(|element| Value::Array(element.split_whitespace().map(word).collect()))
            .collect();
        for place in [0, 1, 3, 4, 5] {
            if let Value::Array(inner) = &elements[place] {
                elements[place] = match (place, &inner[0]) {
                    (0, Value::Simple(name)) => Value::Bulk(name.clone()),
                    (_, other) => other.clone(),
                };
            }
        }
        Value::Array(elements)
    }

    fn of(entries: &[&str]) -> Value {
        Value::Array(entries.iter().map(|entry| listed(entry)).collect())
    }

    const GET: &str = "get;2;readonly fast;1;1;1;@read @string;;flags RO access;";

    #[test]
    fn every_element_is_compared_and_sets_have_no_order() {
        let plain = of(&[GET]);
        for (other, like) in [
            (GET, true),
            (
                "get;2;fast readonly;1;1;1;@string @read;;access RO flags;",
                true,
            ),
            (
                "mget;2;readonly fast;1;1;1;@read @string;;flags RO access;",
                false,
            ),
            (
                "get;-2;readonly fast;1;1;1;@read @string;;flags RO access;",
                false,
            ),
            (
                "get;2;readonly;1;1;1;@read @string;;flags RO access;",
                false,
            ),
            (
                "get;2;readonly fast;0;1;1;@read @string;;flags RO access;",
                false,
            ),
            (
                "get;2;readonly fast;1;-1;1;@read @string;;flags RO access;",
                false,
            ),
            (
                "get;2;readonly fast;1;1;2;@read @string;;flags RO access;",
                false,
            ),
            ("get;2;readonly fast;1;1;1;@read;;flags RO access;", false),
            (
                "get;2;readonly fast;1;1;1;@read @string;hint;flags RO access;",
                false,
            ),
            ("get;2;readonly fast;1;1;1;@read @string;;;", false),
            (
                "get;2;readonly fast;1;1;1;@read @string;;flags RO access;sub",
                false,
            ),
            ("get;2;readonly fast;1;1;1", false),
        ] {
            assert_eq!(alike(&plain, &of(&[other])), like, "{other}");
            assert_eq!(agree(&plain, &of(&[other])), like, "{other}");
        }
    }

    #[test]
    fn subcommands_are_entries_in_any_order() {
        let with = |subcommands: &[&str]| {
            let Value::Array(mut elements) = listed("config;-2;;0;0;0;;;;") else {
                return Value::Null;
            };
            elements[9] = of(subcommands);
            Value::Array(vec![Value::Array(elements)])
        };
        let (get, set) = (
            "config|get;-3;admin;0;0;0;@slow;;;",
            "config|set;-4;admin;0;0;0;@slow;;;",
        );
        let plain = with(&[get, set]);
        assert!(alike(&plain, &with(&[set, get])));
        assert!(!alike(&plain, &with(&[get])));
        assert!(!alike(&plain, &with(&[get, get])));
        assert!(!alike(
            &plain,
            &with(&[get, "config|set;-4;;0;0;0;@slow;;;"])
        ));
    }

    #[test]
    fn a_table_may_be_shorter_and_never_different() {
        let set = "set;-3;write;1;1;1;@write;;;";
        let plain = of(&[GET, set]);
        assert!(agree(&plain, &of(&[set])));
        assert!(agree(&plain, &of(&[set, "own;1;;0;0;0;;;;"])));
        assert!(!agree(&plain, &of(&[])));
        assert!(!agree(&plain, &of(&["own;1;;0;0;0;;;;"])));
        assert!(!agree(&plain, &of(&[set, set])));
        assert!(!agree(&plain, &of(&[GET, "set;-3;;1;1;1;@write;;;"])));
        assert!(!alike(&plain, &of(&[set])));
    }

    #[test]
    fn an_unknown_command_is_nil() {
        let nil = reply(b"*1\r\n*-1\r\n", Protocol::Resp2).unwrap().unwrap().0;
        assert!(alike(&nil, &nil));
        assert!(!alike(&nil, &of(&[GET])));
    }
}
