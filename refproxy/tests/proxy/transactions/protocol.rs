//! Transactions and the protocol of their client: HELLO before and within them.

use testbed::client::Client;
use testbed::wire;

use super::{ABORTED, Setting, say};
use crate::support::DEADLINE;

/// In RESP3 the connection to the node speaks it too, and requests after WATCH go over it.
#[tokio::test]
async fn a_transaction_is_answered_in_the_protocol_of_its_client() {
    let setting = Setting::start("workers: 1").await;
    let said = |text: &str| -> Vec<u8> {
        let lines = setting.lines(text).into_iter();
        lines
            .flat_map(|line| wire::encode_request(&line.split(' ').collect::<Vec<_>>()))
            .collect()
    };
    let mut proxy = setting.proxy.client().await;
    let mut plain = Client::connect(setting.plain, DEADLINE).await.unwrap();
    for (text, expected) in [
        (
            "HELLO 3; WATCH a; HSET a f v; MULTI; PING; EXEC; SET z end",
            "+OK\r\n:1\r\n+OK\r\n+QUEUED\r\n_\r\n+OK\r\n",
        ),
        (
            "MULTI; HGETALL a; PING; EXEC; SET z end",
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n%1\r\n$1\r\nf\r\n$1\r\nv\r\n+PONG\r\n+OK\r\n",
        ),
    ] {
        for client in [&mut plain, &mut proxy] {
            client.write(&said(text), DEADLINE).await.unwrap();
            let mut seen = String::new();
            // The reply to HELLO differs.
            while !seen.ends_with(expected) {
                let byte = client.take(1, DEADLINE).await;
                let byte = byte.unwrap_or_else(|error| panic!("{error} after {seen:?}"));
                seen.push(char::from(byte[0]));
            }
        }
    }
}

/// The reply to HELLO without the number of the connection.
fn without_id(reply: &str) -> String {
    let mut words = reply.split(' ');
    let mut seen: Vec<&str> = Vec::new();
    while let Some(word) = words.next() {
        seen.push(word);
        if word == "\"id\"" {
            words.next();
        }
    }
    seen.join(" ")
}

/// Redis executes it at EXEC, so its errors come there too, and other queued requests are executed.
#[tokio::test]
async fn hello_is_queued_as_long_as_the_protocol_stays() {
    let setting = Setting::start("workers: 1").await;
    for text in [
        "MULTI; HELLO; EXEC",
        "MULTI; HELLO 2; EXEC",
        "MULTI; SET a 1; HELLO 2 SETNAME me; CLIENT GETNAME; GET a; EXEC; CLIENT GETNAME; GET a",
        "MULTI; HELLO 4; SET a 2; EXEC; GET a",
        "MULTI; HELLO x; HELLO 2 FOO; HELLO 2 SETNAME; HELLO 2 AUTH default; EXEC",
        "MULTI; HELLO 2 SETNAME you; DISCARD; CLIENT GETNAME",
        "MULTI; FOO; HELLO 2; HELLO 4; EXEC",
        "WATCH a; HELLO 2; HELLO; HELLO 4; HELLO 2 SETNAME me; MULTI; SET a 3; EXEC; CLIENT GETNAME; GET a",
        "MULTI; AUTH x; AUTH a b c; SELECT 0; SELECT x; SET a 4; EXEC; GET a",
        "MULTI; SET a 5; RESET; EXEC; GET a",
        "MULTI; SET a 6; QUIT",
    ] {
        let mut sides = Vec::new();
        for addr in [setting.plain, setting.proxy.addr] {
            let mut client = Client::connect(addr, DEADLINE).await.unwrap();
            let replies = say(&mut client, &setting.lines(text), 1000).await;
            sides.push(
                replies
                    .iter()
                    .map(|reply| without_id(reply))
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(sides[1], sides[0], "{text}");
    }
    for text in [
        "MULTI; SET a 7; HELLO 3; EXEC; GET a",
        "MULTI; SET a 7; HELLO 3 SETNAME me; EXEC; GET a",
    ] {
        let mut proxy = setting.proxy.client().await;
        let replies = say(&mut proxy, &setting.lines(text), 1000).await;
        assert!(
            replies[2].ends_with("a transaction ends in the protocol in which it began; call HELLO before WATCH and MULTI"),
            "{replies:?}"
        );
        assert_eq!(&replies[3..], [ABORTED, "\"4\""]);
    }
}
