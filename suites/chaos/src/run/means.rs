//! The means to inject faults: links, nodes and a proxy of our own, or those that the user gives.

use std::net::SocketAddr;

use testbed::cluster::Cluster;
use testbed::endpoint::Endpoint;
use testbed::fault::{Clients, Fault, FaultInjector, HookRun, Links, Object, Owned, Site};
use testbed::node::{External, Node};
use testbed::targets::Proxy;

use super::Error;
use crate::observed::Subject;

/// The means to inject faults.
pub enum Means<'a> {
    /// A cluster of our own, and a proxy that we started.
    Own {
        /// Nodes and links.
        cluster: &'a Cluster,
        /// The proxy.
        proxy: &'a mut Proxy,
        /// Clients that misbehave, if a scenario uses them.
        clients: Clients,
    },
    /// Foreign nodes and a foreign proxy.
    Others {
        /// The proxy.
        proxy: Endpoint,
        /// The nodes.
        nodes: Vec<External>,
        /// The links between them and the proxy, and whose they are, if there are any.
        links: Option<(FaultInjector, Links)>,
        /// The hook for faults that the links cannot inject, if there is one.
        hook: Option<HookRun>,
    },
}

/// The carrier of a fault on foreign nodes or a foreign proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The links.
    Links,
    /// The hook.
    Hook,
}

impl Carrier {
    /// The carrier of a fault: the links if they can, else the hook.
    ///
    /// # Errors
    /// Why nothing can.
    pub fn of(fault: &Fault, links: Option<Links>, has_hook: bool) -> Result<Self, String> {
        let row = fault.row();
        let is_link = row.acts_on == Object::Link;
        let obstacle = match links {
            None if is_link => Some("it needs links: see `shardproof links`".to_owned()),
            links => row.obstacle(Owned {
                links: links.unwrap_or_default(),
                ..Owned::default()
            }),
        };
        match obstacle {
            None => Ok(Self::Links),
            Some(_) if has_hook && row.acts_on != Object::Client => Ok(Self::Hook),
            Some(why) => Err(why),
        }
    }
}

impl Means<'_> {
    pub(super) async fn apply(&mut self, fault: &Fault, on: Subject) -> Result<(), Error> {
        if let Some((hook, addr)) = self.hook(fault, on) {
            return Ok(hook.apply(fault, &on.to_string(), addr).await?);
        }
        let site = self.site(on).ok_or_else(|| unsupported(fault, on))?;
        Ok(fault.apply(site).await?)
    }

    pub(super) async fn heal(&mut self, fault: &Fault, on: Subject) -> Result<(), Error> {
        if let Some((hook, addr)) = self.hook(fault, on) {
            return Ok(hook.heal(fault, &on.to_string(), addr).await?);
        }
        let site = self.site(on).ok_or_else(|| unsupported(fault, on))?;
        Ok(fault.heal(site).await?)
    }

    /// The hook, if it is the carrier of the fault, with the address of the node or proxy.
    fn hook(&self, fault: &Fault, on: Subject) -> Option<(&HookRun, SocketAddr)> {
        let Self::Others {
            proxy,
            nodes,
            links,
            hook: Some(hook),
        } = self
        else {
            return None;
        };
        let links = links.as_ref().map(|(_, links)| *links);
        if Carrier::of(fault, links, true) != Ok(Carrier::Hook) {
            return None;
        }
        let addr = match on {
            Subject::Node(node) => nodes.get(usize::from(node))?.addr(),
            Subject::Proxy | Subject::Clients => proxy.socket_addr()?,
        };
        Some((hook, addr))
    }

    /// The site of a fault. Faults of the proxy and the clients need no node, so they get the first one.
    fn site(&self, on: Subject) -> Option<Site<'_>> {
        let node = match on {
            Subject::Node(node) => usize::from(node),
            Subject::Proxy | Subject::Clients => 0,
        };
        match self {
            Self::Own {
                cluster,
                proxy,
                clients,
            } => Some(Site {
                proxy: Some(proxy),
                clients: Some(clients),
                ..cluster.site(node)
            }),
            Self::Others { nodes, links, .. } => match on {
                Subject::Node(_) => {
                    let (links, _) = links.as_ref()?;
                    Some(Site::new(nodes.get(node)?, links, node))
                }
                Subject::Proxy | Subject::Clients => None,
            },
        }
    }

    pub(super) async fn rescale(&mut self, nodes: usize) -> Result<(), Error> {
        match self {
            Self::Own { cluster, proxy, .. } => {
                let addrs = cluster.link_addrs()[..nodes].to_vec();
                Ok(proxy.rescale(addrs).await?)
            }
            Self::Others { .. } => Err(Error::Unsupported(
                format!("rescale {nodes}"),
                Subject::Proxy,
            )),
        }
    }

    /// The process of the proxy, if it is ours.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Own { proxy, .. } => Some(proxy.pid()),
            Self::Others { .. } => None,
        }
    }
}

fn unsupported(fault: &Fault, on: Subject) -> Error {
    Error::Unsupported(fault.to_string(), on)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What carries a fault out without links, with those of Toxiproxy and with those of shardproof; each without and with
    /// a hook.
    #[track_caller]
    fn check(fault: &str, expected: [Option<Carrier>; 6]) {
        let fault: Fault = fault.parse().unwrap();
        let links = [None, Some(Links::Toxiproxy), Some(Links::Extended)];
        let found = links.into_iter().flat_map(|links| {
            [false, true].map(|has_hook| Carrier::of(&fault, links, has_hook).ok())
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{fault}");
    }

    #[test]
    fn links_carry_out_what_they_can_and_a_hook_the_rest() {
        let (links, hook) = (Some(Carrier::Links), Some(Carrier::Hook));
        check("latency 5ms", [None, hook, links, links, links, links]);
        check("drop_reply", [None, hook, None, hook, links, links]);
        check("full_backlog", [None, hook, None, hook, None, hook]);
        check("pause", [None, hook, None, hook, None, hook]);
        check("proxy_pause", [None, hook, None, hook, None, hook]);
        check("client_flood", [None; 6]);
    }
}
