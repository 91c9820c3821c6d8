//! One worker: a thread with its own listener, clients and connections to the nodes. Shares nothing on the request path.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::Instrument as _;

use crate::auth::{NodeAuth, Users};
use crate::client::{Client, Closed, Reply};
use crate::clock::{Clock, micros};
use crate::command::Rules;
use crate::config::{Config, Limits, Timeouts};
use crate::cursor::Cursors;
use crate::join::Facts;
use crate::local::{INCOMPLETE, Wanted};
use crate::output::OutputBudget;
use crate::resp::{self, Protocol};
use crate::session::{CHUNK, Session};
use crate::stats::{Shared, WorkerStats};
use crate::upstream::{self, Dedicated, Handshake, Health, Idle, NoDedicated, Upstream};
use placement::Placement;

/// After running out of sockets, the next attempt to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often clients are looked for that are idle or unauthenticated for too long, at most and at least.
const SWEEP: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A placement and where its nodes are; the same for all workers.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) placement: Arc<Placement>,
    /// By `NodeId`.
    pub(crate) addresses: Vec<String>,
    /// Of a SCAN over these nodes.
    pub(crate) cursors: Cursors,
}

/// What a worker is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// From the next request on, this plan.
    Swap(Arc<Plan>, oneshot::Sender<()>),
    /// How it stands with the nodes.
    Report(oneshot::Sender<Vec<NodeReport>>),
    /// Who the clients are: their lines in CLIENT LIST, by id.
    Clients(oneshot::Sender<Vec<(u64, Vec<u8>)>>),
    /// No new clients; the present ones get what they are owed, at most for so long.
    Drain(Duration),
}

/// How it stands with one node at one worker.
#[derive(Debug, Clone)]
pub(crate) struct NodeReport {
    pub(crate) address: String,
    pub(crate) health: Health,
    /// Requests under way.
    pub(crate) waiting: usize,
}

/// A plan with this worker's connections.
#[derive(Debug)]
pub(crate) struct Routing {
    plan: Arc<Plan>,
    /// By `NodeId`.
    pub(crate) nodes: Vec<Rc<Upstream>>,
    /// The same nodes for the clients that speak RESP3, once there was one.
    resp3: OnceCell<Vec<Rc<Upstream>>>,
}

impl Routing {
    pub(crate) fn placement(&self) -> &Placement {
        &self.plan.placement
    }

    pub(crate) fn cursors(&self) -> Cursors {
        self.plan.cursors
    }

    fn leads_to(&self, address: &str) -> bool {
        self.nodes.iter().any(|node| node.address() == address)
    }
}

/// What a worker starts with.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) plan: Arc<Plan>,
    pub(crate) users: Users,
    pub(crate) node_auth: Option<NodeAuth>,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) rules: Rules,
    pub(crate) stats: Arc<WorkerStats>,
    pub(crate) shared: Arc<Shared>,
}

impl Setup {
    /// Of every worker of a proxy with this configuration.
    pub(crate) fn of(
        config: &Config,
        plan: Arc<Plan>,
        stats: Arc<WorkerStats>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            plan,
            users: config.users.clone(),
            node_auth: config.node_auth.clone(),
            limits: config.limits.clone(),
            timeouts: config.timeouts,
            rules: config.rules,
            stats,
            shared,
        }
    }
}

/// What the clients of one worker have in common.
#[derive(Debug)]
pub(crate) struct Worker {
    clock: Clock,
    users: Rc<Users>,
    limits: Limits,
    /// Of clients that have not said who they are.
    stranger_limits: resp::Limits,
    timeouts: Timeouts,
    /// What the connections to nodes have in common.
    upstream: upstream::Settings,
    rules: Rules,
    upstream_resp3: upstream::Settings,
    stats: Arc<WorkerStats>,
    shared: Arc<Shared>,
    budget: Rc<OutputBudget>,
    routing: RefCell<Rc<Routing>>,
    clients: RefCell<HashMap<u64, Rc<Client>>>,
    idle: Idle,
    draining: Cell<bool>,
    emptied: Notify,
    buffer: RefCell<BytesMut>,
}

