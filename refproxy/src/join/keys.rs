//! One value for each key of a request that was split, in the order of its keys.

use bytes::Bytes;

use crate::resp::{elements, error_text, is_error, put_array, put_error};

/// One element per key; for a part that failed, its error for each of its keys.
pub(super) fn in_key_order(replies: &[Bytes], part_of_key: &[u16]) -> Option<Vec<u8>> {
    let mut wanted = vec![0; replies.len()];
    for part in part_of_key {
        *wanted.get_mut(usize::from(*part))? += 1;
    }
    let mut walks = Vec::with_capacity(replies.len());
    for (reply, wanted) in replies.iter().zip(wanted) {
        if is_error(reply) {
            walks.push(None);
            continue;
        }
        let (len, walk) = elements(reply)?;
        if len != wanted {
            return None;
        }
        walks.push(Some(walk));
    }
    let errors: Vec<Vec<u8>> = replies.iter().map(|reply| short_error(reply)).collect();
    let mut out = Vec::with_capacity(replies.iter().map(Bytes::len).sum::<usize>() + 16);
    put_array(&mut out, part_of_key.len());
    for part in part_of_key {
        let part = usize::from(*part);
        out.extend_from_slice(match walks.get_mut(part)? {
            Some(walk) => walk.next()?,
            None => &errors[part],
        });
    }
    Some(out)
}

/// The longest error that is repeated for each of many keys: a longer one would take memory for each.
const REPEATED_ERROR_MAX: usize = 256;

/// An error in place of one key; empty if it is not an error.
fn short_error(reply: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(text) = error_text(reply) {
        match text.get(..REPEATED_ERROR_MAX) {
            Some(start) => put_error(&mut out, &[start, b"..."].concat()),
            None => out.extend_from_slice(reply),
        }
    }
    out
}
