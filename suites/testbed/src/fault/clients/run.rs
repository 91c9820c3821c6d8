//! What clients do after they have connected. Each one ends by itself, or when its fault is healed.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, split};

use crate::stream::Stream;
use crate::wire::Dialogue;

/// Bytes per read if the rate is not limited.
const CHUNK: usize = 64 * 1024;
/// How often a slow reader reads, and a slow writer writes.
const TURN: Duration = Duration::from_millis(100);

/// Sends all bytes, past any buffer of TLS.
pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

/// Neither reads nor writes.
pub(super) async fn hold(client: Stream) {
    std::future::pending::<()>().await;
    drop(client);
}

/// Sends all bytes, and reads `rate_kb` thousand bytes per second until the connection ends.
pub(super) async fn read_slowly(client: Stream, bytes: Vec<u8>, rate_kb: i64) {
    let turns_per_second = 1000 / 100;
    let turn_bytes = usize::try_from(rate_kb).unwrap_or(0) * 1000 / turns_per_second;
    let (mut from, mut to) = split(client);
    let reading = async {
        let mut chunk = vec![0; turn_bytes.clamp(1, CHUNK)];
        loop {
            if turn_bytes == 0 {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(TURN).await;
            if !matches!(from.read(&mut chunk).await, Ok(length) if length > 0) {
                return;
            }
        }
    };
    // The proxy may refuse the rest of the bytes: that is its answer to such a client.
    let (_, ()) = tokio::join!(write(&mut to, &bytes), reading);
}

/// Sends half of the bytes at once and the rest one by one, over and over. Reads nothing.
pub(super) async fn write_slowly(mut client: impl AsyncWrite + Unpin, bytes: Vec<u8>) {
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    while write(&mut client, half).await.is_ok() {
        for byte in rest {
            tokio::time::sleep(TURN).await;
            if write(&mut client, &[*byte]).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(TURN).await;
    }
}

/// Sends all, and reads until each request has its reply.
pub(super) async fn read_all(client: Stream, bytes: Vec<u8>, mut requests: usize) {
    let (mut from, mut to) = split(client);
    let reading = async {
        let (mut dialogue, mut ahead) = (Dialogue::default(), bytes::BytesMut::new());
        while requests > 0 {
            match dialogue.reply(&ahead) {
                Ok(Some((_, length))) => {
                    bytes::Buf::advance(&mut ahead, length);
                    requests -= 1;
                }
                Ok(None) => {
                    ahead.reserve(CHUNK);
                    if !matches!(from.read_buf(&mut ahead).await, Ok(length) if length > 0) {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    };
    let (_, ()) = tokio::join!(write(&mut to, &bytes), reading);
}
