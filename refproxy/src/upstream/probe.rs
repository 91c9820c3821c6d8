//! Detects whether a silent node is busy with a script, over a connection of its own.
//!
//! Redis reads no requests after a script on the connection that runs it. On any other connection it answers `-BUSY`
//! once the script has lasted for its `busy-reply-threshold`. Never asks a node that answers, and never asks twice at a
//! time.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::clock::{Micros, micros};
use crate::error::Kind;
use crate::resp::{Protocol, ReplyLimits, ReplyScan, error_text};
use crate::stream::Stream;

/// After this silence a node is asked, and asked again when it was not busy.
const SILENCE: Duration = Duration::from_millis(500);
/// The longest answer that is waited for.
const ANSWER_MAX: usize = 4096;

type Asking = Pin<Box<dyn Future<Output = Option<Rc<str>>>>>;

/// The probe of a node's silence, in the task of its connection.
#[derive(Default)]
pub(super) struct Probe {
    asking: Option<Asking>,
    not_before: Micros,
}

impl Probe {
    /// When a node that is silent since then is to be asked; `None` while it is asked.
    pub(super) fn due(&self, silent_since: Micros, op_timeout: Duration) -> Option<Micros> {
        let silence = micros(SILENCE.min(op_timeout / 2));
        let due = (silent_since + silence).max(self.not_before);
        self.asking.is_none().then_some(due)
    }

    pub(super) fn ask(&mut self, connect: impl Future<Output = Result<Stream, Kind>> + 'static) {
        self.asking = Some(Box::pin(async move {
            let mut stream = connect.await.ok()?;
            stream.write_all(b"PING\r\n").await.ok()?;
            stream.flush().await.ok()?;
            is_busy(&answer(&mut stream).await?)
        }));
    }

    /// The node's error, when it has just answered that it is busy.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, now: Micros) -> Option<Rc<str>> {
        let asking = self.asking.as_mut()?;
        let Poll::Ready(busy) = asking.as_mut().poll(cx) else {
            return None;
        };
        self.asking = None;
        self.not_before = now + micros(SILENCE);
        busy
    }
}

/// The complete answer; `None` without one.
async fn answer(stream: &mut Stream) -> Option<BytesMut> {
    let mut answer = BytesMut::new();
    let mut scan = ReplyScan::within(ReplyLimits::default(), Protocol::Resp3);
    loop {
        if stream.read_buf(&mut answer).await.ok()? == 0 || answer.len() > ANSWER_MAX {
            return None;
        }
        if scan.scan(&answer).ok()?.is_ok() {
            return Some(answer);
        }
    }
}

/// The text of a BUSY error.
fn is_busy(answer: &[u8]) -> Option<Rc<str>> {
    let text = std::str::from_utf8(error_text(answer)?).ok()?;
    text.starts_with("BUSY ").then(|| text.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Probe, is_busy};

    #[track_caller]
    fn check(answer: &str, expected: Option<&str>) {
        assert_eq!(is_busy(answer.as_bytes()).as_deref(), expected, "{answer}");
    }

    #[test]
    fn only_a_busy_node_is_busy() {
        let busy = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
        check(&format!("-{busy}\r\n"), Some(busy));
        check("+PONG\r\n", None);
        check("-LOADING Redis is loading the dataset in memory\r\n", None);
        check("-NOAUTH Authentication required.\r\n", None);
        check("-BUSYKEY Target key name already exists.\r\n", None);
        check("+BUSY \r\n", None);
    }

    #[test]
    fn a_node_is_asked_before_its_requests_run_out_of_time() {
        let probe = Probe::default();
        let op = Duration::from_millis;
        assert_eq!(probe.due(1_000, op(20_000)), Some(501_000));
        assert_eq!(probe.due(1_000, op(1_000)), Some(501_000));
        assert_eq!(probe.due(1_000, op(100)), Some(51_000));
    }
}
