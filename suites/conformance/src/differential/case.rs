//! A difference as a case file that expects the replies of one plain Redis.

use super::Difference;
use super::draw::{Part, Step};
use crate::cases::print::{escaped, pattern, word};
use crate::oracle::Comparison;
use testbed::wire::Value;

/// The source of every promise about a command.
const SPEC: &str = "https://redis.io/docs/latest/commands/";

impl Difference {
    /// The steps as a case file, to be given a promise. Requests that were under way at the same time are sent before the first
    /// reply is wanted.
    #[must_use]
    pub fn case(&self) -> String {
        let what = self.what.escape_debug();
        let mut text = format!("case 1\n# {what}\nspec   {SPEC}\nlevel  must\n");
        for (client, _) in (1..).zip(&self.resp3).filter(|(_, resp3)| **resp3) {
            if self.steps.iter().any(|step| step.client + 1 == client) {
                text += &format!("send   @{client} HELLO 3\nwant   @{client} map\n");
            }
        }
        let numbered: Vec<(usize, &Step)> = self.steps.iter().enumerate().collect();
        for wave in numbered.chunk_by(|_, (_, next)| next.piped) {
            for (_, step) in wave {
                text += &format!("send   @{} {}\n", step.client + 1, step.shown());
            }
            for (place, step) in wave {
                let said = self.said.get(*place).and_then(Option::as_ref);
                text += &format!("want   @{} {}\n", step.client + 1, wanted(step, said));
            }
        }
        text
    }
}

impl Step {
    /// The request in the notation of cases.
    #[must_use]
    pub fn shown(&self) -> String {
        let words: Vec<String> = self.request.words.iter().map(word).collect();
        words.join(" ")
    }
}

/// The expectation of a step in a case, by the reply of the plain Redis.
fn wanted(step: &Step, said: Option<&Value>) -> String {
    match (said, step.comparison, step.part) {
        (Some(Value::Error(text) | Value::BulkError(text)), _, _) => {
            let code = text.split(|byte| *byte == b' ').next().unwrap_or_default();
            format!("error {}", escaped(code))
        }
        // Queued requests may compare differently from the reply to them.
        (Some(Value::Array(elements)), _, Part::Exec) if !elements.is_empty() => {
            format!("*{}{}", elements.len(), " any".repeat(elements.len()))
        }
        (Some(said), Comparison::Exact, _) => pattern(said),
        (Some(said @ Value::Array(_)), Comparison::AnyOrder, _) => {
            format!("unordered {}", pattern(said))
        }
        _ => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::draw::tests::{call, key};
    use super::super::{Difference, Step};
    use crate::{Case, load};
    use testbed::fixtures::Source;
    use testbed::wire::Value;

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.as_bytes().to_vec())
    }

    /// The case that steps are printed as, which is read again.
    #[track_caller]
    fn check(steps: Vec<Step>, said: Vec<Option<Value>>, resp3: bool, expected: &[&str]) {
        let difference = Difference {
            what: "GET $k1: expected \"it's\"\nas exact".to_owned(),
            resp3: vec![resp3],
            steps,
            said,
        };
        let text = difference.case();
        let source = Source {
            path: "found.case".to_owned(),
            id: "found".to_owned(),
            text: text.clone(),
        };
        let read: Result<Vec<Case>, _> = load(&[source]);
        assert!(read.is_ok(), "{read:?} of\n{text}");
        let lines: Vec<&str> = text.lines().skip(4).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn words_are_quoted_with_the_escapes_of_cases() {
        let script = "return redis.call('GET', \"a\\b\")";
        let steps = vec![
            call(&["EVAL", script, "1"], &[key(2)]),
            call(&["SET"], &[key(1)]),
        ];
        check(
            steps,
            vec![Some(bulk("it's \r\n")), None],
            false,
            &[
                r#"send   @1 EVAL "return redis.call('GET', \"a\\b\")" 1 $k2"#,
                r#"want   @1 "it's \r\n""#,
                "send   @1 SET $k1",
                "want   @1 any",
            ],
        );
    }

    #[test]
    fn long_replies_are_not_cut() {
        let many = Value::Array((0..20).map(Value::Integer).collect());
        let numbers: Vec<String> = (0..20).map(|number| format!(":{number}")).collect();
        check(
            vec![call(&["LRANGE"], &[key(1)]), call(&["GET"], &[key(1)])],
            vec![Some(many), Some(bulk(&"x".repeat(100)))],
            true,
            &[
                "send   @1 HELLO 3",
                "want   @1 map",
                "send   @1 LRANGE $k1",
                &format!("want   @1 *20 {}", numbers.join(" ")),
                "send   @1 GET $k1",
                "want   @1 bulk-length 100",
            ],
        );
    }
}
