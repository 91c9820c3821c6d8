//! How replies that are no errors become one; none where they do not fit together.

use std::collections::HashMap;
use std::rc::Rc;

use bytes::Bytes;

use crate::command::is_secret;
use crate::resp::{
    Protocol, bulk, elements, integer, is_error, put_array, put_bulk, put_integer, put_map,
    put_simple, strict,
};

pub(super) fn sum(replies: &[Bytes]) -> Option<Vec<u8>> {
    let sum = replies
        .iter()
        .try_fold(0_i64, |sum, reply| sum.checked_add(integer(reply)?))?;
    Some(written(|out| put_integer(out, sum)))
}

pub(super) fn all_ok(replies: &[Bytes]) -> Option<Vec<u8>> {
    let all = replies.iter().all(|reply| &reply[..] == b"+OK\r\n");
    all.then(|| written(|out| put_simple(out, "OK")))
}

pub(super) fn concat(replies: &[Bytes]) -> Option<Vec<u8>> {
    let arrays = replies.iter().filter(|reply| reply.first() == Some(&b'*'));
    let parts: Option<Vec<_>> = arrays.map(|reply| elements(reply)).collect();
    let parts = parts.filter(|parts| parts.len() == replies.len())?;
    let mut out = Vec::new();
    put_array(&mut out, parts.iter().map(|(len, _)| len).sum());
    for (_, walk) in parts {
        walk.for_each(|element| out.extend_from_slice(element));
    }
    Some(out)
}

pub(super) fn same(replies: &[Bytes]) -> Option<Vec<u8>> {
    let first = replies.first()?;
    let alike = replies.iter().all(|reply| reply == first);
    alike.then(|| first.to_vec())
}

pub(super) fn least(replies: &[Bytes]) -> Option<Vec<u8>> {
    let mut least: Option<Vec<i64>> = None;
    for reply in replies {
        let numbers: Option<Vec<i64>> = elements(reply)?.1.map(integer).collect();
        let numbers = numbers?;
        least = Some(match least {
            None => numbers,
            Some(before) if before.len() == numbers.len() => {
                let pairs = before.into_iter().zip(numbers);
                pairs.map(|(one, other)| one.min(other)).collect()
            }
            Some(_) => return None,
        });
    }
    let least = least?;
    Some(written(|out| {
        put_array(out, least.len());
        least.iter().for_each(|number| put_integer(out, *number));
    }))
}

/// `lot` alone would favour the same node for requests of the same moment, so the values take part in the draw.
pub(super) fn any(replies: &[Bytes], lot: u64) -> Option<Vec<u8>> {
    let full: Vec<&Bytes> = replies.iter().filter(|reply| !is_null(reply)).collect();
    if full.is_empty() {
        return Some(replies.first()?.to_vec());
    }
    let bytes = full.iter().flat_map(|reply| reply.iter());
    // FNV-1a, whose low bits alone are poor: the high ones choose.
    let hash = bytes.fold(lot ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let place = usize::try_from(hash >> 33).unwrap_or(0) % full.len();
    Some(full[place].to_vec())
}

pub(super) fn found(replies: &[Bytes]) -> Option<Vec<u8>> {
    let found = replies.iter().find(|reply| !is_error(reply))?;
    Some(found.to_vec())
}

pub(super) fn busy(replies: &[Bytes]) -> Option<Vec<u8>> {
    let is_busy = |reply: &&Bytes| {
        let second = elements(reply).and_then(|(_, mut walk)| walk.nth(1));
        second.is_some_and(|element| !is_null(element))
    };
    let chosen = replies.iter().find(is_busy).or(replies.first())?;
    elements(chosen).map(|_| chosen.to_vec())
}

/// In the order of the first node that knows the name, without passwords. Where nodes differ in a number, the least is the
/// value, because a client expects a number; in words, a note of what each says.
pub(super) fn settings(replies: &[Bytes], nodes: &[Rc<str>]) -> Option<Vec<u8>> {
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

/// The least of values that are all numbers; those of nodes that do not know the name do not count.
fn least_number<'a>(values: &[Option<&'a [u8]>]) -> Option<&'a [u8]> {
    let known = values.iter().flatten();
    let numbers: Option<Vec<(i64, &[u8])>> =
        known.map(|value| Some((strict(value)?, *value))).collect();
    numbers?.into_iter().min().map(|(_, value)| value)
}

/// `nodes differ: ADDRESS says VALUE; ...`: no client can take it for a value.
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

/// What every node has, in the order of the first: of several versions the lowest.
pub(super) fn modules(replies: &[Bytes]) -> Option<Vec<u8>> {
    let mut nodes = Vec::with_capacity(replies.len());
    for reply in replies {
        let modules: Option<Vec<_>> = elements(reply)?.1.map(module).collect();
        nodes.push(modules?);
    }
    let mut everywhere: Vec<&[u8]> = Vec::new();
    for (name, ..) in nodes.first()? {
        let of_each = nodes.iter().map(|modules| {
            let same = modules.iter().filter(|(other, ..)| other == name);
            same.min_by_key(|(_, version, _)| *version)
        });
        let of_each: Option<Vec<_>> = of_each.collect();
        let lowest =
            of_each.and_then(|each| each.into_iter().min_by_key(|(_, version, _)| *version));
        everywhere.extend(lowest.map(|(.., entry)| *entry));
    }
    Some(written(|out| {
        put_array(out, everywhere.len());
        everywhere
            .iter()
            .for_each(|entry| out.extend_from_slice(entry));
    }))
}

/// The name and the version of a module, with the entry that tells them.
fn module(entry: &[u8]) -> Option<(&[u8], i64, &[u8])> {
    let (_, mut walk) = elements(entry)?;
    let (mut name, mut version) = (None, None);
    while let Some(field) = walk.next() {
        let value = walk.next()?;
        match bulk(field)? {
            b"name" => name = bulk(value),
            b"ver" => version = integer(value),
            _ => {}
        }
    }
    Some((name?, version?, entry))
}

fn is_null(reply: &[u8]) -> bool {
    matches!(reply, b"$-1\r\n" | b"*-1\r\n" | b"_\r\n")
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}
