//! Sizes of keys, without reading their values: MEMORY USAGE, which samples five elements of a collection.
//!
//! A node serves no other client while it dumps or restores a key. A hash of 1.5 million fields stalls it for more than
//! one second, so keys above a limit are not moved until the operator allows it.

use super::Error;
use super::connection::{Connection, Request};
use testbed::wire::Value;

/// The largest key that is compared or moved, in bytes of memory on its node. The default stalls a node for at most a
/// few hundred milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBytesMax(pub u64);

impl Default for KeyBytesMax {
    fn default() -> Self {
        Self(32 * 1024 * 1024)
    }
}

impl KeyBytesMax {
    /// Keys of any size.
    pub const ANY: Self = Self(u64::MAX);

    /// Whether a key of this size is too large. One of unknown size may be.
    pub(super) fn is_exceeded_by(self, size: Option<u64>) -> bool {
        self != Self::ANY && size.is_none_or(|size| size > self.0)
    }
}

/// Bytes that each key takes on the node, roughly; 0 if it is gone, `None` if the node refuses to answer.
pub(super) async fn of(node: &mut Connection, keys: &[&[u8]]) -> Result<Vec<Option<u64>>, Error> {
    let requests: Vec<Request<'_>> = keys
        .iter()
        .map(|key| vec![&b"MEMORY"[..], b"USAGE", key])
        .collect();
    let size = |answer: Value| match answer {
        Value::Integer(bytes) => u64::try_from(bytes).ok(),
        Value::NullBulk => Some(0),
        _ => None,
    };
    Ok(node
        .ask_all(&requests)
        .await?
        .into_iter()
        .map(size)
        .collect())
}
