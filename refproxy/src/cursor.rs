//! One cursor for a SCAN over all nodes: node after node, each with the node's own cursors.
//!
//! A cursor is a decimal number below 2^63, so that clients with signed numbers accept it. Its low 20 bits are the mark
//! of the list of nodes; above them are the node's cursor times the number of nodes, plus the place of the node. Redis'
//! cursors are smaller than its hash table, so three nodes may have some 2^41 keys each before one does not fit, which
//! is then an error; with small clusters, the integers of JavaScript (2^53) are enough for 2^31. A cursor that was made
//! for another list of nodes is an error, except for one list in a million that has the same mark.

use placement::NodeId;

const MARK_BITS: u32 = 20;
const CURSOR_MAX: u64 = i64::MAX as u64;

/// How cursors are written for one list of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursors {
    nodes: u16,
    /// Never 0, so that no cursor but the first and the last is `0`.
    mark: u64,
}

/// Position of a SCAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) node: NodeId,
    /// The node's own cursor; 0 at its beginning.
    pub(crate) cursor: u64,
}

/// Why a cursor is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// It is not a number, or not one that we write.
    Cursor,
    /// It was made for another list of nodes.
    Nodes,
}

impl Invalid {
    /// The error text, in Redis' words if Redis has any.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Cursor => "ERR invalid cursor",
            Self::Nodes => {
                "ERR invalid cursor: it belongs to another list of nodes; begin again at 0"
            }
        }
    }
}

impl Cursors {
    /// Cursors for the nodes at these addresses, whose order counts.
    pub(crate) fn new<'a>(addresses: impl Iterator<Item = &'a str>) -> Self {
        let mut nodes = 0;
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for address in addresses {
            nodes += 1;
            // The NUL keeps `a`, `bc` from being `ab`, `c`.
            for byte in address.bytes().chain([0]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        // The high bits are the best mixed.
        let mark = (hash >> (64 - MARK_BITS)).max(1);
        Self { nodes, mark }
    }

    /// The place that the text of a cursor names.
    pub(crate) fn read(self, text: &[u8]) -> Result<Place, Invalid> {
        if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
            return Err(Invalid::Cursor);
        }
        let text = std::str::from_utf8(text).map_err(|_| Invalid::Cursor)?;
        let number: u64 = text.parse().map_err(|_| Invalid::Cursor)?;
        if number == 0 {
            return Ok(Place {
                node: NodeId(0),
                cursor: 0,
            });
        }
        if number & ((1 << MARK_BITS) - 1) != self.mark || number > CURSOR_MAX {
            return Err(Invalid::Nodes);
        }
        let (place, nodes) = (number >> MARK_BITS, u64::from(self.nodes));
        let node = u16::try_from(place % nodes).map_err(|_| Invalid::Cursor)?;
        Ok(Place {
            node: NodeId(node),
            cursor: place / nodes,
        })
    }

    /// The next cursor after `node` has answered with `cursor`, which may be its end; `None` when it does not fit.
    pub(crate) fn after(self, node: NodeId, cursor: u64) -> Option<u64> {
        let place = match (cursor, u64::from(node.0) + 1) {
            (0, next) if next >= u64::from(self.nodes) => return Some(0),
            (0, next) => next,
            (cursor, next) => cursor
                .checked_mul(u64::from(self.nodes))?
                .checked_add(next - 1)?,
        };
        let fits = place <= CURSOR_MAX >> MARK_BITS;
        fits.then_some(place << MARK_BITS | self.mark)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cursors, Invalid, Place};
    use placement::NodeId;

    fn cursors(nodes: &[&str]) -> Cursors {
        Cursors::new(nodes.iter().copied())
    }

    #[test]
    fn a_scan_visits_node_after_node_and_ends_at_0() {
        let cursors = cursors(&["a:1", "b:2", "c:3"]);
        let mut place = cursors.read(b"0").unwrap();
        let mut seen = Vec::new();
        loop {
            seen.push((place.node.0, place.cursor));
            // Each node has three pages, the second one at 7.
            let next = if place.cursor == 0 { 7 } else { 0 };
            match cursors.after(place.node, next).unwrap() {
                0 => break,
                number => place = cursors.read(number.to_string().as_bytes()).unwrap(),
            }
        }
        assert_eq!(seen, [(0, 0), (0, 7), (1, 0), (1, 7), (2, 0), (2, 7)]);
    }

    #[test]
    fn an_invalid_cursor_is_an_error() {
        let cursors = cursors(&["a:1", "b:2"]);
        for text in [
            "",
            "x",
            "-1",
            "+1",
            " 1",
            "1 ",
            "0x1",
            "18446744073709551616",
        ] {
            assert_eq!(
                cursors.read(text.as_bytes()),
                Err(Invalid::Cursor),
                "`{text}`"
            );
        }
        for text in ["1", "7", "18446744073709551615"] {
            assert_eq!(
                cursors.read(text.as_bytes()),
                Err(Invalid::Nodes),
                "`{text}`"
            );
        }
    }

    #[test]
    fn a_cursor_of_another_list_of_nodes_is_an_error() {
        let lists: [&[&str]; 5] = [
            &["a:1", "b:2", "c:3"],
            &["a:1", "b:2"],
            &["b:2", "a:1", "c:3"],
            &["a:1", "b:2", "c:3", "d:4"],
            &["a:1b:2", "c:3"],
        ];
        for (place, made) in lists.iter().enumerate() {
            let number = cursors(made).after(NodeId(0), 5).unwrap().to_string();
            for (other, read) in lists.iter().enumerate() {
                let result = cursors(read).read(number.as_bytes());
                assert_eq!(result.is_ok(), place == other, "{made:?} read by {read:?}");
            }
        }
    }

    #[test]
    fn a_cursor_that_does_not_fit_is_not_another_one() {
        let cursors = cursors(&["a:1", "b:2", "c:3"]);
        assert_eq!(cursors.after(NodeId(0), u64::MAX), None);
        assert_eq!(cursors.after(NodeId(0), 1 << 42), None);
        assert!(cursors.after(NodeId(2), 1 << 41).is_some());
    }

    proptest! {
        #[test]
        fn written_values_are_read(nodes in 1_u16..1000, node in any::<u16>(), cursor in 1_u64..1 << 33) {
            let addresses: Vec<String> = (0..nodes).map(|node| format!("n{node}:1")).collect();
            let cursors = Cursors::new(addresses.iter().map(String::as_str));
            let place = Place { node: NodeId(node % nodes), cursor };
            let number = cursors.after(place.node, cursor).unwrap();
            prop_assert!(i64::try_from(number).is_ok_and(|number| number > 0));
            prop_assert_eq!(cursors.read(number.to_string().as_bytes()), Ok(place));
        }
    }
}
