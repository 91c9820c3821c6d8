//! Where a request goes whose keys must all live on one node.
//!
//! Pure: the row says where its keys are, the placement which nodes they have.

use crate::command::{self, Row, Rules, Why};
use placement::{NodeId, Placement};

/// What becomes of such a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim<'a> {
    /// All its keys live there.
    Node(NodeId),
    /// It has no keys; or they cannot be found, and every node answers it with the same error.
    Any,
    /// These two keys live on different nodes.
    Crosses((&'a [u8], NodeId), (&'a [u8], NodeId)),
    /// An option of it is refused.
    Refused(Why),
}

/// Where the request of `args` goes, the name first.
pub(crate) fn aim<'a>(
    row: &Row,
    args: &[&'a [u8]],
    placement: &Placement,
    rules: Rules,
) -> Aim<'a> {
    let found = row.key_positions(args);
    let is_malformed = found.is_err();
    let positions = found.unwrap_or_default();
    let has_home = is_malformed || !positions.is_empty() || placement.nodes() == 1;
    if let Some(why) = rules.refuse(row, has_home) {
        return Aim::Refused(why);
    }
    // Too large a number of keys takes the words after them for keys, which may live anywhere.
    let is_cut_short = positions
        .last()
        .is_some_and(|last| row.is_cut_short(args, *last));
    let mut keys = positions.into_iter().map(|position| args[position]);
    let first = keys.next().map(|key| (key, placement.node(key)));
    if let Some(guard) = row.guard {
        let home = first.map(|(_, node)| node);
        if let Some(why) = guard.refuses(args, |pattern| stays(pattern, home, placement)) {
            return Aim::Refused(why);
        }
    }
    let Some((key, home)) = first else {
        return Aim::Any;
    };
    let mut others = keys.map(|key| (key, placement.node(key)));
    match others.find(|(_, node)| *node != home) {
        Some(_) if is_cut_short => Aim::Any,
        Some(other) => Aim::Crosses((key, home), other),
        None => Aim::Node(home),
    }
}

/// Whether all keys that `pattern` makes live on `home`: its tag says so, or there is nowhere else.
fn stays(pattern: &[u8], home: Option<NodeId>, placement: &Placement) -> bool {
    let part = placement.hashed_part(pattern);
    let fixed = part.len() < pattern.len() && !part.contains(&b'*');
    placement.nodes() == 1 || (fixed && Some(placement.node(pattern)) == home)
}

