//! Toxics of replies over a real Redis: what the client gets, and what the tap records.

use super::*;
use crate::fault::Fault;

/// What a client gets for `MGET k`, `INCR n`, `GET k`, `PING` in one pipeline under a fault, up to the end or to silence, and
/// whether the connection ended.
async fn seen(fault: &str) -> (Vec<String>, bool, Vec<Event>) {
    let mut on = setting().await;
    on.client
        .call(&["SET", "k", "abc"], NODE_DEADLINE)
        .await
        .unwrap();
    let Ok(Fault::Toxic(kind)) = fault.parse() else {
        panic!("{fault} is no toxic");
    };
    on.link.add(downstream(kind)).unwrap();
    let mark = on.tap.mark();
    let requests = [
        vec!["MGET", "k"],
        vec!["INCR", "n"],
        vec!["GET", "k"],
        vec!["PING"],
    ];
    let bytes: Vec<u8> = requests
        .iter()
        .flat_map(|request| crate::wire::encode_request(request))
        .collect();
    on.client.write(&bytes, NODE_DEADLINE).await.unwrap();
    // The node has executed all of them, whatever happens to its replies.
    let events = on.tap.wait(mark, NODE_DEADLINE, |events| {
        answers(events).contains(&"+PONG".to_owned())
    });
    events.await.unwrap();
    let mut replies = Vec::new();
    let closed = loop {
        match on.client.reply(Duration::from_millis(100)).await {
            Ok(reply) => replies.push(reply.to_string()),
            Err(Error::Closed { pending } | Error::Silent { pending, .. })
                if !pending.is_empty() =>
            {
                replies.push(format!("part {}", pending.escape_ascii()));
                break on.client.reply(Duration::from_millis(100)).await;
            }
            Err(Error::Malformed(why)) => {
                replies.push(format!("malformed {}", why.got));
                break Err(Error::Malformed(why));
            }
            Err(end) => break Err(end),
        }
    };
    (
        replies,
        matches!(closed, Err(Error::Closed { .. })),
        on.tap.since(mark),
    )
}

#[track_caller]
fn shows(events: &[Event], toxic: &str) {
    let acted = What::Acted(toxic.to_owned());
    assert!(events.iter().any(|event| event.what == acted), "{events:?}");
    // All replies of the node are on the record, whatever the toxic did to them.
    assert_eq!(answers(events), ["*1 \"abc\"", ":1", "\"abc\"", "+PONG"]);
}

async fn check(fault: &str, expected: &[&str]) {
    let (replies, closed, events) = seen(fault).await;
    assert_eq!(replies, expected, "{fault}");
    assert!(!closed, "{fault}");
    let name = fault.split(' ').next().unwrap();
    shows(&events, &format!("{name}_downstream"));
}

#[tokio::test]
async fn replies_are_changed_behind_the_node() {
    let (mget, incr, get) = ("*1 \"abc\"", ":1", "\"abc\"");
    check("drop_reply command INCR", &[mget, get, "+PONG"]).await;
    check("duplicate_reply key n", &[mget, incr, incr, get, "+PONG"]).await;
    check("swap_replies nth 1", &[incr, mget, get, "+PONG"]).await;
    check("wrong_type every 3", &[mget, incr, ":42", "+PONG"]).await;
    let busy =
        "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
    check("error_reply BUSY command get", &[mget, incr, busy, "+PONG"]).await;
    check("delay_reply 1ms times 2", &[mget, incr, get, "+PONG"]).await;
    // On a RESP2 connection a push is not RESP.
    check(
        "push_before_reply nth 2",
        &[mget, "malformed \">2\\r\\n$10\\r\\ninvalid\""],
    )
    .await;
    let longer = "malformed \"\\n+PONG\\r\\n\"";
    check("corrupt_length longer command GET", &[mget, incr, longer]).await;
}

#[tokio::test]
async fn a_cut_ends_the_connection_or_leaves_it_silent() {
    let (replies, closed, _) = seen("cut_reply body command GET").await;
    assert_eq!(replies, ["*1 \"abc\"", ":1", "part $3\\r\\na"]);
    assert!(closed);
    let (replies, closed, events) = seen("cut_reply header then silence command GET").await;
    assert_eq!(replies, ["*1 \"abc\"", ":1", "part $"]);
    assert!(!closed);
    shows(&events, "cut_reply_downstream");
}

#[tokio::test]
async fn a_held_reply_arrives_when_the_link_is_healed() {
    let mut on = setting().await;
    let Ok(Fault::Toxic(kind)) = "hold_reply command PING".parse() else {
        panic!("no toxic");
    };
    on.link.add(downstream(kind)).unwrap();
    let mut other = Client::connect(on.link.addr(), NODE_DEADLINE)
        .await
        .unwrap();
    let ping = b"*1\r\n$4\r\nPING\r\n";
    on.client.write(ping, NODE_DEADLINE).await.unwrap();
    let held = |events: &[Event]| {
        events
            .iter()
            .any(|event| matches!(event.what, What::Acted(_)))
    };
    on.tap
        .wait(TapPosition::default(), NODE_DEADLINE, held)
        .await
        .unwrap();
    // Another connection is still served.
    let echoed = other.call(&["ECHO", "x"], NODE_DEADLINE).await;
    assert_eq!(echoed, Ok(Value::Bulk(b"x".to_vec())));
    on.link.heal().await.unwrap();
    assert_eq!(on.client.reply(NODE_DEADLINE).await, pong());
}

#[tokio::test]
async fn pushes_of_the_node_are_no_replies() {
    let mut on = setting().await;
    on.client
        .call(&["HELLO", "3"], NODE_DEADLINE)
        .await
        .unwrap();
    on.client
        .call(&["SUBSCRIBE", "c"], NODE_DEADLINE)
        .await
        .unwrap();
    let Ok(Fault::Toxic(kind)) = "drop_reply command PING".parse() else {
        panic!("no toxic");
    };
    on.link.add(downstream(kind)).unwrap();
    let mut other = Client::connect(on.node.addr(), NODE_DEADLINE)
        .await
        .unwrap();
    other
        .call(&["PUBLISH", "c", "news"], NODE_DEADLINE)
        .await
        .unwrap();
    let news = on.client.reply(NODE_DEADLINE).await.unwrap();
    assert_eq!(news.to_string(), ">3 \"message\" \"c\" \"news\"");
}
