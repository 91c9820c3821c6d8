//! Replies of nodes that came after the client had its error: only they show whether a proxy delivers them to another
//! client.

use testbed::wire::Value;

use super::Condition;
use crate::history::Record;
use crate::observed::Observed;

pub(super) struct LateReplies;

impl Condition for LateReplies {
    fn id(&self) -> &'static str {
        "late-replies"
    }

    fn counts(&self) -> &'static str {
        "replies of nodes after the client's error"
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
    let Some(received) = record.received.filter(|_| failed) else {
        return false;
    };
    let answers = record.seen.iter().filter_map(|seen| seen.answered.as_ref());
    answers.into_iter().any(|answered| answered.at > received)
}
