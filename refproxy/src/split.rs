//! Splits a request with keys on several nodes into one request per node.
//!
//! Pure. Keeps the request's order within each part, duplicates included.

use crate::command::{Join, Row};
use crate::resp::{Args, put_array, put_bulk, request};
use placement::NodeId;

/// The part of each key of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// One entry per part: its node and its number of keys, in the order of first appearance.
    pub parts: Vec<(NodeId, usize)>,
    /// One entry per key, in the order of the request: an index into `parts`.
    pub part_of_key: Vec<u16>,
}

impl Split {
    /// Sorts the keys of a complete request of `argc` arguments by node.
    #[must_use]
    pub fn of(row: &Row, argc: usize, frame: &[u8], node: impl Fn(&[u8]) -> NodeId) -> Self {
        let mut split = Self {
            parts: Vec::new(),
            part_of_key: Vec::with_capacity(argc),
        };
        let mut positions = row.keys.positions(argc).peekable();
        for (position, arg) in Args::of(frame).enumerate() {
            if positions.next_if_eq(&position).is_some() {
                let node = node(arg);
                let part = split.part(node);
                split.parts[part].1 += 1;
                // There are at most as many parts as nodes, whose ids are u16.
                split
                    .part_of_key
                    .push(u16::try_from(part).unwrap_or(u16::MAX));
            }
        }
        split
    }

    fn part(&mut self, node: NodeId) -> usize {
        match self.parts.iter().position(|(known, _)| *known == node) {
            Some(part) => part,
            None => {
                self.parts.push((node, 0));
                self.parts.len() - 1
            }
        }
    }

    /// The request of each part: the name as the client wrote it, then its keys, each with its values.
    #[must_use]
    pub fn requests(&self, row: &Row, frame: &[u8]) -> Vec<Vec<u8>> {
        let step = usize::try_from(row.keys.step).unwrap_or(1).max(1);
        let mut args = Args::of(frame);
        let name = args.next().unwrap_or_default();
        let mut requests: Vec<Vec<u8>> = self
            .parts
            .iter()
            .map(|(_, keys)| {
                let mut request = Vec::new();
                put_array(&mut request, 1 + keys * step);
                put_bulk(&mut request, name);
                request
            })
            .collect();
        for part in &self.part_of_key {
            for arg in args.by_ref().take(step) {
                put_bulk(&mut requests[usize::from(*part)], arg);
            }
        }
        requests
    }
}

/// The request to every node that replaces the complete request in `frame`, if it must be another one: all entries of a
/// log, because their number does not show which are the same on several nodes.
#[must_use]
pub fn asked_instead(join: Join, frame: &[u8]) -> Option<Vec<u8>> {
    if join != Join::Entries {
        return None;
    }
    let mut args = Args::of(frame);
    let name = args.next()?;
    let words: Vec<&[u8]> = [name, b"GET", ALL]
        .into_iter()
        .chain(args.skip(1))
        .collect();
    Some(request(&words))
}

/// More entries than any log has.
const ALL: &[u8] = b"2147483647";

#[cfg(test)]
mod tests {
    use super::Split;
    use crate::command::find;
    use crate::resp::{Args, request};
    use placement::NodeId;

    /// A key lives on the node that its first digit names.
    #[track_caller]
    fn check(args: &[&str], expected: &[(u16, &str)]) {
        let frame = request(args);
        let row = find(args[0].as_bytes()).unwrap();
        let split = Split::of(row, args.len(), &frame, |key| {
            NodeId(u16::from(key[0] - b'0'))
        });
        let parts: Vec<(u16, String)> = split
            .parts
            .iter()
            .zip(split.requests(row, &frame))
            .map(|((node, _), part)| {
                let words: Vec<String> = Args::of(&part)
                    .map(|arg| arg.escape_ascii().to_string())
                    .collect();
                let again: Vec<&[u8]> = Args::of(&part).collect();
                assert_eq!(request(&again), part, "the count is right");
                (node.0, words.join(" "))
            })
            .collect();
        let parts: Vec<(u16, &str)> = parts
            .iter()
            .map(|(node, words)| (*node, words.as_str()))
            .collect();
        assert_eq!(parts, expected, "parts of {args:?}");
    }

    #[test]
    fn each_node_is_asked_once_in_the_order_of_the_keys() {
        check(
            &["MGET", "1a", "0b", "1c", "2d"],
            &[(1, "MGET 1a 1c"), (0, "MGET 0b"), (2, "MGET 2d")],
        );
        check(
            &["del", "0a", "0a", "1b"],
            &[(0, "del 0a 0a"), (1, "del 1b")],
        );
    }

    #[test]
    fn values_go_with_their_keys() {
        check(
            &["MSET", "1a", "x", "0b", "y", "1a", "z"],
            &[(1, "MSET 1a x 1a z"), (0, "MSET 0b y")],
        );
    }

    #[test]
    fn keys_of_one_node_are_one_part() {
        check(&["EXISTS", "2a", "2b"], &[(2, "EXISTS 2a 2b")]);
    }
}
