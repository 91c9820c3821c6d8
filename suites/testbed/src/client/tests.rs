//! Servers that never end a reply: how many bytes the client accepts, counted at the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Client, Error};
use crate::wire::Value;

/// Far longer than any of these tests.
const LONG: Duration = Duration::from_secs(120);
/// Sent bytes that may wait in buffers of the operating system.
const BUFFERS: usize = 32 * 1024 * 1024;

/// A server that sends `beginning` and then `rest` repeatedly, and counts the bytes sent.
async fn endless(
    beginning: &'static [u8],
    rest: &'static [u8],
) -> (SocketAddr, Arc<AtomicUsize>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let block = rest.repeat((64 * 1024 / rest.len()).max(1));
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(beginning).await.unwrap();
        while stream.write_all(&block).await.is_ok() {
            count.fetch_add(block.len(), Ordering::Relaxed);
        }
    });
    (addr, sent, task)
}

/// The reply to such a server is cut off as endless, after at most `bytes_max` of it.
#[track_caller]
fn check_cut_off(reply: &Result<Value, Error>, sent: &AtomicUsize, bytes_max: usize) {
    assert!(matches!(reply, Err(Error::Endless { .. })), "{reply:?}");
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent <= bytes_max + BUFFERS, "{sent} bytes were accepted");
}

#[tokio::test]
async fn an_endless_line_is_cut_off() {
    let (addr, sent, task) = endless(b"+", b"x").await;
    let mut client = Client::connect(addr, LONG).await.unwrap();
    let reply = client.reply(LONG).await;
    check_cut_off(&reply, &sent, super::REPLY_BYTES_MAX);
    task.abort();
}

#[tokio::test]
async fn an_endless_array_is_cut_off() {
    for (beginning, rest) in [
        (&b"*16777216\r\n"[..], &b":1\r\n"[..]),
        (b"*16777216\r\n", b"*1000\r\n"),
        (b"", b"*0\r\n"),
    ] {
        let (addr, sent, task) = endless(beginning, rest).await;
        let mut client = Client::connect(addr, LONG).await.unwrap();
        let reply = client.reply(LONG).await;
        match (beginning, rest) {
            (b"", _) => assert_eq!(reply, Ok(Value::Array(Vec::new()))),
            // Nesting is limited before the bytes are.
            (_, b"*1000\r\n") => assert!(matches!(reply, Err(Error::Malformed(_))), "{reply:?}"),
            _ => check_cut_off(&reply, &sent, super::REPLY_VALUES_MAX * 8),
        }
        task.abort();
    }
}

#[tokio::test]
async fn an_endless_number_is_malformed_at_once() {
    let (addr, _, task) = endless(b":", b"1").await;
    let mut client = Client::connect(addr, LONG).await.unwrap();
    let reply = client.reply(LONG).await;
    assert!(matches!(reply, Err(Error::Malformed(_))), "{reply:?}");
    task.abort();
}

#[tokio::test]
async fn a_bulk_that_is_only_announced_takes_no_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"$536870912\r\nx").await.unwrap();
        stream
    });
    let mut client = Client::connect(addr, LONG).await.unwrap();
    let _stream = server.await.unwrap();
    let reply = client.reply(Duration::from_millis(200)).await;
    assert!(matches!(reply, Err(Error::Silent { .. })), "{reply:?}");
    assert!(client.ahead.capacity() < 1024 * 1024);
}

#[tokio::test]
async fn the_deadline_ends_a_reply_that_never_pauses() {
    let (addr, _, task) = endless(b"$536870912\r\n", b"x").await;
    let client = Client::connect(addr, LONG).await.unwrap();
    let mut client = client.with_reply_bytes_max(usize::MAX);
    // At once: everything is read after the deadline, and so is bounded by what may have arrived before it.
    let reply = client.reply(Duration::ZERO).await;
    assert!(matches!(reply, Err(Error::Silent { .. })), "{reply:?}");
    assert!(
        client.ahead() <= super::LATE_BYTES_MAX + 1024 * 1024,
        "{}",
        client.ahead()
    );
    task.abort();
}

#[tokio::test]
async fn a_reply_that_arrived_in_time_counts_although_it_is_read_late() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut client = Client::connect(addr, LONG).await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(b"*2\r\n+a\r\n+b\r\n").await.unwrap();
    let crate::stream::Stream::Tcp(bytes) = &client.stream else {
        panic!("a plain connection");
    };
    bytes.readable().await.unwrap();
    let reply = client.reply(Duration::ZERO).await;
    let word = |text: &str| Value::Simple(text.as_bytes().to_vec());
    assert_eq!(reply, Ok(Value::Array(vec![word("a"), word("b")])));
}
