//! The client against the server of this crate, and against servers that misbehave.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::super::Server;
use super::*;
use crate::fault::{Latency, Stream, ToxicKind};

fn slow(latency_ms: i64) -> Toxic {
    Toxic::new(
        Stream::Upstream,
        ToxicKind::Latency(Latency {
            latency_ms,
            jitter_ms: 2,
        }),
    )
}

#[tokio::test]
async fn every_call_is_understood() {
    let server = Server::start("127.0.0.1:0", None, 1).await.unwrap();
    let client = Client::new(server.addr());
    assert!(client.version().await.unwrap().starts_with("2."));
    let made = client
        .create("a b?c", "127.0.0.1:0", "127.0.0.1:1")
        .await
        .unwrap();
    assert!(made.enabled);
    assert_eq!(client.proxy("a b?c").await, Ok(made.clone()));
    assert_eq!(client.proxies().await.unwrap()["a b?c"], made);
    assert_eq!(client.add("a b?c", &slow(1)).await, Ok(slow(1)));
    assert_eq!(client.update("a b?c", &slow(5)).await, Ok(slow(5)));
    assert_eq!(client.proxy("a b?c").await.unwrap().toxics, [slow(5)]);
    assert_eq!(client.remove("a b?c", "latency_upstream").await, Ok(()));
    let down = client.set_enabled("a b?c", false).await.unwrap();
    assert!(!down.enabled && down.toxics.is_empty());
    assert_eq!(client.delete("a b?c").await, Ok(()));
    assert_eq!(client.proxies().await, Ok(BTreeMap::new()));
}

#[tokio::test]
async fn refusals_are_typed() {
    let server = Server::start("127.0.0.1:0", None, 1).await.unwrap();
    let client = Client::new(server.addr());
    let refused = client.proxy("p").await.unwrap_err();
    assert_eq!(refused.status(), Some(404));
    assert_eq!(
        refused.to_string(),
        "the fault server refused to show proxy p: proxy not found (status 404)"
    );
    client
        .create("p", "127.0.0.1:0", "127.0.0.1:1")
        .await
        .unwrap();
    let again = client.create("p", "127.0.0.1:0", "127.0.0.1:1").await;
    assert_eq!(again.unwrap_err().status(), Some(409));
    let gone = client.remove("p", "t").await;
    assert_eq!(gone.unwrap_err().status(), Some(404));
}

/// A server that accepts one connection and sends `words`; if they are empty, the connection stays open.
async fn saying(words: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    addr
}

#[tokio::test]
async fn a_server_tells_whose_its_links_are() {
    let server = Server::start("127.0.0.1:0", None, 1).await.unwrap();
    let ours = Client::new(server.addr()).links().await;
    assert_eq!(ours, Ok(Links::Extended));
    for (answer, expected) in [
        // Toxiproxy has no such route.
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 19\r\n\r\n404 page not found\n",
            Ok(Links::Toxiproxy),
        ),
        // A version that lacks some.
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n[{\"type\":\"drop_reply\"}]",
            Ok(Links::Toxiproxy),
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 5\r\n\r\nsorry",
            Err(Some(502)),
        ),
    ] {
        let found = Client::new(saying(answer).await).links().await;
        assert_eq!(found.map_err(|why| why.status()), expected, "{answer}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_left_at_the_deadline() {
    let hangs = Client::new(saying("").await).within(Duration::from_millis(50));
    let silent = hangs.remove("p", "t").await;
    assert!(matches!(silent, Err(Error::Silent(_))), "{silent:?}");
}

#[tokio::test]
async fn a_server_of_another_kind_is_refused() {
    let page = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    let other = Client::new(saying(page).await).proxies().await;
    assert!(matches!(other, Err(Error::Foreign { .. })), "{other:?}");
    let gone = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 5\r\n\r\nsorry";
    let other = Client::new(saying(gone).await).proxies().await.unwrap_err();
    assert_eq!(other.status(), Some(502));
    assert!(other.to_string().contains("sorry"), "{other}");
}
