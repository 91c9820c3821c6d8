//! INFO of all nodes as one text: sums are added up, the proxy's own fields come from the proxy, and fields on which
//! clients depend hold for every node ([`fields::Way`]). Fields that one value cannot express are left out. Unknown
//! fields are kept if all nodes agree on a word; never on a number, which would appear only when the numbers happen to
//! be equal.
//!
//! A node that does not answer is listed under `# Nodes`, whatever was requested; sums are then left out, because they
//! would be too small.

mod fields;
mod own;
mod tally;
mod text;
mod values;

use std::fmt::Write;
use std::rc::Rc;

use bytes::Bytes;

use crate::resp::{self, Protocol, error_text, is_error, put_verbatim};
pub(crate) use own::Facts;
use text::{NodeInfo, narrowed, sections, widened};
use values::values;

/// Fields of a node that its line under `# Nodes` repeats.
const OF_EACH: [&str; 3] = ["redis_version", "role", "used_memory"];

/// A part of the request that the section of the proxy's own belongs to.
const WITH_NODES: [&[u8]; 4] = [b"all", b"default", b"everything", b"nodes"];

/// Whether a request with these sections, none for the usual ones, includes the section about nodes.
pub(in crate::join) fn wants_nodes<'a>(mut sections: impl Iterator<Item = &'a [u8]>) -> bool {
    let named = |section: &[u8]| {
        WITH_NODES
            .iter()
            .any(|name| section.eq_ignore_ascii_case(name))
    };
    match sections.next() {
        None => true,
        Some(first) => named(first) || sections.any(named),
    }
}

/// The one text of all replies; `None` when one of them is neither text nor an error.
pub(in crate::join) fn info(
    replies: &[Bytes],
    nodes: &[Rc<str>],
    facts: &Facts,
    with_nodes: bool,
) -> Option<Vec<u8>> {
    let protocol = match replies.iter().find(|reply| !is_error(reply))?.first() {
        Some(b'=') => Protocol::Resp3,
        _ => Protocol::Resp2,
    };
    let mut texts = Vec::new();
    for reply in replies {
        texts.push(match is_error(reply) {
            true => None,
            false => Some(widened(resp::text(reply)?)),
        });
    }
    let infos = texts
        .iter()
        .map(|text| Some(NodeInfo::read(text.as_deref()?)));
    let infos: Vec<Option<NodeInfo<'_>>> = infos.collect();
    let mut out = String::new();
    let answered: Vec<&NodeInfo<'_>> = infos.iter().flatten().collect();
    for (section, names) in sections(&answered) {
        begin(&mut out, section);
        for name in names {
            for value in values(name, &answered, answered.len() == replies.len(), facts) {
                let _ = write!(out, "{name}:{value}\r\n");
            }
        }
    }
    // Without it, a missing field would look like an empty one.
    if with_nodes || answered.len() < replies.len() {
        put_nodes(&mut out, &infos, replies, nodes, facts);
    }
    let mut reply = Vec::with_capacity(out.len() + 16);
    put_verbatim(&mut reply, protocol, &narrowed(&out));
    Some(reply)
}

fn begin(out: &mut String, section: &str) {
    let between = if out.is_empty() { "" } else { "\r\n" };
    let _ = write!(out, "{between}# {section}\r\n");
}

fn put_nodes(
    out: &mut String,
    infos: &[Option<NodeInfo<'_>>],
    replies: &[Bytes],
    nodes: &[Rc<str>],
    facts: &Facts,
) {
    begin(out, "Nodes");
    let _ = write!(
        out,
        "refproxy_version:{}\r\nnodes:{}\r\n",
        env!("CARGO_PKG_VERSION"),
        nodes.len()
    );
    for (place, ((node, info), reply)) in nodes.iter().zip(infos).zip(replies).enumerate() {
        let state = facts.health.get(place).copied().unwrap_or("unknown");
        let address = widened(node.as_bytes());
        let _ = write!(out, "node{place}:address={address},state={state}");
        for (name, value) in info.iter().flat_map(|info| {
            let of = |name| info.value(name).map(|value| (name, value));
            OF_EACH.into_iter().filter_map(of)
        }) {
            let _ = write!(out, ",{name}={value}");
        }
        if let Some(error) = error_text(reply) {
            // A client that splits the line at its commas gets the error in one piece.
            let error = widened(error).replace([',', '\r', '\n'], ";");
            let _ = write!(out, ",error={error}");
        }
        out.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests;
