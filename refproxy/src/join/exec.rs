//! The reply to EXEC: the elements of the node's, with the replies of the proxy at their places.

use bytes::Bytes;

use crate::resp::{elements, put_array, put_error};

/// Nulls and errors pass: no command was executed, neither on the node nor here. An array whose length differs from the
/// number of queued commands is an error, because its elements cannot be matched with the requests.
pub(super) fn exec(replies: &[Bytes], queued: usize, own: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let last = replies.last().cloned().unwrap_or_default();
    let Some((len, mut theirs)) = elements(&last) else {
        return last.to_vec();
    };
    let mut out = Vec::with_capacity(last.len() + 16);
    if len != queued {
        return wrong_length(queued, len);
    }
    put_array(&mut out, len + own.len());
    let mut own = own.iter().peekable();
    for place in 0..len + own.len() {
        match own.next_if(|(at, _)| *at == place) {
            Some((_, reply)) => out.extend_from_slice(reply),
            None => out.extend_from_slice(theirs.next().unwrap_or_default()),
        }
    }
    out
}

/// The error that replaces a reply to EXEC whose number of elements differs from the number of queued commands; `None`
/// if the reply fits. Reads the header only.
pub(crate) fn exec_misfit(reply: &[u8], queued: usize) -> Option<Vec<u8>> {
    let len = elements(reply)?.0;
    (len != queued).then(|| wrong_length(queued, len))
}

fn wrong_length(queued: usize, len: usize) -> Vec<u8> {
    let text = format!("ERR the node answered EXEC of {queued} commands with {len} replies");
    let mut out = Vec::new();
    put_error(&mut out, text.as_bytes());
    out
}
