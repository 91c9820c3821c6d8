//! Laws of the queue: a reply goes to the client that asked, and after a failure to none.

use std::rc::Rc;
use std::sync::Arc;

use super::{Queue, Ticket};
use crate::buffer::no_slices;
use crate::client::{Charge, Client, Reply};
use crate::error::{Executed, Kind};
use crate::output::OutputBudget;
use crate::upstream::Payload;

fn client() -> Rc<Client> {
    let budget = OutputBudget::new(1 << 20, 1 << 20, Arc::default(), Arc::default());
    Rc::new(Client::new(1, Rc::new(budget), 0))
}

/// Asks for `client`, due at `deadline`.
fn ask(queue: &mut Queue, client: &Rc<Client>, request: &[u8], deadline: u64) {
    push(queue, client, request, deadline, false);
}

fn push(queue: &mut Queue, client: &Rc<Client>, request: &[u8], deadline: u64, commits: bool) {
    let number = client.with_outbox(|outbox| outbox.expect(request.len()));
    let ticket = Ticket {
        client: Rc::clone(client),
        number,
        part: 0,
        commits,
        charge: Charge::NONE,
        deadline,
    };
    queue.push(Payload::Small(request), ticket);
}

fn text(executed: Executed) -> Vec<u8> {
    format!("-{executed:?}\r\n").into_bytes()
}

#[track_caller]
fn check(client: &Client, expected: &str) {
    let seen = {
        let outbox = client.outbox();
        let mut slices = no_slices();
        let filled = outbox.ready().slices(&mut slices);
        slices[..filled]
            .iter()
            .flat_map(|slice| slice.to_vec())
            .collect::<Vec<u8>>()
    };
    client.written(seen.len());
    assert_eq!(seen.escape_ascii().to_string(), expected);
}

const ECHO: &str = "*2\r\n$4\r\nECHO\r\n";
/// Of the text of a marker, with its framing.
const MARKER_LEN: usize = 41;

/// The reply to the first marker that is not sent yet.
#[track_caller]
fn marker(queue: &Queue) -> Vec<u8> {
    let out = queue.out.only_piece().unwrap();
    let at = memchr::memmem::find(out, ECHO.as_bytes()).unwrap() + ECHO.len();
    out[at..at + MARKER_LEN].to_vec()
}

#[track_caller]
fn check_unsent(queue: &Queue, expected: &str) {
    let mut out = String::from_utf8(queue.out.only_piece().unwrap().to_vec()).unwrap();
    while let Some(at) = out.find(ECHO) {
        out.replace_range(at..at + ECHO.len() + MARKER_LEN, "MARKER ");
    }
    assert_eq!(out, expected);
}

fn send_all(queue: &mut Queue) {
    queue.written(queue.unsent_bytes());
}

#[test]
fn a_late_reply_reaches_no_client_and_shifts_nothing() {
    let (a, b) = (client(), client());
    let mut queue = Queue::new("node".into());
    ask(&mut queue, &a, b"one ", 10);
    ask(&mut queue, &b, b"two ", 20);
    queue.written(8);
    queue.expire(10, 110, text);
    check(&a, "-Maybe\\r\\n");
    assert_eq!(queue.answer(Reply::Small(b"+one\r\n")), Ok(()));
    check(&a, "");
    check(&b, "");
    assert_eq!(queue.answer(Reply::Small(b"+two\r\n")), Ok(()));
    check(&b, "");
    let marker = marker(&queue);
    send_all(&mut queue);
    assert_eq!(queue.answer(Reply::Small(&marker)), Ok(()));
    check(&b, "+two\\r\\n");
    assert_eq!(
        queue.answer(Reply::Small(b"+three\r\n")),
        Err(Kind::Unasked)
    );
}

#[test]
fn what_commits_is_aborted_when_it_was_certainly_not_sent() {
    for (sent, expected) in [
        (
            0,
            "-EXECABORT Transaction discarded because of previous errors.\\r\\n",
        ),
        (7, "-Maybe\\r\\n"),
    ] {
        let (a, b) = (client(), client());
        let mut queue = Queue::new("node".into());
        ask(&mut queue, &a, b"set ", 10);
        push(&mut queue, &b, b"exec", 10, true);
        queue.written(sent);
        queue.fail_all(text);
        check(
            &a,
            if sent == 0 {
                "-No\\r\\n"
            } else {
                "-Maybe\\r\\n"
            },
        );
        check(&b, expected);
    }
}

