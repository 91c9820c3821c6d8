//! What the proxy says first on a connection to a node, and what it makes of the answer.

use std::fmt;
use std::rc::Rc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::auth::NodeAuth;
use crate::error::Kind;
use crate::resp::{ReplyScan, request};

/// The longest answer that is waited for.
const ANSWER_MAX: usize = 64 * 1024;

/// A request that a node must answer without an error before it is asked anything else. It has a secret in it and is
/// never shown.
#[derive(Clone)]
pub(crate) struct Greeting {
    request: Rc<[u8]>,
    secret: Rc<str>,
}

impl Greeting {
    /// Says who the proxy is.
    pub(crate) fn of(auth: &NodeAuth) -> Self {
        let password = auth.password.reveal();
        let request = match &auth.username {
            Some(name) => request(&["AUTH", name, password]),
            None => request(&["AUTH", password]),
        };
        Self {
            request: request.into(),
            secret: password.into(),
        }
    }

    /// Says it and takes the answer.
    pub(super) async fn exchange(&self, stream: &mut TcpStream) -> Result<(), Kind> {
        let lost = |_| Kind::Lost;
        stream.write_all(&self.request).await.map_err(lost)?;
        let mut answer = BytesMut::new();
        let mut scan = ReplyScan::default();
        loop {
            if stream.read_buf(&mut answer).await.map_err(lost)? == 0 {
                return Err(Kind::Lost);
            }
            match scan.scan(&answer) {
                // More than was asked for is no answer.
                Ok(Ok(len)) if len < answer.len() => return Err(Kind::Garbage),
                Ok(Ok(_)) => return self.judge(&answer),
                Ok(Err(_)) if answer.len() < ANSWER_MAX => {}
                Ok(Err(_)) | Err(_) => return Err(Kind::Garbage),
            }
        }
    }

    fn judge(&self, answer: &[u8]) -> Result<(), Kind> {
        let Some(text) = answer.strip_prefix(b"-") else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(text);
        let text = text.trim_end();
        // A node that knows no such command repeats what it was told.
        let shown = match text.contains(&*self.secret) {
            true => text.split(' ').next().unwrap_or_default(),
            false => text,
        };
        let shown = match shown.contains(&*self.secret) {
            true => "(hidden)",
            false => shown,
        };
        Err(Kind::Unwelcome(
            format!("authentication refused: {shown}").into(),
        ))
    }
}

impl fmt::Debug for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Greeting(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::Greeting;
    use crate::auth::{NodeAuth, Secret};
    use crate::error::Kind;

    #[track_caller]
    fn check(answer: &str, expected: Option<&str>) {
        let greeting = Greeting::of(&NodeAuth {
            username: Some("proxy".into()),
            password: Secret::new("s3cret"),
        });
        let refused =
            expected.map(|text| Kind::Unwelcome(format!("authentication refused: {text}").into()));
        assert_eq!(greeting.judge(answer.as_bytes()).err(), refused, "{answer}");
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
