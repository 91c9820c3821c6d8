//! Report of remaining keys: the last line of a run on servers that the suite did not start.

use super::TTL_S;
use crate::endpoint::Endpoint;

/// Remaining keys of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The substring that every key of the run contains.
    pub prefix: Option<String>,
    /// Servers with keys that could not be removed; empty when all keys are gone.
    pub places: Vec<Place>,
    /// Scripts that were sent. They are in the script caches of nodes unless the proxy refused them.
    pub scripts: usize,
}

/// Keys that are left on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The server.
    pub addr: Endpoint,
    /// The database.
    pub database: u32,
    /// How many keys; `None` if it cannot be known.
    pub keys: Option<u64>,
    /// Why it cannot be known.
    pub why: Option<String>,
    /// Whether it is a proxy, which cannot be scanned.
    pub is_proxy: bool,
}

impl Place {
    /// The same place, which is a proxy.
    pub(super) fn through_proxy(self) -> Self {
        Self {
            is_proxy: true,
            ..self
        }
    }

    pub(super) fn left(addr: Endpoint, database: u32, keys: u64) -> Self {
        Self {
            addr,
            database,
            keys: Some(keys),
            why: None,
            is_proxy: false,
        }
    }

    pub(super) fn unknown(addr: Endpoint, why: String) -> Self {
        Self {
            addr,
            database: 0,
            keys: None,
            why: Some(why),
            is_proxy: false,
        }
    }
}

/// The last lines of a run: `left behind: 0 keys`, or the remaining keys and how to remove them.
#[must_use]
pub fn report(all: &[Left]) -> String {
    let mut lines = Vec::new();
    let scripts: usize = all.iter().map(|left| left.scripts).sum();
    if scripts > 0 {
        lines.push(format!(
            "left behind: up to {scripts} scripts in the script caches of the nodes; only SCRIPT FLUSH removes them, with those of others"
        ));
    }
    let places = all.iter().flat_map(|left| {
        left.places
            .iter()
            .map(|place| (left.prefix.as_deref(), place))
    });
    lines.extend(places.map(|(prefix, place)| line(prefix, place)));
    if all.iter().all(|left| left.places.is_empty()) {
        lines.push("left behind: 0 keys".to_owned());
    }
    lines.join("\n")
}

fn line(prefix: Option<&str>, place: &Place) -> String {
    let (addr, database) = (place.addr, place.database);
    let many = match (&place.keys, &place.why) {
        (Some(keys), _) => format!("{keys} keys at {addr}, database {database}"),
        (None, why) => format!(
            "possibly keys at {addr} ({})",
            why.as_deref().unwrap_or("unknown")
        ),
    };
    let Some(prefix) = prefix else {
        return format!("left behind: {many}; they expire by themselves");
    };
    let (whose, cli) = match place.is_proxy {
        true => ("on each node, ", "redis-cli -h NODE -p PORT".to_owned()),
        false => ("", redis_cli(addr, database)),
    };
    format!(
        "left behind: {many}; they contain {prefix} and expire within {TTL_S} s; {whose}remove them with: {cli} --scan --pattern '*{prefix}*' | xargs -r {cli} DEL"
    )
}

/// The command line of redis-cli for one database of a node. It reads a password from its environment.
fn redis_cli(addr: Endpoint, database: u32) -> String {
    let password = match addr.has_password() {
        true => "REDISCLI_AUTH=... ",
        false => "",
    };
    match (addr.socket_addr(), addr.is_tls()) {
        (Some(at), false) => {
            let (host, port) = (at.ip(), at.port());
            format!("{password}redis-cli -h {host} -p {port} -n {database}")
        }
        // The path of a socket, or a URL with a name that TLS verifies.
        (None, _) => {
            let shown = addr.in_database(0).to_string();
            let path = shown.trim_start_matches("unix:");
            format!("{password}redis-cli -s {path} -n {database}")
        }
        (Some(_), true) => format!("{password}redis-cli -u {addr} -n {database}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{Left, Place, report};

    fn left(places: Vec<Place>) -> Left {
        Left {
            prefix: Some("sp-0000002a-".to_owned()),
            places,
            scripts: 0,
        }
    }

    #[test]
    fn nothing_left_is_0_keys() {
        assert_eq!(report(&[left(Vec::new())]), "left behind: 0 keys");
    }

    #[test]
    fn leftovers_have_the_command_that_removes_them() {
        let addr = "127.0.0.1:7001".parse::<SocketAddr>().unwrap().into();
        let text = report(&[left(vec![Place::left(addr, 2, 3)])]);
        assert_eq!(
            text,
            "left behind: 3 keys at 127.0.0.1:7001, database 2; they contain sp-0000002a- and expire within 3600 s; \
             remove them with: redis-cli -h 127.0.0.1 -p 7001 -n 2 --scan --pattern '*sp-0000002a-*' | \
             xargs -r redis-cli -h 127.0.0.1 -p 7001 -n 2 DEL"
        );
        let lost = report(&[left(vec![Place::unknown(addr, "no connection".to_owned())])]);
        assert!(
            lost.starts_with("left behind: possibly keys at 127.0.0.1:7001 (no connection);"),
            "{lost}"
        );
    }

    #[test]
    fn scripts_are_reported() {
        let all = [Left {
            scripts: 2,
            ..left(Vec::new())
        }];
        let text = report(&all);
        assert!(text.starts_with("left behind: up to 2 scripts"), "{text}");
        assert!(text.ends_with("left behind: 0 keys"), "{text}");
    }
}