#[test]
fn what_is_late_before_it_is_sent_is_never_sent() {
    let (a, b) = (client(), client());
    let mut queue = Queue::new("node".into());
    ask(&mut queue, &a, b"one ", 10);
    ask(&mut queue, &a, b"two ", 11);
    ask(&mut queue, &b, b"three ", 12);
    ask(&mut queue, &b, b"four ", 20);
    // One is sent, two is being sent.
    queue.written(5);
    queue.expire(12, 112, text);
    check(&a, "-Maybe\\r\\n-Maybe\\r\\n");
    check(&b, "-No\\r\\n");
    check_unsent(&queue, "wo four MARKER ");
    ask(&mut queue, &b, b"five ", 121);
    queue.written(3);
    queue.expire(20, 120, text);
    check(&b, "-No\\r\\n");
    check_unsent(&queue, "MARKER five ");
    // A marker that misses its deadline unsent is never sent, and a later one replaces it.
    queue.expire(120, 220, text);
    check_unsent(&queue, "five MARKER ");
    let marker = marker(&queue);
    send_all(&mut queue);
    for reply in [&b"+one\r\n"[..], b"+two\r\n", b"+five\r\n"] {
        assert_eq!(queue.answer(Reply::Small(reply)), Ok(()));
    }
    check(&a, "");
    check(&b, "");
    assert_eq!(queue.answer(Reply::Small(&marker)), Ok(()));
    check(&b, "+five\\r\\n");
    assert_eq!((queue.waiting(), queue.unsent_bytes()), (0, 0));
}

#[test]
fn what_was_not_sent_goes_out_on_the_next_connection() {
    let (a, b) = (client(), client());
    let mut queue = Queue::new("node".into());
    ask(&mut queue, &a, b"late ", 5);
    ask(&mut queue, &a, b"one ", 10);
    ask(&mut queue, &a, b"two ", 10);
    ask(&mut queue, &b, b"three ", 20);
    // Late and one are sent, two is being sent.
    queue.written(11);
    queue.expire(5, 105, text);
    check(&a, "-Maybe\\r\\n");
    queue.fail_sent(text);
    check(&a, "-Maybe\\r\\n-Maybe\\r\\n");
    check(&b, "");
    check_unsent(&queue, "three MARKER ");
    let markers = [marker(&queue)];
    ask(&mut queue, &a, b"four ", 30);
    send_all(&mut queue);
    queue.expire(20, 120, text);
    check(&b, "-Maybe\\r\\n");
    check_unsent(&queue, "");
    for reply in [&b"+three\r\n"[..], &markers[0]] {
        assert_eq!(queue.answer(Reply::Small(reply)), Ok(()));
    }
    assert_eq!(queue.answer(Reply::Small(b"+four\r\n")), Ok(()));
    check(&a, "+four\\r\\n");
    check(&b, "");
    queue.fail_sent(text);
    assert_eq!((queue.waiting(), queue.unsent_bytes()), (0, 0));
}

#[test]
fn a_lost_connection_says_what_may_have_been_executed() {
    let a = client();
    let mut queue = Queue::new("node".into());
    ask(&mut queue, &a, b"one ", 10);
    ask(&mut queue, &a, b"two ", 10);
    ask(&mut queue, &a, b"three ", 10);
    queue.written(5);
    assert_eq!(queue.answer(Reply::Small(b"+one\r\n")), Ok(()));
    queue.fail_all(text);
    check(&a, "+one\\r\\n-Maybe\\r\\n-No\\r\\n");
    assert_eq!((queue.waiting(), queue.unsent_bytes()), (0, 0));
    ask(&mut queue, &a, b"again ", 30);
    queue.written(6);
    assert_eq!(queue.answer(Reply::Small(b"+again\r\n")), Ok(()));
    check(&a, "+again\\r\\n");
}

#[test]
fn a_reply_before_its_request_is_sent_answers_no_request() {
    let (a, b) = (client(), client());
    let mut queue = Queue::new("node".into());
    ask(&mut queue, &a, b"one ", 10);
    ask(&mut queue, &b, b"two ", 20);
    assert_eq!(
        queue.answer(Reply::Small(b"+early\r\n")),
        Err(Kind::Unasked)
    );
    queue.written(4);
    assert_eq!(queue.answer(Reply::Small(b"+one\r\n")), Ok(()));
    check(&a, "+one\\r\\n");
    // Also between two requests, and in the middle of one.
    for unasked in [b"+again\r\n", b"-error\r\n"] {
        assert_eq!(queue.answer(Reply::Small(unasked)), Err(Kind::Unasked));
    }
    queue.written(1);
    assert_eq!(
        queue.answer(Reply::Small(b"+again\r\n")),
        Err(Kind::Unasked)
    );
    check(&b, "");
    queue.fail_sent(text);
    check(&b, "-Maybe\\r\\n");
}

