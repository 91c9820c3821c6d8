//! All proxies of a server, by name.

use std::collections::BTreeMap;

use super::super::api;
use super::Failed;
use super::body::NewProxy;
use super::proxy::Proxy;
use crate::chance::Chance;

#[derive(Debug)]
pub(super) struct Collection {
    proxies: BTreeMap<String, Proxy>,
    chance: Chance,
}

impl Collection {
    pub(super) fn new(chance: Chance) -> Self {
        Self {
            proxies: BTreeMap::new(),
            chance,
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Proxy> {
        self.proxies.values()
    }

    pub(super) fn find(&mut self, name: &str) -> Result<&mut Proxy, Failed> {
        self.proxies.get_mut(name).ok_or(Failed::NoProxy)
    }

    pub(super) async fn create(&mut self, new: NewProxy) -> Result<api::Proxy, Failed> {
        complete(&new, "")?;
        if self.proxies.contains_key(&new.name) {
            return Err(Failed::ProxyExists);
        }
        self.insert(new).await
    }

    /// Creates the proxies that are new and replaces those that listen or connect elsewhere now; the others stay as
    /// they are, with their toxics. The ones that were made also on failure.
    pub(super) async fn populate(
        &mut self,
        new: Vec<NewProxy>,
    ) -> (Vec<api::Proxy>, Result<(), Failed>) {
        let mut made = Vec::new();
        for (number, proxy) in (1..).zip(&new) {
            if let Err(why) = complete(proxy, &format!(" at proxy {number}")) {
                return (made, Err(why));
            }
        }
        for proxy in new {
            match self.put(proxy).await {
                Ok(proxy) => made.push(proxy),
                Err(why) => return (made, Err(why)),
            }
        }
        (made, Ok(()))
    }

    async fn put(&mut self, new: NewProxy) -> Result<api::Proxy, Failed> {
        if let Some(existing) = self.proxies.get_mut(&new.name) {
            if !existing.differs(&new.listen, &new.upstream).await? {
                return Ok(existing.shown());
            }
            existing.disable().await;
        }
        self.insert(new).await
    }

    async fn insert(&mut self, new: NewProxy) -> Result<api::Proxy, Failed> {
        let mut proxy = Proxy::new(new.name.clone(), new.listen, new.upstream, self.chance);
        if new.enabled {
            proxy.enable().await?;
        }
        let shown = proxy.shown();
        self.proxies.insert(new.name, proxy);
        Ok(shown)
    }

    pub(super) async fn delete(&mut self, name: &str) -> Result<(), Failed> {
        let mut proxy = self.proxies.remove(name).ok_or(Failed::NoProxy)?;
        proxy.disable().await;
        Ok(())
    }

    /// Enables all proxies and removes all toxics.
    pub(super) async fn reset(&mut self) -> Result<(), Failed> {
        for proxy in self.proxies.values_mut() {
            proxy.enable().await?;
            proxy.toxics.remove(|_| true);
        }
        Ok(())
    }
}

fn complete(new: &NewProxy, place: &str) -> Result<(), Failed> {
    let missing = |field: &str| Err(Failed::Field(format!("{field}{place}")));
    if new.name.is_empty() {
        return missing("name");
    }
    if new.upstream.is_empty() {
        return missing("upstream");
    }
    Ok(())
}
