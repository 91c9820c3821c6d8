//! Links over a real Redis, and over a plain pair of sockets.

use std::env;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::{Event, Link, Tap, TapPosition, What};
use crate::chance::Chance;
use crate::client::{Client, Error, NODE_DEADLINE, ping};
use crate::fault::{Hold, Latency, ResetPeer, Stream, Toxic, ToxicKind};
use crate::node::{Node, Process};
use crate::program::Search;
use crate::wire::Value;

mod replies;
mod scripted;
mod sockets;

struct Setting {
    node: Process,
    link: Link,
    tap: Tap,
    client: Client,
}

async fn setting() -> Setting {
    let search = Search::new(&env::current_exe().unwrap(), env::vars_os());
    let node = Process::start(&search).await.unwrap();
    let tap = Tap::default();
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let link = Link::start(anywhere, node.addr(), 0, tap.clone(), Chance::seeded(0)).unwrap();
    let client = Client::connect(link.addr(), NODE_DEADLINE).await.unwrap();
    Setting {
        node,
        link,
        tap,
        client,
    }
}

fn downstream(kind: ToxicKind) -> Toxic {
    Toxic::new(Stream::Downstream, kind)
}

fn latency(latency_ms: i64) -> ToxicKind {
    ToxicKind::Latency(Latency {
        latency_ms,
        jitter_ms: 0,
    })
}

fn answers(events: &[Event]) -> Vec<String> {
    let answered = |event: &&Event| matches!(event.what, What::Answered(_));
    let texts = events.iter().filter(answered);
    texts.map(|event| event.what.to_string()).collect()
}

fn pong() -> Result<Value, Error> {
    Ok(Value::Simple(b"PONG".to_vec()))
}

#[tokio::test]
async fn the_tap_hears_both_sides_in_order() {
    let mut on = setting().await;
    let large = "x".repeat(300_000);
    on.client
        .pipeline(
            &[
                vec!["SET", "k", &large],
                vec!["GET", "k"],
                vec!["LPUSH", "k", ""],
            ],
            NODE_DEADLINE,
        )
        .await
        .unwrap();
    drop(on.client);
    let events = on
        .tap
        .wait(TapPosition::default(), NODE_DEADLINE, |events| {
            events.iter().any(|event| event.what == What::Closed)
        })
        .await
        .unwrap();
    assert!(
        events
            .iter()
            .all(|event| (event.node, event.connection) == (0, 1))
    );
    let asked: Vec<&What> = events
        .iter()
        .map(|event| &event.what)
        .filter(|what| matches!(what, What::Asked(_)))
        .collect();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[2].to_string(), "LPUSH k \"\"");
    let answered: Vec<&What> = events
        .iter()
        .map(|event| &event.what)
        .filter(|what| matches!(what, What::Answered(_)))
        .collect();
    assert_eq!(
        answered[1],
        &What::Answered(Value::Bulk(large.into_bytes()))
    );
    assert!(answered[2].to_string().starts_with("-WRONGTYPE"));
    assert_eq!(events.first().unwrap().what, What::Opened);
    assert_eq!(events.last().unwrap().what, What::Closed);
}

#[tokio::test]
async fn latency_delays_replies_and_goes_when_it_is_removed() {
    let mut on = setting().await;
    on.link.add(downstream(latency(1))).unwrap();
    assert_eq!(on.client.call(&["PING"], NODE_DEADLINE).await, pong());
    // An hour would be noticed.
    let hour = |toxic: &mut Toxic| toxic.kind = latency(3_600_000);
    assert!(on.link.toxics().update("latency_downstream", hour));
    assert!(ping(on.link.addr()).await.is_err());
    on.client
        .write(b"*1\r\n$4\r\nPING\r\n", NODE_DEADLINE)
        .await
        .unwrap();
    on.link.heal().await.unwrap();
    assert_eq!(on.client.reply(NODE_DEADLINE).await, pong());
}

#[tokio::test]
async fn held_replies_leave_in_order_when_released() {
    let mut on = setting().await;
    let mark = on.tap.mark();
    on.link.add(downstream(ToxicKind::Hold(Hold {}))).unwrap();
    on.client
        .write(
            b"*2\r\n$4\r\nPING\r\n$1\r\na\r\n*2\r\n$4\r\nPING\r\n$1\r\nb\r\n",
            NODE_DEADLINE,
        )
        .await
        .unwrap();
    // The node has answered both requests, the client has received nothing.
    let events = on
        .tap
        .wait(mark, NODE_DEADLINE, |events| answers(events).len() == 2)
        .await
        .unwrap();
    assert_eq!(answers(&events), ["\"a\"", "\"b\""]);
    let nothing = on.client.reply(Duration::from_millis(20)).await;
    assert!(matches!(nothing, Err(Error::Silent { .. })), "{nothing:?}");
    on.link
        .remove(|toxic| toxic.kind == ToxicKind::Hold(Hold {}));
    assert_eq!(
        on.client.reply(NODE_DEADLINE).await,
        Ok(Value::Bulk(b"a".to_vec()))
    );
    assert_eq!(
        on.client.reply(NODE_DEADLINE).await,
        Ok(Value::Bulk(b"b".to_vec()))
    );
}

