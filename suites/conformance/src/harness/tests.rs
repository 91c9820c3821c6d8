//! The runner and the harness, on a plain Redis, which keeps every promise, and on doubles that break one.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Harness;
use super::environment::Allowed;
use crate::cases::{case::Case, load, parse};
use crate::verdict::{Class, Status, Verdict};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::fixtures::{Fixtures, Source};
use testbed::node::{Node, Process};
use testbed::program::Search;
use testbed::targets::Target;
use testbed::wire::{self, Arguments, Value};

mod busy;
mod scripted;

const ALL: Allowed = Allowed {
    destructive: true,
    disturbing: true,
};

/// Short, because doubles hang on purpose.
const OP_TIMEOUT_MS: u64 = 20;

async fn redis() -> Process {
    let search = Search::new(&std::env::current_exe().unwrap(), std::env::vars_os());
    Process::start(&search).await.unwrap()
}

fn case(steps: &str) -> Case {
    let text = format!(
        "case 1\n# A promise.\nspec https://redis.io/\nlevel must\ndeadline 300ms\n{steps}"
    );
    let source = Source {
        path: "x.case".to_owned(),
        id: "x".to_owned(),
        text,
    };
    parse::case(&source).unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[tokio::test]
async fn one_plain_redis_keeps_every_promise() {
    let node = redis().await;
    let mut harness = Harness::attach(node.addr(), &[], 200, ALL, 7)
        .await
        .unwrap();
    let mut passed = 0;
    for case in load(&crate::files::cases(&Fixtures::compiled_in()).unwrap()).unwrap() {
        let judged = harness.judge(&case).await;
        match judged.verdict {
            Verdict::Pass => passed += 1,
            Verdict::Skip { .. } => {}
            other => panic!("{}: {other:#?}", case.id),
        }
    }
    assert!(passed >= 40, "{passed}");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_redis_that_is_its_own_node_is_left_as_it_was_found() {
    let node = redis().await;
    let addr = node.addr();
    let mut client = Client::connect(addr, NODE_DEADLINE).await.unwrap();
    client
        .call(&["SET", "foreign", "kept"], NODE_DEADLINE)
        .await
        .unwrap();
    let mut harness = Harness::attach(addr, &[addr.into()], 200, Allowed::default(), 7)
        .await
        .unwrap();
    let kept = case(
        "given A $a1 = one\nsend SET {$a1}:x two\nwant +OK\nsend @A GET $a1\nwant @A \"one\"\n",
    );
    assert_eq!(harness.judge(&kept).await.verdict, Verdict::Pass);
    let broken = case("send SET $a1 one\nwant nil\n");
    assert!(matches!(
        harness.judge(&broken).await.verdict,
        Verdict::Fail(_)
    ));
    let destructive = case("send FLUSHALL\nwant +OK\n");
    let destructive = Case {
        destructive: true,
        ..destructive
    };
    for skipped in [
        destructive,
        case("send PING\nwant +PONG\nasked A nothing\n"),
        case("fault A down\nwant any\n"),
        case("answers A $a1 \"x\"\nwant any\n"),
        case("answers A unasked \"x\"\nwant any\n"),
        case("rescale 2\nwant any\n"),
        case("cluster bad\nwant any\n"),
    ] {
        let verdict = harness.judge(&skipped).await.verdict;
        assert!(matches!(verdict, Verdict::Skip { .. }), "{verdict:?}");
    }
    harness.finish().await.unwrap();
    let keys = client.call(&["KEYS", "*"], NODE_DEADLINE).await;
    assert_eq!(
        keys,
        Ok(Value::Array(vec![Value::Bulk(b"foreign".to_vec())]))
    );
}

#[tokio::test]
async fn a_proxy_by_address_need_not_have_the_deviations_of_earlier_versions() {
    let node = redis().await;
    let mut harness = Harness::attach(node.addr(), &[], 200, ALL, 7)
        .await
        .unwrap();
    let text = "name = \"x\"\n[program]\nname = \"x\"\n[start]\nargs = []\n\
                [version]\nargs = []\npinned = \"2\"\nearlier = [\"1\"]\n\
                [[deviation]]\ncases = \"x\"\nwhy = \"w\"\nseen = \"SEEN\"\n";
    let statuses = async |harness: &mut Harness, seen: &str| {
        let target = Target::parse(&Source {
            path: "x.toml".to_owned(),
            id: "x".to_owned(),
            text: text.replace("SEEN", seen),
        });
        harness.liken_to(&target.unwrap());
        let kept = harness.judge(&case("send PING\nwant +PONG\n")).await;
        let broken = harness.judge(&case("send PING\nwant nil\n")).await;
        [kept.status(), broken.status()]
    };
    let of_earlier = statuses(&mut harness, "1").await;
    assert_eq!(of_earlier, [Status::Kept, Status::Known]);
    let of_pinned = statuses(&mut harness, "1 to 2").await;
    assert_eq!(of_pinned, [Status::Mended, Status::Known]);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn shapes_of_a_template_share_a_proxy_as_long_as_it_keeps_their_promise() {
    let node = redis().await;
    let mut harness = Harness::attach(node.addr(), &[], 200, ALL, 7)
        .await
        .unwrap();
    // As on a proxy of our own after a case that disturbs.
    (harness.used, harness.spoiled) = (true, true);
    let shapes_of = |list: &str, steps: &str| {
        let text = format!(
            "case 1\n# P of ${{shape}}.\nspec https://redis.io/\nlevel must\ndisturbs connections\n\
             shapes {list}\n{steps}\n"
        );
        let (path, id) = ("x.case".to_owned(), "x".to_owned());
        parse::cases(&Source { path, id, text }).unwrap()
    };
    let shapes = |steps: &str| shapes_of("lengths from 1 to 2", steps);
    let kept = shapes("send PING\nwant +PONG");
    assert!(harness.is_worn(&kept[0]));
    assert_eq!(harness.judge(&kept[0]).await.verdict, Verdict::Pass);
    assert!(!harness.is_worn(&kept[1]));
    assert!(harness.is_worn(&case("send PING\nwant +PONG\n")));
    let broken = shapes("send PING\nwant nil");
    let verdict = harness.judge(&broken[0]).await.verdict;
    assert!(matches!(verdict, Verdict::Fail(_)), "{verdict:?}");
    assert!(harness.is_worn(&broken[1]));
    let states = shapes_of("client-states", "send PING\nwant +PONG");
    assert_eq!(harness.judge(&states[0]).await.verdict, Verdict::Pass);
    assert!(harness.is_worn(&states[1]));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn each_client_of_a_step_has_a_connection_of_its_own() {
    let node = redis().await;
    let mut harness = Harness::attach(node.addr(), &[], 200, ALL, 7)
        .await
        .unwrap();
    let steps = "times 3\nsend @* CLIENT SETNAME c${n}\ntimes 3\nwant @* +OK\n\
                 send @2 CLIENT GETNAME\nwant @2 \"c2\"\ntimes 3\nsend @* CLIENT GETNAME\n\
                 times 3\nwant @* \"c${n}\"\n";
    assert_eq!(harness.judge(&case(steps)).await.verdict, Verdict::Pass);
    harness.finish().await.unwrap();
}

/// The answer of a double to a request; `None` closes.
type Script = fn(&Arguments) -> Option<&'static [u8]>;

/// A proxy that answers PING as it should, and everything else by its script.
async fn double(script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, script));
        }
    });
    addr
}

