//! Chaos runs on a proxy that already runs, over nodes of others: nothing may stay on them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chaos::report::Verdict;
use chaos::rescale;
use chaos::run::{self, Carrier, Means, NodesOf, Subject};
use chaos::scenario::{FaultRow, Scenario};
use testbed::cluster;
use testbed::endpoint::Endpoint;
use testbed::fault::{FaultInjector, Hook, HookError, Links};
use testbed::leftovers::{self, Record};
use testbed::node::External;
use testbed::targets::Limits;
use testbed::toxiproxy::Client;

use super::Error;
use super::chaos::{Judged, judged, server, without_run};

/// A proxy that already runs, with all of its nodes.
#[derive(Debug, Clone)]
pub struct RunningProxy {
    /// The proxy.
    pub proxy: Endpoint,
    /// Further proxies in front of the same nodes.
    pub further: Vec<Endpoint>,
    /// Its nodes, in the order of its configuration.
    pub nodes: Vec<Endpoint>,
    /// Its time limit for one request.
    pub op_timeout: Duration,
    /// A fault server with a link before each node, and what it was found to be.
    pub links: Option<(SocketAddr, Links)>,
    /// The operator's command for faults that the links cannot carry out.
    pub hook: Option<Hook>,
    /// Whether other clients may be disturbed.
    pub may_disturb: bool,
    /// Whether faults may take the data of nodes.
    pub may_destroy: bool,
}

/// Runs one scenario on a proxy of others. Keys are removed at the end, however the run ends.
///
/// # Errors
/// When a node or the fault server cannot be reached. A run that fails is unknown.
pub async fn chaos_running(
    running: &RunningProxy,
    scenario: &Scenario,
    seed: u64,
    say: &dyn Fn(&str),
) -> Result<Judged, Error> {
    if let Some(why) = running.obstacle(scenario) {
        return Ok(without_run(scenario, Verdict::Skipped, why));
    }
    if let Some(why) = running.hook.as_ref().and_then(Hook::unhealed) {
        return Ok(without_run(scenario, Verdict::Unknown, why.to_string()));
    }
    let began = Instant::now();
    let prefix = rescale::prefix(seed);
    let _ = Record::open(leftovers::Scope {
        prefix: Some(prefix.clone()),
        nodes: running.nodes.clone(),
        proxy: Some(running.proxy),
    });
    let mut subject = Subject {
        name: running.proxy.to_string(),
        proxy: running.proxy,
        further: running.further[..scenario.proxies.len()].to_vec(),
        nodes: running.nodes.clone(),
        nodes_of: NodesOf::Others,
        node_names: running.nodes.iter().map(ToString::to_string).collect(),
        tap: None,
        promises: run::promises(running.op_timeout, Limits::default()),
        prefix,
        means: running.means().await?,
    };
    let server = server(&running.nodes).await;
    let observed = run::observe(scenario, &mut subject, seed, say).await;
    let mut judged = match observed {
        Ok(run) => judged(None, scenario, run),
        Err(why @ run::Error::Hook(HookError::Unable { .. })) => {
            without_run(scenario, Verdict::Skipped, why.to_string())
        }
        Err(why) => without_run(scenario, Verdict::Unknown, why.to_string()),
    };
    judged.server = server;
    judged.report.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(judged)
}

impl RunningProxy {
    async fn means(&self) -> Result<Means<'static>, Error> {
        let mut nodes = Vec::new();
        for node in &self.nodes {
            nodes.push(External::at(*node).await.map_err(cluster::Error::from)?);
        }
        let links = match self.links {
            None => None,
            Some((server, links)) => {
                let nodes = self.nodes.iter();
                let nodes: Vec<SocketAddr> = nodes.filter_map(Endpoint::socket_addr).collect();
                let attached = FaultInjector::attach(Client::new(server), &nodes).await;
                Some((attached.map_err(cluster::Error::from)?, links))
            }
        };
        Ok(Means::Others {
            proxy: self.proxy,
            nodes,
            links,
            hook: self.hook.as_ref().map(Hook::begin),
        })
    }

    /// Why a scenario cannot run here.
    fn obstacle(&self, scenario: &Scenario) -> Option<String> {
        if scenario
            .proxies
            .iter()
            .any(|row| row.nodes != scenario.nodes)
        {
            return Some("sets the lists of nodes of its proxies: needs --target".to_owned());
        }
        if scenario.proxies.len() > self.further.len() {
            let proxies = scenario.proxies.len() + 1;
            return Some(format!(
                "needs {proxies} proxies: give --proxy {proxies} times"
            ));
        }
        if scenario.ejects {
            return Some("sets whether its proxy ejects nodes: needs --target".to_owned());
        }
        let nodes = self.nodes.len();
        if usize::from(scenario.nodes_max()) > nodes || !scenario.rescales.is_empty() {
            return Some(format!("needs {} nodes of our own", scenario.nodes_max()));
        }
        if let Some(why) = scenario.faults.iter().find_map(|row| self.obstacle_to(row)) {
            return Some(why);
        }
        if !scenario.faults.is_empty() && !self.may_disturb {
            return Some("disturbs other clients: needs --allow-disturbing".to_owned());
        }
        scenario.obstacle_without_taps()
    }

    /// Why a fault cannot be injected here.
    fn obstacle_to(&self, row: &FaultRow) -> Option<String> {
        let fault = &row.fault;
        let links = self.links.map(|(_, links)| links);
        let carrier = Carrier::of(fault, links, self.hook.is_some());
        let why = match carrier {
            Err(why) => why,
            Ok(Carrier::Hook) if !fault.row().keeps_data && !self.may_destroy => {
                "it takes the data of a node: needs --allow-destructive".to_owned()
            }
            Ok(_) => return None,
        };
        Some(format!("fault {fault}: {why}"))
    }
}
