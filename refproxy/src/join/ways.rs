//! How replies that are not errors become one; `None` if they do not fit together.

use bytes::Bytes;

use crate::resp::{elements, integer, is_error, put_array, put_integer, put_simple};

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
    // FNV-1a has poor low bits: the high ones choose.
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

pub(super) fn is_null(reply: &[u8]) -> bool {
    matches!(reply, b"$-1\r\n" | b"*-1\r\n" | b"_\r\n")
}

pub(super) fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}