async fn serve(mut stream: TcpStream, script: Script) {
    let mut bytes = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut bytes).await {
        while let Ok(Some((request, length))) = wire::request(&bytes) {
            bytes.drain(..length);
            let reply = match &request[0][..] {
                b"PING" => Some(&b"+PONG\r\n"[..]),
                b"DEL" => Some(&b":0\r\n"[..]),
                _ => script(&request),
            };
            let Some(reply) = reply else { return };
            if stream.write_all(reply).await.is_err() {
                return;
            }
        }
    }
}

#[track_caller]
fn check(steps: &str, script: Script, at: usize, class: Class) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let proxy = double(script).await;
        let mut harness = Harness::attach(proxy, &[], OP_TIMEOUT_MS, Allowed::default(), 7)
            .await
            .unwrap();
        let verdict = harness.judge(&case(steps)).await.verdict;
        let Verdict::Fail(evidence) = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!(evidence.class, class, "{evidence:#?}");
        // Five lines of head.
        assert_eq!(evidence.at, format!("x.case:{}", 5 + at), "{evidence:#?}");
        assert!(!evidence.transcript.is_empty());
    });
}

#[test]
fn a_wrong_double_is_found_out() {
    let get = "send GET $k1\nwant \"one\"\n";
    check(get, |_| Some(b"$-1\r\n"), 2, Class::Wrong);
    check(get, |_| Some(b"-ERR no\r\n"), 2, Class::Refused);
    check(get, |_| Some(b""), 2, Class::Hung);
    check(get, |_| Some(b"$3\r\non"), 2, Class::Partial);
    check(get, |_| Some(b"?\r\n"), 2, Class::Wrong);
    check(get, |_| None, 2, Class::Closed);
}

