//! The first requests of clients, answered as Redis answers them.

use std::rc::Rc;

use super::{Identity, Next, answer};
use crate::auth::{Secret, Users};
use crate::client::ClientIdentity;
use crate::command::Route;
use crate::resp::{Protocol, ReplyScan, request};
use crate::route::resolve;

fn ask(identity: &mut Identity, args: &[&str]) -> (String, Next) {
    let subcommand = args.get(1).map(|word| word.as_bytes());
    let row = resolve(args[0].as_bytes(), subcommand).unwrap();
    let Route::Local(local) = row.route else {
        panic!("{args:?} is not answered by the proxy");
    };
    let mut out = Vec::new();
    let next = answer(local, row, &request(args), identity, &mut out);
    assert_eq!(
        ReplyScan::of_complete(Protocol::Resp3).scan(&out),
        Ok(Ok(out.len())),
        "{}",
        out.escape_ascii()
    );
    (String::from_utf8(out).unwrap(), next)
}

/// A client that has just connected to a proxy with this password, if any.
fn unauthenticated(id: u64, password: &str) -> Identity {
    let password = Secret::new(password);
    let users = Some(("default", &password)).filter(|(_, password)| !password.reveal().is_empty());
    Identity::new(id, Rc::new(Users::new(users)), ClientIdentity::default())
}

#[track_caller]
fn check(args: &[&str], expected: &str) {
    let (reply, next) = ask(&mut unauthenticated(7, ""), args);
    assert_eq!((reply.as_str(), next), (expected, Next::GoOn), "{args:?}");
}

#[track_caller]
fn check_starts(args: &[&str], expected: &str) {
    let (reply, _) = ask(&mut unauthenticated(7, ""), args);
    assert!(
        reply.starts_with(expected),
        "{args:?} is answered {reply:?}, not {expected:?}"
    );
}

#[test]
fn small_talk() {
    check(&["PING"], "+PONG\r\n");
    check(&["PING", "a b"], "$3\r\na b\r\n");
    check(
        &["PING", "a", "b"],
        "-ERR wrong number of arguments for 'ping' command\r\n",
    );
    check(&["ECHO", ""], "$0\r\n\r\n");
    check(&["SELECT", "0"], "+OK\r\n");
    check(&["SELECT", "1"], "-ERR DB index is out of range\r\n");
    check(
        &["SELECT", "x"],
        "-ERR value is not an integer or out of range\r\n",
    );
    for index in ["00", "+0", " 0", "0x0", "4294967296", ""] {
        check(
            &["SELECT", index],
            "-ERR value is not an integer or out of range\r\n",
        );
    }
    check(&["SELECT", "-1"], "-ERR DB index is out of range\r\n");
    check_starts(&["TIME"], "*2\r\n$10\r\n");
    assert_eq!(
        ask(&mut unauthenticated(1, ""), &["QUIT"]),
        ("+OK\r\n".into(), Next::HangUp)
    );
}

#[test]
fn hello_chooses_the_protocol() {
    check_starts(&["HELLO"], "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n");
    check_starts(&["HELLO", "2", "SETNAME", "me"], "*14\r\n");
    check_starts(&["HELLO", "3"], "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n");
    for version in ["1", "4", "-3"] {
        check(
            &["HELLO", version],
            "-NOPROTO unsupported protocol version\r\n",
        );
    }
    check(
        &["HELLO", "03"],
        "-ERR Protocol version is not an integer or out of range\r\n",
    );
    check(
        &["HELLO", "x"],
        "-ERR Protocol version is not an integer or out of range\r\n",
    );
    check(
        &["HELLO", "2", "WHAT"],
        "-ERR Syntax error in HELLO option 'WHAT'\r\n",
    );
}

