//! Properties of nodes that are compared, and one difference.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

/// Property of nodes that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// Libraries of functions: FCALL of a moved key fails on a node without them.
    Functions,
    /// Loaded modules: a node without them does not take their data types.
    Modules,
    /// Dump formats: an older server refuses RESTORE of a newer server's DUMP.
    Dumps,
    /// Versions of the servers.
    Versions,
    /// Settings that change how keys are served.
    Settings,
    /// ACL users.
    Users,
}

impl Point {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Functions,
        Self::Modules,
        Self::Dumps,
        Self::Versions,
        Self::Settings,
        Self::Users,
    ];

    /// The word on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::Modules => "modules",
            Self::Dumps => "dumps",
            Self::Versions => "versions",
            Self::Settings => "settings",
            Self::Users => "users",
        }
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|point| point.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("expected one of {names}")
        })
    }
}

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Keys would be refused, or commands on moved keys would always fail. Nothing is moved.
    Blocks,
    /// Nodes behave differently.
    Differs,
    /// A node did not answer.
    Unknown,
}

/// One difference between nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Property that was compared.
    pub point: Point,
    /// Severity.
    pub level: Level,
    /// Address of the node, as the proxy sees it.
    pub node: String,
    /// The difference, or the request without an answer.
    pub what: String,
}
