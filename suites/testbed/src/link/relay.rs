//! The relay: listens where the proxy looks for its node, and forwards both ways.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::answers::{Answers, Exchange};
use super::chain::Chain;
use super::frames::Frames;
use super::pump::{End, Pump};
use super::tap::{Tap, What};
use super::toxics::{Taken, Toxics};
use super::traffic::Traffic;
use crate::chance::Chance;
use crate::fault::{Stream, Toxic};

/// Between a proxy's connection to a link and the link's own to the node.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// A link cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("link cannot listen on {addr}: {why}")]
pub struct Error {
    addr: SocketAddr,
    why: io::Error,
}

/// How connections end when the link goes down, or when one side is not there or breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By RST, as when a node dies.
    Reset,
    /// By FIN, as Toxiproxy ends them. Only the toxic `reset_peer` resets.
    Close,
}

/// What a link is made of.
#[derive(Debug)]
pub struct Setup {
    /// Where it listens; port 0 is any that is free.
    pub listen: SocketAddr,
    /// Where it connects to, for each connection: an address, or a host and port.
    pub upstream: String,
    /// The record, and the place of the node in its cluster. None leaves the bytes alone, RESP or not.
    pub tap: Option<(Tap, usize)>,
    /// Its toxics, which outlive it.
    pub toxics: Toxics,
    /// Its byte counts, which outlive it.
    pub traffic: Arc<Traffic>,
    /// The root of the draws of all its connections.
    pub chance: Chance,
    /// How its connections end.
    pub ending: Ending,
}

/// The relay before one node. Ends with all its connections when dropped.
#[derive(Debug)]
pub struct Link {
    addr: SocketAddr,
    toxics: Toxics,
    answers: Answers,
    orders: mpsc::Sender<Order>,
    acceptor: JoinHandle<()>,
}

impl Link {
    /// Listens on `addr` and relays to `node`, the cluster's node number `index`; `chance` is the cluster's.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(
        addr: SocketAddr,
        node: SocketAddr,
        index: usize,
        tap: Tap,
        chance: Chance,
    ) -> Result<Self, Error> {
        Self::set_up(Setup {
            listen: addr,
            upstream: node.to_string(),
            tap: Some((tap, index)),
            toxics: Toxics::default(),
            traffic: Arc::default(),
            chance: chance.of(index as u64),
            ending: Ending::Reset,
        })
    }

    /// Listens and relays as `setup` says.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn set_up(setup: Setup) -> Result<Self, Error> {
        let listener = listen(setup.listen)?;
        let addr = listener.local_addr().map_err(|why| Error {
            addr: setup.listen,
            why,
        })?;
        let (orders, inbox) = mpsc::channel(1);
        let answers = Answers::default();
        let (closing, closed) = watch::channel(());
        let relay = Relay {
            addr,
            wiring: Arc::new(LinkState {
                upstream: setup.upstream,
                tap: setup.tap,
                toxics: setup.toxics.clone(),
                answers: answers.clone(),
                traffic: setup.traffic,
                chance: setup.chance,
                ending: setup.ending,
                closed,
            }),
            closing,
            accepted: 0,
            connections: JoinSet::new(),
        };
        Ok(Self {
            addr,
            toxics: setup.toxics,
            answers,
            orders,
            acceptor: tokio::spawn(relay.run(listener, inbox)),
        })
    }

    /// Where the proxy reaches the node.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The faults of the link: changes apply at once, also to open connections.
    #[must_use]
    pub fn toxics(&self) -> &Toxics {
        &self.toxics
    }

    /// Answers that replace the node's replies. Without effect on a link without a tap.
    #[must_use]
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Adds a toxic, at once also for the connections that are open.
    ///
    /// # Errors
    /// When its name is taken.
    pub fn add(&self, toxic: Toxic) -> Result<(), Taken> {
        self.toxics.add(toxic)
    }

    /// Removes the toxics that `gone` selects and releases their bytes.
    pub fn remove(&self, gone: impl Fn(&Toxic) -> bool) {
        self.toxics.remove(gone);
    }

    /// Ends the open connections as the link's [`Ending`] says, and no longer listens.
    ///
    /// # Errors
    /// Never for a link that runs.
    pub async fn down(&self) -> Result<(), Error> {
        self.order(Turn::Down).await
    }

    /// Listens again if the link was down; toxics and scripted answers stay.
    ///
    /// # Errors
    /// When the port was taken in the meantime.
    pub async fn up(&self) -> Result<(), Error> {
        self.order(Turn::Up).await
    }

    /// Removes all toxics and scripted answers, and listens again if the link was down.
    ///
    /// # Errors
    /// If another process took the port in the meantime.
    pub async fn heal(&self) -> Result<(), Error> {
        self.remove(|_| true);
        self.answers.clear();
        self.up().await
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
    wiring: Arc<LinkState>,
    /// Connections so far: the number of each is the branch of its draws.
    accepted: u64,
    /// Aborted when the relay goes down or ends; their sockets then close with RST.
    connections: JoinSet<()>,
    /// Tells all connections to close in order.
    closing: watch::Sender<()>,
}

