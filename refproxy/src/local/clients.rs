//! CLIENT LIST: which clients it asks for, and the text of their lines. Source: Redis 7.0 `clientCommand`.

use crate::resp::{Args, Protocol, put_verbatim, strict};

/// Which clients are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    /// A kind that the proxy does not have: replicas, and clients in subscriptions.
    None,
    /// These, in this order.
    Ids(Vec<u64>),
}

/// The error for a list that is not whole.
pub(crate) const INCOMPLETE: &[u8] =
    b"ERR timeout: a worker of the proxy does not say who its clients are";

impl Wanted {
    /// Parses the complete request in `frame`, whose arity is right.
    ///
    /// # Errors
    /// The error text, when its options are invalid.
    pub(crate) fn of(frame: &[u8]) -> Result<Self, Vec<u8>> {
        let args: Vec<&[u8]> = Args::of(frame).skip(2).collect();
        match args.as_slice() {
            [] => Ok(Self::All),
            [option, kind] if option.eq_ignore_ascii_case(b"TYPE") => Self::of_kind(kind),
            [option, ids @ ..] if option.eq_ignore_ascii_case(b"ID") && !ids.is_empty() => {
                let ids = ids.iter().map(|id| u64::try_from(strict(id)?).ok());
                let ids: Option<Vec<u64>> = ids.collect();
                ids.map(Self::Ids).ok_or(b"ERR Invalid client ID".to_vec())
            }
            _ => Err(b"ERR syntax error".to_vec()),
        }
    }

    fn of_kind(kind: &[u8]) -> Result<Self, Vec<u8>> {
        let is = |known: &[u8]| kind.eq_ignore_ascii_case(known);
        if is(b"normal") {
            return Ok(Self::All);
        }
        if [&b"slave"[..], b"replica", b"pubsub", b"master"]
            .into_iter()
            .any(is)
        {
            return Ok(Self::None);
        }
        let mut text = b"ERR Unknown client type '".to_vec();
        text.extend(kind.iter().take(128));
        text.push(b'\'');
        Err(text)
    }

    /// The reply, of the lines of all clients by id.
    pub(crate) fn reply(&self, lines: &[(u64, Vec<u8>)], protocol: Protocol) -> Vec<u8> {
        let text: Vec<u8> = match self {
            Self::All => lines.iter().flat_map(|(_, line)| line).copied().collect(),
            Self::None => Vec::new(),
            Self::Ids(ids) => {
                let found = ids.iter().filter_map(|id| {
                    let place = lines.binary_search_by_key(id, |(id, _)| *id).ok()?;
                    Some(&lines[place].1)
                });
                found.flatten().copied().collect()
            }
        };
        let mut out = Vec::new();
        put_verbatim(&mut out, protocol, &text);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;
    use crate::resp::{Protocol, request};

    #[track_caller]
    fn check(line: &str, expected: Result<&str, &str>) {
        let words: Vec<&str> = line.split(' ').collect();
        let lines = [(1, b"a ".to_vec()), (3, b"b ".to_vec())];
        let wanted = Wanted::of(&request(&words));
        let reply = wanted.map(|wanted| wanted.reply(&lines, Protocol::Resp2));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let expected = expected.map(|text| format!("${}\r\n{text}\r\n", text.len()));
        assert_eq!(
            reply.map(text).map_err(text),
            expected.map_err(str::to_owned),
            "{line}"
        );
    }

    #[test]
    fn clients_are_chosen_as_redis_chooses_them() {
        check("CLIENT LIST", Ok("a b "));
        check("CLIENT LIST type Normal", Ok("a b "));
        check("CLIENT LIST TYPE pubsub", Ok(""));
        check("CLIENT LIST ID 3 2 1", Ok("b a "));
        check("CLIENT LIST ID", Err("ERR syntax error"));
        check("CLIENT LIST x", Err("ERR syntax error"));
        check("CLIENT LIST ID 1 x", Err("ERR Invalid client ID"));
        check("CLIENT LIST TYPE x", Err("ERR Unknown client type 'x'"));
    }
}
