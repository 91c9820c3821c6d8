//! Replies of nodes that were still on their way when the client had its error: only they show whether a proxy delivers
//! them to another request.
//!
//! A proxy that closes the connection in time keeps them from coming. That counts too: it is how some proxies keep late
//! replies from other requests. A reply that a fault took does not count.

use testbed::wire::Value;

use super::Condition;
use crate::history::{Answered, Passage, Record};
use crate::observed::Observed;

pub(super) struct LateReplies;

impl Condition for LateReplies {
    fn id(&self) -> &'static str {
        "late-replies"
    }

    fn counts(&self) -> &'static str {
        "replies of nodes on their way after the client's error"
    }

    fn needs_taps(&self) -> bool {
        true
    }

    fn count(&self, observed: &Observed) -> usize {
        observed
            .history
            .records
            .iter()
            .filter(|record| late(record))
            .count()
    }
}

fn late(record: &Record) -> bool {
    let failed = record.reply.as_ref().is_some_and(Value::is_error);
    let Some(error_at) = record.received.filter(|_| failed) else {
        return false;
    };
    let answers = record.seen.iter().filter_map(|seen| seen.answered.as_ref());
    answers
        .into_iter()
        .any(|answered| is_late(answered, error_at))
}

fn is_late(answered: &Answered, error_at: u64) -> bool {
    match answered.passage {
        Passage::AtOnce => answered.at > error_at,
        Passage::Sent(at) => at > error_at,
        Passage::Lost => false,
        Passage::HungUp => true,
    }
}
