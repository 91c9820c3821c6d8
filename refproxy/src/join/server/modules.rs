//! MODULE LIST of all nodes as one server would answer it.

use bytes::Bytes;

use crate::join::ways::written;
use crate::resp::{bulk, elements, integer, put_array};

/// The modules that every node has, in the order of the first: the lowest of several versions.
pub(in crate::join) fn modules(replies: &[Bytes]) -> Option<Vec<u8>> {
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

/// The name and the version of a module, with its entry.
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
