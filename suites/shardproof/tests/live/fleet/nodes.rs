//! Nodes of a test's own, with a placement over them that is the same in every run.

use std::sync::Arc;
use std::time::Duration;

use shardproof::fleet::{self, Check, CheckOptions, Fleet, MoveOutcome, Moving, Progress, Proof};
use shardproof::planner::{Cluster, Node as Placed, Policy};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::endpoint::Endpoint;
use testbed::node::{Node, Process};
use testbed::program::Search;
use testbed::wait;
use testbed::wire::Value;

use crate::support;

/// How long the event of a test may take.
pub(crate) const WITHIN: Duration = Duration::from_secs(20);

/// Live nodes, gone when dropped.
pub(crate) struct Nodes {
    nodes: Vec<Process>,
    pub(crate) fleet: Arc<Fleet>,
}

impl Nodes {
    /// `placed` nodes that keys are placed on, then as many that are `leaving`.
    pub(crate) async fn start(placed: usize, leaving: usize) -> Self {
        Self::start_with(&vec![support::search(); placed + leaving], placed).await
    }

    /// A node for each search, made of the server that it finds. Keys are placed on the first `placed`.
    pub(crate) async fn start_with(searches: &[Search], placed: usize) -> Self {
        let mut nodes = Vec::new();
        for search in searches {
            nodes.push(Process::start(search).await.unwrap());
        }
        let reach: Vec<Endpoint> = nodes.iter().map(|node| node.addr().into()).collect();
        let (reach, leaving) = reach.split_at(placed);
        let leaving: Vec<_> = leaving
            .iter()
            .map(|node| (node.to_string(), *node))
            .collect();
        let fleet = Fleet::open(&cluster(placed), reach, &leaving)
            .await
            .unwrap();
        Self {
            nodes,
            fleet: Arc::new(fleet),
        }
    }

    pub(crate) fn addr(&self, place: usize) -> String {
        self.nodes[place].addr().to_string()
    }

    /// Where a node is reached.
    pub(crate) fn endpoint(&self, place: usize) -> Endpoint {
        self.nodes[place].addr().into()
    }

    /// Sends a request to a node, its words separated by spaces.
    pub(crate) async fn ask(&self, place: usize, words: &str) -> Value {
        let words: Vec<&str> = words.split(' ').collect();
        self.ask_bytes(place, &words).await
    }

    /// Asks a node, with any bytes.
    pub(crate) async fn ask_bytes<A: AsRef<[u8]>>(&self, place: usize, words: &[A]) -> Value {
        let addr = self.nodes[place].addr();
        let mut client = Client::connect(addr, NODE_DEADLINE).await.unwrap();
        client.call(words, NODE_DEADLINE).await.unwrap()
    }

    /// A key that is placed on the node at `place`, another one for each number.
    pub(crate) fn key(&self, place: usize, number: usize) -> String {
        let keys = (0..).map(|try_| format!("key:{number}:{try_}"));
        keys.into_iter()
            .find(|key| self.fleet.right(key.as_bytes()) == place)
            .unwrap()
    }

    pub(crate) async fn check(&self) -> Check {
        self.look(&CheckOptions::default()).await
    }

    pub(crate) async fn look(&self, looking: &CheckOptions) -> Check {
        fleet::check(&self.fleet, looking, &Arc::default(), None)
            .await
            .unwrap()
    }

    pub(crate) async fn migrate(&self) -> MoveOutcome {
        fleet::migrate(
            &self.fleet,
            &Moving::new(Proof::Unverified),
            &Arc::<Progress>::default(),
        )
        .await
        .unwrap()
    }

    /// Begins a migration, and runs `between` after the source has dumped its keys and before their right node restores them.
    pub(crate) async fn migrate_while(
        &self,
        (source, right): (usize, usize),
        between: impl AsyncFnOnce(),
    ) -> MoveOutcome {
        let ok = Value::Simple(b"OK".to_vec());
        assert_eq!(self.ask(right, "CLIENT PAUSE 60000 WRITE").await, ok);
        let moving = tokio::spawn({
            let fleet = Arc::clone(&self.fleet);
            async move { fleet::migrate(&fleet, &Moving::new(Proof::Unverified), &Arc::default()).await }
        });
        // Only movers watch keys. They ask for dumps in the same pipeline.
        self.wait(source, "INFO commandstats", "cmdstat_watch:")
            .await;
        between().await;
        assert_eq!(self.ask(right, "CLIENT UNPAUSE").await, ok);
        moving.await.unwrap().unwrap()
    }

    /// Migrates while a client's request waits before it at the right node. Returns the client's answer too.
    pub(crate) async fn migrate_late(
        &self,
        between: (usize, usize),
        request: &str,
    ) -> (MoveOutcome, Value) {
        let right = between.1;
        self.ask(right, "CLIENT PAUSE 60000 WRITE").await;
        let (name, _) = request.split_once(' ').unwrap();
        let waits = format!("cmd={}", name.to_lowercase());
        let client = async {
            let answered = self.ask(right, request);
            let first = async {
                self.wait(right, "CLIENT LIST", &waits).await;
                self.migrate_while(between, async || ()).await
            };
            tokio::join!(first, answered)
        };
        client.await
    }

    /// Waits until a node's answer has `part`.
    pub(crate) async fn wait(&self, place: usize, words: &str, part: &str) {
        let probe = async || {
            let answer = match self.ask(place, words).await {
                Value::Bulk(text) => String::from_utf8_lossy(&text).into_owned(),
                other => other.to_string(),
            };
            wait::found(answer.contains(part), || format!("{words} says {answer}"))
        };
        let found = wait::eventually(part, WITHIN, probe).await;
        found.unwrap_or_else(|late| panic!("{late}"));
    }
}

/// A cluster of `placed` nodes as a proxy elsewhere sees them.
pub(crate) fn cluster(placed: usize) -> Cluster {
    let nodes = (1..=placed).map(|number| Placed::at(format!("10.0.0.{number}:6379")));
    Cluster::new(Policy::maglev(), nodes.collect())
}

/// A bulk reply.
pub(crate) fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}
