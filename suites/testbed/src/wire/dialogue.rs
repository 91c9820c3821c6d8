//! One connection, seen from its client: which protocol its replies are in, as HELLO and RESET change it.

use super::decode::{Words, reply, words};
use super::frame::Frame;
use super::{Malformed, Protocol, Value};

/// The requests of a connection, as far as they decide the protocol of replies.
///
/// The protocol changes after the reply that confirms it: the reply to HELLO has the version, the reply to RESET is
/// RESET. So requests without a reply, or with several, need no counting, and replies before HELLO are read in the old
/// protocol. The reply to HELLO 3 is itself a map. No earlier reply may be a map, and the protocol never changes
/// without a request. A HELLO inside EXEC is ignored.
#[derive(Debug, Default)]
pub struct Dialogue {
    protocol: Protocol,
    /// Not answered as they ask; those that were refused stay until one is.
    asked: Vec<Change>,
    /// The beginning of a request.
    unfinished: Vec<u8>,
    /// Bytes that are not a request were sent, so later bytes are unknown.
    garbled: bool,
    /// How far the next reply has been read.
    frame: Frame,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Hello(Protocol),
    Reset,
}

impl Dialogue {
    /// The protocol of the next reply, unless that is the one that changes it.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// A whole request is sent.
    pub fn asked<A: AsRef<[u8]>>(&mut self, arguments: &[A]) {
        self.asked.extend(Change::of(arguments));
    }

    /// Bytes are sent: requests, inline ones too, or parts of them.
    pub fn sent(&mut self, bytes: &[u8]) {
        if self.garbled {
            return;
        }
        if self.unfinished.is_empty() {
            let used = self.whole(bytes);
            self.unfinished.extend_from_slice(&bytes[used..]);
        } else {
            let mut unfinished = std::mem::take(&mut self.unfinished);
            unfinished.extend_from_slice(bytes);
            let used = self.whole(&unfinished);
            unfinished.drain(..used);
            self.unfinished = unfinished;
        }
    }

    /// Notes the whole requests at the start of `bytes`, and returns their total length.
    fn whole(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        loop {
            match first(&bytes[used..]) {
                Ok(None) => return used,
                Ok(Some((words, length))) => {
                    self.asked(&words);
                    used += length;
                }
                Err(_) => {
                    self.garbled = true;
                    return bytes.len();
                }
            }
        }
    }

    /// The first reply in `bytes` with the number of bytes it takes, or `None` when it is not complete.
    ///
    /// After `None`, call it again with the same bytes and more after them: decoding resumes where it stopped.
    ///
    /// # Errors
    /// [`Malformed`], as soon as no continuation could make it a reply in the connection's protocol.
    pub fn reply(&mut self, bytes: &[u8]) -> Result<Option<(Value, usize)>, Malformed> {
        let protocol = match self.awaits_map(bytes) {
            true => Protocol::Resp3,
            false => self.protocol,
        };
        match self.frame.end(bytes, protocol) {
            Ok(None) => return Ok(None),
            // A complete or malformed reply is decoded as a whole, and the next reply starts over.
            Ok(Some(_)) | Err(_) => self.frame = Frame::default(),
        }
        let found = match reply(bytes, self.protocol) {
            Err(strange) if self.awaits_map(bytes) => match reply(bytes, Protocol::Resp3)? {
                Some((value, _)) if !is_hello(&value, Protocol::Resp3) => return Err(strange),
                found => found,
            },
            found => found?,
        };
        if let Some((value, _)) = &found {
            self.follow(value);
        }
        Ok(found)
    }

    /// Values that were read of the next reply, in all its aggregates.
    #[must_use]
    pub fn values(&self) -> usize {
        self.frame.values()
    }

    fn awaits_map(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(b"%") && self.asked.contains(&Change::Hello(Protocol::Resp3))
    }

    fn follow(&mut self, value: &Value) {
        let said = self
            .asked
            .iter()
            .position(|change| change.is_confirmed_by(value));
        if let Some(place) = said {
            self.protocol = self.asked[place].protocol();
            // Those before it were refused: replies come in order.
            self.asked.drain(..=place);
        }
    }
}

impl Change {
    fn of<A: AsRef<[u8]>>(arguments: &[A]) -> Option<Self> {
        let is = |name: &str| {
            let first = arguments.first();
            first.is_some_and(|word| word.as_ref().eq_ignore_ascii_case(name.as_bytes()))
        };
        match arguments.get(1).map(AsRef::as_ref) {
            _ if is("RESET") => Some(Self::Reset),
            Some(b"2") if is("HELLO") => Some(Self::Hello(Protocol::Resp2)),
            Some(b"3") if is("HELLO") => Some(Self::Hello(Protocol::Resp3)),
            _ => None,
        }
    }

    fn protocol(self) -> Protocol {
        match self {
            Self::Hello(protocol) => protocol,
            Self::Reset => Protocol::default(),
        }
    }

