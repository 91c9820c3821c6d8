//! A list has each appended value once, in the order of the requests, in every read and in the end.

use std::collections::HashMap;

use testbed::class::Class;
use testbed::wire::{Value, quoted};

use super::before::Before;
use super::command::Command;
use super::findings::Findings;
use super::keys::{bulk, by_key, found, lasts};
use super::operation::{Operation, operations};
use super::{Law, Verdict, text};
use crate::observed::Observed;

pub(super) struct AppendsIntact;

impl Law for AppendsIntact {
    fn id(&self) -> &'static str {
        "appends-intact"
    }

    fn promise(&self) -> &'static str {
        "no value that RPUSH acknowledged is lost, doubled or reordered"
    }

    fn source(&self) -> &'static str {
        "https://jepsen.io/analyses/redis-raft-1b3fbf6"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::Wrong]
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let operations = operations(&observed.history);
        let mut findings = Findings::default();
        for (key, uses) in by_key(&operations) {
            let lists = uses.iter().all(|operation| appends_or_reads(operation));
            if !lists || !lasts(observed, key) {
                continue;
            }
            let (Some(pushed), Some(list)) = (pushed(&uses), reference(observed, key, &uses))
            else {
                continue;
            };
            let list = List {
                key,
                uses: &uses,
                pushed,
                elements: list,
            };
            list.judge(observed, &mut findings);
        }
        findings.verdict(
            "lists, and replies about them, had each value once and in order",
            "a list that only RPUSH of unique values writes, on a node that kept its keys",
        )
    }
}

fn appends_or_reads(operation: &Operation<'_>) -> bool {
    matches!(operation.command, Command::Append(..)) || operation.command.reads()
}

/// The request of each value, if every value is unique and there is at least one.
fn pushed<'a, 'o>(uses: &[&'o Operation<'a>]) -> Option<HashMap<&'a [u8], &'o Operation<'a>>> {
    let mut pushed = HashMap::new();
    for operation in uses {
        if let Command::Append(_, values) = operation.command {
            for value in values {
                if pushed.insert(value.as_slice(), *operation).is_some() {
                    return None;
                }
            }
        }
    }
    (!pushed.is_empty()).then_some(pushed)
}

/// The best known content of a list: what the node held in the end, or else the longest read.
struct Reference<'a> {
    values: Vec<&'a [u8]>,
    /// Whether it is what the node held in the end.
    last: bool,
    /// The read that it is from.
    read: Option<usize>,
}

fn reference<'o>(
    observed: &'o Observed,
    key: &[u8],
    uses: &[&'o Operation<'_>],
) -> Option<Reference<'o>> {
    if let Some(value) = found(observed, key) {
        return Some(Reference {
            values: value.map_or(Some(Vec::new()), elements)?,
            last: true,
            read: None,
        });
    }
    let reads = uses
        .iter()
        .filter_map(|operation| Some((read(operation)?, operation.record)));
    let (values, read) = reads.max_by_key(|(values, _)| values.len())?;
    Some(Reference {
        values,
        last: false,
        read: Some(read),
    })
}

/// The reply of LRANGE.
fn read<'a>(operation: &Operation<'a>) -> Option<Vec<&'a [u8]>> {
    match operation.command {
        Command::List(_) => elements(operation.reply?),
        _ => None,
    }
}

fn elements(list: &Value) -> Option<Vec<&[u8]>> {
    match list {
        Value::Array(elements) => elements.iter().map(bulk).collect(),
        _ => None,
    }
}

struct List<'a, 'o> {
    key: &'a [u8],
    uses: &'o [&'o Operation<'a>],
    pushed: HashMap<&'a [u8], &'o Operation<'a>>,
    elements: Reference<'o>,
}

impl List<'_, '_> {
    /// Replies are compared with a list only if the list itself is sound.
    fn judge(&self, observed: &Observed, findings: &mut Findings) {
        findings.judge();
        let at = self.elements.read.map_or(observed.load.to, |_| 0);
        if let Some((why, records)) = self.unsound() {
            let records = records.into_iter().chain(self.elements.read);
            findings.broken(at, records, || format!("list {}: {why}", quoted(self.key)));
            return;
        }
        self.replies(findings);
        self.reads(findings);
    }

    /// The error in the list, with the records that prove it.
    fn unsound(&self) -> Option<(String, Vec<usize>)> {
        let mut places: HashMap<&[u8], usize> = HashMap::new();
        for (place, value) in self.elements.values.iter().enumerate() {
            match self.pushed.get(value) {
                Some(push) if push.possible() => {}
                Some(push) => {
                    return Some((
                        format!("has {}, whose RPUSH failed", quoted(value)),
                        vec![push.record],
                    ));
                }
                None => {
                    return Some((
                        format!("has {}, which no RPUSH wrote", quoted(value)),
                        Vec::new(),
                    ));
                }
            }
            if places.insert(value, place).is_some() {
                let push = self.pushed[value].record;
                return Some((format!("has {} twice", quoted(value)), vec![push]));
            }
        }
        self.lost(&places).or_else(|| self.reordered())
    }

    fn lost(&self, places: &HashMap<&[u8], usize>) -> Option<(String, Vec<usize>)> {
        let acknowledged = self
            .pushed
            .iter()
            .filter(|(_, push)| push.ok() && self.elements.last);
        let lost = acknowledged.filter(|(value, _)| !places.contains_key(*value));
        let (value, push) = lost.min_by_key(|(_, push)| push.sent)?;
        let why = format!("{} was acknowledged and is lost in the end", quoted(value));
        Some((why, vec![push.record]))
    }

