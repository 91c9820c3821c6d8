//! A cluster description as YAML for people to keep, in the order in which they read it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use serde_saphyr::{DoubleQuoted, FlowMap};
use testbed::text::printable;

use crate::planner::ClusterFile;

/// The policy, its settings, and one line per node.
#[derive(Serialize)]
struct Description {
    policy: Value,
    #[serde(flatten)]
    settings: Map<String, Value>,
    nodes: Vec<FlowMap<BTreeMap<String, Field>>>,
}

/// A field of a node.
#[derive(Serialize)]
#[serde(untagged)]
enum Field {
    /// Quoted if YAML asks for it.
    Plain(Value),
    /// A text that the console escapes: within double quotes, and only there, YAML reads the escape as the character.
    Quoted(DoubleQuoted<String>),
}

impl From<Value> for Field {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) if printable(&text) != text => Self::Quoted(DoubleQuoted(text)),
            value => Self::Plain(value),
        }
    }
}

/// The description, one line per field and one line per node.
#[must_use]
pub(super) fn cluster(cluster: &ClusterFile) -> String {
    let Ok(Value::Object(mut settings)) = serde_json::to_value(cluster) else {
        return String::new();
    };
    let mut field = |name| settings.remove(name).unwrap_or_default();
    let (policy, nodes) = (field("policy"), field("nodes"));
    let description = Description {
        policy,
        settings,
        nodes: match nodes {
            Value::Array(nodes) => nodes.into_iter().map(node).collect(),
            _ => Vec::new(),
        },
    };
    // A tree of texts, numbers and lists can always be written.
    serde_saphyr::to_string(&description).unwrap_or_default()
}

fn node(node: Value) -> FlowMap<BTreeMap<String, Field>> {
    let fields = match node {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let fields = fields.into_iter();
    FlowMap(fields.map(|(name, value)| (name, value.into())).collect())
}

#[cfg(test)]
mod tests {
    use super::cluster;
    use crate::planner::description::{Hints, read};
    use crate::planner::{Cluster, ClusterFile, Node, Policy, TagRule};
    use testbed::text::printable;

    #[test]
    fn written_values_are_read() {
        let mut one = Node::at("redis-1:6379");
        one.hash_key = Some("# {x}: 'y'".to_owned());
        let mut two = Node::at("[::1]:6379");
        two.slots = vec![10..=99, 5000..=5000];
        one.slots = vec![0..=9, 100..=4999, 5001..=16_383];
        for (policy, weight) in [
            (Policy::Slots, 1),
            (Policy::ring_hash(), 3),
            (Policy::modula(), 2),
        ] {
            let mut described = Cluster::new(policy, vec![one.clone(), two.clone()]);
            described.nodes[1].weight = weight;
            described.tags = TagRule::BRACES;
            let text = cluster(&ClusterFile::of(&described));
            let back = read(&text, "found.yaml", &Hints::default()).unwrap();
            assert_eq!(back.cluster, described, "{text}");
        }
    }

    #[test]
    fn a_line_a_field_and_a_line_a_node() {
        let mut one = Node::at("10.0.0.1:6379");
        one.hash_key = Some("it's \"one\"".to_owned());
        let mut described = Cluster::new(Policy::ketama(), vec![one, Node::at("10.0.0.2:6379")]);
        described.tags = TagRule::Between(b'$', b'$');
        assert_eq!(
            cluster(&ClusterFile::of(&described)),
            "policy: ketama\nhash: fnv1a_64\nhash_tags: $$\nnodes:\n\
             - {address: 10.0.0.1:6379, hash_key: it's \"one\", weight: 1}\n\
             - {address: 10.0.0.2:6379, weight: 1}\n"
        );
    }

    /// A name of any form stays a text, also after the console has escaped it.
    #[test]
    fn any_name_is_read_as_it_was() {
        for name in [
            "true",
            "~",
            "1e3",
            "0x1f",
            "a, b: {c}",
            "- a",
            "# a",
            " a ",
            "a\nb",
            "'\"'",
            "\\u0041",
            "\u{1b}[2J\u{7}",
            "\0",
            "a\u{202e}b",
            "\u{2028}",
            "\u{feff}",
            "\u{85}",
            "\u{fffd}",
            "&a *a !a",
            "<script>alert(1)</script>]]>",
        ] {
            let mut node = Node::at("10.0.0.1:6379");
            node.hash_key = Some(name.to_owned());
            let described = Cluster::new(Policy::ketama(), vec![node]);
            let text = cluster(&ClusterFile::of(&described));
            assert_eq!(text.lines().count(), 5, "{name:?}: {text}");
            for text in [printable(&text), text.as_str().into()] {
                let back = read(&text, "found.yaml", &Hints::default());
                let back = back.unwrap_or_else(|why| panic!("{name:?}: {why}: {text}"));
                assert_eq!(back.cluster, described, "{text}");
            }
        }
    }
}
