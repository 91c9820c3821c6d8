//! Connections to all nodes of a fleet, each opened when it is first needed.

use std::sync::Arc;

use super::connection::Connection;
use super::{Error, Fleet};

/// The connections of one worker; no requests of other workers are in between.
pub(super) struct Connections {
    fleet: Arc<Fleet>,
    opened: Vec<Option<Connection>>,
}

impl Connections {
    pub(super) fn new(fleet: &Arc<Fleet>) -> Self {
        Self {
            fleet: Arc::clone(fleet),
            opened: fleet.members().iter().map(|_| None).collect(),
        }
    }

    /// To the node at `place`.
    pub(super) async fn to(&mut self, place: usize) -> Result<&mut Connection, Error> {
        let opened = match self.opened[place].take() {
            Some(opened) => opened,
            None => self.fleet.connect(place).await?,
        };
        Ok(self.opened[place].insert(opened))
    }
}
