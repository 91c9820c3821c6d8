//! From the bytes that a node has sent to the requests that they answer.

use bytes::{Buf, BytesMut};

use crate::client::{Reply, is_large};
use crate::error::Kind;
use crate::resp::{ReplyError, ReplyScan};
use crate::upstream::Upstream;
use crate::upstream::flow::{Flow, STREAM_FROM, Stream};
use crate::upstream::queue::Queue;

/// Room made at once for a reply that is still coming.
const ROOM: usize = 1024 * 1024;

/// Hands out all replies that are complete.
#[inline]
pub(super) fn deliver(
    input: &mut BytesMut,
    scan: &mut ReplyScan,
    flow: &mut Flow,
    upstream: &Upstream,
) -> Result<(), Kind> {
    let mut queue = upstream.queue.borrow_mut();
    let mut at = 0;
    loop {
        match scan.scan(&input[at..]).map_err(Kind::Garbage)? {
            Ok(len) if !flow.is_kept() => {
                // Such a reply starts the input.
                let piece = input.split_to(len).freeze();
                match std::mem::take(flow) {
                    Flow::Streams(_) => queue.stream(piece, true)?,
                    // Its client has an error already, or is gone.
                    Flow::Keeps | Flow::Drops => queue.answer(Reply::Small(b""))?,
                }
            }
            // A push answers no request, so it is dropped.
            Ok(len) if input[at] == b'>' => at += len,
            Ok(len) => {
                if is_large(len) {
                    input.advance(at);
                    at = 0;
                    queue.answer(Reply::Large(input.split_to(len).freeze()))?;
                } else {
                    at += len;
                    queue.answer(Reply::Small(&input[at - len..at]))?;
                }
            }
            Err(more) => {
                if queue.has_marker_in(&input[at..]) {
                    return Err(Kind::Incomplete);
                }
                if at == input.len() {
                    input.clear();
                } else {
                    input.advance(at);
                    if flow.is_kept() && input.len() >= ROOM {
                        *flow = judge(input, more, &mut queue, upstream)?;
                    }
                    if flow.is_kept() {
                        // Beyond that it grows with the received bytes, not with the announced length.
                        let room = more.min(input.len().max(ROOM));
                        input.reserve(room);
                    } else {
                        hand_on(input, scan, flow, &mut queue)?;
                    }
                }
                return Ok(());
            }
        }
    }
}

/// Removes the received bytes of a reply that is not kept from `input`.
fn hand_on(
    input: &mut BytesMut,
    scan: &mut ReplyScan,
    flow: &mut Flow,
    queue: &mut Queue,
) -> Result<(), Kind> {
    let len = scan.give_up(input);
    if matches!(flow, Flow::Streams(_)) {
        if len > 0 {
            queue.stream(input.split_to(len).freeze(), false)?;
        }
        if queue.streams_to().is_none() {
            *flow = Flow::Drops;
        }
    } else {
        let rest = input.split_off(len);
        // The buffer of the dropped bytes is not kept.
        *input = BytesMut::from(&rest[..]);
    }
    Ok(())
}

/// Decides how to handle the large reply that has begun in `input` and lacks at least `more` bytes.
#[cold]
fn judge(input: &[u8], more: usize, queue: &mut Queue, upstream: &Upstream) -> Result<Flow, Kind> {
    let max = upstream.settings.reply_bytes_max;
    if input.first() == Some(&b'>') {
        // No request asked for it.
        return match input.len() > max {
            true => Err(Kind::Garbage(ReplyError::Malformed)),
            false => Ok(Flow::Keeps),
        };
    }
    if input.len().saturating_add(more) > STREAM_FROM.min(max) && queue.can_stream() {
        return Ok(Flow::Streams(Stream::default()));
    }
    let text = |executed| upstream.error(Kind::ReplyTooLarge(max), executed).reply();
    Ok(match queue.gives_up(input.len(), max, text) {
        true => Flow::Drops,
        false => Flow::Keeps,
    })
}
