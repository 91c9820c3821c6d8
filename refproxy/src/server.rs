//! The whole proxy: listeners, workers, a cluster that can be swapped, and an orderly end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};

use crate::accept;
use crate::config::{Config, ListenAddress};
use crate::cursor::Cursors;
use crate::descriptors::{self, Demand, TooFew};
use crate::listen::{Listening, SocketFile};
use crate::orders::Order;
use crate::routing::{NodeReport, Plan};
use crate::stats::{self, Shared, WorkerStats};
use crate::worker::Setup;
use placement::{self, Cluster, Placed};

/// Why the proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Cannot listen on the address, usually because another process does.
    #[error("listen on {address}: {error}")]
    Listen {
        /// The address.
        address: ListenAddress,
        /// The error of the operating system.
        error: io::Error,
    },
    /// There are too few file descriptors.
    #[error(transparent)]
    Descriptors(#[from] TooFew),
    /// The operating system cannot start a thread.
    #[error("start a worker: {0}")]
    Thread(io::Error),
}

/// Why a cluster is not swapped.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The cluster has no placement.
    #[error(transparent)]
    Cluster(#[from] placement::Error),
    /// The proxy is shutting down.
    #[error("the proxy is draining")]
    Draining,
    /// Building the placement panicked.
    #[error("cannot build the placement")]
    Panicked,
}

/// The current cluster, and the number of clusters so far.
#[derive(Debug)]
struct Current {
    generation: u64,
    cluster: Cluster,
}

/// Handle of a running proxy; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    orders: Vec<mpsc::UnboundedSender<Order>>,
    stats: Vec<Arc<WorkerStats>>,
    shared: Arc<Shared>,
    current: Arc<Mutex<Current>>,
    /// Of file descriptors, as configured.
    demand: Demand,
    /// Held while a cluster is built and swapped in.
    reloading: Arc<Mutex<()>>,
    draining: Arc<AtomicBool>,
}

/// A running proxy.
#[derive(Debug)]
pub struct Server {
    address: ListenAddress,
    /// Of a Unix socket; removed when the proxy stops listening.
    file: Option<SocketFile>,
    drain: Duration,
    handle: Handle,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

/// State of one node, over all workers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NodeState {
    /// `host:port`, or the path of a Unix socket.
    pub address: String,
    /// `up`, `connecting` or `down`: the worst state of any worker.
    pub state: &'static str,
    /// Pending requests.
    pub waiting: usize,
}

impl Server {
    /// Listens and starts the workers; clients may connect when it returns.
    ///
    /// # Errors
    /// The address is in use, or the system has too few file descriptors or threads.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let plan = Arc::new(plan(&config.cluster));
        let nodes = config.cluster.cluster().nodes.len();
        let demand = Demand::of(config.workers, nodes, &config.limits);
        let share = descriptors::secure(demand)?;
        let listening = Listening::on(&config.listen, config.workers, config.timeouts.keepalive);
        let listening = listening.map_err(|error| StartError::Listen {
            address: config.listen.clone(),
            error,
        })?;
        let shared = Arc::new(Shared::new(listening.port(), share));
        let mut handle = Handle {
            orders: Vec::new(),
            stats: Vec::new(),
            shared,
            current: Arc::new(Mutex::new(Current {
                generation: 1,
                cluster: config.cluster.cluster().clone(),
            })),
            demand,
            reloading: Arc::default(),
            draining: Arc::default(),
        };
        let mut threads = Vec::new();
        for (place, listener) in listening.sockets.into_iter().enumerate() {
            let (sender, orders) = mpsc::unbounded_channel();
            let stats = Arc::new(WorkerStats::new());
            handle.orders.push(sender);
            handle.stats.push(Arc::clone(&stats));
            let setup = Setup::of(
                &config,
                Arc::clone(&plan),
                stats,
                Arc::clone(&handle.shared),
            );
            let thread = std::thread::Builder::new()
                .name(format!("worker-{place}"))
                .spawn(move || accept::run(listener, orders, setup))
                .map_err(StartError::Thread)?;
            threads.push(thread);
        }
        let workers = handle.orders.iter().map(|orders| orders.downgrade());
        // No one else sets it.
        let _ = handle.shared.workers.set(workers.collect());
        // From here on only the workers hold the placement: a reload frees it.
        Ok(Self {
            address: listening.address,
            file: listening.file,
            drain: config.timeouts.drain,
            handle,
            threads,
        })
    }

    /// Address to listen on for clients.
    #[must_use]
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// To ask and tell the running proxy.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops listening, sends pending replies to clients, and ends.
    pub fn drain(self) {
        self.handle.draining.store(true, Ordering::Relaxed);
        drop(self.file);
        for orders in &self.handle.orders {
            // A worker that is gone need not drain.
            let _ = orders.send(Order::Drain(self.drain));
        }
        for thread in self.threads {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "worker"),
                Err(_) => tracing::error!("a worker has panicked"),
            }
        }
    }
}

