//! Laws of the outbox: the order of the requests, whatever the order of the replies.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Outbox, Reply};
use crate::buffer::{SHARE_FROM, no_slices};
use crate::command::Join;
use crate::join::Joining;

fn written(outbox: &mut Outbox) -> Vec<u8> {
    let mut all = Vec::new();
    while !outbox.ready.is_empty() {
        let mut slices = no_slices();
        let filled = outbox.ready.slices(&mut slices);
        let piece: Vec<u8> = slices[..filled]
            .iter()
            .flat_map(|slice| slice.to_vec())
            .collect();
        outbox.ready.advance(piece.len());
        all.extend(piece);
    }
    all
}

#[test]
fn an_answer_waits_for_the_replies_before_it() {
    let mut outbox = Outbox::default();
    let first = outbox.expect(10);
    outbox.answer(&mut b"+PONG\r\n".to_vec());
    assert!(written(&mut outbox).is_empty());
    outbox.complete(first, 0, Reply::Small(b"+OK\r\n"));
    assert_eq!(written(&mut outbox), b"+OK\r\n+PONG\r\n");
    assert_eq!((outbox.waiting(), outbox.asked, outbox.bytes()), (0, 0, 0));
}

#[test]
fn a_second_reply_to_the_same_request_is_dropped() {
    let mut outbox = Outbox::default();
    let first = outbox.expect(10);
    let second = outbox.expect(10);
    outbox.complete(second, 0, Reply::Small(b"+b\r\n"));
    outbox.complete(second, 0, Reply::Small(b"+late\r\n"));
    outbox.complete(first, 0, Reply::Small(b"+a\r\n"));
    outbox.complete(first, 0, Reply::Small(b"+late\r\n"));
    assert_eq!(written(&mut outbox), b"+a\r\n+b\r\n");
}

#[test]
fn a_joined_reply_takes_the_place_of_its_request() {
    let mut outbox = Outbox::default();
    let joined = outbox.expect_joined(
        10,
        Joining::new(Join::Sum, vec!["a".into(), "b".into()], Vec::new()),
    );
    let next = outbox.expect(10);
    outbox.complete(next, 0, Reply::Small(b"+next\r\n"));
    outbox.complete(joined, 1, Reply::Small(b":2\r\n"));
    assert!(written(&mut outbox).is_empty());
    outbox.complete(joined, 0, Reply::Small(b":1\r\n"));
    assert_eq!(written(&mut outbox), b":3\r\n+next\r\n");
    assert_eq!(outbox.bytes(), 0);
}

proptest! {
    #[test]
    fn replies_leave_in_the_order_of_the_requests(
        lens in prop::collection::vec(prop_oneof![0..100_usize, Just(SHARE_FROM), Just(40_000)], 1..20),
        order in any::<prop::sample::Index>(),
        start in any::<u32>(),
    ) {
        let mut outbox = Outbox { base: start, ..Outbox::default() };
        let numbers: Vec<u32> = lens.iter().map(|len| outbox.expect(*len)).collect();
        let replies: Vec<Vec<u8>> = lens.iter().zip(b'a'..).map(|(len, byte)| vec![byte; *len]).collect();
        let mut left: Vec<usize> = (0..lens.len()).collect();
        let mut seen = Vec::new();
        while !left.is_empty() {
            let next = left.swap_remove(order.index(left.len()));
            let reply = &replies[next];
            outbox.complete(numbers[next], 0, if super::is_large(reply.len()) {
                Reply::Large(Bytes::from(reply.clone()))
            } else {
                Reply::Small(reply)
            });
            seen.extend(written(&mut outbox));
        }
        prop_assert!(seen == replies.concat());
        prop_assert_eq!((outbox.waiting(), outbox.asked, outbox.bytes()), (0, 0, 0));
    }
}

#[track_caller]
fn check_exec(queued: usize, reply: &str, expected: &str) {
    for is_first in [true, false] {
        let mut outbox = Outbox::default();
        let before = (!is_first).then(|| outbox.expect(10));
        let number = outbox.expect_exec(10, queued);
        outbox.complete(number, 0, Reply::Small(reply.as_bytes()));
        if let Some(before) = before {
            outbox.complete(before, 0, Reply::Small(b""));
        }
        let seen = written(&mut outbox).escape_ascii().to_string();
        assert_eq!(seen, expected.as_bytes().escape_ascii().to_string());
        assert_eq!((outbox.waiting(), outbox.asked, outbox.bytes()), (0, 0, 0));
    }
}

#[test]
fn a_reply_to_exec_of_another_length_than_the_queue_is_an_error() {
    for (len, reply) in [
        (1, "*1\r\n+OK\r\n"),
        (3, "*3\r\n+OK\r\n:1\r\n:2\r\n"),
        (0, "*0\r\n"),
    ] {
        let text = format!("-ERR the node answered EXEC of 2 commands with {len} replies\r\n");
        check_exec(2, reply, &text);
    }
    for reply in [
        "*2\r\n+OK\r\n*1\r\n+x\r\n",
        "*-1\r\n",
        "_\r\n",
        "-EXECABORT x\r\n",
    ] {
        check_exec(2, reply, reply);
    }
}
