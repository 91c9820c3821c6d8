//! Keys: which operations access which, on which nodes they are, and what replies show about them.

use std::collections::BTreeMap;

use testbed::wire::Value;

use super::operation::Operation;
use crate::observed::{Observed, Span, Subject};

/// The operations that name each key, in the order of the history.
pub(super) fn by_key<'a, 'o>(
    operations: &'o [Operation<'a>],
) -> BTreeMap<&'a [u8], Vec<&'o Operation<'a>>> {
    let mut keys: BTreeMap<&[u8], Vec<&Operation<'a>>> = BTreeMap::new();
    for operation in operations {
        for key in operation.command.keys() {
            keys.entry(key).or_default().push(operation);
        }
    }
    keys
}

/// The node of a key, unless it changed during the run or is not known.
pub(super) fn owner(observed: &Observed, key: &[u8]) -> Option<u16> {
    let before = observed.owners.get(key).copied()?;
    let after = observed.owners_after.get(key).copied().unwrap_or(before);
    (before == after).then_some(before)
}

/// When a node may have lost its keys.
pub(super) fn emptied(observed: &Observed, node: u16) -> impl Iterator<Item = Span> {
    let windows = observed.windows.iter();
    let emptying = windows.filter(move |window| window.empties && window.on == Subject::Node(node));
    emptying.map(|window| window.span)
}

/// The fault after which a node has the same keys in another order.
const RESTART: &str = "restart";

/// Whether the node of a key may have restarted in a span. Its older SCAN cursors mean nothing then: Redis hashes its keys
/// with a random seed per process (`server.c`, `dictSetHashFunctionSeed`).
pub(super) fn restarted(observed: &Observed, key: &[u8], span: Span) -> bool {
    let owner = owner(observed, key);
    let may_have = |on| owner.is_none_or(|owner| on == Subject::Node(owner));
    let mut windows = observed.windows.iter();
    windows.any(|it| it.fault == RESTART && it.span.overlaps(span) && may_have(it.on))
}

/// Whether the node of a key certainly never lost keys.
pub(super) fn lasts(observed: &Observed, key: &[u8]) -> bool {
    let safe = |node| emptied(observed, node).next().is_none();
    let nothing_lost = observed.windows.iter().all(|window| !window.empties);
    nothing_lost || owner(observed, key).is_some_and(safe)
}

/// The final value of a key: `None` if the nodes were not scanned, or several had it.
pub(super) fn found<'o>(observed: &'o Observed, key: &[u8]) -> Option<Option<&'o Value>> {
    if observed.contents.is_empty() {
        return None;
    }
    match observed.contents.get(key).map(Vec::as_slice) {
        None | Some([]) => Some(None),
        Some([(_, value)]) => Some(Some(value)),
        Some(_) => None,
    }
}

/// Whether a reply is a null.
pub(super) fn is_nil(reply: &Value) -> bool {
    matches!(reply, Value::NullBulk | Value::NullArray | Value::Null)
}

/// The bytes of a bulk.
pub(super) fn bulk(reply: &Value) -> Option<&[u8]> {
    match reply {
        Value::Bulk(bytes) => Some(bytes),
        _ => None,
    }
}