    fn reordered(&self) -> Option<(String, Vec<usize>)> {
        let mut latest: Option<&Operation<'_>> = None;
        let mut sessions: HashMap<u32, usize> = HashMap::new();
        for value in &self.elements.values {
            let push = self.pushed[value];
            let in_session = sessions.get(&push.session).copied();
            let session =
                in_session.filter(|earlier| push.received.is_some() && *earlier > push.record);
            let time = latest.filter(|latest| push.latest() < latest.sent);
            if let Some(other) = session.or(time.map(|time| time.record)) {
                let why = format!("{} is after a value that was appended later", quoted(value));
                return Some((why, vec![push.record, other]));
            }
            if push.received.is_some() {
                sessions.insert(push.session, push.record);
            }
            latest = latest
                .filter(|latest| latest.sent >= push.sent)
                .or(Some(push));
        }
        None
    }

    /// RPUSH answers the length of the list: the place of its last value.
    fn replies(&self, findings: &mut Findings) {
        let values = self.elements.values.iter().enumerate();
        let lengths: HashMap<&[u8], usize> =
            values.map(|(place, value)| (*value, place + 1)).collect();
        for push in self.uses {
            let Command::Append(_, [.., last]) = push.command else {
                continue;
            };
            let (Some(Value::Integer(said)), Some(length)) =
                (push.reply, lengths.get(last.as_slice()))
            else {
                continue;
            };
            findings.judge();
            if usize::try_from(*said) != Ok(*length) {
                findings.broken(push.sent, push.records(), || {
                    let (key, sent) = (quoted(self.key), text::time(push.sent));
                    format!("RPUSH {key} (sent at {sent}) was answered {said}, but its value has place {length}")
                });
            }
        }
    }

    /// Lists only grow: each read is the beginning of the list, with all that was acknowledged before it.
    fn reads(&self, findings: &mut Findings) {
        let places = self.elements.values.iter().enumerate();
        let ends = places.map(|(place, value)| (self.pushed[value].latest(), place + 1));
        let acknowledged = Before::new(ends);
        for operation in self.uses {
            let Some(values) = read(operation) else {
                continue;
            };
            findings.judge();
            let least = acknowledged.greatest(operation.sent).unwrap_or(0);
            if self.elements.values.starts_with(&values) && values.len() >= least {
                continue;
            }
            findings.broken(operation.sent, operation.records(), || {
                let (key, sent) = (quoted(self.key), text::time(operation.sent));
                let length = values.len();
                format!("LRANGE {key} (sent at {sent}) was answered {length} values, which are not the first {least} or more of the list")
            });
        }
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, array, bulk, check_broken, check_kept, int};

    pub(in crate::law) fn double() -> Run {
        ended(&["b-list/3", "b-list/4", "b-list/3"])
    }

    /// Two acknowledged values, one indefinite, and what the list held in the end.
    fn ended(values: &[&str]) -> Run {
        let mut run = Run::healthy();
        run.ok(7, "RPUSH b-list b-list/3", int(1));
        run.ok(8, "RPUSH b-list b-list/4", int(2));
        run.indefinite(8, "RPUSH b-list b-list/5");
        run.holds("b-list", array(values.iter().map(|value| bulk(value))));
        run
    }

    #[test]
    fn lost_doubled_reordered_and_invented_values_break_it() {
        for (values, why) in [
            (
                &["b-list/3", "b-list/4", "b-list/3"][..],
                r#"has "b-list/3" twice"#,
            ),
            (
                &["b-list/4"],
                r#""b-list/3" was acknowledged and is lost in the end"#,
            ),
            (&[], r#""b-list/3" was acknowledged and is lost in the end"#),
            (
                &["b-list/4", "b-list/3"],
                r#""b-list/3" is after a value that was appended later"#,
            ),
            (
                &["b-list/3", "b-list/4", "x"],
                r#"has "x", which no RPUSH wrote"#,
            ),
        ] {
            check_broken(
                &AppendsIntact,
                &ended(values),
                &format!(r#"list "b-list": {why}"#),
            );
        }
    }

    #[test]
    fn an_indefinite_append_may_be_there() {
        check_kept(&AppendsIntact, &ended(&["b-list/3", "b-list/4"]));
        check_kept(
            &AppendsIntact,
            &ended(&["b-list/3", "b-list/4", "b-list/5"]),
        );
    }

    #[test]
    fn a_read_that_misses_an_acknowledged_value_breaks_it() {
        let mut run = ended(&["b-list/3", "b-list/4"]);
        run.ok(9, "LRANGE b-list 0 -1", array([bulk("b-list/3")]));
        let sentence = r#"LRANGE "b-list" (sent at 9.003 s) was answered 1 values, which are not the first 2 or more of the list"#;
        check_broken(&AppendsIntact, &run, sentence);
    }

    #[test]
    fn a_length_that_no_list_had_breaks_it() {
        let mut run = ended(&["b-list/3", "b-list/4", "b-list/6"]);
        run.ok(9, "RPUSH b-list b-list/6", int(7));
        let sentence =
            r#"RPUSH "b-list" (sent at 9.003 s) was answered 7, but its value has place 3"#;
        check_broken(&AppendsIntact, &run, sentence);
    }
}
