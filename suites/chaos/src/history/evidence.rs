//! Evidence: what the nodes saw decides completions that the clients could not decide.

use super::{Completion, History, Record};

/// Decides what the taps can decide. An indefinite request that a node executed is ok, with the node's reply; one that no
/// node saw is failed, if the taps cover the run. All else stays indefinite.
///
/// A request decided to be ok has not been received: the client was not answered, or was answered with an error before
/// the node executed it. So it took effect before the node's answer, and not necessarily before later requests of its
/// session.
#[must_use]
pub fn settle(mut history: History) -> History {
    let tapped = history.header.tapped;
    let indefinite = |record: &&mut Record| record.completion == Completion::Indefinite;
    for record in history.records.iter_mut().filter(indefinite) {
        decide(record, tapped);
    }
    history
}

fn decide(record: &mut Record, tapped: bool) {
    let first = record.executed().min_by_key(|answered| answered.at);
    if let Some(reply) = first.map(|answered| answered.reply.clone()) {
        if record.seen.len() == 1 && !may_be_split(record) {
            record.completion = Completion::Ok;
            record.reply = Some(reply);
            record.received = None;
        }
    } else if record.seen.is_empty() && tapped {
        record.completion = Completion::Failed;
    }
}

/// Whether a proxy may split it into several requests: then a node that executed one of them may have executed only a
/// part, and the node's answer is not the reply.
pub(crate) fn may_be_split(record: &Record) -> bool {
    let Some((name, words)) = record.request.split_first() else {
        return false;
    };
    match name.to_ascii_uppercase().as_slice() {
        b"MGET" => true,
        b"DEL" | b"UNLINK" | b"EXISTS" | b"TOUCH" => words.len() > 1,
        b"MSET" => words.len() > 2,
        _ => false,
    }
}