impl Worker {
    fn new(setup: Setup) -> Self {
        let clock = Clock::start();
        let settings = upstream_settings(clock, Protocol::Resp2, &setup);
        let upstream_resp3 = upstream_settings(clock, Protocol::Resp3, &setup);
        let nodes = connect_all(&setup.plan, &[], &settings);
        let budget = OutputBudget::new(
            setup.limits.client_output_bytes_max,
            setup.limits.output_bytes_max,
            Arc::clone(&setup.shared.output_bytes),
            Arc::clone(&setup.shared.clients),
        );
        Self {
            clock,
            users: Rc::new(setup.users),
            stranger_limits: setup.limits.request.for_stranger(),
            limits: setup.limits,
            upstream: settings,
            upstream_resp3,
            timeouts: setup.timeouts,
            rules: setup.rules,
            stats: setup.stats,
            shared: setup.shared,
            budget: Rc::new(budget),
            routing: RefCell::new(Rc::new(Routing {
                plan: setup.plan,
                nodes,
                resp3: OnceCell::new(),
            })),
            clients: RefCell::default(),
            idle: Idle::default(),
            draining: Cell::new(false),
            emptied: Notify::new(),
            buffer: RefCell::default(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn stranger_limits(&self) -> &resp::Limits {
        &self.stranger_limits
    }

    pub(crate) fn users(&self) -> Rc<Users> {
        Rc::clone(&self.users)
    }

    /// What clients may do.
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    pub(crate) fn op_timeout(&self) -> Duration {
        self.timeouts.op
    }

    pub(crate) fn stats(&self) -> &WorkerStats {
        &self.stats
    }

    /// The cluster as it is now.
    pub(crate) fn routing(&self) -> Rc<Routing> {
        Rc::clone(&self.routing.borrow())
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// An empty buffer to read into, to be given back before the next client runs.
    pub(crate) fn take_buffer(&self) -> BytesMut {
        self.buffer.take()
    }

    pub(crate) fn give_back_buffer(&self, mut buf: BytesMut) {
        buf.clear();
        if buf.capacity() <= 2 * CHUNK {
            self.buffer.replace(buf);
        }
    }

    /// A connection to a node of the present cluster for one client alone, clean.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn dedicated(
        &self,
        address: &str,
        protocol: Protocol,
    ) -> Result<Dedicated, NoDedicated> {
        let settings = match protocol {
            Protocol::Resp2 => &self.upstream,
            Protocol::Resp3 => &self.upstream_resp3,
        };
        self.idle.take(address, settings, &self.shared.dedicated)
    }

    /// Takes a clean connection back.
    pub(crate) fn give_back(&self, connection: Dedicated) {
        if self.routing.borrow().leads_to(connection.address()) {
            self.idle.give_back(connection);
        }
    }

    /// What INFO tells.
    pub(crate) fn facts(&self) -> Facts {
        Facts {
            clients: self.shared.clients.load(Ordering::Relaxed),
            clients_max: self.shared.clients_max.load(Ordering::Relaxed),
            process_id: std::process::id(),
            run_id: Arc::clone(&self.shared.run_id),
            uptime_seconds: self.shared.started.elapsed().as_secs(),
            port: self.shared.port,
            health: self
                .report()
                .into_iter()
                .map(|node| node.health.word())
                .collect(),
        }
    }

    fn lines(&self) -> Vec<(u64, Vec<u8>)> {
        let now = self.clock.now();
        let clients = self.clients.borrow();
        let lines = clients.values().map(|client| (client.id, client.line(now)));
        lines.collect()
    }

    /// Answers the request of this number with what all workers tell of their clients, once each has.
    pub(crate) fn list_clients(
        &self,
        wanted: Wanted,
        client: &Rc<Client>,
        number: u32,
        protocol: Protocol,
    ) {
        let mut answers = Vec::new();
        for orders in self.shared.workers.get().into_iter().flatten() {
            let (sender, answer) = oneshot::channel();
            let orders = orders.upgrade();
            // A worker that has ended has no clients.
            if orders.is_some_and(|orders| orders.send(Order::Clients(sender)).is_ok()) {
                answers.push(answer);
            }
        }
        let client = Rc::clone(client);
        let limit = self.timeouts.op;
        tokio::task::spawn_local(async move {
            let all = async {
                let mut lines = Vec::new();
                for answer in answers {
                    lines.extend(answer.await.unwrap_or_default());
                }
                lines.sort();
                lines
            };
            let reply = match tokio::time::timeout(limit, all).await {
                Ok(lines) => wanted.reply(&lines, protocol),
                Err(_) => {
                    let mut error = Vec::new();
                    resp::put_error(&mut error, INCOMPLETE);
                    error
                }
            };
            client.deliver(number, 0, Reply::Own(&reply));
        });
    }

    fn report(&self) -> Vec<NodeReport> {
        let routing = self.routing();
        let resp3 = routing.resp3.get().map(Vec::as_slice).unwrap_or_default();
        let report = |(place, node): (usize, &Rc<Upstream>)| {
            let also = resp3.get(place);
            NodeReport {
                address: node.address().to_owned(),
                health: also.map_or(node.health(), |also| node.health().max(also.health())),
                waiting: node.waiting() + also.map_or(0, |also| also.waiting()),
            }
        };
        routing.nodes.iter().enumerate().map(report).collect()
    }

    /// The nodes of `routing` for a client that speaks RESP3.
    pub(crate) fn resp3<'a>(&self, routing: &'a Routing) -> &'a Vec<Rc<Upstream>> {
        routing
            .resp3
            .get_or_init(|| connect_all(&routing.plan, &[], &self.upstream_resp3))
    }

    /// The same nodes, but in `protocol`, one is reached through `other`, a connection to the same address. None when there
    /// is no such node.
    pub(crate) fn through(
        &self,
        routing: &Routing,
        other: &Rc<Upstream>,
        protocol: Protocol,
    ) -> Option<Routing> {
        let mut nodes = routing.nodes.clone();
        let place = nodes
            .iter()
            .position(|node| node.address() == other.address())?;
        let mut resp3 = routing.resp3.get().cloned();
        match protocol {
            Protocol::Resp2 => nodes[place] = Rc::clone(other),
            Protocol::Resp3 => {
                let nodes = resp3.get_or_insert_with(|| self.resp3(routing).clone());
                nodes[place] = Rc::clone(other);
            }
        }
        Some(Routing {
            plan: Arc::clone(&routing.plan),
            nodes,
            resp3: resp3.map(OnceCell::from).unwrap_or_default(),
        })
    }

    /// From the next request on, `plan`: nodes that stay keep their connection, others finish what they have.
    fn swap(&self, plan: Arc<Plan>) {
        let old = self.routing();
        let nodes = connect_all(&plan, &old.nodes, &self.upstream);
        let resp3 = OnceCell::new();
        if let Some(old) = old.resp3.get() {
            // Nobody else has set it.
            let _ = resp3.set(connect_all(&plan, old, &self.upstream_resp3));
        }
        let routing = Rc::new(Routing { plan, nodes, resp3 });
        self.idle.keep(|address| routing.leads_to(address));
        self.routing.replace(routing);
    }

    fn admit(self: &Rc<Self>, stream: TcpStream, peer: std::net::SocketAddr) {
        let clients_max = self.shared.clients_max.load(Ordering::Relaxed);
        if self.shared.clients.fetch_add(1, Ordering::Relaxed) >= clients_max {
            self.shared.clients.fetch_sub(1, Ordering::Relaxed);
            // A new socket takes these few bytes; whether they arrive is not waited for.
            let _ = stream.try_write(b"-ERR max number of clients reached\r\n");
            return;
        }
        let id = self.shared.clients_total.fetch_add(1, Ordering::Relaxed) + 1;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        let client = Client::new(id, Rc::clone(&self.budget), self.clock.now());
        let client = Rc::new(client);
        self.clients.borrow_mut().insert(id, Rc::clone(&client));
        let worker = Rc::clone(self);
        let place = Place {
            worker: Rc::clone(self),
            client: Rc::clone(&client),
        };
        let span = tracing::info_span!("client", id, %peer);
        tokio::task::spawn_local(
            async move {
                let _place = place;
                Session::new(stream, client, worker).run().await;
            }
            .instrument(span),
        );
    }

    /// Closes clients that are idle or unauthenticated for too long.
    async fn sweep(self: Rc<Self>) {
        let Timeouts {
            client_idle,
            unauthenticated,
            ..
        } = self.timeouts;
        let unauthenticated = (!self.users.is_open()).then_some(unauthenticated);
        let Some(shortest) = client_idle.into_iter().chain(unauthenticated).min() else {
            return;
        };
        loop {
            tokio::time::sleep((shortest / 4).clamp(SWEEP.0, SWEEP.1)).await;
            let now = self.clock.now();
            let before = |limit: Option<Duration>| now.checked_sub(micros(limit?));
            let (idle, unknown) = (before(client_idle), before(unauthenticated));
            for client in self.clients.borrow().values() {
                if unknown.is_some_and(|moment| client.is_unknown_since(moment)) {
                    client.close(Closed::Unauthenticated);
                } else if idle.is_some_and(|moment| client.is_idle_since(moment)) {
                    client.close(Closed::Idle);
                }
            }
        }
    }

    /// Lets the clients go once they have what they are owed.
    async fn drain(&self, limit: Duration) {
        self.draining.set(true);
        self.clients
            .borrow()
            .values()
            .for_each(|client| client.wake());
        let empty = async {
            while !self.clients.borrow().is_empty() {
                self.emptied.notified().await;
            }
        };
        if tokio::time::timeout(limit, empty).await.is_err() {
            tracing::warn!(
                clients = self.clients.borrow().len(),
                "closed while still owed replies"
            );
        }
    }
}

/// The place of a client among all, given back when its session ends, also by a panic.
struct Place {
    worker: Rc<Worker>,
    client: Rc<Client>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.worker.shared.panics.fetch_add(1, Ordering::Relaxed);
            self.client.close(Closed::Panic);
        } else {
            self.client.leave();
        }
        let shared = &self.worker.shared;
        if let Some(why) = self.client.closed() {
            shared.closed[why as usize].fetch_add(1, Ordering::Relaxed);
        }
        self.worker.clients.borrow_mut().remove(&self.client.id);
        shared.clients.fetch_sub(1, Ordering::Relaxed);
        self.worker.emptied.notify_one();
    }
}

