//! Register of the keys that this process writes on servers that it did not start, so that they are removed however the
//! process ends.
//!
//! There is one register per process, because a signal ends every run at once, and the cleanup has no run to ask. Only
//! servers that the suite did not start are registered; others end with the process.

mod expire;
mod left;
mod sweep;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::endpoint::Endpoint;

pub use expire::expire;
pub use left::{Left, Place, report};
pub use sweep::delete;

/// Time to live of every key that the suite writes on foreign servers, in seconds.
pub const TTL_S: u64 = 3600;

static REGISTER: Mutex<Vec<Arc<Trace>>> = Mutex::new(Vec::new());

/// Where a run writes, and under which names.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The substring that every key of the run contains, random enough that no foreign key does. Without it only keys
    /// that were recorded are removed.
    pub prefix: Option<String>,
    /// The nodes that are known.
    pub nodes: Vec<Endpoint>,
    /// The proxy, unless the suite started it.
    pub proxy: Option<Endpoint>,
}

#[derive(Debug)]
struct Trace {
    scope: Scope,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    keys: BTreeSet<Vec<u8>>,
    scripts: BTreeSet<Vec<u8>>,
}

/// The record of one run on foreign servers.
#[derive(Debug, Clone)]
pub struct Record {
    trace: Arc<Trace>,
}

impl Record {
    /// Registers a run. Call it before the first write.
    #[must_use]
    pub fn open(scope: Scope) -> Self {
        let written = Mutex::default();
        let trace = Arc::new(Trace { scope, written });
        lock(&REGISTER).push(Arc::clone(&trace));
        Self { trace }
    }

    /// Records a key, before it is written.
    pub fn key(&self, key: &[u8]) {
        let mut written = lock(&self.trace.written);
        if !written.keys.contains(key) {
            written.keys.insert(key.to_vec());
        }
    }

    /// Records a script that stays in the script caches of nodes; no command removes a single one.
    pub fn script(&self, script: &[u8]) {
        lock(&self.trace.written).scripts.insert(script.to_vec());
    }

    /// Where keys are found: the nodes, or the proxy where no node is known.
    #[must_use]
    pub fn places(&self) -> Vec<Endpoint> {
        let Scope { nodes, proxy, .. } = &self.trace.scope;
        match nodes.is_empty() {
            true => proxy.iter().copied().collect(),
            false => nodes.clone(),
        }
    }
}

/// Removes everything that was registered, and returns the rest: one entry per run. Empty if nothing was registered.
///
/// Removed keys are unregistered, so that a second call has less to do.
pub async fn clean() -> Vec<Left> {
    let traces = std::mem::take(&mut *lock(&REGISTER));
    let mut all = Vec::with_capacity(traces.len());
    for trace in traces {
        let left = trace.clean().await;
        if !left.places.is_empty() {
            lock(&REGISTER).push(trace);
        }
        all.push(left);
    }
    all
}

/// Whether anything is registered.
#[must_use]
pub fn is_empty() -> bool {
    lock(&REGISTER).is_empty()
}

impl Trace {
    async fn clean(&self) -> Left {
        let (keys, scripts) = {
            let written = lock(&self.written);
            let keys: Vec<Vec<u8>> = written.keys.iter().cloned().collect();
            (keys, written.scripts.len())
        };
        let mut places = Vec::new();
        let prefix = self.scope.prefix.as_deref();
        // The proxy first: it may place keys on nodes that are not known.
        if let Some(proxy) = self.scope.proxy {
            let place = sweep::proxy(proxy, &keys).await;
            // If the nodes are known, they are asked in place of a lost proxy.
            places.extend(place.filter(|place| place.why.is_none() || self.scope.nodes.is_empty()));
        }
        for node in &self.scope.nodes {
            places.extend(sweep::node(*node, prefix, &keys).await);
        }
        Left {
            prefix: self.scope.prefix.clone(),
            places,
            scripts,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
