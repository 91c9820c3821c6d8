//! Checks all registers of a history.

use super::explanation;
use super::extract::{Key, extract};
use super::judge::{Judge, Ruling};
use super::options::Options;
use super::verdict::{Checked, Verdict};
use crate::history::{History, Record};

/// Checks each key that GET, MGET, SET, MSET, SET NX, SETNX, GETSET, DEL or UNLINK was used on, in the order in which the
/// keys occur. All keys are absent before the first request.
///
/// Indefinite requests stay indefinite: call [`crate::history::settle`] first to decide them by what the nodes saw.
#[must_use]
pub fn registers(history: &History, options: Options) -> Vec<Checked> {
    let extracted = extract(history);
    let mut judge = Judge::new(options, extracted.sessions);
    let keys = extracted.keys.into_iter();
    keys.map(|key| checked(&key, history, &mut judge)).collect()
}

fn checked(key: &Key<'_>, history: &History, judge: &mut Judge) -> Checked {
    let (method, verdict) = verdict(key, history, judge);
    Checked {
        key: key.key.to_vec(),
        operations: key.operations.len(),
        method,
        verdict,
    }
}

fn verdict(
    key: &Key<'_>,
    history: &History,
    judge: &mut Judge,
) -> (Option<super::Method>, Verdict) {
    if let Some(record) = key.foreign {
        return (
            None,
            Verdict::Unknown(foreign(&history.records[record as usize])),
        );
    }
    if let Some(record) = key.misfit {
        let explanation = explanation::misfit(key.key, record, history);
        return (None, Verdict::Violation(explanation));
    }
    match judge.rule(&key.operations) {
        Ruling::Linearizable(method) => (Some(method), Verdict::Linearizable),
        Ruling::Impossible => {
            let explained = explanation::explain((key.key, &key.operations), history, judge);
            (None, Verdict::Violation(explained))
        }
        Ruling::Undecided => (None, Verdict::Unknown(exhausted(key, judge))),
    }
}

fn foreign(record: &Record) -> String {
    let name = record.request.first().map_or(&b""[..], |name| name);
    format!(
        "request {} of session {}, {}, is no operation on a register",
        record.sequence,
        record.session,
        name.escape_ascii()
    )
}

fn exhausted(key: &Key<'_>, judge: &Judge) -> String {
    let unplaced = key.operations.iter();
    let unplaced = unplaced.filter(|operation| operation.is_certain() && operation.place.is_none());
    format!(
        "the search over {} operations used up its budget of {} configurations; no node's order is \
         recorded for {} of the operations",
        key.operations.len(),
        judge.options().budget,
        unplaced.count()
    )
}
