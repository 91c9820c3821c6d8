//! Comparison of two replies to COMMAND, element by element.
//!
//! The elements are those of <https://redis.io/docs/latest/commands/command/>. Redis keeps subcommands in a hash table
//! with a seed of its own, and flags, categories and hints are sets: their order has no meaning.

use std::fmt::Display;

use super::one_order::sorted;
use testbed::wire::Value;

/// The elements of an entry, in their order.
const ELEMENTS: [&str; 10] = [
    "name",
    "arity",
    "flags",
    "first key",
    "last key",
    "step",
    "categories",
    "hints",
    "key specs",
    "subcommands",
];
/// Flags, categories and hints are sets; of key specs, the members are.
const UNORDERED: [usize; 4] = [2, 6, 7, 8];
const SUBCOMMANDS: usize = 9;

/// The first difference of two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parted {
    pub(crate) expected: String,
    pub(crate) got: String,
}

fn parted(what: &str, expected: impl Display, got: impl Display) -> Option<Parted> {
    Some(Parted {
        expected: format!("{what}: {expected}"),
        got: format!("{what}: {got}"),
    })
}

/// Where two lists of entries part, place by place: the answers to COMMAND INFO.
pub(crate) fn info(plain: &Value, seen: &Value) -> Option<Parted> {
    let (Value::Array(plain), Value::Array(seen)) = (plain, seen) else {
        return parted("answer", "entries of commands", seen);
    };
    if plain.len() != seen.len() {
        return parted("number of entries", plain.len(), seen.len());
    }
    let mut both = plain.iter().zip(seen);
    both.find_map(|(plain, seen)| entry(plain, seen))
}

/// The first difference between the answers to COMMAND, by name. A proxy may leave out commands that it does not serve,
/// and list commands that only it supports; entries in both lists must be equal.
pub(crate) fn table(plain: &Value, seen: &Value) -> Option<Parted> {
    let (Value::Array(plain), Value::Array(seen)) = (plain, seen) else {
        return parted("answer", "entries of commands", seen);
    };
    let mut both = 0;
    for (place, one) in seen.iter().enumerate() {
        let Some(name) = name(one) else {
            return parted("entry", "the name of a command first", one);
        };
        let named = |other: &&Value| self::name(other) == Some(name);
        if seen[..place].iter().any(|other| named(&other)) {
            let what = String::from_utf8_lossy(name);
            return parted(&what, "one entry", "several");
        }
        if let Some(other) = plain.iter().find(named) {
            both += 1;
            if let Some(parted) = entry(other, one) {
                return Some(parted);
            }
        }
    }
    match both {
        0 => parted("entries of commands of Redis", "some", "none"),
        _ => None,
    }
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

fn entry(plain: &Value, seen: &Value) -> Option<Parted> {
    let what = name(plain).or(name(seen)).unwrap_or(b"unknown command");
    let what = String::from_utf8_lossy(what);
    let (Value::Array(plain), Value::Array(seen)) = (plain, seen) else {
        // No such command, in any form that the protocol allows.
        return match plain == seen {
            true => None,
            false => parted(&what, plain, seen),
        };
    };
    if plain.len() != seen.len() {
        let what = format!("{what}: number of elements");
        return parted(&what, plain.len(), seen.len());
    }
    plain
        .iter()
        .zip(seen)
        .enumerate()
        .find_map(|(place, (one, other))| {
            if place == SUBCOMMANDS {
                return subcommands(&what, one, other);
            }
            let alike = match UNORDERED.contains(&place) {
                true => sorted(one) == sorted(other),
                false => one == other,
            };
            let element = ELEMENTS.get(place).unwrap_or(&"more");
            match alike {
                true => None,
                false => parted(&format!("{what}: {element}"), one, other),
            }
        })
}

fn subcommands(of: &str, plain: &Value, seen: &Value) -> Option<Parted> {
    let (Value::Array(ones), Value::Array(others)) = (plain, seen) else {
        return match plain == seen {
            true => None,
            false => parted(&format!("{of}: subcommands"), plain, seen),
        };
    };
    if ones.len() != others.len() {
        let what = format!("{of}: number of subcommands");
        return parted(&what, ones.len(), others.len());
    }
    ones.iter().find_map(|one| {
        let same = others.iter().find(|other| name(other) == name(one));
        same.map_or_else(|| parted(of, one, "nothing"), |other| entry(one, other))
    })
}

#[cfg(test)]
mod tests {
    use super::{info, table};
    use testbed::wire::{Protocol, Value, reply};

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

    fn alike(plain: &Value, seen: &Value) -> bool {
        info(plain, seen).is_none()
    }

    fn agree(plain: &Value, seen: &Value) -> bool {
        table(plain, seen).is_none()
    }

    #[test]
    fn the_first_difference_is_named() {
        let parted = info(&of(&[GET]), &of(&["get;2;readonly;1;1;1;;;;"])).unwrap();
        assert_eq!(parted.expected, "get: flags: *2 +readonly +fast");
        assert_eq!(parted.got, "get: flags: *1 +readonly");
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
