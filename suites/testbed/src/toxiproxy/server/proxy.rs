//! One proxy: a link that comes and goes, with toxics and counts that stay.

use std::net::SocketAddr;
use std::sync::Arc;

use super::super::api;
use super::Failed;
use super::body::ProxyChange;
use crate::chance::Chance;
use crate::fault::Stream;
use crate::link::{Ending, Link, Setup, Toxics, Traffic};

#[derive(Debug)]
pub(super) struct Proxy {
    name: String,
    /// As given, or as it turned out.
    listen: String,
    upstream: String,
    pub(super) toxics: Toxics,
    pub(super) traffic: Arc<Traffic>,
    chance: Chance,
    /// `None` while the proxy is disabled.
    link: Option<Link>,
}

impl Proxy {
    /// A proxy that is not enabled yet.
    pub(super) fn new(name: String, listen: String, upstream: String, chance: Chance) -> Self {
        Self {
            chance: chance.named(&name),
            name,
            listen,
            upstream,
            toxics: Toxics::default(),
            traffic: Arc::default(),
            link: None,
        }
    }

    pub(super) fn shown(&self) -> api::Proxy {
        let mut toxics = self.toxics.list();
        toxics.sort_by_key(|toxic| toxic.stream == Stream::Downstream);
        api::Proxy {
            name: self.name.clone(),
            listen: self.listen.clone(),
            upstream: self.upstream.clone(),
            enabled: self.link.is_some(),
            toxics,
        }
    }

    /// Listens, unless it does already. Port 0 becomes the one that was free.
    pub(super) async fn enable(&mut self) -> Result<(), Failed> {
        if self.link.is_none() {
            let link = Link::set_up(Setup {
                listen: resolved(&self.listen).await?,
                upstream: self.upstream.clone(),
                tap: None,
                toxics: self.toxics.clone(),
                traffic: self.traffic.clone(),
                chance: self.chance,
                ending: Ending::Close,
            })?;
            self.listen = link.addr().to_string();
            self.link = Some(link);
        }
        Ok(())
    }

    /// Ends all connections and listens no more, as seen from outside when this returns.
    pub(super) async fn disable(&mut self) {
        if let Some(link) = self.link.take() {
            // A link that has ended by itself is as down as it can be.
            let _ = link.down().await;
        }
    }

    /// Whether it would have to listen or connect elsewhere.
    pub(super) async fn differs(&self, listen: &str, upstream: &str) -> Result<bool, Failed> {
        if upstream != self.upstream {
            return Ok(true);
        }
        Ok(listen != self.listen && resolved(listen).await?.to_string() != self.listen)
    }

    /// A change without effect.
    pub(super) fn unchanged(&self) -> ProxyChange {
        ProxyChange {
            listen: self.listen.clone(),
            upstream: self.upstream.clone(),
            enabled: self.link.is_some(),
        }
    }

    /// Applies `change`. Another address closes all connections.
    pub(super) async fn change(&mut self, change: ProxyChange) -> Result<(), Failed> {
        if self.differs(&change.listen, &change.upstream).await? {
            self.disable().await;
            (self.listen, self.upstream) = (change.listen, change.upstream);
        }
        if change.enabled {
            self.enable().await
        } else {
            self.disable().await;
            Ok(())
        }
    }
}

/// `HOST:PORT`, or `:PORT` for all addresses of the machine. IPv4 comes first if a name has both, as in Go.
async fn resolved(listen: &str) -> Result<SocketAddr, Failed> {
    let full = match listen.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        // Toxiproxy, too, treats a missing address as any port.
        None if listen.is_empty() => "0.0.0.0:0".to_owned(),
        None => listen.to_owned(),
    };
    let failed = |why: String| Failed::Listen(format!("listen {listen}: {why}"));
    let found = tokio::net::lookup_host(full).await;
    let found: Vec<SocketAddr> = found.map_err(|why| failed(why.to_string()))?.collect();
    let first = found.iter().find(|addr| addr.is_ipv4()).or(found.first());
    first
        .copied()
        .ok_or_else(|| failed("no address".to_owned()))
}
