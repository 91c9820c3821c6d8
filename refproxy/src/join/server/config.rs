//! CONFIG GET of all nodes as one server would answer it.

use std::collections::HashMap;
use std::rc::Rc;

use bytes::Bytes;

use crate::command::is_secret;
use crate::resp::{Protocol, bulk, elements, put_bulk, put_map, strict};

/// In the order of the first node that has the name, without passwords. If nodes differ in a number, the minimum is the
/// value, because a client expects a number; in words, a note with the value of each.
pub(in crate::join) fn settings(replies: &[Bytes], nodes: &[Rc<str>]) -> Option<Vec<u8>> {
    // Only RESP3 has maps.
    let protocol = match replies.first()?.first() {
        Some(b'%') => Protocol::Resp3,
        _ => Protocol::Resp2,
    };
    let mut names: Vec<&[u8]> = Vec::new();
    let mut values: Vec<Vec<Option<&[u8]>>> = Vec::new();
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    for (part, reply) in replies.iter().enumerate() {
        let (_, mut walk) = elements(reply)?;
        while let Some(name) = walk.next() {
            let (name, value) = (bulk(name)?, bulk(walk.next()?)?);
            if is_secret(name) {
                continue;
            }
            let place = *places.entry(name).or_insert_with(|| {
                names.push(name);
                values.push(vec![None; replies.len()]);
                names.len() - 1
            });
            values[place][part] = Some(value);
        }
    }
    let mut out = Vec::new();
    put_map(&mut out, protocol, names.len());
    for (name, values) in names.into_iter().zip(values) {
        put_bulk(&mut out, name);
        if name == b"databases" {
            put_bulk(&mut out, b"1");
            continue;
        }
        match values.first().copied().flatten() {
            Some(value) if values.iter().all(|other| *other == Some(value)) => {
                put_bulk(&mut out, value)
            }
            _ => match least_number(&values).filter(|_| name != b"port") {
                Some(least) => put_bulk(&mut out, least),
                None => put_bulk(&mut out, &note(&values, nodes)),
            },
        }
    }
    Some(out)
}

/// The minimum of values that are all numbers; nodes without the name do not count.
fn least_number<'a>(values: &[Option<&'a [u8]>]) -> Option<&'a [u8]> {
    let known = values.iter().flatten();
    let numbers: Option<Vec<(i64, &[u8])>> =
        known.map(|value| Some((strict(value)?, *value))).collect();
    numbers?.into_iter().min().map(|(_, value)| value)
}

/// `nodes differ: ADDRESS says VALUE; ...`: no client can confuse it with a value.
fn note(values: &[Option<&[u8]>], nodes: &[Rc<str>]) -> Vec<u8> {
    let mut note = b"nodes differ: ".to_vec();
    for (place, (value, node)) in values.iter().zip(nodes).enumerate() {
        if place > 0 {
            note.extend_from_slice(b"; ");
        }
        note.extend_from_slice(node.as_bytes());
        match value {
            Some(value) => {
                note.extend_from_slice(b" says '");
                note.extend_from_slice(value);
                note.push(b'\'');
            }
            None => note.extend_from_slice(b" does not know it"),
        }
    }
    note
}
