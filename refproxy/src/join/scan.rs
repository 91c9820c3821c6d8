//! SCAN: the pages of one call, node after node, as one page.
//!
//! A call continues with the next node while the asked nodes have come to their ends and have returned fewer keys than
//! the client wants per call. So a SCAN of little data is one call, and a call never asks a node twice.

use std::rc::Rc;

use bytes::Bytes;

use crate::cursor::Cursors;
use crate::resp::{Args, bulk, elements, is_error, put_array, put_bulk, put_error, strict};
use placement::NodeId;

/// About how many keys SCAN returns per call without COUNT.
const COUNT_DEFAULT: usize = 10;

/// The pages of one call.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    cursors: Cursors,
    /// The node of the first page.
    first: NodeId,
    /// The number of keys after which no other node is asked.
    wanted: usize,
    found: usize,
}

impl Pages {
    /// From the complete request in `frame`, which begins on `first`.
    pub(crate) fn of(frame: &[u8], cursors: Cursors, first: NodeId) -> Self {
        Self {
            cursors,
            first,
            wanted: wanted(frame),
            found: 0,
        }
    }

    /// Takes the next page. Returns whether the next node is to be asked.
    pub(super) fn goes_on_after(&mut self, reply: &[u8]) -> bool {
        let Some(page) = Page::read(reply) else {
            return false;
        };
        self.found += page.keys;
        page.cursor == 0 && self.found < self.wanted
    }

    /// The page of all that have arrived. An error of a node after the first one is left to the next call.
    pub(super) fn joined(&self, replies: &[Bytes], nodes: &[Rc<str>]) -> Option<Vec<u8>> {
        let first = replies.first()?;
        if is_error(first) {
            return Some(first.to_vec());
        }
        let come = replies
            .iter()
            .take_while(|reply| !reply.is_empty() && !is_error(reply));
        let pages: Option<Vec<Page<'_>>> = come.map(|reply| Page::read(reply)).collect();
        let pages = pages?;
        let (last, place) = (pages.last()?, pages.len() - 1);
        let node = NodeId(self.first.0 + u16::try_from(place).ok()?);
        let mut out = Vec::new();
        let Some(next) = self.cursors.after(node, last.cursor) else {
            let (address, own) = (nodes.get(place)?, last.cursor);
            let text = format!(
                "ERR node {address}: its cursor {own} is too large to tell it from those of other nodes"
            );
            put_error(&mut out, text.as_bytes());
            return Some(out);
        };
        put_array(&mut out, 2);
        put_bulk(&mut out, next.to_string().as_bytes());
        put_array(&mut out, pages.iter().map(|page| page.keys).sum());
        for page in &pages {
            elements(page.body)?
                .1
                .for_each(|key| out.extend_from_slice(key));
        }
        Some(out)
    }
}

/// One node's reply.
struct Page<'a> {
    cursor: u64,
    keys: usize,
    /// The array of the keys.
    body: &'a [u8],
}

impl<'a> Page<'a> {
    fn read(reply: &'a [u8]) -> Option<Self> {
        let (2, mut walk) = elements(reply)? else {
            return None;
        };
        let cursor = std::str::from_utf8(bulk(walk.next()?)?).ok()?;
        let body = walk.next()?;
        Some(Self {
            cursor: cursor.parse().ok()?,
            keys: elements(body)?.0,
            body,
        })
    }
}

/// The value of the last COUNT. A node refuses an invalid one.
fn wanted(frame: &[u8]) -> usize {
    let args: Vec<&[u8]> = Args::of(frame).skip(2).collect();
    let options = args.chunks_exact(2);
    let mut counts = options.filter(|pair| pair[0].eq_ignore_ascii_case(b"COUNT"));
    let count = counts.next_back().and_then(|pair| strict(pair[1]));
    count.map_or(COUNT_DEFAULT, |count| usize::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::wanted;
    use crate::resp::request;

    #[test]
    fn the_last_count_is_the_number_of_wanted_keys() {
        let check = |line: &str, expected| {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(wanted(&request(&words)), expected, "{line}");
        };
        check("SCAN 0", 10);
        check("SCAN 0 MATCH count TYPE 7", 10);
        check("SCAN 0 count 5 MATCH x COUNT 100", 100);
        check("SCAN 0 COUNT -1", 0);
        check("SCAN 0 COUNT x", 10);
    }
}
