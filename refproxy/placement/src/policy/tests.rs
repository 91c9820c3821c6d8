//! Laws of the table of policies.

use std::collections::BTreeSet;

use super::{Policy, ROWS};
use crate::file::ClusterFile;
use crate::{Cluster, Node, Placement, SettingError, Value};

/// The nodes of `key:0` to `key:15`, over five nodes (one under a policy that scatters). Computed before there were rows; recordings
/// from the proxies are in `tests` and in fixtures/placement.
#[rustfmt::skip]
const VECTORS: &[(&str, [u16; 16])] = &[
    ("maglev", [3, 2, 2, 2, 4, 1, 0, 0, 4, 3, 1, 4, 1, 2, 0, 0]),
    ("ring_hash", [2, 4, 1, 2, 1, 1, 2, 0, 4, 3, 1, 0, 2, 1, 1, 3]),
    ("ketama", [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3]),
    ("modula", [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0]),
    ("random", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("predixy", [0, 0, 3, 3, 1, 1, 4, 4, 1, 1, 1, 4, 4, 2, 1, 4]),
    ("slots", [0, 2, 3, 4, 0, 2, 3, 4, 0, 2, 1, 0, 4, 2, 1, 0]),
    ("libketama", [2, 4, 0, 4, 1, 1, 4, 3, 2, 2, 4, 1, 4, 4, 2, 3]),
    ("jump", [2, 2, 0, 0, 0, 4, 3, 4, 0, 0, 4, 1, 4, 1, 4, 2]),
    ("rendezvous", [3, 1, 4, 4, 1, 3, 3, 1, 4, 2, 3, 4, 4, 3, 4, 3]),
];

fn cluster(policy: Policy) -> Cluster {
    let count = if policy.scatters() { 1 } else { 5 };
    let nodes = (1..=count).map(|host| Node::at(format!("10.0.0.{host}:6379")));
    Cluster::new(policy, nodes.collect())
}

#[test]
fn rows_are_the_files_of_this_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/policy");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|stem| !["mod", "tests"].contains(&stem.as_str()))
        .collect();
    let names: Vec<&str> = Policy::all().map(|policy| policy.name()).collect();
    assert_eq!(names.len(), files.len(), "a name is there twice");
    assert_eq!(
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>(),
        files
    );
}

/// A row that another policy's default leads to would answer for it.
#[test]
fn each_policy_leads_to_its_row() {
    for row in ROWS {
        assert!(std::ptr::eq(row.default.row(), *row), "{}", row.name);
        assert_eq!(Policy::named(row.name).as_ref(), Some(&row.default));
    }
    assert_eq!(Policy::named("MAGLEV"), None);
}

#[test]
fn each_policy_has_a_vector() {
    for policy in Policy::all() {
        let vector = VECTORS.iter().find(|(name, _)| *name == policy.name());
        let (name, expected) = vector.unwrap_or_else(|| panic!("{policy:?} has no vector"));
        let placement = Placement::new(&cluster(policy)).unwrap();
        let keys = std::array::from_fn(|key| format!("key:{key}"));
        assert_eq!(
            keys.map(|key: String| placement.node(key.as_bytes()).0),
            *expected,
            "{name}"
        );
    }
}

/// The flags in the rows match the tables.
#[test]
fn weights_change_a_table_or_are_refused() {
    for policy in Policy::placing() {
        let equal = cluster(policy.clone());
        let mut weighted = equal.clone();
        weighted.nodes[0].weight = 7;
        match Placement::new(&weighted) {
            Ok(placement) => {
                assert!(policy.supports_weights(), "{policy:?}");
                let equal = Placement::new(&equal).unwrap();
                assert!(placement.shares()[0] > equal.shares()[0], "{policy:?}");
            }
            Err(why) => {
                assert!(!policy.supports_weights(), "{policy:?}");
                let expected = format!("policy {} does not support weights", policy.name());
                assert!(why.to_string().ends_with(&expected), "{why}");
            }
        }
    }
}

/// A setting that the file lacked would be lost when a cluster is shown.
#[test]
fn each_setting_is_a_field_of_the_file() {
    for policy in Policy::all() {
        let file = serde_json::to_value(ClusterFile::of(&cluster(policy.clone()))).unwrap();
        for (name, value) in policy.settings() {
            let shown = match value {
                Value::Number(number) => number.into(),
                Value::Switch(on) => on.into(),
                Value::Word(word) => serde_json::Value::String(word),
            };
            assert_eq!(file[name], shown, "{name} of {policy:?}");
        }
    }
}

#[test]
fn settings_are_changed_by_name() {
    for mut policy in Policy::all() {
        for (name, value) in policy.settings() {
            let other = match &value {
                Value::Number(number) => Value::Number(number - 1),
                Value::Switch(on) => Value::Switch(!on),
                Value::Word(word) if word == "XX_HASH" => Value::Word("MURMUR_HASH_2".to_owned()),
                Value::Word(word) if word == "crc16" => Value::Word("atol".to_owned()),
                Value::Word(_) => Value::Word("md5".to_owned()),
            };
            policy.set(name, &other).unwrap();
            assert!(policy.settings().contains(&(name, other)), "{policy:?}");
            let wrong = Value::Word("nothing".to_owned());
            assert!(
                matches!(policy.set(name, &wrong), Err(SettingError::Value { .. })),
                "{name} of {policy:?}"
            );
        }
        let unsupported = policy.set("no_such_setting", &Value::Number(1));
        assert_eq!(
            unsupported.unwrap_err().to_string(),
            format!("policy {} does not support no_such_setting", policy.name())
        );
    }
}
