//! The file of a proxy inside a Kubernetes ConfigMap.

use super::tree::{self, Merges, Tree};
use super::{Description, Error, Hints, Why, envoy, twemproxy};

/// Whether a file is a manifest of Kubernetes.
pub(super) fn is_one(top: &Tree) -> bool {
    top.get("apiVersion").is_some() && top.get("kind").is_some()
}

/// Reads the only entry of `data` that describes a cluster, with the hints. Lines in errors are those of the entry.
pub(super) fn read(top: &Tree, name: &str, hints: &Hints) -> Result<Description, Error> {
    let data = top.get("data").map(Tree::entries).unwrap_or_default();
    let texts = data
        .iter()
        .filter_map(|(key, tree)| Some((key, tree.text()?)));
    let files = texts.filter(|(_, text)| describes_a_cluster(text));
    let read = files.map(|(key, text)| {
        (
            key,
            super::read_description(text, &format!("{name}[{key}]"), hints),
        )
    });
    let (good, bad): (Vec<_>, Vec<_>) = read.partition(|(_, read)| read.is_ok());
    match good.len() {
        0 => bad
            .into_iter()
            .next()
            .map_or_else(|| Err(Why::Manifest.at(name)), |it| it.1),
        1 => good
            .into_iter()
            .next()
            .map_or_else(|| Err(Why::Manifest.at(name)), |it| it.1),
        _ => Err(Why::SeveralEntries(good.into_iter().map(|it| it.0.clone()).collect()).at(name)),
    }
}

fn describes_a_cluster(text: &str) -> bool {
    let parsed = tree::parse(text, "", Merges::Merged);
    parsed.is_ok_and(|top| {
        let of_refproxy = ["cluster", "policy", "nodes"];
        envoy::are_in(&top)
            || twemproxy::has_pools(&top)
            || (!is_one(&top) && of_refproxy.iter().any(|field| top.get(field).is_some()))
    })
}
