//! Requests that clients saw fail.

use testbed::wire::Value;

use super::Condition;
use crate::observed::{Closer, Observed};

pub(super) struct ErrorsSeen;

impl Condition for ErrorsSeen {
    fn id(&self) -> &'static str {
        "errors-seen"
    }

    fn counts(&self) -> &'static str {
        "requests answered with an error or closed by the proxy"
    }

    fn count(&self, observed: &Observed) -> usize {
        let closed = |session| {
            let closed = observed.sessions.get(session)?.closed?;
            Some(closed.by == Closer::Proxy)
        };
        let failed = observed
            .history
            .records
            .iter()
            .filter(|record| match &record.reply {
                Some(reply) => reply.is_error() || elements(reply).iter().any(Value::is_error),
                None => closed(&record.session) == Some(true),
            });
        failed.count()
    }
}

/// MGET and EXEC may have errors in the places of single results.
fn elements(reply: &Value) -> &[Value] {
    match reply {
        Value::Array(elements) => elements,
        _ => &[],
    }
}
