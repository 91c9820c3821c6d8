//! Capabilities of proxies: the closed list for `needs` of cases and `capabilities` of targets.

use crate::text;

/// Something that a proxy can do, by its name in [`CAPABILITIES`].
pub type Capability = String;

/// Every capability with its meaning, sorted by name.
pub const CAPABILITIES: &[(&str, &str)] = &[
    ("client-setname", "CLIENT SETNAME is accepted"),
    ("config", "CONFIG SET and CONFIG GET reach all nodes"),
    ("dbsize", "DBSIZE sums over all nodes"),
    ("echo", "ECHO is answered"),
    (
        "eject",
        "a configuration that ejects nodes which fail, and takes them back",
    ),
    ("eval", "EVAL runs on the node of its keys"),
    ("flush", "FLUSHALL and FLUSHDB reach all nodes"),
    (
        "functions",
        "FUNCTION reaches all nodes, FCALL the node of its keys",
    ),
    ("hash-tags", "a part of the key in braces chooses the node"),
    ("hello", "HELLO is answered"),
    ("inline", "requests may be lines of plain words"),
    ("keys", "KEYS lists the keys of all nodes"),
    ("order-free", "the order of the nodes decides no key's node"),
    ("ping-local", "PING is answered without any node"),
    ("randomkey", "RANDOMKEY asks the nodes until one has a key"),
    (
        "rescale-live",
        "the cluster changes while clients stay connected",
    ),
    ("resp3", "HELLO 3 changes the protocol"),
    ("same-node-commands", "commands on several keys of one node"),
    ("scan", "SCAN goes through the keys of all nodes"),
    (
        "script-load",
        "SCRIPT reaches all nodes, EVALSHA the node of its keys",
    ),
    ("select", "SELECT 0 is accepted"),
    ("split-del", "DEL of keys on several nodes"),
    ("split-mget", "MGET of keys on several nodes"),
    ("split-mset", "MSET of keys on several nodes"),
    ("split-touch", "TOUCH of keys on several nodes"),
    ("split-unlink", "UNLINK of keys on several nodes"),
    ("time", "TIME is answered"),
    (
        "transactions",
        "MULTI, EXEC and DISCARD with keys of one node",
    ),
    ("watch", "WATCH and UNWATCH protect a transaction"),
];

/// `None` if `name` is in the list; otherwise what to write instead.
#[must_use]
pub fn correction(name: &str) -> Option<String> {
    let names = || CAPABILITIES.iter().map(|(name, _)| *name);
    if names().any(|known| known == name) {
        return None;
    }
    Some(match text::nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected one of {}", names().collect::<Vec<_>>().join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_explained_in_the_documents() {
        assert!(CAPABILITIES.is_sorted_by(|(one, _), (other, _)| one < other));
        let readme = include_str!("../../../../docs/targets.md");
        for (name, meaning) in CAPABILITIES {
            let row = format!("| `{name}` | {meaning} |");
            assert!(readme.contains(&row), "missing in docs/targets.md: {row}");
        }
    }

    #[test]
    fn a_near_name_is_proposed_and_else_all() {
        assert_eq!(correction("split-mget"), None);
        let near = |name| correction(name).expect(name);
        assert_eq!(near("splt-mget"), "did you mean `split-mget`?");
        assert_eq!(near("transaction"), "did you mean `transactions`?");
        assert!(near("blockchain").starts_with("expected one of client-setname, config, "));
    }
}
