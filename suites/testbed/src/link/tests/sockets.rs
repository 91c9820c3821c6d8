//! What each toxic does to real connections with any protocol, not only RESP.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::super::{Ending, Link, Setup, Toxics, Traffic};
use crate::chance::Chance;
use crate::fault::{
    Bandwidth, Hold, Latency, LimitData, ResetPeer, Slicer, SlowClose, Stream, Timeout, Toxic,
    ToxicKind,
};

const DEADLINE: Duration = Duration::from_secs(10);

/// A client and a server with a link between them.
struct Pair {
    link: Link,
    listener: TcpListener,
    traffic: Arc<Traffic>,
    client: TcpStream,
    server: TcpStream,
}

async fn pair() -> Pair {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let traffic = Arc::<Traffic>::default();
    let link = Link::set_up(Setup {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        upstream: listener.local_addr().unwrap().to_string(),
        tap: None,
        toxics: Toxics::default(),
        traffic: traffic.clone(),
        chance: Chance::seeded(1),
        ending: Ending::Reset,
    })
    .unwrap();
    let client = TcpStream::connect(link.addr()).await.unwrap();
    let (server, _) = within(listener.accept()).await.unwrap();
    Pair {
        link,
        listener,
        traffic,
        client,
        server,
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    let awaited = timeout(DEADLINE, future).await;
    awaited.expect("nothing happened in time")
}

impl Pair {
    fn add(&self, stream: Stream, kind: ToxicKind) {
        self.link.add(Toxic::new(stream, kind)).unwrap();
    }

    async fn reconnect(&mut self) {
        self.client = TcpStream::connect(self.link.addr()).await.unwrap();
        (self.server, _) = within(self.listener.accept()).await.unwrap();
    }
}

/// Reads until the other side closes.
async fn rest(stream: &mut TcpStream) -> Result<Vec<u8>, ErrorKind> {
    let mut bytes = Vec::new();
    let read = within(stream.read_to_end(&mut bytes)).await;
    read.map(|_| bytes).map_err(|why| why.kind())
}

async fn some(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    within(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}

#[tokio::test]
async fn bandwidth_loses_nothing() {
    let mut on = pair().await;
    on.add(
        Stream::Downstream,
        ToxicKind::Bandwidth(Bandwidth { rate_kb: 100 }),
    );
    let sent = vec![7; 30_000];
    on.server.write_all(&sent).await.unwrap();
    assert_eq!(some(&mut on.client, sent.len()).await, sent);
    assert_eq!(on.traffic.sent(Stream::Downstream), 30_000);
}

#[tokio::test]
async fn bandwidth_lets_the_sender_wait() {
    let mut on = pair().await;
    on.add(
        Stream::Upstream,
        ToxicKind::Bandwidth(Bandwidth { rate_kb: 1 }),
    );
    // More than the sockets' buffers hold.
    let flood = vec![7; 64 * 1024 * 1024];
    let (mut from_client, mut to_server) = on.client.split();
    let mut sending = std::pin::pin!(to_server.write_all(&flood));
    let unsent = timeout(Duration::from_millis(300), &mut sending).await;
    assert!(unsent.is_err(), "the link took 64 MB at 1 KB/s");
    assert!(on.traffic.received(Stream::Upstream) <= 256 * 1024);
    // The removal lets everything through at once.
    on.link.remove(|_| true);
    let mut received = vec![0; flood.len()];
    let (sent, read) =
        within(async { tokio::join!(sending, on.server.read_exact(&mut received)) }).await;
    assert!(sent.is_ok() && read.is_ok());
    assert!(received == flood);
    on.server.write_all(b"back").await.unwrap();
    let mut back = [0; 4];
    within(from_client.read_exact(&mut back)).await.unwrap();
}

#[tokio::test]
async fn slow_close_lets_bytes_through_and_goes_when_it_is_removed() {
    let mut on = pair().await;
    on.add(
        Stream::Downstream,
        ToxicKind::SlowClose(SlowClose {
            delay_ms: 3_600_000,
        }),
    );
    on.server.write_all(b"last").await.unwrap();
    on.server.shutdown().await.unwrap();
    assert_eq!(some(&mut on.client, 4).await, b"last");
    // An hour would be noticed.
    on.link.remove(|_| true);
    assert_eq!(rest(&mut on.client).await, Ok(vec![]));
}

#[tokio::test]
async fn timeout_swallows_everything_and_closes() {
    let mut on = pair().await;
    on.add(
        Stream::Downstream,
        ToxicKind::Timeout(Timeout { timeout_ms: 100 }),
    );
    on.server.write_all(b"lost").await.unwrap();
    assert_eq!(rest(&mut on.client).await, Ok(vec![]));
    assert_eq!(rest(&mut on.server).await, Ok(vec![]));
    assert_eq!(on.traffic.received(Stream::Downstream), 4);
    assert_eq!(on.traffic.sent(Stream::Downstream), 0);
}

#[tokio::test]
async fn timeout_of_0_closes_when_it_is_removed_and_new_connections_work() {
    let mut on = pair().await;
    on.add(
        Stream::Upstream,
        ToxicKind::Timeout(Timeout { timeout_ms: 0 }),
    );
    on.client.write_all(b"lost").await.unwrap();
    let nothing = timeout(Duration::from_millis(50), on.server.read_u8()).await;
    assert!(nothing.is_err());
    on.link.remove(|_| true);
    assert_eq!(rest(&mut on.server).await, Ok(vec![]));
    assert_eq!(rest(&mut on.client).await, Ok(vec![]));
    on.reconnect().await;
    on.client.write_all(b"kept").await.unwrap();
    assert_eq!(some(&mut on.server, 4).await, b"kept");
}

#[tokio::test]
async fn reset_peer_resets_both_sides() {
    let mut on = pair().await;
    on.add(
        Stream::Upstream,
        ToxicKind::ResetPeer(ResetPeer { timeout_ms: 50 }),
    );
    on.client.write_all(b"lost").await.unwrap();
    let reset = Err(ErrorKind::ConnectionReset);
    assert_eq!(rest(&mut on.client).await, reset);
    assert_eq!(rest(&mut on.server).await, reset);
}

#[tokio::test]
async fn slicer_makes_many_reads_of_one_write() {
    let mut on = pair().await;
    let (average_size, size_variation, delay_us) = (100, 20, 2000);
    on.add(
        Stream::Downstream,
        ToxicKind::Slicer(Slicer {
            average_size,
            size_variation,
            delay_us,
        }),
    );
    let sent: Vec<u8> = (0..2000).map(|number| number as u8).collect();
    on.server.write_all(&sent).await.unwrap();
    let mut received = Vec::new();
    let mut reads = 0;
    while received.len() < sent.len() {
        within(on.client.read_buf(&mut received)).await.unwrap();
        reads += 1;
    }
    assert_eq!(received, sent);
    assert!(reads > 1, "the pieces arrived as one");
}

#[tokio::test]
async fn limit_data_ends_in_order_after_so_many_bytes() {
    let mut on = pair().await;
    on.add(
        Stream::Downstream,
        ToxicKind::LimitData(LimitData { bytes: 100 }),
    );
    // Unread requests must not turn the end into a reset.
    on.client.write_all(&[1; 5000]).await.unwrap();
    on.server.write_all(&[7; 5000]).await.unwrap();
    assert_eq!(rest(&mut on.client).await, Ok(vec![7; 100]));
    on.reconnect().await;
    on.server.write_all(&[8; 5000]).await.unwrap();
    assert_eq!(rest(&mut on.client).await, Ok(vec![8; 100]));
}

#[tokio::test]
async fn toxicity_is_drawn_anew_for_each_connection() {
    let mut on = pair().await;
    let cut = Toxic {
        toxicity: 0.5,
        ..Toxic::new(
            Stream::Downstream,
            ToxicKind::LimitData(LimitData { bytes: 1 }),
        )
    };
    on.link.add(cut).unwrap();
    let mut lengths = [0; 3];
    // All draws would be equal once in 2^39 seeds, and the seed is fixed.
    for _ in 0..40 {
        on.reconnect().await;
        on.server.write_all(b"ab").await.unwrap();
        on.server.shutdown().await.unwrap();
        // Half closed on this side too, or a whole reply would not end the connection.
        on.client.shutdown().await.unwrap();
        lengths[rest(&mut on.client).await.unwrap().len()] += 1;
    }
    assert!(lengths[1] > 0 && lengths[2] > 0, "{lengths:?}");
}

#[tokio::test]
async fn a_half_close_and_a_reset_of_either_side_reach_the_other() {
    let mut on = pair().await;
    on.client.shutdown().await.unwrap();
    assert_eq!(rest(&mut on.server).await, Ok(vec![]));
    on.server.write_all(b"still").await.unwrap();
    on.server.shutdown().await.unwrap();
    assert_eq!(rest(&mut on.client).await, Ok(b"still".to_vec()));

    let reset = Err(ErrorKind::ConnectionReset);
    on.reconnect().await;
    socket2::SockRef::from(&on.client)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(on.client);
    assert_eq!(rest(&mut on.server).await, reset);

    on.client = TcpStream::connect(on.link.addr()).await.unwrap();
    let (server, _) = within(on.listener.accept()).await.unwrap();
    socket2::SockRef::from(&server)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(server);
    assert_eq!(rest(&mut on.client).await, reset);
}

#[tokio::test]
async fn a_removal_returns_though_nobody_reads() {
    let mut on = pair().await;
    on.add(Stream::Upstream, ToxicKind::Hold(Hold {}));
    let held = vec![7; 8 * 1024 * 1024];
    within(on.client.write_all(&held)).await.unwrap();
    on.link.remove(|_| true);
    on.add(
        Stream::Upstream,
        ToxicKind::Latency(Latency {
            latency_ms: 1,
            jitter_ms: 0,
        }),
    );
    on.link.remove(|_| true);
    // Only now does the server read.
    on.client.shutdown().await.unwrap();
    assert!(rest(&mut on.server).await == Ok(held));
}

/// An action on a link while bytes flow.
#[derive(Debug, Clone)]
enum Deed {
    Add(f32, ToxicKind),
    Remove(usize),
    /// Sends this many bytes more.
    Send(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let kind = prop_oneof![
        (0..8_i64, 0..8_i64).prop_map(|(latency_ms, jitter_ms)| ToxicKind::Latency(Latency {
            latency_ms,
            jitter_ms
        })),
        (1000..5000_i64).prop_map(|rate_kb| ToxicKind::Bandwidth(Bandwidth { rate_kb })),
        (50..400_i64, 0..50_i64, 0..50_i64).prop_map(|(average_size, size_variation, delay_us)| {
            ToxicKind::Slicer(Slicer {
                average_size,
                size_variation,
                delay_us,
            })
        }),
        Just(ToxicKind::Hold(Hold {})),
        (0..20_i64).prop_map(|delay_ms| ToxicKind::SlowClose(SlowClose { delay_ms })),
    ];
    prop_oneof![
        (prop_oneof![Just(1.0_f32), Just(0.5)], kind)
            .prop_map(|(part, kind)| Deed::Add(part, kind)),
        (0..4_usize).prop_map(Deed::Remove),
        (1..20_000_usize).prop_map(Deed::Send),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_byte_arrives_once_and_in_order(deeds in prop::collection::vec(deed(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (sent, received) = runtime.block_on(churn(deeds));
        prop_assert_eq!(sent, received.as_ref().map_or(0, Vec::len));
        let numbered: Vec<u8> = (0..sent).map(|number| (number % 251) as u8).collect();
        prop_assert!(received == Ok(numbered), "bytes were overtaken");
    }
}

/// Sends numbered bytes from the client while toxics are added and removed. Returns how many, and what arrived.
async fn churn(deeds: Vec<Deed>) -> (usize, Result<Vec<u8>, ErrorKind>) {
    let Pair {
        link,
        mut client,
        mut server,
        ..
    } = pair().await;
    let reading = tokio::spawn(async move { rest(&mut server).await });
    let mut sent = 0;
    for (number, deed) in deeds.into_iter().enumerate() {
        match deed {
            Deed::Add(toxicity, kind) => {
                let toxic = Toxic {
                    name: number.to_string(),
                    toxicity,
                    ..Toxic::new(Stream::Upstream, kind)
                };
                link.add(toxic).unwrap();
            }
            Deed::Remove(at) => {
                let toxics = link.toxics().list();
                if let Some(toxic) = toxics.get(at % toxics.len().max(1)) {
                    link.remove(|other| other.name == toxic.name);
                }
            }
            Deed::Send(count) => {
                let bytes: Vec<u8> = (sent..sent + count).map(|at| (at % 251) as u8).collect();
                within(client.write_all(&bytes)).await.unwrap();
                sent += count;
            }
        }
        tokio::task::yield_now().await;
    }
    client.shutdown().await.unwrap();
    link.remove(|_| true);
    (sent, reading.await.unwrap())
}
