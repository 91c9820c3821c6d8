//! Requests of the proxy itself that show whether a node has lost a reply.
//!
//! Replies carry no id: the next one answers the oldest request. When a request has timed out, its reply may still
//! arrive, or never; then every later reply would be treated as that of the request before. An ECHO of a text that no
//! client can know follows the request. Its reply arrives in its place if, and only if, no reply before it was lost.

use std::hash::{BuildHasher as _, RandomState};

use crate::resp::request;

/// The markers of one node.
#[derive(Debug)]
pub(super) struct Markers {
    /// How the reply to each of them begins.
    prefix: String,
    /// Their number so far.
    count: u32,
}

impl Markers {
    pub(super) fn new() -> Self {
        let secret = RandomState::new().hash_one(0);
        Self {
            // Of 9 + 16 + 1 + 8 bytes.
            prefix: format!("$34\r\nrefproxy:{secret:016x}:"),
            count: 0,
        }
    }

    /// The number of the next marker, and its request.
    pub(super) fn next(&mut self) -> (u32, Vec<u8>) {
        self.count = self.count.wrapping_add(1);
        let reply = self.reply(self.count);
        let text = reply.get(5..39).unwrap_or_default();
        (self.count, request(&[&b"ECHO"[..], text]))
    }

    /// The reply to the marker of this number.
    pub(super) fn reply(&self, number: u32) -> Vec<u8> {
        format!("{}{number:08x}\r\n", self.prefix).into_bytes()
    }

    /// The reply to the newest marker.
    pub(super) fn last_reply(&self) -> Vec<u8> {
        self.reply(self.count)
    }

    /// Whether it is the reply to a marker.
    pub(super) fn has(&self, reply: &[u8]) -> bool {
        reply.starts_with(self.prefix.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::Markers;

    #[test]
    fn the_reply_is_what_the_request_asks_to_echo() {
        let mut markers = Markers::new();
        for _ in 0..3 {
            let (number, request) = markers.next();
            let reply = markers.reply(number);
            assert!(markers.has(&reply));
            assert!(!markers.has(b"$2\r\nok\r\n") && !markers.has(b"-ERR\r\n"));
            let expected = [b"*2\r\n$4\r\nECHO\r\n", &reply[..]].concat();
            assert_eq!(
                request.escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
        }
    }
}