#[test]
fn resp3_is_for_clients_that_asked_for_it() {
    let greeting = |request: &Arguments| match (&request[0][..], request.len()) {
        (b"HELLO", _) => Some(&b"%1\r\n+proto\r\n:3\r\n"[..]),
        (_, 2) => Some(&b"_\r\n"[..]),
        _ => Some(&b"$-1\r\n"[..]),
    };
    let get = "send GET $k1\nwant nil | _\n";
    check(get, greeting, 2, Class::Wrong);
    // The protocol of the pipeline changes after HELLO and not before it, also if it is written in pieces.
    let hello = "chunks 3\nsend HELLO 3\nsend GET $k1\nwant map _\n";
    let neighbour = format!("{hello}send @2 GET $k1\nwant @2 nil | _\n");
    check(&neighbour, greeting, 6, Class::Wrong);
    let early = "send GET $k1\nsend HELLO 3\nwant nil | _\n";
    check(early, greeting, 3, Class::Wrong);
    let resp2 = format!("{hello}send STRLEN $k1 x\nwant nil | _\n");
    check(&resp2, greeting, 6, Class::Wrong);
}

#[test]
fn a_reply_too_many_is_found_out() {
    let steps = "send GET $k1\nwant nil\nnothing\n";
    check(steps, |_| Some(b"$-1\r\n$-1\r\n"), 3, Class::Wrong);
    check(steps, |_| Some(b"$-1\r\n-ERR\r\n"), 3, Class::Wrong);
}

#[test]
fn the_repetition_that_breaks_is_found_out() {
    check(
        "times 3\nsend GET $k1\ntimes 4\nwant nil\n",
        |_| Some(b"$-1\r\n"),
        4,
        Class::Hung,
    );
}

#[test]
fn a_reply_that_contradicts_the_effect_fails() {
    let copy = "send COPY $k1 $k2\nwant :1 | error-or-close\nsend EXISTS $k2\nlikewise :1 | :0\n";
    let only_says: Script = |request| match &request[0][..] {
        b"COPY" => Some(b":1\r\n"),
        _ => Some(b":0\r\n"),
    };
    check(copy, only_says, 4, Class::Wrong);
    let denies: Script = |request| match &request[0][..] {
        b"COPY" => Some(b"-ERR no\r\n"),
        _ => Some(b":1\r\n"),
    };
    check(copy, denies, 4, Class::Wrong);
    let closes: Script = |request| match &request[0][..] {
        b"COPY" => None,
        _ => Some(b":1\r\n"),
    };
    let on_another = copy
        .replace("EXISTS", "@2 EXISTS")
        .replace("likewise", "likewise @2");
    check(&on_another, closes, 4, Class::Wrong);
}

