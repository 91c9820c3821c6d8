//! Scripted answers: only the replies that they replace change, wherever the bytes of those replies are cut.

use proptest::prelude::*;

use super::super::answers::Exchange;
use super::super::frames::{Frames, Taken, Track};
use super::super::{Answer, Answers, Then};
use super::*;
use crate::fault::Stream;
use crate::wire::encode_request;
use bytes::BytesMut;
use std::sync::{Arc, Mutex};

fn answer(bytes: &str, then: Then) -> Answer {
    let bytes = bytes.as_bytes().to_vec();
    Answer { bytes, then }
}

fn bulk(text: &str) -> Result<Value, Error> {
    Ok(Value::Bulk(text.as_bytes().to_vec()))
}

async fn call(client: &mut Client, words: &[&str]) -> Result<Value, Error> {
    client.call(words, NODE_DEADLINE).await
}

#[tokio::test]
async fn a_scripted_answer_takes_the_place_of_the_reply_until_it_is_healed() {
    let mut on = setting().await;
    call(&mut on.client, &["SET", "k", "own"]).await.unwrap();
    on.link
        .answers()
        .set(b"k", answer("+first\r\n", Then::GoOn));
    on.link
        .answers()
        .set(b"k", answer("$2\r\nxy\r\n", Then::GoOn));
    let requests = [
        vec!["PING"],
        vec!["get", "k"],
        vec!["GET", "K"],
        vec!["PING"],
    ];
    let replies = on.client.pipeline(&requests, NODE_DEADLINE).await.unwrap();
    let shown: Vec<String> = replies.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["+PONG", "\"xy\"", "\"xy\"", "+PONG"]);
    let events = on.tap.since(TapPosition::default());
    let scripted = events
        .iter()
        .filter(|event| matches!(event.what, What::Scripted(_)));
    assert_eq!(scripted.count(), 2);
    on.link.heal().await.unwrap();
    assert_eq!(call(&mut on.client, &["GET", "k"]).await, bulk("own"));
}

#[tokio::test]
async fn a_scripted_answer_may_close_the_connection() {
    let mut on = setting().await;
    on.link
        .answers()
        .set(b"GET", answer("$9\r\nab", Then::Close));
    let ended = call(&mut on.client, &["GET", "k"]).await;
    let pending = b"$9\r\nab".to_vec();
    assert_eq!(ended, Err(Error::Closed { pending }));
}

#[tokio::test]
async fn a_scripted_silence_delays_no_other_reply() {
    let mut on = setting().await;
    on.link.answers().set(b"GET", answer("", Then::GoOn));
    let sent = [encode_request(&["GET", "k"]), encode_request(&["PING"])].concat();
    on.client.write(&sent, NODE_DEADLINE).await.unwrap();
    assert_eq!(on.client.reply(NODE_DEADLINE).await, pong());
}

#[tokio::test]
async fn an_interjection_reaches_open_connections_only() {
    let mut on = setting().await;
    assert_eq!(call(&mut on.client, &["PING"]).await, pong());
    let said = on.link.answers().interject(b"+unasked\r\n").await;
    assert_eq!(said, 1);
    let unasked = on.client.reply(NODE_DEADLINE).await;
    assert_eq!(unasked, Ok(Value::Simple(b"unasked".to_vec())));
    let mut later = Client::connect(on.link.addr(), NODE_DEADLINE)
        .await
        .unwrap();
    assert_eq!(call(&mut later, &["PING"]).await, pong());
    drop((on.client, later));
    let closed = |events: &[Event]| {
        let closed = events.iter().filter(|event| event.what == What::Closed);
        closed.count() == 2
    };
    on.tap
        .wait(TapPosition::default(), NODE_DEADLINE, closed)
        .await
        .unwrap();
    assert_eq!(on.link.answers().interject(b"+x\r\n").await, 0);
}

/// The bytes that the proxy gets for `replies`, cut at `cuts`; `scripted` marks the replies that are replaced.
fn rewritten(replies: &[&str], scripted: &[bool], cuts: &[usize]) -> Vec<u8> {
    let answers = Answers::default();
    answers.set(b"scripted", answer("<->", Then::GoOn));
    let exchange = Arc::new(Mutex::new(Exchange::new(answers)));
    for scripted in scripted {
        let word = if *scripted { "SCRIPTED" } else { "own" };
        exchange.lock().unwrap().asked(&["GET", word]);
    }
    let mut frames = Frames::new(Track::default(), Stream::Downstream, exchange);
    let bytes = replies.concat().into_bytes();
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let (mut seen, mut from) = (Vec::new(), 0);
    for end in ends {
        let mut chunk = BytesMut::from(&bytes[from..end]);
        let (passing, then) = frames.feed(&mut chunk, Taken::Loose, &mut Vec::new());
        assert_eq!(then, Then::GoOn);
        seen.extend_from_slice(&chunk);
        for piece in passing {
            seen.extend_from_slice(&piece.bytes);
        }
        from = end;
    }
    seen
}

proptest! {
    #[test]
    fn only_scripted_replies_change_however_they_are_cut(
        picked in prop::collection::vec((0..4_usize, any::<bool>()), 1..8),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let shapes = ["+OK\r\n", "$5\r\nab\r\nc\r\n", "*2\r\n:1\r\n$-1\r\n", "-ERR no\r\n"];
        let replies: Vec<&str> = picked.iter().map(|(shape, _)| shapes[*shape]).collect();
        let scripted: Vec<bool> = picked.iter().map(|(_, scripted)| *scripted).collect();
        let expected: String = replies
            .iter()
            .zip(&scripted)
            .map(|(reply, scripted)| if *scripted { "<->" } else { *reply })
            .collect();
        let seen = rewritten(&replies, &scripted, &cuts);
        prop_assert_eq!(String::from_utf8(seen).unwrap(), expected);
    }
}