#[test]
fn a_node_may_refuse_a_request_of_which_it_has_a_part() {
    let (a, b) = (client(), client());
    let mut queue = Queue::new("node".into());
    ask(&mut queue, &a, b"one ", 10);
    ask(&mut queue, &b, b"two ", 20);
    queue.written(1);
    let refusal = Reply::Small(b"-ERR Protocol error: invalid bulk length\r\n");
    assert_eq!(queue.answer(refusal), Err(Kind::Lost));
    check(&a, "-ERR Protocol error: invalid bulk length\\r\\n");
    queue.fail_sent(text);
    check(&b, "");
    check_unsent(&queue, "two ");
}

#[test]
fn a_marker_in_the_place_of_a_reply_ends_the_connection() {
    for lost in 0..3 {
        let (a, b) = (client(), client());
        let mut queue = Queue::new("node".into());
        ask(&mut queue, &a, b"one ", 10);
        ask(&mut queue, &b, b"two ", 20);
        send_all(&mut queue);
        queue.expire(10, 110, text);
        check(&a, "-Maybe\\r\\n");
        let marker = marker(&queue);
        send_all(&mut queue);
        for _ in 0..lost {
            assert_eq!(queue.answer(Reply::Small(b"+some\r\n")), Ok(()));
        }
        let seen = queue.answer(Reply::Small(&marker));
        if lost == 2 {
            assert_eq!(seen, Ok(()));
            check(&b, "+some\\r\\n");
        } else {
            assert_eq!(seen, Err(Kind::OutOfStep));
            queue.fail_sent(text);
            check(&b, "-Maybe\\r\\n");
        }
        check(&a, "");
        assert_eq!((queue.waiting(), queue.is_awaited()), (0, false));
    }
}

#[test]
fn a_marker_within_a_reply_shows_that_the_reply_has_ended() {
    let (a, b) = (client(), client());
    let mut queue = Queue::new("node".into());
    ask(&mut queue, &a, b"one ", 10);
    ask(&mut queue, &b, b"two ", 20);
    send_all(&mut queue);
    queue.set_comes(true, text);
    queue.expire(20, 120, text);
    check(&b, "-Maybe\\r\\n");
    let marker = marker(&queue);
    send_all(&mut queue);
    let within = [b"$100\r\none\r\n+two\r\n", &marker[..]].concat();
    assert!(queue.has_marker_in(&within));
    assert!(!queue.has_marker_in(&within[..within.len() - 1]));
    // A client that reads the slow log of the node has it in a reply, but in a later one.
    assert_eq!(queue.answer(Reply::Small(b"+one\r\n")), Ok(()));
    assert_eq!(queue.answer(Reply::Small(b"+two\r\n")), Ok(()));
    assert_eq!(queue.answer(Reply::Small(&marker)), Ok(()));
    assert!(!queue.has_marker_in(&within));
}

#[test]
fn a_reply_in_the_place_of_a_marker_ends_the_connection() {
    let (a, b) = (client(), client());
    let mut queue = Queue::new("node".into());
    ask(&mut queue, &a, b"one ", 10);
    send_all(&mut queue);
    queue.expire(10, 110, text);
    check(&a, "-Maybe\\r\\n");
    ask(&mut queue, &b, b"two ", 20);
    send_all(&mut queue);
    assert_eq!(queue.answer(Reply::Small(b"+one\r\n")), Ok(()));
    assert_eq!(
        queue.answer(Reply::Small(b"+two\r\n")),
        Err(Kind::OutOfStep)
    );
    queue.fail_sent(text);
    check(&b, "-Maybe\\r\\n");
}

#[test]
fn a_reply_that_is_kept_until_a_marker_comes_is_late_at_its_deadline() {
    let (a, b) = (client(), client());
    let mut queue = Queue::new("node".into());
    ask(&mut queue, &a, b"one ", 10);
    ask(&mut queue, &b, b"two ", 20);
    send_all(&mut queue);
    queue.expire(10, 110, text);
    let marker = marker(&queue);
    send_all(&mut queue);
    for reply in [&b"+one\r\n"[..], b"+two\r\n"] {
        assert_eq!(queue.answer(Reply::Small(reply)), Ok(()));
    }
    check(&b, "");
    assert_eq!(queue.next_deadline(), Some(20));
    queue.expire(20, 120, text);
    check(&b, "-Maybe\\r\\n");
    assert_eq!(queue.answer(Reply::Small(&marker)), Ok(()));
    check(&b, "");
}
