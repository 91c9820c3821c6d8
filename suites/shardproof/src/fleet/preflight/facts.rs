//! Facts that one node reports about itself.

use std::collections::BTreeMap;

use super::{Finding, Level, Point};
use crate::fleet::connection::{Connection, Request};
use crate::fleet::{Error, Fleet};
use testbed::wire::Value;

/// An answer, or the request and the reason of its refusal.
pub(super) type Answer<T> = Result<T, String>;

/// The first server version with functions and with FUNCTION DUMP.
const FUNCTIONS_SINCE: u32 = 7;
/// The first server version with users.
const USERS_SINCE: u32 = 6;

/// Settings that change how keys are served. Settings that are only compared for presence come last, and are never
/// shown.
const SETTINGS: [&str; 10] = [
    "maxmemory",
    "maxmemory-policy",
    "databases",
    "appendonly",
    "save",
    "proto-max-bulk-len",
    "notify-keyspace-events",
    "timeout",
    "requirepass",
    "masterauth",
];

/// Settings whose values are secrets.
pub(super) const SECRETS: [&str; 2] = ["requirepass", "masterauth"];

/// The facts of one node.
pub(super) struct Facts {
    /// Its address as the proxy sees it.
    pub(super) node: String,
    /// The name of the server program and its version.
    pub(super) version: Answer<String>,
    /// Libraries of functions by name, with their code.
    pub(super) functions: Answer<BTreeMap<String, Vec<u8>>>,
    /// Modules that were loaded from files, by name with their version.
    pub(super) modules: Answer<BTreeMap<String, String>>,
    /// The version of the format of its dumps.
    pub(super) dumps: Answer<u16>,
    /// Settings by name. Those that the server does not know are left out.
    pub(super) settings: Answer<BTreeMap<&'static str, Vec<u8>>>,
    /// Rules of users by name, with hashes of passwords. Never shown.
    pub(super) users: Answer<BTreeMap<String, String>>,
}

impl Facts {
    pub(super) async fn ask(fleet: &Fleet, place: usize) -> Result<Self, Error> {
        let mut node = fleet.connect(place).await?;
        let info = match node.ask(&[b"INFO", b"server"]).await? {
            Value::Bulk(text) => String::from_utf8_lossy(&text).into_owned(),
            other => return Err(node.unexpected("INFO", &other)),
        };
        let field = |name: &str| {
            let value = info.lines().find_map(|line| line.strip_prefix(name));
            value.map(|value| value.trim().to_owned())
        };
        let redis = field("redis_version:");
        let version = match (field("valkey_version:"), &redis) {
            (Some(valkey), _) => Ok(format!("Valkey {valkey}")),
            (None, Some(redis)) => Ok(format!("Redis {redis}")),
            (None, None) => Err("INFO server has no version".to_owned()),
        };
        let major = redis
            .as_deref()
            .and_then(|version| version.split('.').next()?.parse().ok());
        let since = |first: u32| major.is_none_or(|major: u32| major >= first);
        Ok(Self {
            node: fleet.members()[place].seen.clone(),
            version,
            functions: if since(FUNCTIONS_SINCE) {
                functions(&mut node).await?
            } else {
                Ok(BTreeMap::new())
            },
            modules: modules(&mut node).await?,
            dumps: if since(FUNCTIONS_SINCE) {
                dumps(&mut node).await?
            } else {
                older_dumps(redis.as_deref())
            },
            settings: settings(&mut node).await?,
            users: if since(USERS_SINCE) {
                users(&mut node).await?
            } else {
                Ok(BTreeMap::new())
            },
        })
    }

    pub(super) fn finding(&self, point: Point, level: Level, what: String) -> Finding {
        Finding {
            point,
            level,
            node: self.node.clone(),
            what,
        }
    }
}

fn refused(asked: &str, answer: &Value) -> String {
    format!("the reply to {asked} is {answer}")
}

async fn functions(node: &mut Connection) -> Result<Answer<BTreeMap<String, Vec<u8>>>, Error> {
    let request: Request<'_> = vec![b"FUNCTION", b"LIST", b"WITHCODE"];
    let answer = node.ask(&request).await?;
    let Value::Array(libraries) = &answer else {
        return Ok(Err(refused("FUNCTION LIST", &answer)));
    };
    let library = |library: &Value| {
        Some((
            text(library, "library_name")?,
            bytes(library, "library_code")?,
        ))
    };
    Ok(libraries
        .iter()
        .map(library)
        .collect::<Option<_>>()
        .ok_or_else(|| "FUNCTION LIST has a library without name or code".to_owned()))
}

