//! A node that never answers one request but keeps answering later ones: no later reply may be treated as the missing
//! one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use testbed::client::Client;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::support::{DEADLINE, Proxy, ask, eventually, show};

const SETTINGS: &str = "workers: 1\ntimeouts: { op_ms: 500 }";
/// Options of tests in which one request must time out and a later one must not.
const SLOW: &str = "workers: 1\ntimeouts: { op_ms: 4000 }";
/// Time between two such requests: half of the timeout, which is far more than a busy machine delays a reply.
const APART: Duration = Duration::from_secs(2);
/// Time between two bytes of a reply that keeps coming: short next to the timeout.
const PACE: Duration = Duration::from_millis(20);
const MISSING: &str = "connection lost: a reply is missing, the request may have been executed";

/// A connection of the proxy to a node that is played by hand.
struct Connection(BufReader<TcpStream>);

impl Connection {
    /// The words of the next request; `None` when the proxy has closed the connection.
    async fn request(&mut self) -> Option<Vec<String>> {
        let count = self.number().await?;
        let mut words = Vec::new();
        for _ in 0..count {
            let mut word = vec![0; self.number().await? + 2];
            self.0.read_exact(&mut word).await.ok()?;
            word.truncate(word.len() - 2);
            words.push(String::from_utf8(word).unwrap());
        }
        Some(words)
    }

    /// The number on the next line, of any type.
    async fn number(&mut self) -> Option<usize> {
        let mut line = String::new();
        self.0.read_line(&mut line).await.ok()?;
        line.get(1..)?.trim_end().parse().ok()
    }

    /// The next request within the deadline.
    async fn expect(&mut self, name: &str) -> Vec<String> {
        let request = tokio::time::timeout(DEADLINE, self.request()).await;
        let words = request.expect("a request comes").expect("the proxy stays");
        assert_eq!(words[0], name);
        words
    }

    async fn answer(&mut self, value: &str) {
        let reply = format!("${}\r\n{value}\r\n", value.len());
        // The proxy may have hung up.
        let _ = self.0.write_all(reply.as_bytes()).await;
    }
}

/// Answers each request with its last word, but never answers those that ask for `lost`.
async fn forgetful(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut connection = Connection(BufReader::new(stream));
            while let Some(words) = connection.request().await {
                if words[1] != "lost" {
                    connection.answer(&words[words.len() - 1]).await;
                }
            }
        });
    }
}

/// Answers each request with its last word, but those that ask for `lost` with a length that it never sends, followed by a
/// byte now and then, as a node does that goes on with other replies. Tells `asked` of the first of them.
async fn overstating(listener: TcpListener, asked: Arc<Notify>) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut connection = Connection(BufReader::new(stream));
        let asked = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut overstates = false;
            loop {
                tokio::select! {
                    _ = connection.0.fill_buf() => {
                        let Some(words) = connection.request().await else {
                            return;
                        };
                        if words[1] == "lost" {
                            overstates = true;
                            let _ = connection.0.write_all(b"$1000000\r\nabc\r\n").await;
                            asked.notify_one();
                        } else {
                            connection.answer(&words[words.len() - 1]).await;
                        }
                    }
                    // What keeps coming is the stimulus.
                    () = tokio::time::sleep(PACE), if overstates => {
                        let _ = connection.0.write_all(b"x").await;
                    }
                }
            }
        });
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// Asks for its own key until it has the value twice in a row. Returns the errors before.
async fn insist(mut client: Client, key: String) -> Vec<String> {
    let (mut errors, mut good) = (Vec::new(), 0);
    while good < 2 {
        let seen = ask(&mut client, &["GET", &key]).await;
        if seen == format!("\"{key}\"") {
            good += 1;
        } else {
            assert!(seen.starts_with("-ERR node"), "{key} was answered {seen}");
            good = 0;
            errors.push(seen);
        }
    }
    errors
}

#[tokio::test]
async fn after_a_lost_reply_the_node_answers_again_and_each_client_has_its_own_reply() {
    let (listener, addr) = listen().await;
    tokio::spawn(forgetful(listener));
    let proxy = Proxy::start(&[addr], SETTINGS).await;
    let mut unlucky = proxy.client().await;
    for _ in 0..3 {
        assert_eq!(
            ask(&mut unlucky, &["GET", "lost"]).await,
            format!("-{}", proxy.error(0, "timeout"))
        );
        // New requests are on a connection that owes one reply too many.
        let mut others = Vec::new();
        for number in 0..8 {
            let client = proxy.client().await;
            others.push(tokio::spawn(insist(client, format!("key {number}"))));
        }
        for other in others {
            let errors = other.await.unwrap();
            assert!(errors.len() <= 2, "{errors:?}");
        }
    }
}

