//! Where a client works: one plain Redis, or a proxy over three.

use std::net::SocketAddr;

use libtest_mimic::Failed;
use testbed::node::{Node, Process};
use testbed::targets::{Proxy, Setting, Target};
use tokio::runtime::{Builder, Runtime};

use crate::support;

/// Generous, because a loaded machine is not the fault of the proxy.
const OP_TIMEOUT_MS: u64 = 20_000;
/// The node that is killed in workloads that ask for it.
const LOST: usize = 1;

/// Servers of this test alone, gone when dropped.
pub(crate) struct Site {
    runtime: Runtime,
    nodes: Vec<Process>,
    proxy: Option<Proxy>,
}

impl Site {
    /// One plain Redis.
    pub(crate) fn one() -> Result<Self, Failed> {
        Self::of(1)
    }

    /// `target` over three nodes, with hash tags, so that transactions find their keys together.
    pub(crate) fn sharded(target: &Target) -> Result<Self, Failed> {
        let mut site = Self::of(3)?;
        let setting = Setting {
            nodes: site.nodes.iter().map(Node::addr).collect(),
            policy: target.policies[0].clone(),
            hash_tags: true,
            op_timeout_ms: OP_TIMEOUT_MS,
        };
        let search = support::search();
        let proxy = Proxy::start(target, setting, &search);
        site.proxy = Some(site.runtime.block_on(proxy)?);
        Ok(site)
    }

    fn of(count: usize) -> Result<Self, Failed> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let nodes = runtime.block_on(async {
            let mut nodes = Vec::new();
            for _ in 0..count {
                nodes.push(Process::start(&support::search()).await?);
            }
            Ok::<_, Failed>(nodes)
        })?;
        Ok(Self {
            runtime,
            nodes,
            proxy: None,
        })
    }

    /// Where clients connect.
    pub(crate) fn addr(&self) -> SocketAddr {
        match &self.proxy {
            Some(proxy) => proxy.addr(),
            None => self.nodes[0].addr(),
        }
    }

    /// Whether a proxy is in front of several nodes.
    pub(crate) fn is_sharded(&self) -> bool {
        self.proxy.is_some()
    }

    /// The port, as programs take it.
    pub(crate) fn port(&self) -> String {
        self.addr().port().to_string()
    }

    /// Blocks on asynchronous work.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Kills a node, and returns its address. A plain Redis is never killed: no server would be left.
    pub(crate) fn lose_a_node(&self) -> Result<SocketAddr, Failed> {
        let node = self.nodes.get(LOST).ok_or("one plain Redis is kept")?;
        self.runtime.block_on(node.kill())?;
        Ok(node.addr())
    }

    /// Starts the lost node again, empty.
    pub(crate) fn get_it_back(&self) -> Result<SocketAddr, Failed> {
        let node = self.nodes.get(LOST).ok_or("one plain Redis is kept")?;
        self.runtime.block_on(node.restart())?;
        Ok(node.addr())
    }
}
