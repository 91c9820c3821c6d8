//! Refproxy's file, whole or only its `cluster:` part; the JSON of its admin interface is such a part.

use ::placement::Placement;
use ::placement::file::{ClusterFile, yaml};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::tree::{Content, Tree};
use super::{Described, Error, Hints, Unread, Why, agrees, check_address, described, place};

/// The part of the file that decides where keys are. The rest is refproxy's own.
#[derive(Debug, Deserialize)]
struct File {
    cluster: Spanned<ClusterFile>,
}

/// A whole file, whose tree is `top`.
pub(super) fn read_config(
    (text, top): (&str, &Tree),
    name: &str,
    hints: &Hints,
) -> Result<Described, Error> {
    check_addresses(top.get("cluster"), name)?;
    let file: File = yaml::parse(text, name)?;
    let place = place(name, &file.cluster);
    check(file.cluster.value, &place, hints)
}

/// The `cluster:` part alone.
pub(super) fn read_cluster(
    (text, top): (&str, &Tree),
    name: &str,
    hints: &Hints,
) -> Result<Described, Error> {
    check_addresses(Some(top), name)?;
    let file: Spanned<ClusterFile> = yaml::parse(text, name)?;
    let place = place(name, &file);
    check(file.value, &place, hints)
}

/// Before anything else, because other errors repeat addresses.
fn check_addresses(cluster: Option<&Tree>, name: &str) -> Result<(), Error> {
    let nodes = cluster.and_then(|cluster| cluster.get("nodes"));
    let nodes = match nodes.map(|nodes| &nodes.content) {
        Some(Content::List(nodes)) => nodes.as_slice(),
        _ => &[],
    };
    for address in nodes.iter().filter_map(|node| node.get("address")) {
        check_address(address.text().unwrap_or_default())
            .map_err(|why| Why::from(why).at(format!("{name}:{}", address.line)))?;
    }
    Ok(())
}

/// Its checks are refproxy's own, the placement among them.
pub(super) fn check(file: ClusterFile, place: &str, hints: &Hints) -> Result<Described, Error> {
    let cluster = file
        .cluster()
        .map_err(|error| Unread(format!("{place}: {error}")))?;
    Placement::new(&cluster).map_err(|error| Unread(format!("{place}: {error}")))?;
    agrees(cluster.tag_rule(), hints).map_err(|why| why.at(place))?;
    let nodes = cluster.nodes.iter();
    let reach = nodes.map(|node| node.address.clone()).collect();
    described(cluster, reach, place.to_owned())
}
