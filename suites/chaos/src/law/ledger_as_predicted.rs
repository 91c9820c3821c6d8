//! In the end every register is where it was acknowledged, with a value that may be its last one.

use testbed::wire::quoted;

use super::findings::Findings;
use super::keys::{by_key, lasts};
use super::last::{Last, followed, value};
use super::operation::{Operation, operations};
use super::{Law, Verdict};
use crate::ledger::KeyOutcome;
use crate::observed::Observed;

pub(super) struct LedgerAsPredicted;

impl Law for LedgerAsPredicted {
    fn id(&self) -> &'static str {
        "ledger-as-predicted"
    }

    fn promise(&self) -> &'static str {
        "every acknowledged key is found in the end on its node alone, with its last value, unless predicted otherwise"
    }

    fn source(&self) -> &'static str {
        "https://github.com/twitter/twemproxy/issues/604"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let operations = operations(&observed.history);
        let mut findings = Findings::default();
        if !observed.contents.is_empty() {
            for (key, uses) in by_key(&operations) {
                judge(observed, key, &uses, &mut findings);
            }
        }
        findings.verdict(
            "acknowledged keys were in the end as predicted",
            "an acknowledged write, and nodes that could be looked at in the end",
        )
    }
}

fn judge(observed: &Observed, key: &[u8], uses: &[&Operation<'_>], findings: &mut Findings) {
    let register = uses.iter().all(|operation| followed(operation));
    let acknowledged = uses
        .iter()
        .any(|operation| operation.ok() && value(operation, key).is_some());
    if !register || !acknowledged || !lasts(observed, key) {
        return;
    }
    findings.judge();
    let fate = fate(observed, key, uses);
    let predicted = observed.predicted.get(key);
    if fate == Fate::Is(KeyOutcome::Found) || Some(fate) == predicted.copied().map(Fate::Is) {
        return;
    }
    let writes = uses
        .iter()
        .rev()
        .filter(|operation| value(operation, key).is_some());
    let records = writes.take(3).flat_map(|operation| operation.records());
    findings.broken(observed.load.to, records, || {
        let predicted = predicted.map_or(KeyOutcome::Found.name(), |outcome| outcome.name());
        format!(
            "key {} is {} in the end, predicted {predicted}",
            quoted(key),
            fate.name()
        )
    });
}

/// The outcome of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// On one node or none.
    Is(KeyOutcome),
    /// On several nodes.
    Duplicated,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Is(outcome) => outcome.name(),
            Self::Duplicated => "duplicated",
        }
    }
}

fn fate(observed: &Observed, key: &[u8], uses: &[&Operation<'_>]) -> Fate {
    let last = Last::new(key, uses);
    let copies = observed.contents.get(key).map_or(&[][..], Vec::as_slice);
    let owner = observed
        .owners_after
        .get(key)
        .or_else(|| observed.owners.get(key));
    Fate::Is(match copies {
        [] if last.may_be_missing() => KeyOutcome::Found,
        [] => KeyOutcome::Lost,
        [(node, _)] if owner.is_some_and(|owner| owner != node) => KeyOutcome::Unreachable,
        [(_, value)] => last.outcome(value),
        _ => return Fate::Duplicated,
    })
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_kept, int, ok};

    /// Three writes of one key, the last one unanswered, and the values that the nodes held in the end.
    fn ended(copies: &[(u16, &str)]) -> Run {
        let mut run = Run::healthy();
        run.ok(7, "SET a-x one", ok());
        run.ok(8, "SET a-x two", ok());
        run.indefinite(8, "SET a-x three");
        let copies = copies
            .iter()
            .map(|(node, value)| (*node, bulk(value)))
            .collect();
        run.observed.contents.insert(b"a-x".to_vec(), copies);
        run
    }

    pub(in crate::law) fn double() -> Run {
        ended(&[(0, "one")])
    }

    #[test]
    fn lost_stale_unreachable_duplicated_and_wrong_keys_break_it() {
        for (copies, name) in [
            (&[(0, "one")][..], "stale"),
            (&[], "lost"),
            (&[(1, "two")], "unreachable"),
            (&[(0, "two"), (1, "two")], "duplicated"),
            (&[(0, "four")], "wrong"),
        ] {
            let sentence = format!(r#"key "a-x" is {name} in the end, predicted found"#);
            check_broken(&LedgerAsPredicted, &ended(copies), &sentence);
        }
    }

    #[test]
    fn the_last_value_or_an_indefinite_one_is_right() {
        check_kept(&LedgerAsPredicted, &ended(&[(0, "two")]));
        check_kept(&LedgerAsPredicted, &ended(&[(0, "three")]));
    }

    #[test]
    fn a_prediction_is_kept_if_it_comes_true() {
        let mut run = ended(&[(1, "two")]);
        run.observed
            .predicted
            .insert(b"a-x".to_vec(), KeyOutcome::Unreachable);
        check_kept(&LedgerAsPredicted, &run);
    }

    #[test]
    fn a_deleted_key_may_be_missing() {
        let mut run = ended(&[]);
        run.ok(9, "DEL a-x", int(1));
        check_kept(&LedgerAsPredicted, &run);
    }
}