#[test]
fn answers_are_in_the_clients_protocol() {
    let mut identity = unauthenticated(7, "");
    let mut reply_to = |args: &[&str]| ask(&mut identity, args).0;
    assert!(reply_to(&["HELLO", "3"]).contains("$5\r\nproto\r\n:3\r\n"));
    assert!(reply_to(&["HELLO"]).starts_with("%7\r\n"), "it stays so");
    assert_eq!(reply_to(&["CLIENT", "GETNAME"]), "_\r\n");
    // A failed HELLO changes nothing.
    assert!(reply_to(&["HELLO", "2", "WHAT"]).starts_with("-ERR Syntax"));
    assert!(reply_to(&["HELLO", "4"]).starts_with("-NOPROTO"));
    assert_eq!(reply_to(&["CLIENT", "GETNAME"]), "_\r\n");
    assert!(reply_to(&["HELLO", "2"]).starts_with("*14\r\n"));
    assert_eq!(reply_to(&["CLIENT", "GETNAME"]), "$-1\r\n");
    reply_to(&["HELLO", "3"]);
    assert_eq!(reply_to(&["RESET"]), "+RESET\r\n");
    assert_eq!(reply_to(&["CLIENT", "GETNAME"]), "$-1\r\n");
}

#[test]
fn a_client_that_authenticates_stays_authenticated() {
    let mut identity = unauthenticated(7, "s3cret");
    let mut reply_to = |args: &[&str]| (ask(&mut identity, args).0, identity.is_known());
    let wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    assert_eq!(reply_to(&["AUTH", "nonsense"]), (wrong.into(), false));
    assert!(reply_to(&["HELLO"]).0.starts_with("-NOAUTH HELLO must be"));
    assert_eq!(reply_to(&["AUTH", "s3cret"]), ("+OK\r\n".into(), true));
    assert_eq!(reply_to(&["AUTH", "nonsense"]), (wrong.into(), true));
    assert_eq!(reply_to(&["RESET"]), ("+RESET\r\n".into(), false));
    let (greeting, known) = reply_to(&["HELLO", "2", "AUTH", "default", "s3cret"]);
    assert!(greeting.starts_with("*14\r\n") && known);
}

#[test]
fn a_client_has_an_id_and_a_name() {
    let mut identity = unauthenticated(7, "");
    let mut reply_to = |args: &[&str]| ask(&mut identity, args).0;
    assert_eq!(reply_to(&["CLIENT", "ID"]), ":7\r\n");
    assert_eq!(reply_to(&["CLIENT", "GETNAME"]), "$-1\r\n");
    assert_eq!(reply_to(&["CLIENT", "SETNAME", "me"]), "+OK\r\n");
    assert_eq!(reply_to(&["client", "getname"]), "$2\r\nme\r\n");
    assert!(
        reply_to(&["CLIENT", "SETNAME", "a b"]).starts_with("-ERR Client names cannot contain")
    );
    assert_eq!(reply_to(&["CLIENT", "SETINFO", "LIB-NAME", "x"]), "+OK\r\n");
    assert_eq!(
        reply_to(&["CLIENT", "SETINFO", "lib-ver", "1.2"]),
        "+OK\r\n"
    );
    assert_eq!(
        reply_to(&["CLIENT", "SETINFO", "colour", "x"]),
        "-ERR Unrecognized option 'colour'\r\n"
    );
    assert_eq!(
        reply_to(&["CLIENT", "SETINFO", "lib-name", "a b"]),
        "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n"
    );
    assert_eq!(reply_to(&["CLIENT", "NO-EVICT", "on"]), "+OK\r\n");
    assert_eq!(
        reply_to(&["CLIENT", "NO-EVICT", "x"]),
        "-ERR syntax error\r\n"
    );
    // The name of the library survives RESET, as in Redis.
    let line = |name: &str| {
        format!(
            "id=7 addr= laddr= fd=0 name={name} age=0 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 \
             argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=NULL user=default redir=-1 resp=2 \
             lib-name=x lib-ver=1.2\n"
        )
    };
    for name in ["me", ""] {
        let line = line(name);
        let expected = format!("${}\r\n{line}\r\n", line.len());
        assert_eq!(reply_to(&["CLIENT", "INFO"]), expected);
        reply_to(&["RESET"]);
    }
}