/// The error for a request that is not sent, from the addresses of the nodes; none for one that is.
pub(crate) fn refusal(
    row: &Row,
    aim: Aim<'_>,
    address: impl Fn(NodeId) -> String,
) -> Option<Vec<u8>> {
    match aim {
        Aim::Node(_) | Aim::Any => None,
        Aim::Crosses((one, here), (other, there)) => {
            let (here, there) = (address(here), address(there));
            Some(command::cross_slot(row, (one, &here), (other, &there)))
        }
        Aim::Refused(why) => Some(command::unsupported(row, why).into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Aim, aim};
    use crate::command::{Rules, find};
    use placement::hash::TagRule;
    use placement::{Cluster, Node, NodeId, Placement, Policy};

    fn placement() -> Placement {
        let nodes = (1..=3).map(|port| Node::at(format!("127.0.0.1:2100{port}")));
        let mut cluster = Cluster::new(Policy::maglev(), nodes.collect());
        cluster.tags = TagRule::BRACES;
        Placement::new(&cluster).unwrap()
    }

    /// Keys are written `a1`, `b`...: the letter is the node.
    fn key_on(placement: &Placement, word: &str) -> Option<String> {
        let node = u16::from(
            *b"abc"
                .iter()
                .find(|letter| word.starts_with(**letter as char))?
                - b'a',
        );
        let tag = (0..).find(|tag| placement.node(format!("{{{tag}}}").as_bytes()) == NodeId(node));
        Some(format!("{{{}}}{word}", tag?))
    }

    #[track_caller]
    fn check(request: &str, expected: &str) {
        let placement = placement();
        let words: Vec<String> = request
            .split(' ')
            .map(|word| key_on(&placement, word).unwrap_or_else(|| word.to_owned()))
            .collect();
        let args: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        let rules = Rules::default();
        let found = match aim(find(args[0]).unwrap(), &args, &placement, rules) {
            Aim::Node(node) => ["a", "b", "c"][node.index()].to_owned(),
            Aim::Any => "any".to_owned(),
            Aim::Crosses((one, _), (other, _)) => {
                let last = |key: &[u8]| {
                    String::from_utf8_lossy(key)
                        .rsplit('}')
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                };
                format!("crosses {} {}", last(one), last(other))
            }
            Aim::Refused(why) => format!("{why:?}"),
        };
        assert_eq!(found, expected, "{request}");
    }

    #[test]
    fn keys_are_held_together_wherever_they_stand() {
        check("RENAME a1 a2", "a");
        check("RENAME a1 b", "crosses a1 b");
        check("ZUNION 2 b1 b2 WEIGHTS 1 2", "b");
        check("ZUNION 2 b1 c WEIGHTS 1 2", "crosses b1 c");
        check("ZUNIONSTORE c 2 b1 b2", "crosses c b1");
        check("ZUNION 3 a1 a2", "any");
        check("ZUNION x a1 a2", "any");
        check("EVAL return 2 c1 c2 b", "c");
        check("EVAL return 0 b", "NoKeys");
        check("FCALL_RO f 0", "NoKeys");
        check("EVAL return x b", "any");
        check("EVAL return 1 b", "b");
        check("LMPOP 2 a1 a2 LEFT", "a");
        check("LMPOP 2 a1 b right", "crosses a1 b");
        check("LMPOP 2 a1 b", "any");
        check("LMPOP 3 a1 a2 LEFT", "any");
        check("ZMPOP 3 a1 b MIN", "any");
        check("ZMPOP 2 a1 b COUNT 1", "any");
        check("BITOP AND b1 b2 a", "crosses b1 a");
        check("MSETNX a1 1 a2 b", "a");
        check("MSETNX a1 1 b a", "crosses a1 b");
        check("XREAD COUNT 2 STREAMS b1 b2 0 0", "b");
        check("XREAD COUNT 2 STREAMS b1 a 0 0", "crosses b1 a");
        check("XREAD BLOCK 0 STREAMS b1 0", "Blocking");
        check("GEORADIUS a1 1 1 1 m STORE a2", "a");
        check("GEORADIUS a1 1 1 1 m storedist b", "crosses a1 b");
        check("GEORADIUS a1 1 1 1 m STORE a2 STORE b", "crosses a1 b");
        check("GEORADIUS a1 1 1 1 m STOREDIST b STORE a2", "a");
        check("GEORADIUS a1 1 1 1 m COUNT store STORE b", "crosses a1 b");
        check("SORT a1 LIMIT 0 1 STORE b STORE a2", "a");
        check("SORT a1 STORE store ALPHA", "a");
        check("SORT a1 GET store STORE c", "crosses a1 c");
        check("SORT a1 BY w_*", "Patterns");
        check("SORT a1 BY a_* GET #", "a");
        check("SORT a1 BY b_*", "Patterns");
        check("COPY a1 a2 DB 3", "OneDatabase");
    }

    #[test]
    fn on_one_node_every_pattern_stays() {
        let nodes = vec![Node::at("127.0.0.1:1")];
        let placement = Placement::new(&Cluster::new(Policy::maglev(), nodes)).unwrap();
        let args: [&[u8]; 4] = [b"SORT", b"k", b"BY", b"w_*"];
        assert_eq!(
            aim(find(b"SORT").unwrap(), &args, &placement, Rules::default()),
            Aim::Node(NodeId(0))
        );
        let script: [&[u8]; 3] = [b"EVAL", b"return 7", b"0"];
        assert_eq!(
            aim(
                find(b"EVAL").unwrap(),
                &script,
                &placement,
                Rules::default()
            ),
            Aim::Any
        );
    }
}
