//! A client never has a reply to another client's request.

use testbed::class::Class;

use super::misdelivery::{self, Origin};
use super::{Law, Verdict};
use crate::observed::Observed;

pub(super) struct NoCrossTalk;

impl Law for NoCrossTalk {
    fn id(&self) -> &'static str {
        "no-cross-talk"
    }

    fn promise(&self) -> &'static str {
        "no connection has a reply to a request of another connection"
    }

    fn source(&self) -> &'static str {
        "https://github.com/RedisLabs/redisraft/issues/26"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::Wrong]
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        misdelivery::judge(observed, Origin::Elsewhere)
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_kept, int};

    /// Requests of two clients, with their replies swapped.
    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.ok(7, "ECHO one", bulk("two"));
        run.ok(8, "ECHO two", bulk("one"));
        run
    }

    #[test]
    fn swapped_replies_of_two_clients_break_it() {
        let sentence = r#"ECHO "one" (session 7, sent at 9.000 s) has the reply of ECHO "two" (session 8, sent at 9.001 s)"#;
        check_broken(&NoCrossTalk, &double(), sentence);
    }

    #[test]
    fn the_value_of_another_key_breaks_it() {
        let mut run = Run::healthy();
        let one = run.ok(7, "GET a-key-1", bulk("value-a-key-1"));
        let two = run.ok(8, "GET b-key-1", bulk("value-b-key-1"));
        run.record(one).reply = Some(bulk("value-b-key-1"));
        run.record(two).reply = Some(bulk("value-a-key-1"));
        let sentence = r#"GET "a-key-1" (session 7, sent at 9.000 s) has the reply of GET "b-key-1" (session 8, sent at 9.001 s)"#;
        check_broken(&NoCrossTalk, &run, sentence);
    }

    #[test]
    fn a_reply_that_the_node_did_not_give_breaks_it() {
        let mut run = Run::healthy();
        let changed = run.ok(7, "INCR c-count", int(1));
        run.record(changed).reply = Some(int(2));
        let sentence =
            r#"INCR "c-count" (session 7, sent at 9.000 s) has a reply that it cannot have"#;
        check_broken(&NoCrossTalk, &run, sentence);
    }

    #[test]
    fn echo_returns_its_argument() {
        let mut run = Run::healthy();
        run.ok(7, "ECHO one", bulk("one"));
        check_kept(&NoCrossTalk, &run);
        let lost = run.indefinite(8, "ECHO two");
        run.record(lost).reply = None;
        run.ok(7, "ECHO three", bulk("two"));
        let sentence = r#"ECHO "three" (session 7, sent at 9.002 s) has the reply of ECHO "two" (session 8, sent at 9.001 s)"#;
        check_broken(&NoCrossTalk, &run, sentence);
    }
}