#[test]
fn a_likewise_counts_from_the_last_reply_with_alternatives() {
    let zero: Script = |_| Some(b":0\r\n");
    let first = "send STRLEN $k1\nwant :0 | nil\nsend STRLEN $k1\nlikewise :0 | :1\n";
    let again = "send STRLEN $k1\nwant nil | int\nsend STRLEN $k1\nwant :0\n";
    let last = format!("{first}{again}send STRLEN $k1\nlikewise :0 | :1\n");
    check(&last, zero, 10, Class::Wrong);
    // Where several fit, the first.
    let both = "send STRLEN $k1\nwant any | int\nsend STRLEN $k1\nlikewise :1 | :0\n";
    check(both, zero, 4, Class::Wrong);
}

#[tokio::test]
async fn a_likewise_holds_for_executed_and_refused_requests() {
    let node = redis().await;
    let mut harness = Harness::attach(node.addr(), &[], 200, ALL, 7)
        .await
        .unwrap();
    for steps in [
        "send SET $k1 one\nwant error-or-close | +OK\nsend EXISTS $k1\nlikewise :0 | :1\n",
        "send SET $k1 one AT\nwant +OK | error-or-close\nsend @2 GET $k1\nlikewise @2 \"one\" | ( nil | _ )\n",
    ] {
        assert_eq!(harness.judge(&case(steps)).await.verdict, Verdict::Pass);
    }
    harness.finish().await.unwrap();
}

#[test]
fn a_reply_that_never_becomes_right_fails() {
    check(
        "eventually 100ms\nsend GET $k1\nwant nil\n",
        |_| Some(b"-ERR no\r\n"),
        3,
        Class::Refused,
    );
    // A wrong answer is not retried.
    check(
        "eventually 500s\nsend GET $k1\nwant nil\n",
        |_| Some(b":1\r\n"),
        3,
        Class::Wrong,
    );
}

#[tokio::test]
async fn consecutive_sends_of_a_client_leave_in_one_write_and_chunks_do_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let reads = tokio::spawn(async move {
        // The first connections are the harness's own: PING, and the canary.
        let mut reads = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let mut sizes = Vec::new();
            while let Ok(length @ 1..) = stream.read_buf(&mut bytes).await {
                sizes.push(length);
                let requests = bytes.windows(2).filter(|pair| pair == b"*1").count();
                if bytes.ends_with(b"PING\r\n") {
                    let pongs = b"+PONG\r\n".repeat(requests);
                    stream.write_all(&pongs).await.unwrap();
                    bytes.clear();
                }
            }
            reads.push(sizes);
            if reads.len() == 3 {
                return reads[2].clone();
            }
        }
    });
    let mut harness = Harness::attach(addr, &[], OP_TIMEOUT_MS, Allowed::default(), 7)
        .await
        .unwrap();
    let steps =
        case("send PING\nsend PING\nwant +PONG +PONG\nchunks 1\nsend PING\nwant +PONG\nclose\n");
    let judging = async {
        // The double ends with the case, so the proxy is gone afterwards.
        let _ = harness.judge(&steps).await;
    };
    let (sizes, ()) = tokio::join!(reads, judging);
    let sizes = sizes.unwrap();
    let (together, cut) = sizes.split_first().unwrap();
    assert_eq!((*together, cut.iter().sum()), (28, 14), "{sizes:?}");
    // A busy machine may let a few of the chunks melt together, not all of them.
    assert!(cut.len() > 1, "{sizes:?}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_an_error_and_no_verdict() {
    let refusing = testbed::port::Refusing::bind().unwrap();
    let addr = refusing.addr().unwrap();
    let attached = tokio::time::timeout(
        Duration::from_secs(20),
        Harness::attach(addr, &[], OP_TIMEOUT_MS, Allowed::default(), 7),
    );
    assert!(matches!(
        attached.await,
        Ok(Err(super::Error::Unreachable { .. }))
    ));
}