    /// Whether a reply confirms this command.
    fn is_confirmed_by(self, reply: &Value) -> bool {
        match (self, reply) {
            (Self::Hello(protocol), reply) => is_hello(reply, protocol),
            (Self::Reset, Value::Simple(text)) => text == b"RESET",
            (Self::Reset, _) => false,
        }
    }
}

/// Whether a reply is that of HELLO with this protocol: `proto` and the version, among other fields.
fn is_hello(reply: &Value, protocol: Protocol) -> bool {
    let version = match protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    let is_version = |key: &Value, value: &Value| {
        let named = matches!(key, Value::Bulk(name) | Value::Simple(name) if name == b"proto");
        named && *value == Value::Integer(version)
    };
    match reply {
        Value::Map(entries) => entries.iter().any(|(key, value)| is_version(key, value)),
        Value::Array(flat) => flat
            .chunks_exact(2)
            .any(|entry| is_version(&entry[0], &entry[1])),
        _ => false,
    }
}

/// The words of the first request, which may be inline, and its length.
fn first(bytes: &[u8]) -> Result<Option<(Words<'_>, usize)>, Malformed> {
    if bytes.is_empty() || bytes.starts_with(b"*") {
        return words(bytes);
    }
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return Ok(None);
    };
    let words = bytes[..end].split(u8::is_ascii_whitespace);
    Ok(Some((
        words.filter(|word| !word.is_empty()).collect(),
        end + 1,
    )))
}

#[cfg(test)]
mod tests {
    use super::Dialogue;
    use crate::wire::Protocol::{self, Resp2, Resp3};

    const HELLO_2: &str = "*2\r\n$5\r\nhello\r\n$1\r\n2\r\n";
    const HELLO_3: &str = "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n";
    const RESET: &str = "*1\r\n$5\r\nRESET\r\n";
    const IN_2: &str = "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:2\r\n";
    const IN_3: &str = "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n";

    /// The decoded replies, in order, up to the first malformed one.
    #[track_caller]
    fn check(sent: &str, replies: &[(&str, Result<Protocol, usize>)]) {
        for cut in 0..=sent.len() {
            let mut dialogue = Dialogue::default();
            dialogue.sent(&sent.as_bytes()[..cut]);
            dialogue.sent(&sent.as_bytes()[cut..]);
            for (bytes, expected) in replies {
                let seen = dialogue.reply(bytes.as_bytes());
                let seen = seen.map_err(|why| why.at).map(|found| {
                    assert_eq!(found.map(|(_, length)| length), Some(bytes.len()));
                    dialogue.protocol()
                });
                assert_eq!(seen, *expected, "{} cut at {cut}", bytes.escape_debug());
            }
        }
    }

    #[test]
    fn the_protocol_changes_after_the_reply_to_hello() {
        let sent = [HELLO_3, HELLO_2].concat();
        let replies = [
            ("$-1\r\n", Ok(Resp2)),
            (IN_3, Ok(Resp3)),
            ("_\r\n", Ok(Resp3)),
            ("$-1\r\n", Err(0)),
            (IN_2, Ok(Resp2)),
            ("_\r\n", Err(0)),
            (IN_3, Err(0)),
        ];
        check(&sent, &replies);
        check("HELLO 3\r\n", &[(IN_3, Ok(Resp3)), ("#t\r\n", Ok(Resp3))]);
    }

    #[test]
    fn no_other_reply_may_be_a_map() {
        check(
            HELLO_3,
            &[("%1\r\n+a\r\n:3\r\n", Err(0)), (IN_3, Ok(Resp3))],
        );
        check(HELLO_3, &[("*1\r\n%0\r\n", Err(4))]);
        check(HELLO_2, &[(IN_3, Err(0))]);
        check("", &[(IN_3, Err(0))]);
    }

    #[test]
    fn a_refused_command_does_not_change_the_protocol() {
        let refused = ("-NOPROTO no\r\n", Ok(Resp2));
        check(HELLO_3, &[refused, ("_\r\n", Err(0))]);
        let sent = [HELLO_3, HELLO_2, HELLO_3].concat();
        check(&sent, &[refused, (IN_2, Ok(Resp2)), (IN_3, Ok(Resp3))]);
    }

    #[test]
    fn reset_takes_it_back() {
        let sent = [HELLO_3, RESET].concat();
        let replies = [
            (IN_3, Ok(Resp3)),
            (">1\r\n+RESET\r\n", Ok(Resp3)),
            ("+RESET\r\n", Ok(Resp2)),
            ("%0\r\n", Err(0)),
        ];
        check(&sent, &replies);
        check("", &[("+RESET\r\n", Ok(Resp2))]);
    }

    #[test]
    fn after_malformed_bytes_no_request_is_followed() {
        check("*1\r\n:1\r\n", &[("-ERR\r\n", Ok(Resp2))]);
        check(&["*x\r\n", HELLO_3].concat(), &[(IN_3, Err(0))]);
    }
}
