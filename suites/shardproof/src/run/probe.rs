//! Which capabilities a proxy offers: one that the suite starts, or one that runs already.

use conformance::Allowed;
use conformance::probe::{self, Probe, Site};
use testbed::cluster::{Cluster, Source};
use testbed::endpoint::Endpoint;
use testbed::targets::{Proxy, Setting, Target};

use super::{Error, RunOptions, Subject};

/// Nodes of a target that is probed.
const NODES: u8 = 3;

/// Probes a proxy. A target over nodes of our own may be asked anything.
///
/// # Errors
/// Why it cannot be probed.
pub async fn probe(options: &RunOptions, subject: &Subject) -> Result<Probe, Error> {
    match subject {
        Subject::Target { target, .. } => of_target(options, target).await,
        Subject::Running {
            proxy,
            op_timeout_ms,
            allowed,
            ..
        } => of_running(options, *proxy, *op_timeout_ms, *allowed).await,
    }
}

async fn of_target(options: &RunOptions, target: &Target) -> Result<Probe, Error> {
    let cluster = Cluster::start(options, usize::from(NODES)).await?;
    let setting = Setting::usual(target, cluster.link_addrs());
    let proxy = Proxy::start(target, setting, &options.search).await?;
    let owned = options.owned();
    let nodes = cluster.node_endpoints();
    let site = Site {
        proxy: proxy.addr().into(),
        nodes: &nodes,
        op_timeout_ms: target.op_timeout_ms,
        allowed: Allowed {
            destructive: owned.nodes,
            disturbing: true,
        },
        tap: Some(cluster.tap()),
        foreign: !owned.nodes,
        seed: options.seed,
    };
    let found = probe::probe(site).await?;
    let claims = Some(target.capabilities.as_slice());
    Ok(Probe::new(options.seed, target.name.clone(), found, claims))
}

async fn of_running(
    options: &RunOptions,
    proxy: Endpoint,
    op_timeout_ms: u64,
    allowed: Allowed,
) -> Result<Probe, Error> {
    let nodes = match &options.nodes {
        Source::Process | Source::Docker { .. } => &[][..],
        Source::External(nodes) => nodes,
    };
    let site = Site {
        proxy,
        nodes,
        op_timeout_ms,
        allowed,
        tap: None,
        foreign: true,
        seed: options.seed,
    };
    let found = probe::probe(site).await?;
    Ok(Probe::new(options.seed, proxy.to_string(), found, None))
}