/// Its length is one that a reply may have, and something keeps coming, so that it is never late. But a later request is.
#[tokio::test]
async fn a_reply_that_announces_too_much_holds_up_later_requests_for_their_own_time_only() {
    let (listener, addr) = listen().await;
    let asked = Arc::new(Notify::new());
    tokio::spawn(overstating(listener, Arc::clone(&asked)));
    let proxy = Proxy::start(&[addr], SETTINGS).await;
    let mut unlucky = proxy.client().await;
    let get = b"*2\r\n$3\r\nGET\r\n$4\r\nlost\r\n";
    unlucky.write(get, DEADLINE).await.unwrap();
    let told = tokio::time::timeout(DEADLINE, asked.notified()).await;
    told.expect("the node is asked");
    let errors = insist(proxy.client().await, "key".into()).await;
    let timeout = format!("-{}", proxy.error(0, "timeout"));
    let lost = format!("-{}", proxy.error(0, "connection lost: incomplete reply"));
    // The next request may be on its way already when the node answers the marker.
    let (first, rest) = errors.split_first().expect("the first request times out");
    assert_eq!(first, &timeout);
    assert!(rest.is_empty() || rest == [lost.clone()], "{errors:?}");
    assert_eq!(show(&unlucky.reply(DEADLINE).await.unwrap()), lost);
}

/// Two clients ask, the second one before the first has timed out; the node answers after that, with these of the replies
/// and then the marker. What the second client sees.
async fn second_of_two(replies: &[&str]) -> String {
    let (listener, addr) = listen().await;
    let proxy = Proxy::start(&[addr], SLOW).await;
    let stream = tokio::time::timeout(DEADLINE, listener.accept()).await;
    let mut node = Connection(BufReader::new(stream.unwrap().unwrap().0));
    let mut clients = [proxy.client().await, proxy.client().await];
    for (client, key) in clients.iter_mut().zip(["first", "second"]) {
        if key == "second" {
            // A client that comes later is the stimulus: its request has this much time when the first has none.
            tokio::time::sleep(APART).await;
        }
        let request = format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len());
        client.write(request.as_bytes(), DEADLINE).await.unwrap();
        node.expect("GET").await;
    }
    let timeout = clients[0].reply(DEADLINE).await.unwrap();
    assert_eq!(show(&timeout), format!("-{}", proxy.error(0, "timeout")));
    let marker = node.expect("ECHO").await;
    for reply in replies {
        node.answer(reply).await;
    }
    node.answer(&marker[1]).await;
    let seen = show(&clients[1].reply(DEADLINE).await.unwrap());
    seen.replace(&addr.to_string(), "NODE")
}

#[tokio::test]
async fn a_reply_after_a_late_one_is_delivered_once_it_is_certain_whose_it_is() {
    assert_eq!(second_of_two(&["first", "second"]).await, "\"second\"");
}

#[tokio::test]
async fn a_reply_that_may_be_of_another_request_is_not_delivered() {
    for reply in ["first", "second"] {
        assert_eq!(
            second_of_two(&[reply]).await,
            format!("-ERR node NODE: {MISSING}")
        );
    }
    assert_eq!(
        second_of_two(&[]).await,
        format!("-ERR node NODE: {MISSING}")
    );
    // One too many.
    assert_eq!(
        second_of_two(&["first", "second", "third"]).await,
        format!("-ERR node NODE: {MISSING}")
    );
}

#[tokio::test]
async fn a_node_that_refuses_the_marker_is_connected_anew() {
    let (listener, addr) = listen().await;
    let proxy = Proxy::start(&[addr], SETTINGS).await;
    let (stream, _) = listener.accept().await.unwrap();
    let mut node = Connection(BufReader::new(stream));
    let mut client = proxy.client().await;
    let get = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    client.write(get, DEADLINE).await.unwrap();
    node.expect("GET").await;
    assert!(client.reply(DEADLINE).await.unwrap().is_error());
    node.expect("ECHO").await;
    node.answer("late").await;
    node.0.write_all(b"-NOPERM no\r\n").await.unwrap();
    tokio::spawn(forgetful(listener));
    eventually("the node answers", DEADLINE, async || {
        ask(&mut client, &["GET", "k"]).await == "\"k\""
    })
    .await;
}