impl Handle {
    /// From each worker's next request on, `cluster`. Returns its generation once every worker has changed.
    /// Of several calls at once, one comes after the other.
    ///
    /// # Errors
    /// `cluster` has no placement, or the proxy is draining; the cluster before stays.
    pub async fn reload(&self, cluster: Cluster) -> Result<u64, ReloadError> {
        let _turn = self.reloading.lock().await;
        // A large ring takes seconds, while signals and other requests are still served.
        let built = tokio::task::spawn_blocking(move || Ok(Placed::new(cluster)?)).await;
        let placed = built.unwrap_or(Err(ReloadError::Panicked))?;
        if self.is_draining() {
            return Err(ReloadError::Draining);
        }
        let plan = Arc::new(plan(&placed));
        let cluster = placed.into_cluster();
        self.make_room(cluster.nodes.len());
        let mut swapped = Vec::new();
        for orders in &self.orders {
            let (sender, done) = oneshot::channel();
            if orders.send(Order::Swap(Arc::clone(&plan), sender)).is_ok() {
                swapped.push(done);
            }
        }
        for done in swapped {
            // A worker that ends during the change serves no client with the old cluster.
            let _ = done.await;
        }
        let mut current = self.current.lock().await;
        current.generation += 1;
        current.cluster = cluster;
        tracing::info!(
            generation = current.generation,
            nodes = current.cluster.nodes.len(),
            "cluster"
        );
        Ok(current.generation)
    }

    /// A different number of nodes leaves another number of file descriptors to clients. Connected clients stay.
    fn make_room(&self, nodes: usize) {
        match descriptors::secure(Demand {
            nodes,
            ..self.demand
        }) {
            Ok(share) => {
                let max = &self.shared.clients_max;
                max.store(share.clients_max, Ordering::Relaxed);
                self.shared.dedicated.limit_to(share.dedicated_max);
            }
            Err(error) => tracing::warn!(%error, nodes, "more nodes than file descriptors allow"),
        }
    }

    /// Whether the proxy is shutting down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The cluster in force with its generation.
    pub async fn cluster(&self) -> (u64, Cluster) {
        let current = self.current.lock().await;
        (current.generation, current.cluster.clone())
    }

    /// State of each node, in the order of the cluster.
    pub async fn nodes(&self) -> Vec<NodeState> {
        let mut states: Vec<NodeState> = Vec::new();
        for orders in &self.orders {
            let (sender, reply) = oneshot::channel();
            if orders.send(Order::Report(sender)).is_err() {
                continue;
            }
            for (place, node) in reply.await.unwrap_or_default().into_iter().enumerate() {
                merge(&mut states, place, node);
            }
        }
        states
    }

    /// All counters with their names, sorted by name.
    #[must_use]
    pub fn counters(&self) -> Vec<(String, u64)> {
        stats::counters(&self.stats, &self.shared)
    }
}

fn merge(states: &mut Vec<NodeState>, place: usize, node: NodeReport) {
    const WORST_FIRST: [&str; 3] = ["down", "connecting", "up"];
    let word = node.health.word();
    match states.get_mut(place) {
        Some(state) => {
            state.waiting += node.waiting;
            state.state = WORST_FIRST
                .into_iter()
                .find(|worst| [word, state.state].contains(worst))
                .unwrap_or(word);
        }
        None => states.push(NodeState {
            address: node.address,
            state: word,
            waiting: node.waiting,
        }),
    }
}

pub(crate) fn plan(placed: &Placed) -> Plan {
    let cluster = placed.cluster();
    let addresses = cluster.nodes.iter().map(|node| node.address.as_str());
    Plan {
        placement: Arc::clone(placed.placement()),
        cursors: Cursors::new(addresses),
        addresses: cluster
            .nodes
            .iter()
            .map(|node| node.address.clone())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use placement::{Cluster, Node, Placed, Policy};

    use super::plan;

    /// A ring of the largest size takes seconds to build.
    #[test]
    fn the_placement_that_was_checked_is_the_one_that_serves() {
        let cluster = Cluster::new(Policy::maglev(), vec![Node::at("a:1")]);
        let placed = Placed::new(cluster).unwrap();
        assert!(Arc::ptr_eq(&plan(&placed).placement, placed.placement()));
    }
}
