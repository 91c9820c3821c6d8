//! The shape of a cluster in YAML and JSON: the `cluster:` part of the file, the body of `PUT /cluster` and the answer
//! of `GET /cluster`. Settings have the names of the proxies that have them; one that the policy does not support is an
//! error.

pub mod yaml;

use serde::{Deserialize, Serialize};

use crate::hash::TagRule;
use crate::{Cluster, Health, Locality, Node, Panic, Placed, Policy, SettingError, Value};

/// The `cluster:` part of the file, which `PUT /cluster` takes as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterFile {
    policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_ring_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_ring_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash_function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash_hostnames: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    #[serde(default)]
    hash_tags: TagsFile,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthy_panic_threshold: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overprovisioning_factor: Option<u32>,
    nodes: Vec<NodeFile>,
}

/// On, off, or the two bytes around a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected true, false or two characters")]
enum TagsFile {
    Braces(bool),
    Between(String),
}

impl Default for TagsFile {
    fn default() -> Self {
        Self::Braces(false)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    address: String,
    weight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash_key: Option<String>,
    #[serde(default, skip_serializing_if = "HealthFile::is_healthy")]
    health: HealthFile,
    #[serde(default, skip_serializing_if = "is_zero")]
    priority: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    locality: Option<LocalityFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slots: Vec<(u16, u16)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HealthFile {
    #[default]
    Healthy,
    Degraded,
    Unhealthy,
    Draining,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalityFile {
    name: String,
    weight: u32,
}

impl ClusterFile {
    /// The shape of `cluster`.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        let mut file = Self {
            policy: cluster.policy.name().to_owned(),
            table_size: None,
            minimum_ring_size: None,
            maximum_ring_size: None,
            hash_function: None,
            hash_hostnames: None,
            hash: None,
            hash_tags: match cluster.tags {
                TagRule::WholeKey => TagsFile::Braces(false),
                TagRule::BRACES => TagsFile::Braces(true),
                TagRule::Between(open, close) => {
                    TagsFile::Between([open, close].map(char::from).iter().collect())
                }
            },
            healthy_panic_threshold: None,
            overprovisioning_factor: None,
            nodes: cluster.nodes.iter().map(NodeFile::of).collect(),
        };
        for (name, value) in cluster.policy.settings() {
            file.put(name, value);
        }
        if cluster.panic != Panic::default() {
            file.healthy_panic_threshold = Some(cluster.panic.threshold_percent);
            file.overprovisioning_factor = Some(cluster.panic.overprovisioning);
        }
        file
    }

    /// The cluster that is described, with its placement. A large ring takes seconds to build.
    ///
    /// # Errors
    /// As of [`ClusterFile::cluster`], or the cluster has no placement.
    pub fn check(self) -> Result<Placed, Error> {
        Placed::new(self.cluster()?).map_err(|error| Error(error.to_string()))
    }

    /// The cluster that is described. Its placement is not built.
    ///
    /// # Errors
    /// A field is wrong, the policy does not support it, or a node's address is not one.
    pub fn cluster(mut self) -> Result<Cluster, Error> {
        for node in &mut self.nodes {
            node.address = read_address(&node.address)?;
        }
        let default = Panic::default();
        Ok(Cluster {
            policy: self.policy()?,
            tags: self.hash_tags.rule()?,
            panic: Panic {
                threshold_percent: self
                    .healthy_panic_threshold
                    .unwrap_or(default.threshold_percent),
                overprovisioning: self
                    .overprovisioning_factor
                    .unwrap_or(default.overprovisioning),
            },
            nodes: self.nodes.into_iter().map(NodeFile::node).collect(),
        })
    }

    /// The policy with its settings.
    fn policy(&mut self) -> Result<Policy, Error> {
        let mut policy = Policy::named(&self.policy).ok_or_else(|| {
            let known: Vec<&str> = Policy::all().map(|policy| policy.name()).collect();
            let known = known.join(", ");
            Error(format!("policy `{}`: expected one of {known}", self.policy))
        })?;
        for (name, field) in self.settings() {
            if let Some(value) = field.value() {
                policy.set(name, &value)?;
            }
        }
        self.only_panic_of(&policy)?;
        Ok(policy)
    }

    /// Panic is a property of the cluster, and has an effect only under some policies.
    fn only_panic_of(&self, policy: &Policy) -> Result<(), Error> {
        let given = [
            ("healthy_panic_threshold", self.healthy_panic_threshold),
            ("overprovisioning_factor", self.overprovisioning_factor),
        ];
        match given.iter().find(|(_, value)| value.is_some()) {
            Some((name, _)) if !policy.supports_panic() => Err(SettingError::Unsupported {
                policy: policy.name(),
                setting: (*name).to_owned(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// The fields that are settings of policies. Which policy has which setting is a matter of the policies' rows.
    fn settings(&mut self) -> [(&'static str, Field<'_>); 6] {
        [
            ("table_size", Field::Number(&mut self.table_size)),
            (
                "minimum_ring_size",
                Field::Number(&mut self.minimum_ring_size),
            ),
            (
                "maximum_ring_size",
                Field::Number(&mut self.maximum_ring_size),
            ),
            ("hash_function", Field::Word(&mut self.hash_function)),
            ("hash_hostnames", Field::Switch(&mut self.hash_hostnames)),
            ("hash", Field::Word(&mut self.hash)),
        ]
    }

    fn put(&mut self, name: &str, value: Value) {
        let mut settings = self.settings().into_iter();
        if let Some((_, field)) = settings.find(|(known, _)| *known == name) {
            field.put(value);
        }
    }
}

/// A field for a setting, with the type that the file's parser checks.
enum Field<'a> {
    Number(&'a mut Option<u32>),
    Switch(&'a mut Option<bool>),
    Word(&'a mut Option<String>),
}

impl Field<'_> {
    fn value(&self) -> Option<Value> {
        match self {
            Self::Number(field) => field.map(Value::Number),
            Self::Switch(field) => field.map(Value::Switch),
            Self::Word(field) => field.as_ref().map(|word| Value::Word(word.clone())),
        }
    }

    /// Ignores a value of another type. No policy has one, as a test shows.
    fn put(self, value: Value) {
        match (self, value) {
            (Self::Number(field), Value::Number(number)) => *field = Some(number),
            (Self::Switch(field), Value::Switch(on)) => *field = Some(on),
            (Self::Word(field), Value::Word(word)) => *field = Some(word),
            _ => {}
        }
    }
}

impl TagsFile {
    fn rule(&self) -> Result<TagRule, Error> {
        match self {
            Self::Braces(false) => Ok(TagRule::WholeKey),
            Self::Braces(true) => Ok(TagRule::BRACES),
            Self::Between(text) => match text.as_bytes() {
                [open, close] => Ok(TagRule::Between(*open, *close)),
                _ => Err(Error(format!(
                    "hash_tags `{text}`: expected true, false or two characters"
                ))),
            },
        }
    }
}

impl HealthFile {
    fn is_healthy(&self) -> bool {
        *self == Self::Healthy
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl NodeFile {
    fn of(node: &Node) -> Self {
        Self {
            address: node.address.clone(),
            weight: Some(node.weight),
            name: node.name.clone(),
            hostname: node.hostname.clone(),
            hash_key: node.hash_key.clone(),
            health: match node.health {
                Health::Healthy => HealthFile::Healthy,
                Health::Degraded => HealthFile::Degraded,
                Health::Unhealthy => HealthFile::Unhealthy,
                Health::Draining => HealthFile::Draining,
            },
            priority: node.priority,
            locality: node.locality.as_ref().map(|locality| LocalityFile {
                name: locality.name.clone(),
                weight: locality.weight,
            }),
            slots: node
                .slots
                .iter()
                .map(|run| (*run.start(), *run.end()))
                .collect(),
        }
    }

    fn node(self) -> Node {
        Node {
            weight: self.weight.unwrap_or(1),
            name: self.name,
            hostname: self.hostname,
            hash_key: self.hash_key,
            health: match self.health {
                HealthFile::Healthy => Health::Healthy,
                HealthFile::Degraded => Health::Degraded,
                HealthFile::Unhealthy => Health::Unhealthy,
                HealthFile::Draining => Health::Draining,
            },
            priority: self.priority,
            locality: self.locality.map(|locality| Locality {
                name: locality.name,
                weight: locality.weight,
            }),
            slots: self
                .slots
                .into_iter()
                .map(|(first, last)| first..=last)
                .collect(),
            ..Node::at(self.address)
        }
    }
}

/// Why a configuration cannot be used: one line, with the file and the line in it, if any.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", printable(.0))]
pub struct Error(pub String);

impl From<SettingError> for Error {
    fn from(why: SettingError) -> Self {
        Self(why.to_string())
    }
}

/// Control characters, which a file's names may contain, as escapes: the text ends up on terminals and in logs.
fn printable(text: &str) -> String {
    let shown = text.chars().map(|char| match char.is_control() {
        true => char.escape_default().to_string(),
        false => char.to_string(),
    });
    shown.collect()
}

/// The most bytes of a Unix socket's path, as Linux limits them.
const SOCKET_PATH_MAX: usize = 107;

/// The address of a node: `host:port`, or the path of `unix:/path` or `/path`.
///
/// # Errors
/// It is not of this form.
pub fn read_address(address: &str) -> Result<String, Error> {
    let good = address.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = !host.is_empty() && !host.contains(char::is_whitespace);
        plain && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    match socket_path(address) {
        Some(path) => Ok(path.to_owned()),
        None if good && !address.starts_with('/') => Ok(address.to_owned()),
        None => Err(Error(format!(
            "node `{}`: expected host:port or unix:/path",
            address.escape_debug()
        ))),
    }
}

/// The path of `unix:/path`, `unix:///path` or `/path`; `None` if it is none, is too long, or has spaces or control
/// characters, which would break the lines that show it.
#[must_use]
pub fn socket_path(text: &str) -> Option<&str> {
    let path = match text.strip_prefix("unix:") {
        Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
        None => text,
    };
    let is_path = path.starts_with('/') && (2..=SOCKET_PATH_MAX).contains(&path.len());
    let shows = |char: char| !char.is_whitespace() && !char.is_control();
    (is_path && path.chars().all(shows)).then_some(path)
}

/// An error message without its line ends.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