fn upstream_settings(clock: Clock, protocol: Protocol, setup: &Setup) -> upstream::Settings {
    let (limits, timeouts) = (&setup.limits, &setup.timeouts);
    upstream::Settings {
        protocol,
        greeting: Handshake::of(protocol, setup.node_auth.as_ref()),
        clock,
        op_timeout: timeouts.op,
        connect_timeout: timeouts.connect,
        stall_timeout: timeouts.stall,
        keepalive: timeouts.keepalive,
        unacknowledged: timeouts.unacknowledged,
        reply_bytes_max: limits.client_output_bytes_max,
        shared: Arc::clone(&setup.shared),
        requests_max: limits.node_requests_max,
        bytes_max: limits.node_bytes_max,
    }
}

fn connect(address: &str, settings: &upstream::Settings) -> Rc<Upstream> {
    let node = Upstream::new(address, settings.clone());
    tokio::task::spawn_local(upstream::run(Rc::clone(&node)));
    node
}

/// The connections that `plan` wants: those of `old` where there are some, which otherwise end.
fn connect_all(
    plan: &Plan,
    old: &[Rc<Upstream>],
    settings: &upstream::Settings,
) -> Vec<Rc<Upstream>> {
    let find = |address: &String| old.iter().find(|node| node.address() == address);
    let nodes: Vec<_> = plan
        .addresses
        .iter()
        .map(|address| match find(address) {
            Some(node) => Rc::clone(node),
            None => connect(address, settings),
        })
        .collect();
    for node in old {
        if !nodes.iter().any(|kept| Rc::ptr_eq(kept, node)) {
            node.retire();
        }
    }
    nodes
}

/// Runs a worker on this thread until it is drained.
///
/// # Errors
/// The runtime or the listener cannot be set up.
pub(crate) fn run(
    listener: std::net::TcpListener,
    orders: mpsc::UnboundedReceiver<Order>,
    setup: Setup,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, serve(listener, orders, setup))
}

async fn serve(
    listener: std::net::TcpListener,
    mut orders: mpsc::UnboundedReceiver<Order>,
    setup: Setup,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let worker = Rc::new(Worker::new(setup));
    tokio::task::spawn_local(Rc::clone(&worker).sweep());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => worker.admit(stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            order = orders.recv() => match order {
                Some(Order::Swap(plan, done)) => {
                    worker.swap(plan);
                    // Whoever asked may have given up waiting.
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
                    worker.drain(limit).await;
                    return Ok(());
                }
                None => return Ok(()),
            },
        }
    }
}

#[cfg(test)]
mod tests;
