//! The relay: listens where the proxy expects its node, and forwards both ways.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::answers::{Answers, Exchange};
use super::chain::Chain;
use super::door::{Door, Error, listen};
use super::ending::Ending;
use super::frames::{Frames, Track};
use super::pump::{End, Pump};
use super::tap::{Tap, What};
use super::toxics::{Taken, Toxics};
use super::traffic::Traffic;
use crate::chance::Chance;
use crate::fault::{Stream, Toxic};

/// Between a proxy's connection to a link and the link's own to the node.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// What a link is made of.
#[derive(Debug)]
pub struct Setup {
    /// Where it listens; port 0 is any that is free.
    pub listen: SocketAddr,
    /// Where it connects to, for each connection: an address, or a host and port.
    pub upstream: String,
    /// The record, and the place of the node in its cluster.
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
    /// Where it connects to.
    upstream: Arc<Mutex<String>>,
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
        let upstream = Arc::new(Mutex::new(setup.upstream));
        let (closing, closed) = watch::channel(());
        let relay = Relay {
            addr,
            wiring: Arc::new(LinkState {
                upstream: Arc::clone(&upstream),
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
            upstream,
            toxics: setup.toxics,
            answers,
            orders,
            acceptor: tokio::spawn(relay.run(listener, inbox)),
        })
    }

    /// The address at which the proxy reaches the node.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The faults of the link: changes apply at once, also to open connections.
    #[must_use]
    pub fn toxics(&self) -> &Toxics {
        &self.toxics
    }

    /// Answers that replace the node's replies.
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

    /// Closes the open connections according to the link's [`Ending`], and stops listening.
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

    /// Connects elsewhere from now on; connections that are open stay.
    pub fn point(&self, node: SocketAddr) {
        let mut upstream = self.upstream.lock().unwrap_or_else(PoisonError::into_inner);
        *upstream = node.to_string();
    }

    /// Accepts no more connections: the listen queue is full, so connecting takes until the peer gives up. Connections
    /// that are open stay. Ends with [`up`](Self::up).
    ///
    /// # Errors
    /// When the link is down, or its queue cannot be filled.
    pub async fn fill_backlog(&self) -> Result<(), Error> {
        self.order(Turn::Full).await
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
    Full,
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

/// State that all connections of a link share.
struct LinkState {
    upstream: Arc<Mutex<String>>,
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
        let mut door = Door::Open(listener);
        loop {
            tokio::select! {
                order = orders.recv() => {
                    let Some(Order { turn, done }) = order else { return };
                    let result = self.turn(turn, &mut door).await;
                    // The caller may be gone. The order is executed anyway.
                    let _ = done.send(result);
                }
                accepted = door.accept() => self.serve(accepted),
                Some(_) = self.connections.join_next() => {}
            }
        }
    }

    async fn turn(&mut self, turn: Turn, door: &mut Door) -> Result<(), Error> {
        match turn {
            Turn::Down => {
                *door = Door::Shut;
                if self.wiring.ending == Ending::Close {
                    self.closing.send_replace(());
                    while self.connections.join_next().await.is_some() {}
                }
                self.connections.shutdown().await;
            }
            Turn::Up => door.open(self.addr).await?,
            Turn::Full => door.fill(self.addr).await?,
        }
        Ok(())
    }

    fn serve(&mut self, proxy: TcpStream) {
        self.accepted += 1;
        let wiring = self.wiring.clone();
        let chance = wiring.chance.of(self.accepted);
        // Subscribed here, so that an order before the task runs is not missed.
        let mut closed = wiring.closed.clone();
        closed.mark_unchanged();
        self.connections.spawn(async move {
            let seen = Seen::open(wiring.tap.as_ref(), wiring.answers.clone());
            match wiring.connect(&mut closed).await {
                Some(node) => {
                    let relaying = wiring.relay(proxy, node, &seen, chance, closed);
                    relaying.await;
                }
                None if wiring.ending == Ending::Close => close(&proxy),
                None => reset(&proxy),
            }
        });
    }
}

/// A connection, on the record if there is one. Dropping it records the close.
struct Seen {
    track: Track,
    answers: Answers,
    exchange: Arc<Mutex<Exchange>>,
}

impl Seen {
    fn open(tap: Option<&(Tap, usize)>, answers: Answers) -> Self {
        let track = match tap {
            Some((tap, node)) => Track {
                tap: Some(tap.clone()),
                node: *node,
                connection: tap.open_connection(*node),
            },
            None => Track::default(),
        };
        Self {
            track,
            exchange: Arc::new(Mutex::new(Exchange::new(answers.clone()))),
            answers,
        }
    }

    fn frames(&self, stream: Stream) -> Frames {
        Frames::new(self.track.clone(), stream, Arc::clone(&self.exchange))
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.track.add(What::Closed);
    }
}

impl LinkState {
    /// The connection to the node, unless there is none or the link goes down.
    async fn connect(&self, closed: &mut watch::Receiver<()>) -> Option<TcpStream> {
        let upstream = self
            .upstream
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let connecting = TcpStream::connect(upstream);
        tokio::select! {
            connected = tokio::time::timeout(CONNECT_WITHIN, connecting) => connected.ok()?.ok(),
            Ok(()) = closed.changed() => None,
        }
    }

    async fn relay(
        &self,
        mut proxy: TcpStream,
        mut node: TcpStream,
        seen: &Seen,
        chance: Chance,
        mut closed: watch::Receiver<()>,
    ) {
        for stream in [&proxy, &node] {
            // From here on any end but an orderly close (a toxic's reset, an aborted task, a broken peer) shows as RST.
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
            frames: seen.frames(stream),
            interjections: (stream == Stream::Downstream).then(|| seen.answers.open()),
            ending: self.ending,
            buffer: BytesMut::new(),
            ends: Vec::new(),
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
    // Unread bytes would turn the close into RST, which may overtake written bytes.
    let mut unread = [0; 4096];
    while stream.try_read(&mut unread).is_ok_and(|length| length > 0) {}
    // On a broken socket nothing is left to save.
    let _ = SockRef::from(stream).set_linger(None);
}

/// Makes the stream end with RST when it is dropped, unless it was shut down in order before.
fn reset(stream: &TcpStream) {
    // On a broken socket nothing is left to reset.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
