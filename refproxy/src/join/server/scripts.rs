//! SCRIPT KILL, FUNCTION KILL and FUNCTION STATS of all nodes: which node's reply the client gets.
//!
//! The client asked for a script to be stopped, not for one on each node. So one killed script is a success, whatever
//! the other nodes answer; the next call reports those that are left. Without one, the most important reply wins: a
//! script that cannot be killed, then any other error, because a node that did not answer may still run its script.
//! NOTBUSY is the reply only when every node gives it.

use bytes::Bytes;

use crate::join::ways::is_null;
use crate::resp::elements;

/// The most important reply; of equals, the first.
pub(in crate::join) fn kill(replies: &[Bytes]) -> &[u8] {
    let most = replies.iter().min_by_key(|reply| rank(reply));
    most.map(|reply| &reply[..]).unwrap_or_default()
}

/// The lower, the more important.
fn rank(reply: &[u8]) -> u8 {
    match reply {
        b"+OK\r\n" => 0,
        _ if reply.starts_with(b"-UNKILLABLE ") => 1,
        _ if reply.starts_with(b"-NOTBUSY ") => 3,
        _ => 2,
    }
}

/// The reply of the first node that runs a script, else of the first node.
pub(in crate::join) fn busy(replies: &[Bytes]) -> Option<Vec<u8>> {
    let is_busy = |reply: &&Bytes| {
        let second = elements(reply).and_then(|(_, mut walk)| walk.nth(1));
        second.is_some_and(|element| !is_null(element))
    };
    let chosen = replies.iter().find(is_busy).or(replies.first())?;
    elements(chosen).map(|_| chosen.to_vec())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::kill;

    const OK: &str = "+OK\r\n";
    const UNKILLABLE: &str = "-UNKILLABLE Sorry the script already executed write commands\r\n";
    const NOTBUSY: &str = "-NOTBUSY No scripts in execution right now.\r\n";
    const OTHER: &str = "-BUSY Redis is busy running a script. You can only call FUNCTION KILL\r\n";
    const LOST: &str = "-ERR node 127.0.0.1:7002: connection refused\r\n";

    #[track_caller]
    fn check(replies: &[&str], expected: &str) {
        let replies: Vec<Bytes> = replies
            .iter()
            .map(|reply| Bytes::copy_from_slice(reply.as_bytes()))
            .collect();
        let found = String::from_utf8_lossy(kill(&replies)).into_owned();
        assert_eq!(found, expected, "{replies:?}");
    }

    #[test]
    fn one_killed_script_is_a_success() {
        for other in [OK, UNKILLABLE, NOTBUSY, OTHER, LOST] {
            check(&[OK, other], OK);
            check(&[other, OK], OK);
        }
    }

    #[test]
    fn a_script_that_keeps_running_is_reported() {
        for other in [UNKILLABLE, NOTBUSY, OTHER, LOST] {
            check(&[UNKILLABLE, other], UNKILLABLE);
            check(&[other, UNKILLABLE], UNKILLABLE);
        }
    }

    #[test]
    fn a_node_that_does_not_answer_may_run_a_script() {
        check(&[NOTBUSY, LOST, NOTBUSY], LOST);
        check(&[NOTBUSY, OTHER], OTHER);
        check(&[LOST, OTHER], LOST);
    }

    #[test]
    fn without_a_script_anywhere_no_node_was_busy() {
        check(&[NOTBUSY], NOTBUSY);
        check(&[NOTBUSY, NOTBUSY, NOTBUSY], NOTBUSY);
    }
}
