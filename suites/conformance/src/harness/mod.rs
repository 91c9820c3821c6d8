//! The harness: a running proxy and its nodes, on which cases are judged one after the other.
//!
//! After each case everything is healed, and the proxy has to serve every node again before the next one begins.

mod canary;
mod cleanup;
mod connection;
mod deadlines;
pub(crate) mod environment;
pub(crate) mod keys;
mod recovery;
mod runner;
#[cfg(test)]
mod tests;
pub(crate) mod transcript;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::cases::case::{Case, NODES};
use crate::cases::word::Scope;
use crate::harness::canary::Canary;
use crate::harness::cleanup::{Stopped, left_behind, with};
use crate::harness::deadlines::Deadlines;
use crate::harness::environment::{Allowed, Damage, Environment, Started};
use crate::harness::keys::Pool;
use crate::harness::recovery::After;
use crate::harness::runner::{Run, Stop};
use crate::verdict::{Known, Result as Judged, Verdict};
use testbed::client;
use testbed::cluster::{self, Cluster, RunOptions};
use testbed::leftovers::{self, Record};
use testbed::link::Tap;
use testbed::targets::{self, Occurs, Proxy, Setting, Target};

/// There is nothing to judge cases on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nodes and links.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] targets::Error),
    /// The keys of the nodes.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// Nobody answers where the user says that the proxy or a node is.
    #[error("reach {addr}: {why}")]
    Unreachable {
        /// Where.
        addr: SocketAddr,
        /// What came instead.
        why: client::Error,
    },
    /// Keys stay behind.
    #[error("clean up at {addr}: {why}")]
    Unclean {
        /// Where.
        addr: SocketAddr,
        /// What came instead.
        why: String,
    },
    /// The proxy does not come back.
    #[error("serve again: {0}")]
    Unsettled(String),
    /// A fault cannot be taken back.
    #[error("heal: {0}")]
    Unhealed(String),
    /// Other clients of the proxy no longer read what they wrote.
    #[error("{0}")]
    Disturbed(String),
    /// There is nothing to compare, or nothing to compare with.
    #[error("compare with one plain Redis: {0}")]
    Oracle(String),
}

/// A running proxy with its nodes.
pub struct Harness {
    pub(crate) environment: Environment,
    target: Option<Target>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) pool: Pool,
    /// A key of each node, to see whether the proxy serves it.
    pub(crate) canaries: Vec<Vec<u8>>,
    /// How often the canaries were looked at: what is written to them.
    pub(crate) looks: u64,
    /// Keys of a proxy of others, read after every case.
    pub(crate) canary: Option<Canary>,
    pub(crate) deadlines: Deadlines,
    /// Whether a case ran on the proxy since it was started.
    pub(crate) used: bool,
    /// Whether one of these cases may have changed what the next one meets.
    pub(crate) spoiled: bool,
    /// Why no more cases are judged.
    pub(crate) stopped: Option<Stopped>,
}

impl Harness {
    /// A target over a cluster of our own: three nodes, a link before each, a tap over all.
    ///
    /// # Errors
    /// What stood in the way; never a verdict.
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
        let cluster = Cluster::start(options, NODES).await?;
        let setting = Setting {
            nodes: cluster.link_addrs(),
            policy: target.policies.first().cloned().unwrap_or_default(),
            hash_tags: true,
            op_timeout_ms: target.op_timeout_ms,
        };
        let proxy = Proxy::start(target, setting, &options.search).await?;
        let pool = Pool::new(options.seed, NODES);
        let owned = options.owned();
        let record = (!owned.nodes).then(|| {
            Record::open(leftovers::Scope {
                prefix: Some(pool.prefix().to_owned()),
                nodes: cluster.node_addrs(),
                proxy: None,
            })
        });
        let pool = pool.recorded(record.clone());
        let environment = Environment {
            proxy: proxy.addr(),
            nodes: cluster.node_addrs(),
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
        harness.target = Some(target.clone());
        harness.proxy = Some(proxy);
        harness.choose_canaries().await?;
        Ok(harness)
    }