async fn modules(node: &mut Connection) -> Result<Answer<BTreeMap<String, String>>, Error> {
    let answer = node.ask(&[b"MODULE", b"LIST"]).await?;
    let Value::Array(modules) = &answer else {
        return Ok(Err(refused("MODULE LIST", &answer)));
    };
    // Those without a path are part of the server, and Valkey's `lua` names itself.
    let loaded = modules
        .iter()
        .filter(|module| bytes(module, "path").is_none_or(|path| path.contains(&b'/')));
    let named = loaded.filter_map(|module| {
        let version = match field(module, "ver") {
            Some(Value::Integer(version)) => version.to_string(),
            _ => String::new(),
        };
        Some((text(module, "name")?, version))
    });
    Ok(Ok(named.collect()))
}

/// FUNCTION DUMP ends with the last bytes of a dump, also without functions: two of the version and eight of a
/// checksum.
async fn dumps(node: &mut Connection) -> Result<Answer<u16>, Error> {
    let answer = node.ask(&[b"FUNCTION", b"DUMP"]).await?;
    let version = match &answer {
        Value::Bulk(dump) => dump.len().checked_sub(10).map(|at| &dump[at..at + 2]),
        _ => None,
    };
    Ok(match version {
        Some([low, high]) => Ok(u16::from_le_bytes([*low, *high])),
        _ => Err(refused("FUNCTION DUMP", &answer)),
    })
}

/// Versions of the format in servers without functions.
fn older_dumps(redis: Option<&str>) -> Answer<u16> {
    let mut numbers = redis.unwrap_or_default().split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(5 | 6)), _) => Ok(9),
        (Some(Ok(4)), _) => Ok(8),
        (Some(Ok(3)), Some(Ok(2))) => Ok(7),
        (Some(Ok(2 | 3)), _) => Ok(6),
        _ => Err("the version of its dumps is not known".to_owned()),
    }
}

async fn settings(node: &mut Connection) -> Result<Answer<BTreeMap<&'static str, Vec<u8>>>, Error> {
    let requests: Vec<Request<'_>> = SETTINGS
        .iter()
        .map(|name| vec![&b"CONFIG"[..], b"GET", name.as_bytes()])
        .collect();
    let mut settings = BTreeMap::new();
    for (name, answer) in SETTINGS.iter().zip(node.ask_all(&requests).await?) {
        match &answer {
            Value::Array(parts) => {
                if let [_, Value::Bulk(value)] = parts.as_slice() {
                    settings.insert(*name, value.clone());
                }
            }
            other => return Ok(Err(refused("CONFIG GET", other))),
        }
    }
    Ok(Ok(settings))
}

/// Lines such as `user app on #HASH ~* &* +@all`.
async fn users(node: &mut Connection) -> Result<Answer<BTreeMap<String, String>>, Error> {
    let answer = node.ask(&[b"ACL", b"LIST"]).await?;
    let Value::Array(lines) = &answer else {
        return Ok(Err(refused("ACL LIST", &answer)));
    };
    let user = |line: &Value| {
        let Value::Bulk(line) = line else { return None };
        let line = String::from_utf8_lossy(line).into_owned();
        let (name, rules) = line.strip_prefix("user ")?.split_once(' ')?;
        // The default of all servers, which only newer ones write down.
        let rules = rules.split(' ').filter(|rule| *rule != "sanitize-payload");
        Some((name.to_owned(), rules.collect::<Vec<_>>().join(" ")))
    };
    Ok(Ok(lines.iter().filter_map(user).collect()))
}

/// A field of a reply that lists names and values in turn.
fn field<'a>(reply: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Array(parts) = reply else {
        return None;
    };
    let mut pairs = parts.chunks_exact(2);
    let pair =
        pairs.find(|pair| matches!(&pair[0], Value::Bulk(field) if field == name.as_bytes()))?;
    Some(&pair[1])
}

fn bytes(reply: &Value, name: &str) -> Option<Vec<u8>> {
    match field(reply, name)? {
        Value::Bulk(bytes) => Some(bytes.clone()),
        _ => None,
    }
}

fn text(reply: &Value, name: &str) -> Option<String> {
    Some(bytes(reply, name)?.escape_ascii().to_string())
}
