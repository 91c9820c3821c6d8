//! The proxy in an experiment, and how its cluster changes: one that the suite started, or running ones of others.

use std::net::SocketAddr;
use std::time::Duration;

use testbed::endpoint::Endpoint;
use testbed::reload::Reload;
use testbed::targets::Proxy;

use super::Error;
use super::plan::Plan;
use super::settle;
use super::traffic::Traffic;

/// Keys that are read until a change shows: enough that some of them move when one of many nodes comes or goes.
const SAMPLE: usize = 1000;

/// Running proxies that the suite did not start, and how their cluster changes.
#[derive(Debug)]
pub enum Running {
    /// One proxy over the nodes before, and another one over those after.
    Two {
        /// The first.
        before: Endpoint,
        /// The second.
        after: Endpoint,
    },
    /// One proxy whose cluster is changed by a command.
    Reloaded {
        /// The proxy.
        proxy: Endpoint,
        /// The command.
        reload: Reload,
        /// How long the change may take to show after the command has ended.
        within: Duration,
    },
}

/// Which cluster is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

pub(super) enum Front<'a> {
    Started {
        proxy: &'a mut Proxy,
        links: Vec<SocketAddr>,
    },
    Running(&'a Running),
}

impl Running {
    /// The proxy in front of the cluster of one side.
    fn endpoint(&self, side: Side) -> Endpoint {
        match (self, side) {
            (Self::Two { before, .. }, Side::Before) => *before,
            (Self::Two { after, .. }, Side::After) => *after,
            (Self::Reloaded { proxy, .. }, _) => *proxy,
        }
    }
}

impl Front<'_> {
    /// The proxy in front of the cluster of one side.
    pub(super) fn endpoint(&self, side: Side) -> Endpoint {
        match self {
            Self::Started { proxy, .. } => proxy.addr().into(),
            Self::Running(running) => running.endpoint(side),
        }
    }

    /// Changes the cluster. The change of a running proxy is in force when the answers for the keys, which are all written,
    /// have changed.
    pub(super) async fn change(
        &mut self,
        side: Side,
        (plan, traffic): (&Plan, &Traffic<'_>),
        keys: &[&[u8]],
    ) -> Result<(), Error> {
        match self {
            Self::Started { proxy, links } => {
                let count = match side {
                    Side::Before => plan.from,
                    Side::After => plan.to,
                };
                Ok(proxy.rescale(links[..count].to_vec()).await?)
            }
            Self::Running(Running::Two { .. }) => Ok(()),
            Self::Running(Running::Reloaded {
                proxy,
                reload,
                within,
            }) => {
                let sample = &keys[..keys.len().min(SAMPLE)];
                let read = async || traffic.read(*proxy, sample).await;
                let before = read().await?;
                match side {
                    Side::After => reload.there().await?,
                    Side::Before => reload.back().await?,
                }
                settle::settled(read, &before, (*within, settle::BETWEEN)).await
            }
        }
    }

    /// Whether others run it, so that its nodes are as they say.
    pub(super) fn is_of_others(&self) -> bool {
        matches!(self, Self::Running(_))
    }
}
