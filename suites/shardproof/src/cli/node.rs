//! The grammar of `--node` where a node has a place in a cluster: `ADDR[=SEEN][*WEIGHT]`.

use std::fmt;
use std::str::FromStr;

use testbed::address::{Address, Mistake, Site};
use testbed::endpoint::Endpoint;

use super::{Connector, Usage};

/// How help shows it.
pub(super) const NODE: &str = "ADDR[=SEEN]";

/// A node on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeFlag {
    /// The address at which we reach it.
    pub(super) reached: Address,
    /// Its address as the proxy sees it.
    pub(super) seen: String,
    /// Its weight, if one is given.
    pub(super) weight: Option<u32>,
}

impl FromStr for NodeFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A password may contain any character.
        let login = text.rfind('@').map_or(0, |at| at + 1);
        let (login, places) = text.split_at(login);
        let (places, weight) = match places.split_once('*') {
            None => (places, None),
            Some((places, weight)) => match weight.parse() {
                Ok(1..) => (places, weight.parse().ok()),
                _ => return Err("expected a whole number from 1 after *".to_owned()),
            },
        };
        let (reached, seen) = match places.split_once('=') {
            Some((reached, seen)) => (reached, Some(seen)),
            None => (places, None),
        };
        let reached = [login, reached].concat();
        if seen == Some("") {
            return Err("expected an address on both sides of =".to_owned());
        }
        let reached: Address = reached
            .parse()
            .map_err(|wrong: Mistake| wrong.to_string())?;
        Ok(Self {
            seen: seen.map_or_else(|| as_seen(&reached), str::to_owned),
            reached,
            weight,
        })
    }
}

/// As it was given, without user and password.
impl fmt::Display for NodeFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reached)?;
        if self.seen != as_seen(&self.reached) {
            write!(f, "={}", self.seen)?;
        }
        self.weight.map_or(Ok(()), |weight| write!(f, "*{weight}"))
    }
}

/// The address at which a proxy sees a server that it reaches as we do. Envoy and twemproxy hash the path of a socket.
fn as_seen(reached: &Address) -> String {
    match &reached.site {
        Site::Unix(path) => path.display().to_string(),
        site @ Site::Host { .. } => site.to_string(),
    }
}

impl NodeFlag {
    /// The endpoint at which we reach the node.
    pub(super) async fn endpoint(&self, connector: &Connector) -> anyhow::Result<Endpoint> {
        connector.node("--node", &self.reached).await
    }

    /// The same node where a weight has no effect.
    pub(super) fn unweighted(&self) -> Result<&Self, Usage> {
        match self.weight {
            None => Ok(self),
            Some(weight) => Err(Usage(format!(
                "--node {}*{weight}: a weight has no effect here",
                self.reached
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NodeFlag;

    #[test]
    fn a_node_is_an_address_with_the_address_seen_and_a_weight() {
        for (text, reached, seen, weight) in [
            ("a:1", "a:1", "a:1", None),
            ("a:1=b:2", "a:1", "b:2", None),
            ("a:1*3", "a:1", "a:1", Some(3)),
            ("a:1=b:2*3", "a:1", "b:2", Some(3)),
            ("redis://a:1=b:2", "a:1", "b:2", None),
            ("redis://u:p=*@a:1/2=b:2*3", "redis://a:1/2", "b:2", Some(3)),
            ("rediss://u:p@a:1", "rediss://a:1", "a:1", None),
            ("unix:/a=/b", "unix:/a", "/b", None),
            ("unix:/a", "unix:/a", "/a", None),
        ] {
            let node: NodeFlag = text.parse().expect(text);
            let at = node.reached.to_string();
            let read = (&*at, node.seen.as_str(), node.weight);
            assert_eq!(read, (reached, seen, weight), "{text}");
            // The printed text means the same.
            let again: NodeFlag = node.to_string().parse().expect(text);
            assert_eq!(again.to_string(), node.to_string());
            assert_eq!((again.seen, again.weight), (node.seen, node.weight));
        }
        for wrong in ["", "=b:1", "a:1=", "a:1*", "a:1*0", "a:1*x", "a:1*2=b:1"] {
            assert!(wrong.parse::<NodeFlag>().is_err(), "{wrong}");
        }
    }
}
