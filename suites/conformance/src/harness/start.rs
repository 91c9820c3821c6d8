//! The start: a proxy over a cluster of our own, or one that already runs.

use std::time::Duration;

use super::{Error, Harness};
use crate::cases::case::{NODES, NODES_MAX};
use crate::harness::deadlines::Deadlines;
use crate::harness::environment::{Allowed, Environment, Started};
use crate::harness::keys::Pool;
use crate::harness::moved::Moved;
use testbed::client;
use testbed::cluster::{Cluster, RunOptions};
use testbed::endpoint::Endpoint;
use testbed::leftovers::{self, Record};
use testbed::link::Tap;
use testbed::targets::{self, Launcher, Proxy, Serve, Setting, Target};

impl Harness {
    /// A target over a cluster of our own: three nodes, a link before each, a tap over all. A fourth node waits for cases
    /// that add it, where there is one.
    ///
    /// # Errors
    /// Why the suite could not judge; never a verdict.
    pub async fn start(target: &Target, options: &RunOptions) -> Result<Self, Error> {
        Self::start_allowing(target, options, Allowed::default()).await
    }

    /// As [`Harness::start`]; `allowed.disturbing` counts on nodes that others run.
    ///
    /// # Errors
    /// As [`Harness::start`].
    pub async fn start_allowing(
        target: &Target,
        options: &RunOptions,
        allowed: Allowed,
    ) -> Result<Self, Error> {
        let version = targets::version(target, &options.search)?;
        let launcher = Launcher::program(target, &options.search)?;
        let target = target.clone().in_version(&version);
        Self::launch(target, launcher, options, allowed).await
    }

    /// As [`Harness::start`], with a proxy that runs in this process.
    ///
    /// # Errors
    /// As [`Harness::start`].
    pub async fn start_in_process(
        target: &Target,
        serve: Serve,
        options: &RunOptions,
    ) -> Result<Self, Error> {
        let launcher = Launcher::InProcess(serve);
        Self::launch(target.clone(), launcher, options, Allowed::default()).await
    }

    async fn launch(
        target: Target,
        launcher: Launcher,
        options: &RunOptions,
        allowed: Allowed,
    ) -> Result<Self, Error> {
        let count = options.available(NODES_MAX).max(NODES);
        let cluster = Cluster::start(options, count).await?;
        let setting = Setting::usual(&target, cluster.link_addrs()[..NODES].to_vec());
        let proxy = Proxy::launch(&target, setting, launcher).await?;
        let pool = Pool::new(options.seed, NODES);
        let owned = options.owned();
        let record = (!owned.nodes).then(|| {
            Record::open(leftovers::Scope {
                prefix: Some(pool.prefix().to_owned()),
                nodes: cluster.node_endpoints(),
                proxy: None,
            })
        });
        let pool = pool.recorded(record.clone());
        let environment = Environment {
            proxy: proxy.addr().into(),
            nodes: cluster.node_endpoints(),
            usual: NODES,
            tap: cluster.tap().clone(),
            cluster: Some(cluster),
            op_timeout: Duration::from_millis(target.op_timeout_ms),
            own_traffic: target.own_traffic.clone(),
            prefix: pool.prefix().to_owned(),
            allowed: Allowed {
                destructive: owned.nodes,
                disturbing: allowed.disturbing,
            },
            record,
            started: Started::Proxy(owned),
            reply_within: None,
        };
        let mut harness = Self::new(environment, pool);
        harness.target = Some(target);
        harness.proxy = Some(proxy);
        harness.choose_canaries().await?;
        Ok(harness)
    }

    fn new(environment: Environment, pool: Pool) -> Self {
        Self {
            environment,
            target: None,
            likened: false,
            probed: None,
            proxy: None,
            pool,
            moved: Moved::default(),
            canaries: Vec::new(),
            looks: 0,
            canary: None,
            deadlines: Deadlines::default(),
            used: false,
            spoiled: false,
            kept: None,
            stopped: None,
        }
    }

    /// A proxy that already runs, with the nodes that the user gave, possibly none.
    ///
    /// There are no links: cases that need the tap or faults are skipped. Everything is written under a random prefix
    /// and deleted at the end of each case. After each case new connections read keys that must not have changed,
    /// because other clients use the proxy too.
    ///
    /// # Errors
    /// When proxy or nodes do not answer.
    pub async fn attach(
        proxy: impl Into<Endpoint>,
        nodes: &[Endpoint],
        op_timeout_ms: u64,
        allowed: Allowed,
        seed: u64,
    ) -> Result<Self, Error> {
        let proxy = proxy.into();
        for addr in nodes.iter().copied().chain([proxy]) {
            client::ping(addr)
                .await
                .map_err(|why| Error::Unreachable { addr, why })?;
        }
        let pool = Pool::new(seed, nodes.len());
        let record = Some(Record::open(leftovers::Scope {
            prefix: Some(pool.prefix().to_owned()),
            nodes: nodes.to_vec(),
            proxy: Some(proxy),
        }));
        let pool = pool.recorded(record.clone());
        let environment = Environment {
            proxy,
            nodes: nodes.to_vec(),
            usual: nodes.len(),
            tap: Tap::default(),
            cluster: None,
            op_timeout: Duration::from_millis(op_timeout_ms),
            own_traffic: Vec::new(),
            prefix: pool.prefix().to_owned(),
            allowed,
            record,
            started: Started::Nothing,
            reply_within: None,
        };
        let mut harness = Self::new(environment, pool);
        harness.choose_canaries().await?;
        harness.establish_canary().await?;
        Ok(harness)
    }

    async fn choose_canaries(&mut self) -> Result<(), Error> {
        self.fill(1).await?;
        self.canaries = (0..self.environment.usual)
            .filter_map(|node| self.pool.take(node))
            .collect();
        Ok(())
    }
}