/// What all connections of a link share.
struct LinkState {
    upstream: String,
    tap: Option<(Tap, usize)>,
    toxics: Toxics,
    answers: Answers,
    traffic: Arc<Traffic>,
    chance: Chance,
    ending: Ending,
    closed: watch::Receiver<()>,
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
                if self.wiring.ending == Ending::Close {
                    self.closing.send_replace(());
                    while self.connections.join_next().await.is_some() {}
                }
                self.connections.shutdown().await;
            }
            Turn::Up if listener.is_none() => *listener = Some(listen(self.addr)?),
            Turn::Up => {}
        }
        Ok(())
    }

    fn serve(&mut self, proxy: TcpStream) {
        self.accepted += 1;
        let wiring = self.wiring.clone();
        let chance = wiring.chance.of(self.accepted);
        // Subscribed here: an order that comes before the task runs is seen all the same.
        let mut closed = wiring.closed.clone();
        closed.mark_unchanged();
        self.connections.spawn(async move {
            let seen = wiring
                .tap
                .as_ref()
                .map(|(tap, node)| Seen::open(tap, *node, wiring.answers.clone()));
            match wiring.connect(&mut closed).await {
                Some(node) => {
                    let relaying = wiring.relay(proxy, node, seen.as_ref(), chance, closed);
                    relaying.await;
                }
                None if wiring.ending == Ending::Close => close(&proxy),
                None => reset(&proxy),
            }
        });
    }
}

/// A connection on the record. Whoever drops it says there that it is closed.
struct Seen {
    tap: Tap,
    node: usize,
    connection: u64,
    answers: Answers,
    exchange: Arc<Mutex<Exchange>>,
}

impl Seen {
    fn open(tap: &Tap, node: usize, answers: Answers) -> Self {
        Self {
            tap: tap.clone(),
            node,
            connection: tap.open_connection(node),
            exchange: Arc::new(Mutex::new(Exchange::new(answers.clone()))),
            answers,
        }
    }

    fn frames(&self, stream: Stream) -> Frames {
        let exchange = Arc::clone(&self.exchange);
        Frames::new(
            self.tap.clone(),
            self.node,
            self.connection,
            stream,
            exchange,
        )
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.tap.add(self.node, self.connection, What::Closed);
    }
}

impl LinkState {
    /// The connection to the node, unless there is none or the link goes down.
    async fn connect(&self, closed: &mut watch::Receiver<()>) -> Option<TcpStream> {
        let connecting = TcpStream::connect(&self.upstream);
        tokio::select! {
            connected = tokio::time::timeout(CONNECT_WITHIN, connecting) => connected.ok()?.ok(),
            Ok(()) = closed.changed() => None,
        }
    }

    async fn relay(
        &self,
        mut proxy: TcpStream,
        mut node: TcpStream,
        seen: Option<&Seen>,
        chance: Chance,
        mut closed: watch::Receiver<()>,
    ) {
        for stream in [&proxy, &node] {
            // From here on an end that is no orderly one (a toxic's reset, an aborted task, a broken peer) shows as RST.
            reset(stream);
            // Delays would add up with Nagle's; failure only costs time.
            let _ = stream.set_nodelay(true);
        }
        let (from_proxy, to_proxy) = proxy.split();
        let (from_node, to_node) = node.split();
        let pump = |stream, from, to| Pump {
            stream,
            from,
            to,
            toxics: self.toxics.watch(),
            chain: Chain::new(stream, chance.of(stream as u64)),
            traffic: &self.traffic,
            frames: seen.map(|seen| seen.frames(stream)),
            interjections: seen
                .filter(|_| stream == Stream::Downstream)
                .map(|seen| seen.answers.open()),
            ending: self.ending,
            buffer: BytesMut::new(),
        };
        let end = {
            let upstream = pump(Stream::Upstream, from_proxy, to_node).run();
            let downstream = pump(Stream::Downstream, from_node, to_proxy).run();
            tokio::select! {
                end = both(upstream, downstream) => end,
                Ok(()) = closed.changed() => End::Closed,
            }
        };
        if end == End::Closed || (end == End::Broken && self.ending == Ending::Close) {
            close(&proxy);
            close(&node);
        }
    }
}

/// How a connection ends: when both directions have finished, or one of them ends it.
async fn both(upstream: impl Future<Output = End>, downstream: impl Future<Output = End>) -> End {
    let (mut upstream, mut downstream) = (pin!(upstream), pin!(downstream));
    tokio::select! {
        end = &mut upstream => match end {
            End::Finished => downstream.await,
            end => end,
        },
        end = &mut downstream => match end {
            End::Finished => upstream.await,
            end => end,
        },
    }
}

/// Ends the stream after all written bytes when it is dropped.
fn close(stream: &TcpStream) {
    // Bytes that nobody reads would turn the end into RST, which may overtake what was written.
    let mut unread = [0; 4096];
    while stream.try_read(&mut unread).is_ok_and(|length| length > 0) {}
    // On a socket that is broken already there is nothing left to save.
    let _ = SockRef::from(stream).set_linger(None);
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

/// Listens on an address. One that names no host means both families, as in Go, where the machine has both.
fn listen(addr: SocketAddr) -> Result<TcpListener, Error> {
    if addr.ip().is_unspecified() {
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, addr.port()));
        if let Ok(listener) = listen_on(both) {
            return Ok(listener);
        }
    }
    listen_on(addr)
}

/// SO_REUSEADDR, so that a link that went down can listen again at once.
fn listen_on(addr: SocketAddr) -> Result<TcpListener, Error> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        if addr.ip() == Ipv6Addr::UNSPECIFIED {
            socket.set_only_v6(false)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        socket.listen(1024)?;
        TcpListener::from_std(socket.into())
    };
    listen().map_err(|why| Error { addr, why })
}