    fn new(environment: Environment, pool: Pool) -> Self {
        Self {
            environment,
            target: None,
            proxy: None,
            pool,
            canaries: Vec::new(),
            looks: 0,
            canary: None,
            deadlines: Deadlines::default(),
            used: false,
            spoiled: false,
            stopped: None,
        }
    }

    /// A proxy that already runs, with the nodes that the user gave, possibly none.
    ///
    /// There are no links: cases that need the tap or faults are skipped. Everything is written under a random prefix
    /// and deleted at the end of each case. After each case new connections read keys that did not change, because
    /// others use the proxy too.
    ///
    /// # Errors
    /// When proxy or nodes do not answer.
    pub async fn attach(
        proxy: SocketAddr,
        nodes: &[SocketAddr],
        op_timeout_ms: u64,
        allowed: Allowed,
        seed: u64,
    ) -> Result<Self, Error> {
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
        self.canaries = (0..self.environment.nodes.len())
            .filter_map(|node| self.pool.take(node))
            .collect();
        Ok(())
    }

    /// Time for a reply of the proxy between cases.
    pub(crate) fn within(&self) -> Duration {
        self.environment.op_timeout * 5 + Duration::from_secs(1)
    }

    pub(crate) async fn fill(&mut self, least: usize) -> Result<(), Error> {
        let (proxy, nodes) = (self.environment.proxy, self.environment.nodes.clone());
        Ok(self.pool.fill(proxy, &nodes, least).await?)
    }

    /// Judges one case, and leaves everything as it was found.
    pub async fn judge(&mut self, case: &Case) -> Judged {
        let started = Instant::now();
        let verdict = match (self.obstacle(case), &self.stopped) {
            (Some(reason), _) => Verdict::Skip { reason },
            (None, Some(Stopped { case, .. })) => Verdict::Unknown {
                why: format!("not judged: the run stopped after {case}"),
            },
            (None, None) => self.patiently(case).await,
        };
        Judged {
            case: case.id.clone(),
            promise: case.promise.clone(),
            level: case.level,
            spec: case.spec.clone(),
            verdict,
            deviation: self.deviation(&case.id),
            took: started.elapsed(),
        }
    }

    fn obstacle(&self, case: &Case) -> Option<String> {
        let lacking = self
            .target
            .as_ref()
            .and_then(|target| skipped(target, case));
        lacking.or_else(|| self.environment.obstacle(case))
    }

    fn deviation(&self, case: &str) -> Option<Known> {
        let deviation = self.target.as_ref()?.deviation(case)?;
        Some(Known {
            why: deviation.why.clone(),
            seen: deviation.seen.clone(),
            always: deviation.occurs == Occurs::Always,
            class: deviation.class,
            link: deviation.link.clone(),
        })
    }

    /// Runs a case with a short deadline where the proxy is silent. A failure under a short deadline counts only while the
    /// proxy is silent; else the case runs again with the full one.
    async fn patiently(&mut self, case: &Case) -> Verdict {
        self.environment.reply_within = self.deadlines.reply_within(self.environment.op_timeout);
        let short = self.environment.reply_within.is_some();
        let verdict = self.run(case).await;
        if short && self.deadlines.is_full() && matches!(verdict, Verdict::Fail(_)) {
            self.environment.reply_within = None;
            return self.run(case).await;
        }
        verdict
    }

