//! The proxy's first requests on a connection to a node, and their answers.

use std::fmt;
use std::rc::Rc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::lost;
use crate::auth::{self, NodeAuth};
use crate::error::Kind;
use crate::resp::{Protocol, ReplyError, ReplyLimits, ReplyScan};
use crate::stream::Stream;

/// The longest answer that is waited for.
const ANSWER_MAX: usize = 64 * 1024;

/// Requests that a node must answer without an error before any other. They may contain a secret: they are never shown.
#[derive(Clone)]
pub(crate) struct Handshake {
    requests: Rc<[u8]>,
    /// Their names.
    names: Rc<[&'static str]>,
    secret: Option<Rc<str>>,
}

impl Handshake {
    /// Authenticates the proxy, if configured, and selects the protocol. `None` when neither is needed.
    pub(crate) fn of(protocol: Protocol, auth: Option<&NodeAuth>) -> Option<Self> {
        let (names, requests): (Vec<_>, Vec<_>) =
            auth::requests(protocol, auth).into_iter().unzip();
        (!names.is_empty()).then(|| Self {
            requests: requests.concat().into(),
            names: names.into(),
            secret: auth.map(|auth| auth.password.reveal().into()),
        })
    }

    /// Sends the requests and checks the answers.
    pub(super) async fn exchange(&self, stream: &mut Stream) -> Result<(), Kind> {
        let lost = |error| lost(&error);
        stream.write_all(&self.requests).await.map_err(lost)?;
        stream.flush().await.map_err(lost)?;
        let mut answers = BytesMut::new();
        let mut scan = ReplyScan::within(ReplyLimits::default(), Protocol::Resp3);
        for name in &*self.names {
            let len = loop {
                match scan.scan(&answers).map_err(Kind::Garbage)? {
                    Ok(len) => break len,
                    Err(_) if answers.len() < ANSWER_MAX => {}
                    Err(_) => return Err(Kind::Garbage(ReplyError::Malformed)),
                }
                if stream.read_buf(&mut answers).await.map_err(lost)? == 0 {
                    return Err(Kind::Lost);
                }
            };
            self.judge(name, &answers.split_to(len))?;
        }
        match answers.is_empty() {
            true => Ok(()),
            // More than was asked for.
            false => Err(Kind::Garbage(ReplyError::Malformed)),
        }
    }

    fn judge(&self, name: &str, answer: &[u8]) -> Result<(), Kind> {
        let Some(text) = answer.strip_prefix(b"-") else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(text);
        let text = text.trim_end();
        // A node that does not support the command repeats its arguments in the error.
        let hides = |text: &&str| {
            let secret = self.secret.as_deref();
            secret.is_none_or(|secret| !text.contains(secret))
        };
        let code = text.split(' ').next().unwrap_or_default();
        let shown = [text, code].into_iter().find(hides);
        let shown = shown.unwrap_or("(hidden)");
        Err(Kind::Unwelcome(format!("{name} refused: {shown}").into()))
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handshake(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::Handshake;
    use crate::auth::{NodeAuth, Secret};
    use crate::error::Kind;
    use crate::resp::Protocol;

    #[track_caller]
    fn check(answer: &str, expected: Option<&str>) {
        let auth = NodeAuth {
            username: Some("proxy".into()),
            password: Secret::new("s3cret"),
        };
        let greeting = Handshake::of(Protocol::Resp2, Some(&auth)).unwrap();
        let refused =
            expected.map(|text| Kind::Unwelcome(format!("authentication refused: {text}").into()));
        assert_eq!(
            greeting.judge("authentication", answer.as_bytes()).err(),
            refused,
            "{answer}"
        );
        assert!(!format!("{greeting:?}").contains("s3cret"));
    }

    #[test]
    fn a_refusal_is_told_without_the_secret() {
        check("+OK\r\n", None);
        check("-WRONGPASS invalid\r\n", Some("WRONGPASS invalid"));
        check(
            "-ERR unknown command 'AUTH', with args beginning with: 'proxy' 's3cret' \r\n",
            Some("ERR"),
        );
        check("-s3cret\r\n", Some("(hidden)"));
    }
}
