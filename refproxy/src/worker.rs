//! The shared state of one worker's sessions. Workers share nothing on the request path.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::oneshot;

use crate::auth::{NodeAuth, Users};
use crate::client::{Client, Reply};
use crate::clients::Clients;
use crate::clock::Clock;
use crate::command::Rules;
use crate::config::{Config, Limits, Timeouts};
use crate::join::Facts;
use crate::local::{INCOMPLETE, Wanted};
use crate::orders::Order;
use crate::output::OutputBudget;
use crate::resp::{self, Protocol};
use crate::routing::{Connections, NodeReport, Plan, Routing};
use crate::stats::{Shared, WorkerStats};
use crate::tls::{Acceptor, Connector};
use crate::upstream::{self, Dedicated, Handshake, Idle, NoDedicated};

/// Bytes read from a client at once.
pub(crate) const CHUNK: usize = 64 * 1024;

/// The start parameters of a worker.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) plan: Arc<Plan>,
    pub(crate) users: Users,
    pub(crate) node_auth: Option<NodeAuth>,
    pub(crate) tls: Option<Acceptor>,
    pub(crate) node_tls: Option<Connector>,
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
            tls: config.tls.clone(),
            node_tls: config.node_tls.clone(),
            limits: config.limits.clone(),
            timeouts: config.timeouts,
            rules: config.rules,
            stats,
            shared,
        }
    }
}

/// The shared state of one worker's clients.
#[derive(Debug)]
pub(crate) struct Worker {
    clock: Clock,
    users: Rc<Users>,
    tls: Option<Acceptor>,
    limits: Limits,
    /// Limits of clients that have not authenticated.
    unauthenticated_limits: resp::Limits,
    timeouts: Timeouts,
    connections: Rc<Connections>,
    rules: Rules,
    stats: Arc<WorkerStats>,
    shared: Arc<Shared>,
    routing: RefCell<Rc<Routing>>,
    clients: Rc<Clients>,
    idle: Idle,
    draining: Cell<bool>,
    buffer: RefCell<BytesMut>,
}

impl Worker {
    pub(crate) fn new(setup: Setup) -> Self {
        let clock = Clock::start();
        let settings = |protocol| upstream_settings(clock, protocol, &setup);
        let connections = Rc::new(Connections {
            resp2: settings(Protocol::Resp2),
            resp3: settings(Protocol::Resp3),
        });
        let routing = Routing::new(Arc::clone(&setup.plan), Rc::clone(&connections));
        let budget = OutputBudget::new(
            setup.limits.client_output_bytes_max,
            setup.limits.output_bytes_max,
            Arc::clone(&setup.shared.output_bytes),
            Arc::clone(&setup.shared.clients),
        );
        Self {
            clock,
            users: Rc::new(setup.users),
            tls: setup.tls,
            unauthenticated_limits: setup.limits.request.for_unauthenticated(),
            limits: setup.limits,
            connections,
            timeouts: setup.timeouts,
            rules: setup.rules,
            stats: setup.stats,
            clients: Rc::new(Clients::new(budget, Arc::clone(&setup.shared))),
            shared: setup.shared,
            routing: RefCell::new(Rc::new(routing)),
            idle: Idle::default(),
            draining: Cell::new(false),
            buffer: RefCell::default(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn unauthenticated_limits(&self) -> &resp::Limits {
        &self.unauthenticated_limits
    }

    pub(crate) fn users(&self) -> Rc<Users> {
        Rc::clone(&self.users)
    }

    /// TLS to clients, if configured.
    pub(crate) fn tls(&self) -> Option<&Acceptor> {
        self.tls.as_ref()
    }

    /// Permissions of clients.
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    pub(crate) fn clients(&self) -> &Rc<Clients> {
        &self.clients
    }

    pub(crate) fn op_timeout(&self) -> Duration {
        self.timeouts.op
    }

    pub(crate) fn stats(&self) -> &WorkerStats {
        &self.stats
    }

    /// The current cluster.
    pub(crate) fn routing(&self) -> Rc<Routing> {
        Rc::clone(&self.routing.borrow())
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// From now on, sessions end once all pending replies are sent.
    pub(crate) fn start_to_drain(&self) {
        self.draining.set(true);
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

    /// A clean connection to a node of the current cluster for a single client.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn dedicated(
        &self,
        address: &str,
        protocol: Protocol,
    ) -> Result<Dedicated, NoDedicated> {
        let settings = self.connections.settings(protocol);
        self.idle.take(address, settings, &self.shared.dedicated)
    }

    /// Takes a clean connection back.
    pub(crate) fn give_back(&self, connection: Dedicated) {
        if self.routing.borrow().leads_to(connection.address()) {
            self.idle.give_back(connection);
        }
    }

    /// The proxy's own fields of INFO.
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

    /// The lines of its clients in CLIENT LIST, by id.
    pub(crate) fn lines(&self) -> Vec<(u64, Vec<u8>)> {
        self.clients.lines(self.clock.now())
    }

    /// Answers the request with this number with the client lists of all workers, once each has sent its own.
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

    /// State of the nodes.
    pub(crate) fn report(&self) -> Vec<NodeReport> {
        self.routing().report()
    }

    /// From the next request on, `plan`.
    pub(crate) fn swap(&self, plan: Arc<Plan>) {
        let routing = Rc::new(self.routing().changed_to(plan));
        self.idle.keep(|address| routing.leads_to(address));
        self.routing.replace(routing);
    }
}

fn upstream_settings(clock: Clock, protocol: Protocol, setup: &Setup) -> upstream::Settings {
    let (limits, timeouts) = (&setup.limits, &setup.timeouts);
    upstream::Settings {
        protocol,
        greeting: Handshake::of(protocol, setup.node_auth.as_ref()),
        tls: setup.node_tls.clone(),
        clock,
        op_timeout: timeouts.op,
        connect_timeout: timeouts.connect,
        stall_timeout: timeouts.stall,
        keepalive: timeouts.keepalive,
        unacknowledged: timeouts.unacknowledged,
        reply_bytes_max: limits.client_output_bytes_max,
        reply_limits: limits.reply,
        panics: Arc::clone(&setup.shared.panics),
        requests_max: limits.node_requests_max,
        bytes_max: limits.node_bytes_max,
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(feature = "tls")]
mod tls_tests;
