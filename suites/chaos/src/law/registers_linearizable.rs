//! The registers of a run are linearizable, with session order.
//!
//! The checker decides. Requests that only name keys which their node may have lost are left out.

use std::collections::HashMap;

use testbed::class::Class;
use testbed::wire::quoted;

use super::command::Command;
use super::findings::Findings;
use super::keys::lasts;
use super::on_proxies::name_by_node;
use super::{Law, Verdict};
use crate::checker::{self, Checked, Options};
use crate::history::{Completion, History, settle};
use crate::observed::Observed;

pub(super) struct RegistersLinearizable;

impl Law for RegistersLinearizable {
    fn id(&self) -> &'static str {
        "registers-linearizable"
    }

    fn promise(&self) -> &'static str {
        "every read of a register is explained by one order of all its requests, which keeps real time and sessions"
    }

    fn source(&self) -> &'static str {
        "https://doi.org/10.1145/78969.78972"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::Wrong]
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        let mut undecided = None;
        for register in checker::registers(&settle(lasting(observed)), Options::default()) {
            if register.operations > 0 && lasts(observed, &register.key) {
                judge(observed, register, &mut findings, &mut undecided);
            }
        }
        let missing =
            undecided.unwrap_or("a key that only GET, SET and the like were used on".to_owned());
        findings.verdict("registers were linearizable", &missing)
    }
}

fn judge(
    observed: &Observed,
    register: Checked,
    findings: &mut Findings,
    undecided: &mut Option<String>,
) {
    match register.verdict {
        checker::Verdict::Linearizable => findings.judge(),
        checker::Verdict::Violation(explanation) => {
            findings.judge();
            let at = observed.history.records[explanation.culprit].sent;
            findings.broken(at, explanation.records, || {
                explanation
                    .text
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            });
        }
        checker::Verdict::Unknown(why) => {
            undecided.get_or_insert_with(|| {
                format!("a decision on key {}: {why}", quoted(&register.key))
            });
        }
    }
}

/// The history without the operations on keys that their node may have lost. A key that several proxies ask different
/// nodes for, as predicted, is one register per node.
fn lasting(observed: &Observed) -> History {
    let mut history = observed.history.clone();
    let keys = observed.owners.keys();
    let known: HashMap<&[u8], bool> = keys.map(|key| (&key[..], lasts(observed, key))).collect();
    let lasts = |key: &[u8]| {
        known
            .get(key)
            .copied()
            .unwrap_or_else(|| lasts(observed, key))
    };
    for record in &mut history.records {
        let keys = Command::of(&record.request).keys();
        if !keys.is_empty() && !keys.iter().any(|key| lasts(key)) {
            record.completion = Completion::Failed;
        }
    }
    name_by_node(observed, &mut history);
    history
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_kept, ok};
    use crate::observed::Subject;

    /// A read of the value before the last one.
    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.ok(7, "SET a-x one", ok());
        run.ok(8, "SET a-x two", ok());
        run.ok(9, "GET a-x", bulk("one"));
        run.holds("a-x", bulk("two"));
        run
    }

    #[test]
    fn a_stale_read_breaks_it() {
        let sentence = r#"key "a-x": request 0 of session 9 cannot be placed: no order of these requests explains their replies"#;
        check_broken(&RegistersLinearizable, &double(), sentence);
    }

    #[test]
    fn an_indefinite_write_may_be_read_or_not() {
        for value in ["one", "two"] {
            let mut run = Run::healthy();
            run.ok(7, "SET a-x one", ok());
            run.indefinite(8, "SET a-x two");
            run.ok(9, "GET a-x", bulk(value));
            check_kept(&RegistersLinearizable, &run);
        }
    }

    #[test]
    fn keys_that_a_node_lost_are_not_judged() {
        let mut run = double();
        run.now = 8000;
        run.window(Subject::Node(0), 100);
        run.observed.windows[1].empties = true;
        check_kept(&RegistersLinearizable, &run);
    }
}