#[tokio::test]
async fn a_reset_ends_each_connection_that_is_used() {
    let mut on = setting().await;
    let reset = ToxicKind::ResetPeer(ResetPeer { timeout_ms: 0 });
    on.link.add(downstream(reset)).unwrap();
    for _ in 0..2 {
        let ended = on.client.call(&["PING"], NODE_DEADLINE).await;
        assert!(matches!(ended, Err(Error::Closed { .. })), "{ended:?}");
        on.client = Client::connect(on.link.addr(), NODE_DEADLINE)
            .await
            .unwrap();
    }
    on.link.heal().await.unwrap();
    assert_eq!(on.client.call(&["PING"], NODE_DEADLINE).await, pong());
}

#[tokio::test]
async fn a_link_that_is_down_refuses_until_it_is_healed() {
    let mut on = setting().await;
    let mut open = TcpStream::connect(on.link.addr()).await.unwrap();
    on.link.down().await.unwrap();
    let ended = on.client.reply(NODE_DEADLINE).await;
    assert!(matches!(ended, Err(Error::Closed { .. })), "{ended:?}");
    // As in the case files, connections are reset. Only the fault server closes them with FIN.
    let ended = open.read_u8().await.unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::ConnectionReset);
    assert!(matches!(
        ping(on.link.addr()).await,
        Err(Error::Connect { .. })
    ));
    assert_eq!(ping(on.node.addr()).await, Ok(()));
    on.link.heal().await.unwrap();
    assert_eq!(ping(on.link.addr()).await, Ok(()));
}

#[tokio::test]
async fn a_half_close_is_passed_on_and_replies_still_come() {
    let mut on = setting().await;
    on.link.add(downstream(ToxicKind::Hold(Hold {}))).unwrap();
    on.client
        .write(b"*1\r\n$4\r\nPING\r\n", NODE_DEADLINE)
        .await
        .unwrap();
    on.client.half_close().await.unwrap();
    on.tap
        .wait(TapPosition::default(), NODE_DEADLINE, |events| {
            answers(events).contains(&"+PONG".to_owned())
        })
        .await
        .unwrap();
    on.link.heal().await.unwrap();
    assert_eq!(on.client.reply(NODE_DEADLINE).await, pong());
    let end = on.client.reply(NODE_DEADLINE).await;
    assert_eq!(end, Err(Error::Closed { pending: vec![] }));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let on = setting().await;
    let error = Link::start(
        on.link.addr(),
        on.node.addr(),
        0,
        Tap::default(),
        Chance::seeded(0),
    )
    .unwrap_err();
    assert!(
        error.to_string().contains(&on.link.addr().to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn each_connection_is_read_in_the_protocol_that_it_asked_for() {
    let mut on = setting().await;
    let mut other = Client::connect(on.link.addr(), NODE_DEADLINE)
        .await
        .unwrap();
    let requests = [
        vec!["HSET", "h", "f", "1"],
        vec!["HGETALL", "h"],
        vec!["HELLO", "3"],
        vec!["HGETALL", "h"],
        vec!["GET", "none"],
        vec!["RESET"],
        vec!["GET", "none"],
        vec!["HELLO", "3"],
        vec!["HELLO", "2"],
        vec!["HGETALL", "h"],
    ];
    let seen = on.client.pipeline(&requests, NODE_DEADLINE).await.unwrap();
    let map = |value: &Value| matches!(value, Value::Map(_));
    let flat = "*2 \"f\" \"1\"";
    let shown: Vec<String> = seen.iter().map(ToString::to_string).collect();
    assert!(map(&seen[2]) && map(&seen[7]), "{shown:?}");
    assert_eq!(shown[1], flat);
    assert_eq!(shown[3..7], ["%1 \"f\" \"1\"", "_", "+RESET", "nil"]);
    assert_eq!(shown[9], flat);
    let theirs = other.call(&["HGETALL", "h"], NODE_DEADLINE).await.unwrap();
    assert_eq!(theirs.to_string(), flat);

    let events = on.tap.since(TapPosition::default());
    assert_eq!(answers(&events), [&shown[..], &[flat.to_owned()]].concat());
}
