//! The damage of a panic: one client or one node connection, never its place.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::{Setup, Worker};
use crate::accept;
use crate::auth::Users;
use crate::command::Rules;
use crate::config::{Config, Limits, Timeouts};
use crate::descriptors::Share;
use crate::server;
use crate::stats::{Shared, WorkerStats};
use crate::stream::Stream;
use placement::{Cluster, Node, Placed, Policy};
use testbed::wait;

/// Deadline of operations that take milliseconds.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// A worker over one node at `address`.
fn worker(address: &str) -> Rc<Worker> {
    worker_of(&config(address))
}

pub(super) fn config(address: &str) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        admin: None,
        workers: 1,
        users: Users::default(),
        node_auth: None,
        tls: None,
        node_tls: None,
        rules: Rules::default(),
        cluster: Placed::new(Cluster::new(Policy::maglev(), vec![Node::at(address)])).unwrap(),
        timeouts: Timeouts::default(),
        limits: Limits::default(),
    }
}

pub(super) fn worker_of(config: &Config) -> Rc<Worker> {
    let share = Share {
        clients_max: 10,
        dedicated_max: 10,
    };
    let setup = Setup::of(
        config,
        Arc::new(server::plan(&config.cluster)),
        Arc::new(WorkerStats::new()),
        Arc::new(Shared::new(0, share)),
    );
    Rc::new(Worker::new(setup))
}

/// Runs until `holds`.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let probe = async || wait::found(holds(), || "not yet".to_owned());
    let waited = wait::eventually(what, DEADLINE, probe).await;
    waited.unwrap_or_else(|late| panic!("{late}"));
}

#[tokio::test]
#[expect(
    clippy::await_holding_refcell_ref,
    reason = "the session is to find it borrowed"
)]
async fn a_session_that_panics_gives_its_place_back() {
    let check = async {
        let worker = worker("127.0.0.1:1");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        accept::admit(&worker, Stream::Tcp(stream), Some(peer));
        assert_eq!(worker.shared.clients.load(Ordering::Relaxed), 1);
        // No session can look at it: the next request panics.
        let routing = worker.routing.borrow_mut();
        client.write_all(b"GET k\r\n").await.unwrap();
        until("the place is free", || {
            worker.shared.clients.load(Ordering::Relaxed) == 0
        })
        .await;
        drop(routing);
        assert_eq!(worker.clients.len(), 0);
        assert_eq!(worker.shared.panics.load(Ordering::Relaxed), 1);
        let mut rest = Vec::new();
        let read = tokio::time::timeout(DEADLINE, client.read_to_end(&mut rest)).await;
        read.expect("the connection is closed").ok();
    };
    LocalSet::new().run_until(check).await;
}

#[tokio::test]
async fn a_node_connection_that_panics_is_replaced() {
    let check = async {
        let node = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let worker = worker(&node.local_addr().unwrap().to_string());
        let accept = async || tokio::time::timeout(DEADLINE, node.accept()).await;
        let first = accept().await.unwrap().unwrap();
        let upstream = Rc::clone(&worker.routing().nodes[0]);
        until("it is connected", || upstream.health().word() == "up").await;
        upstream
            .panic_while(async {
                until("it has panicked", || {
                    worker.shared.panics.load(Ordering::Relaxed) > 0
                })
                .await;
            })
            .await;
        drop(first);
        accept().await.expect("the proxy connects again").unwrap();
        until("it is connected again", || upstream.health().word() == "up").await;
    };
    LocalSet::new().run_until(check).await;
}
