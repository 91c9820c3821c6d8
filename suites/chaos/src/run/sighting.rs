//! A request to a node, as the tap recorded it.

use testbed::wire::Arguments;

use crate::history::Seen;

/// One request to one node.
#[derive(Debug)]
pub(super) struct Sighting {
    pub(super) seen: Seen,
    pub(super) request: Arguments,
}
