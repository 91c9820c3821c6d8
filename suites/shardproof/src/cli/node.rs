//! The grammar of `--node` where a node has a place in a cluster: `ADDR[=SEEN][*WEIGHT]`.

use std::net::SocketAddr;
use std::str::FromStr;

use super::Usage;

/// How help shows it.
pub(super) const NODE: &str = "ADDR[=SEEN]";

/// A node on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeFlag {
    /// The address at which we reach it.
    pub(super) reached: String,
    /// Its address as the proxy sees it.
    pub(super) seen: String,
    /// Its weight, if one is given.
    pub(super) weight: Option<u32>,
}

impl FromStr for NodeFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (places, weight) = match text.split_once('*') {
            None => (text, None),
            Some((places, weight)) => match weight.parse() {
                Ok(1..) => (places, weight.parse().ok()),
                _ => return Err("expected a whole number from 1 after *".to_owned()),
            },
        };
        let (reached, seen) = places.split_once('=').unwrap_or((places, places));
        if reached.is_empty() || seen.is_empty() {
            return Err("expected an address on both sides of =".to_owned());
        }
        Ok(Self {
            reached: reached.to_owned(),
            seen: seen.to_owned(),
            weight,
        })
    }
}

impl NodeFlag {
    /// The resolved address at which we reach the node.
    pub(super) fn addr(&self) -> Result<SocketAddr, Usage> {
        super::address(&self.reached)
            .map_err(|why| Usage(format!("--node {}: {why}", self.reached)))
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
        ] {
            let node: NodeFlag = text.parse().expect(text);
            let read = (node.reached.as_str(), node.seen.as_str(), node.weight);
            assert_eq!(read, (reached, seen, weight), "{text}");
        }
        for wrong in ["", "=b:1", "a:1=", "a:1*", "a:1*0", "a:1*x", "a:1*2=b:1"] {
            assert!(wrong.parse::<NodeFlag>().is_err(), "{wrong}");
        }
    }
}
