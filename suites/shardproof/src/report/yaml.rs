//! A cluster description as YAML, for people to keep: what JSON says in the order in which people look for it.

use serde_json::Value;

use crate::planner::ClusterFile;

/// The description, a line a field and a line a node.
#[must_use]
pub(super) fn cluster(cluster: &ClusterFile) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(cluster) else {
        return String::new();
    };
    let nodes = fields.remove("nodes");
    let policy = fields.remove("policy");
    let mut lines: Vec<String> = policy
        .iter()
        .map(|policy| format!("policy: {}", plain(policy)))
        .collect();
    lines.extend(
        fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    lines.push("nodes:".to_owned());
    for node in nodes.iter().filter_map(Value::as_array).flatten() {
        lines.push(format!("  - {}", flow(node)));
    }
    lines.join("\n") + "\n"
}

/// JSON is YAML; without quotes around names it reads better.
fn flow(node: &Value) -> String {
    let Value::Object(fields) = node else {
        return node.to_string();
    };
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    format!("{{ {} }}", fields.join(", "))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or(value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::cluster;
    use crate::planner::description::{Hints, read};
    use crate::planner::{Cluster, ClusterFile, Node, Policy, TagRule};

    #[test]
    fn what_is_written_is_read() {
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
            "policy: ketama\nhash: \"fnv1a_64\"\nhash_tags: \"$$\"\nnodes:\n  \
             - { address: \"10.0.0.1:6379\", hash_key: \"it's \\\"one\\\"\", weight: 1 }\n  \
             - { address: \"10.0.0.2:6379\", weight: 1 }\n"
        );
    }
}
