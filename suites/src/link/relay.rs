//! The relay: listens where the proxy looks for its node, and forwards both ways.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::pump::{End, Frames, Pump};
use super::tap::{Tap, What};
use super::toxic::{Stream, Toxic};

/// Between a proxy's connection to a link and the link's own to the node.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// A link cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("no link can listen on {addr}: {why}")]
pub struct Error {
    addr: SocketAddr,
    why: io::Error,
}

/// The relay before one node. Ends with all its connections when dropped.
#[derive(Debug)]
pub struct Link {
    addr: SocketAddr,
    toxics: watch::Sender<Arc<[Toxic]>>,
    orders: mpsc::Sender<Order>,
    acceptor: JoinHandle<()>,
}

impl Link {
    /// Listens on `addr` and relays to `node`, the cluster's node number `index`.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(
        addr: SocketAddr,
        node: SocketAddr,
        index: usize,
        tap: Tap,
    ) -> Result<Self, Error> {
        let listener = listen(addr)?;
        let addr = listener.local_addr().map_err(|why| Error { addr, why })?;
        let (toxics, watched) = watch::channel(Arc::from([]));
        let (orders, inbox) = mpsc::channel(1);
        let relay = Relay {
            addr,
            node,
            index,
            tap,
            toxics: watched,
            connections: JoinSet::new(),
        };
        Ok(Self {
            addr,
            toxics,
            orders,
            acceptor: tokio::spawn(relay.run(listener, inbox)),
        })
    }

    /// Where the proxy reaches the node.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Adds a toxic, at once also for the connections that are open.
    pub fn add(&self, toxic: Toxic) {
        self.toxics.send_modify(|toxics| {
            *toxics = toxics.iter().copied().chain([toxic]).collect();
        });
    }

    /// Removes the toxics that `gone` names; what they held goes on.
    pub fn remove(&self, gone: impl Fn(&Toxic) -> bool) {
        self.toxics.send_modify(|toxics| {
            *toxics = toxics
                .iter()
                .copied()
                .filter(|toxic| !gone(toxic))
                .collect();
        });
    }

    /// Resets the open connections and refuses new ones, as if nobody listened there: nobody does.
    ///
    /// # Errors
    /// Never for a link that runs.
    pub async fn down(&self) -> Result<(), Error> {
        self.order(Turn::Down).await
    }

    /// Removes all toxics and listens again if the link was down.
    ///
    /// # Errors
    /// When the port was taken by somebody else in the meantime.
    pub async fn heal(&self) -> Result<(), Error> {
        self.remove(|_| true);
        self.order(Turn::Up).await
    }

    async fn order(&self, turn: Turn) -> Result<(), Error> {
        let ended = || Error {
            addr: self.addr,
            why: io::Error::other("the relay has ended"),
        };
        let (done, answer) = oneshot::channel();
        let sent = self.orders.send(Order { turn, done }).await;
        sent.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

struct Order {
    turn: Turn,
    done: oneshot::Sender<Result<(), Error>>,
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    Up,
    Down,
}

struct Relay {
    addr: SocketAddr,
    node: SocketAddr,
    index: usize,
    tap: Tap,
    toxics: watch::Receiver<Arc<[Toxic]>>,
    /// Aborted when the relay goes down or ends; their sockets then close with RST.
    connections: JoinSet<()>,
}

impl Relay {
    async fn run(mut self, listener: TcpListener, mut orders: mpsc::Receiver<Order>) {
        let mut listener = Some(listener);
        loop {
            tokio::select! {
                order = orders.recv() => {
                    let Some(Order { turn, done }) = order else { return };
                    let result = self.turn(turn, &mut listener).await;
                    // Nobody waits any more: the order is carried out all the same.
                    let _ = done.send(result);
                }
                accepted = accept(listener.as_ref()) => self.serve(accepted),
                Some(_) = self.connections.join_next() => {}
            }
        }
    }

    async fn turn(&mut self, turn: Turn, listener: &mut Option<TcpListener>) -> Result<(), Error> {
        match turn {
            Turn::Down => {
                *listener = None;
                self.connections.shutdown().await;
            }
            Turn::Up if listener.is_none() => *listener = Some(listen(self.addr)?),
            Turn::Up => {}
        }
        Ok(())
    }

    fn serve(&mut self, proxy: TcpStream) {
        let (node, index, tap) = (self.node, self.index, self.tap.clone());
        let toxics = self.toxics.clone();
        self.connections.spawn(async move {
            let connection = tap.open_connection(index);
            // Whoever drops this task says so on the record.
            let _closed = Closed(tap.clone(), index, connection);
            let connecting = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(node));
            match connecting.await {
                Ok(Ok(node)) => {
                    relay(proxy, node, toxics, |stream| {
                        Frames::new(tap.clone(), index, connection, stream)
                    })
                    .await
                }
                _ => reset(&proxy),
            }
        });
    }
}

struct Closed(Tap, usize, u64);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.add(self.1, self.2, What::Closed);
    }
}

async fn relay(
    proxy: TcpStream,
    node: TcpStream,
    toxics: watch::Receiver<Arc<[Toxic]>>,
    frames: impl Fn(Stream) -> Frames,
) {
    // From here on an end that is no orderly one (a toxic's reset, an aborted task, a broken peer) shows as RST.
    reset(&proxy);
    reset(&node);
    for stream in [&proxy, &node] {
        // Delays would add up with Nagle's; failure only costs time.
        let _ = stream.set_nodelay(true);
    }
    let (from_proxy, to_proxy) = proxy.into_split();
    let (from_node, to_node) = node.into_split();
    let pump = |stream, from, to| Pump {
        stream,
        from,
        to,
        toxics: toxics.clone(),
        frames: frames(stream),
    };
    let mut upstream = std::pin::pin!(pump(Stream::Upstream, from_proxy, to_node).run());
    let mut downstream = std::pin::pin!(pump(Stream::Downstream, from_node, to_proxy).run());
    let orderly = |end| end == End::Finished;
    tokio::select! {
        end = &mut upstream => if orderly(end) { downstream.await; },
        end = &mut downstream => if orderly(end) { upstream.await; },
    }
}

/// Makes the stream end with RST when it is dropped, unless it was shut down in order before.
fn reset(stream: &TcpStream) {
    // On a socket that is broken already there is nothing left to reset.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    loop {
        match listener {
            None => std::future::pending::<()>().await,
            Some(listener) => match listener.accept().await {
                Ok((stream, _)) => return stream,
                // Out of files, or gone before it was accepted: the next one may do better.
                Err(_) => tokio::task::yield_now().await,
            },
        }
    }
}

/// SO_REUSEADDR, so that a link that went down can listen again at once.
fn listen(addr: SocketAddr) -> Result<TcpListener, Error> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        socket.listen(1024)?;
        TcpListener::from_std(socket.into())
    };
    listen().map_err(|why| Error { addr, why })
}
