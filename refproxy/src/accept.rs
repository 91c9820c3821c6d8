//! One worker's thread: accepts clients, gives each a session, and takes orders.

use std::future::{Future as _, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::Instrument as _;

use crate::client::Client;
use crate::clock::micros;
use crate::config::Timeouts;
use crate::listen::Listener;
use crate::orders::Order;
use crate::session::Session;
use crate::stream::Stream;
use crate::worker::{Setup, Worker};

/// After running out of sockets, the next attempt to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often clients are checked for being idle or unauthenticated for too long, at most and at least.
const SWEEP: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Runs a worker on this thread until it is drained.
///
/// # Errors
/// The runtime or the listener cannot be set up.
pub(crate) fn run(
    listener: Listener,
    orders: mpsc::UnboundedReceiver<Order>,
    setup: Setup,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, serve(listener, orders, setup))
}

async fn serve(
    listener: Listener,
    mut orders: mpsc::UnboundedReceiver<Order>,
    setup: Setup,
) -> io::Result<()> {
    let listener = listener.start()?;
    let worker = Rc::new(Worker::new(setup));
    tokio::task::spawn_local(sweep(Rc::clone(&worker)));
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => admit(&worker, stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            order = orders.recv() => match order {
                Some(Order::Swap(plan, done)) => {
                    worker.swap(plan);
                    // The caller may have given up waiting.
                    let _ = done.send(());
                }
                Some(Order::Report(reply)) => {
                    let _ = reply.send(worker.report());
                }
                Some(Order::Clients(reply)) => {
                    let _ = reply.send(worker.lines());
                }
                Some(Order::Drain(limit)) => {
                    drop(listener);
                    drain(&worker, limit).await;
                    return Ok(());
                }
                None => return Ok(()),
            },
        }
    }
}

/// Gives a client its session, unless there are too many.
pub(crate) fn admit(worker: &Rc<Worker>, stream: Stream, peer: Option<SocketAddr>) {
    let Some(place) = worker.clients().admit(worker.clock().now()) else {
        // The socket is new and has room for these bytes; delivery is not awaited. TLS has not begun.
        if worker.tls().is_none() {
            stream.try_write(b"-ERR max number of clients reached\r\n");
        }
        return;
    };
    if let Stream::Tcp(stream) = &stream
        && let Err(error) = stream.set_nodelay(true)
    {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let id = place.client().id;
    let span = match peer {
        Some(peer) => tracing::info_span!("client", id, %peer),
        None => tracing::info_span!("client", id, peer = "unix"),
    };
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(
        async move {
            // Moved here, so that it is dropped while the thread still panics.
            let place = place;
            let client = Rc::clone(place.client());
            let Some(stream) = secured(stream, &client, &worker, peer).await else {
                return;
            };
            Session::new(stream, client, worker).run().await;
        }
        .instrument(span),
    );
}

/// The connection after the TLS handshake, if TLS is configured; `None` if the handshake fails or the client is closed.
async fn secured(
    stream: Stream,
    client: &Client,
    worker: &Worker,
    peer: Option<SocketAddr>,
) -> Option<Stream> {
    let (acceptor, stream) = match (worker.tls(), stream) {
        (Some(acceptor), Stream::Tcp(stream)) => (acceptor, stream),
        (_, stream) => return Some(stream),
    };
    let mut handshake = pin!(acceptor.accept(stream));
    let attended = poll_fn(|cx| {
        client.attend(cx.waker());
        if client.is_gone() || worker.is_draining() {
            return Poll::Ready(None);
        }
        handshake.as_mut().poll(cx).map(Some)
    });
    let limit = worker.timeouts().unauthenticated;
    let late = |_| {
        Some(Err(
            "TLS: no handshake in timeouts.unauthenticated_ms".to_owned()
        ))
    };
    let done = tokio::time::timeout(limit, attended).await;
    match done.unwrap_or_else(late)? {
        Ok(stream) => Some(Stream::Tls(stream)),
        Err(why) => {
            let peer = peer.map(tracing::field::display);
            tracing::warn!(client = client.id, peer, "closed: {why}");
            None
        }
    }
}

/// Closes clients that are idle or unauthenticated for too long.
async fn sweep(worker: Rc<Worker>) {
    let Timeouts {
        client_idle,
        unauthenticated,
        ..
    } = *worker.timeouts();
    let unauthenticated = (!worker.users().is_open()).then_some(unauthenticated);
    let Some(shortest) = client_idle.into_iter().chain(unauthenticated).min() else {
        return;
    };
    loop {
        tokio::time::sleep((shortest / 4).clamp(SWEEP.0, SWEEP.1)).await;
        let now = worker.clock().now();
        let before = |limit: Option<Duration>| now.checked_sub(micros(limit?));
        let clients = worker.clients();
        clients.close_overdue(before(unauthenticated), before(client_idle));
    }
}

/// Closes clients after their pending replies.
async fn drain(worker: &Worker, limit: Duration) {
    worker.start_to_drain();
    let clients = worker.clients();
    clients.wake_all();
    if tokio::time::timeout(limit, clients.emptied())
        .await
        .is_err()
    {
        tracing::warn!(clients = clients.len(), "closed while still owed replies");
    }
}
