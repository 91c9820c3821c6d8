//! Refproxy's file, whole or only its `cluster:` part; the JSON of its admin interface is such a part.

use ::refproxy::config::{ClusterFile, yaml};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Described, Error, Unread, place};

/// The part of the file that says where keys are. The rest is refproxy's own business.
#[derive(Debug, Deserialize)]
struct File {
    cluster: Spanned<ClusterFile>,
}

/// A whole file.
pub(super) fn read_config(text: &str, name: &str) -> Result<Described, Error> {
    let file: File = yaml::parse(text, name)?;
    let place = place(name, &file.cluster);
    check(file.cluster.value, &place)
}

/// The `cluster:` part alone.
pub(super) fn read_cluster(text: &str, name: &str) -> Result<Described, Error> {
    let file: Spanned<ClusterFile> = yaml::parse(text, name)?;
    let place = place(name, &file);
    check(file.value, &place)
}

/// Its checks are refproxy's own, the placement among them.
pub(super) fn check(file: ClusterFile, place: &str) -> Result<Described, Error> {
    let cluster = file
        .check()
        .map_err(|error| Unread(format!("{place}: {error}")))?;
    let nodes = cluster.nodes.iter();
    let reach = nodes.map(|node| node.address.clone()).collect();
    Ok(Described { cluster, reach })
}