    async fn run(&mut self, case: &Case) -> Verdict {
        let scope = match self.prepare(case).await {
            Ok(scope) => scope,
            Err(why) => {
                let settled = self.settle(After::Broken).await;
                self.note(case, After::Broken, &settled);
                return unknown(&why);
            }
        };
        self.environment.tap.forget();
        let mut run = Run::new(&self.environment, case, scope);
        let ended = run.steps().await;
        let transcript = run.transcript();
        let damages = std::mem::take(&mut run.damages);
        let written = std::mem::take(&mut run.written);
        // Its clients are gone before the proxy is looked at.
        drop(run);

        let after = match &ended {
            Err(_) => After::Broken,
            Ok(()) if case.has_faults() => After::Faults,
            Ok(()) => After::Calm,
        };
        let (waited, in_full) = self.deadlines.settled_within(after);
        let restored = self.restore(case, &damages, &written, after).await;
        self.note(case, after, &restored);
        match (ended, restored) {
            (Err(Stop::Stuck(why)), _) => Verdict::Unknown { why },
            (Ok(()), Ok(None)) => Verdict::Pass,
            (Ok(()), Err(why)) => unknown(&why),
            (Ok(()), Ok(Some(_))) if !in_full => Verdict::Unknown {
                why: format!(
                    "the promise was kept; that the proxy serves again was awaited for {} s only, because it did not \
                     after the cases before",
                    waited.as_secs()
                ),
            },
            (Ok(()), Ok(Some(why))) => Verdict::Fail(left_behind(case, transcript, why)),
            (Err(Stop::Broken(evidence)), Ok(None)) => Verdict::Fail(*evidence),
            (Err(Stop::Broken(evidence)), Ok(Some(why))) => Verdict::Fail(with(*evidence, &why)),
            (Err(Stop::Broken(evidence)), Err(why)) => {
                Verdict::Fail(with(*evidence, &why.to_string()))
            }
        }
    }

    /// A proxy that is fit for the case, and its keys.
    async fn prepare(&mut self, case: &Case) -> Result<Scope, Error> {
        self.refresh(!case.disturbs.is_empty()).await?;
        self.scope(case).await
    }

    /// Heals, waits until every node is served, and cleans up. What had to be done to the proxy, if anything.
    async fn restore(
        &mut self,
        case: &Case,
        damages: &[(usize, Damage)],
        written: &[Vec<u8>],
        after: After,
    ) -> Result<Option<String>, Error> {
        let mut healed = Ok(());
        for node in 0..self.environment.nodes.len() {
            let of_node = damages.iter().filter(|(at, _)| *at == node);
            let damages: Vec<Damage> = of_node.map(|(_, damage)| *damage).collect();
            if !damages.is_empty() {
                healed = healed.and(self.environment.heal(node, &damages).await);
            }
        }
        healed.map_err(|why| Error::Unhealed(why.to_string()))?;
        let settled = match self.intact(case).await {
            Ok(()) => self.settle(after).await,
            Err(why) => Err(why),
        };
        if settled.is_err() && self.environment.nodes.is_empty() {
            // Only the proxy could remove them.
            return settled;
        }
        // Also when the proxy is lost: the nodes are there.
        // The canaries too: on nodes that are not emptied, the next case would find them.
        let cleaned = self.clean(&[written, &self.canaries].concat()).await;
        let settled = settled?;
        cleaned?;
        Ok(settled)
    }

    async fn scope(&mut self, case: &Case) -> Result<Scope, Error> {
        let most = (0..NODES)
            .map(|node| {
                let here = |variable: &&super::Variable| variable.node == Some(node);
                case.variables.iter().filter(here).count()
            })
            .max();
        self.fill(most.unwrap_or(0)).await?;
        let mut scope = Scope {
            run: self.environment.prefix.clone(),
            ..Scope::default()
        };
        for variable in &case.variables {
            let found = variable.node.and_then(|node| self.pool.take(node));
            let key = found.unwrap_or_else(|| self.pool.fresh());
            scope.keys.insert(*variable, key);
        }
        Ok(scope)
    }

    /// Removes what is left of the run.
    ///
    /// # Errors
    /// Where keys stay behind.
    pub async fn finish(self) -> Result<(), Error> {
        let watched = self.canary.as_ref().map_or(&[][..], Canary::keys);
        self.clean(&[watched, &self.canaries].concat()).await
    }
}

/// Why a target is not judged by a case, as far as its file tells.
#[must_use]
pub fn skipped(target: &Target, case: &Case) -> Option<String> {
    let lacking: Vec<&str> = target.lacks(&case.needs).collect();
    let title = &target.title;
    (!lacking.is_empty()).then(|| format!("{title} does not claim {}", lacking.join(", ")))
}

fn unknown(why: &Error) -> Verdict {
    Verdict::Unknown {
        why: why.to_string(),
    }
}
