//! The settings of predixy's file; it refuses others. Values that do not affect placement are left to predixy.
//!
//! Source: predixy at commit fb1ac64, `src/Conf.cpp`.

use super::super::{Error, Suggestion, Why};
use super::conf::Entry;

/// Of the whole file.
pub(super) const GLOBAL: &[&str] = &[
    "AllowMissLog",
    "Authority",
    "Bind",
    "BufSize",
    "ClientTimeout",
    "ClusterServerPool",
    "CustomCommand",
    "DataCenter",
    "LatencyMonitor",
    "LocalDC",
    "Log",
    "LogDebugSample",
    "LogErrorSample",
    "LogInfoSample",
    "LogNoticeSample",
    "LogRotate",
    "LogVerbSample",
    "LogWarnSample",
    "MaxMemory",
    "Name",
    "SentinelServerPool",
    "StandaloneServerPool",
    "WorkerThreads",
];

/// Of any pool.
const POOL: &[&str] = &[
    "Databases",
    "DynamicSlaveReadPriority",
    "KeepAlive",
    "MasterReadPriority",
    "Password",
    "RefreshInterval",
    "ServerFailureLimit",
    "ServerRetryTimeout",
    "ServerTimeout",
    "StaticSlaveReadPriority",
];

/// Of a pool of groups.
pub(super) const STANDALONE: &[&str] = &[
    "Distribution",
    "Group",
    "Hash",
    "HashTag",
    "RefreshMethod",
    "Sentinels",
];

/// Of a Redis Cluster.
pub(super) const CLUSTER: &[&str] = &["Servers"];

/// Of a setting without a near name.
const OF_ANOTHER_VERSION: &str =
    "predixy does not know it; leave it out if another version does and it places no key";

/// Checks the names of all settings of the file.
pub(super) fn check_global(entries: &[Entry]) -> Result<(), Error> {
    check(entries, &[GLOBAL], "the file")
}

/// Checks the names of all settings of a pool.
pub(super) fn check_pool(pool: &Entry, own: &[&'static str]) -> Result<(), Error> {
    check(&pool.scope, &[POOL, own], "a pool")
}

fn check(entries: &[Entry], tables: &[&[&'static str]], of: &'static str) -> Result<(), Error> {
    let known = || tables.iter().flat_map(|table| table.iter().copied());
    let unknown = entries
        .iter()
        .find(|entry| !known().any(|name| entry.is(name)));
    let Some(entry) = unknown else {
        return Ok(());
    };
    let instead = match Suggestion::nearest(&entry.key, known()) {
        Suggestion::Unknown => Suggestion::Known(OF_ANOTHER_VERSION),
        near => near,
    };
    // A server without a space after + may have a password.
    let field = match entry.key.contains('@') {
        true => "(not shown)".to_owned(),
        false => entry.key.clone(),
    };
    Err(Why::UnknownField { field, of, instead }.at(entry.place.clone()))
}

#[cfg(test)]
mod tests {
    use super::{CLUSTER, GLOBAL, POOL, STANDALONE};

    #[test]
    fn settings_are_sorted() {
        for table in [GLOBAL, POOL, STANDALONE, CLUSTER] {
            assert!(table.is_sorted(), "{table:?}");
        }
    }
}
