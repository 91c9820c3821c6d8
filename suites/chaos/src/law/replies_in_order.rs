//! The replies on a connection come in the order of its requests.

use testbed::class::Class;

use super::misdelivery::{self, Origin};
use super::{Law, Verdict};
use crate::observed::Observed;

pub(super) struct RepliesInOrder;

impl Law for RepliesInOrder {
    fn id(&self) -> &'static str {
        "replies-in-order"
    }

    fn promise(&self) -> &'static str {
        "the replies on a connection come in the order of its requests, and elements of a reply in the order of its keys"
    }

    fn source(&self) -> &'static str {
        "https://github.com/envoyproxy/envoy/pull/1351"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::Wrong]
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        misdelivery::judge(observed, Origin::SameConnection)
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, array, bulk, check_broken, check_kept, error};

    /// Two pipelined requests of one client, with their replies swapped.
    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.ok(7, "ECHO one", bulk("two"));
        run.ok(7, "ECHO two", bulk("one"));
        run
    }

    #[test]
    fn swapped_replies_break_it() {
        let sentence = r#"ECHO "one" (session 7, sent at 9.000 s) has the reply of ECHO "two" (session 7, sent at 9.001 s), on the same connection"#;
        check_broken(&RepliesInOrder, &double(), sentence);
    }

    #[test]
    fn a_late_reply_given_to_the_next_request_breaks_it() {
        let mut run = Run::healthy();
        run.indefinite(7, "GET a-key-1");
        let next = run.ok(7, "GET b-key-1", bulk("value-b-key-1"));
        run.record(next).reply = Some(bulk("value-a-key-1"));
        let sentence = r#"GET "b-key-1" (session 7, sent at 9.001 s) has the reply of GET "a-key-1" (session 7, sent at 9.000 s), on the same connection"#;
        check_broken(&RepliesInOrder, &run, sentence);
    }

    #[test]
    fn elements_in_the_order_of_other_keys_break_it() {
        let mut run = Run::healthy();
        let values = [bulk("value-b-key-1"), bulk("value-a-key-1")];
        run.ok(7, "MGET a-key-1 b-key-1", array(values));
        let request = r#"MGET "a-key-1" "b-key-1" (session 7, sent at 9.000 s)"#;
        let sentence = format!("{request} has the reply of {request}, on the same connection");
        check_broken(&RepliesInOrder, &run, &sentence);
    }

    #[test]
    fn errors_and_shared_values_say_nothing() {
        let mut run = Run::healthy();
        let refused = run.refused(7, "GET a-key-1");
        run.record(refused).reply = Some(error("ERR no"));
        run.ok(7, "SET a-x same", bulk("OK"));
        run.ok(7, "SET b-x same", bulk("OK"));
        run.ok(7, "GET b-x", bulk("same"));
        check_kept(&RepliesInOrder, &run);
    }
}
