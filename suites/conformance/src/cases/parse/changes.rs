//! Changes of the cluster in a case: the nodes and keys that only a `rescale` explains.

use super::error::Problem;
use crate::cases::case::{Action, NODES};
use crate::cases::members::Members;
use crate::cases::word::{Piece, Variable, letter};

/// The changes of a case, and the first line with each thing that needs one.
#[derive(Default)]
pub(super) struct Changes {
    clusters: Vec<Members>,
    /// A node beyond the usual ones.
    added: Option<(usize, usize)>,
    /// Keys with a node after the change.
    moved: Vec<(usize, Variable)>,
}

impl Changes {
    pub(super) fn read(&mut self, line: usize, action: &Action) {
        self.clusters.extend(action.clusters().cloned());
        let added = action.node().filter(|node| *node >= NODES);
        self.added = self.added.or(added.map(|node| (line, node)));
        let pieces = action.words().into_iter().flat_map(|word| &word.pieces);
        self.moved.extend(pieces.filter_map(|piece| match piece {
            Piece::Key(variable) | Piece::Length(variable) if variable.moved.is_some() => {
                Some((line, *variable))
            }
            _ => None,
        }));
    }

    /// The first step that mentions a node or a key of a cluster that the case does not have.
    pub(super) fn check(&self) -> Result<(), (usize, Problem)> {
        if let Some((line, node)) = self.added
            && !self.clusters.iter().any(|members| members.contains(node))
        {
            let name = letter(node);
            let expected = format!("A, B or C, or a `rescale` to a cluster with {name}");
            return Err((line, Problem::new(format!("node `{name}`"), expected)));
        }
        // Where keys are depends on the first change.
        let known = |variable: &Variable| {
            let first = self.clusters.first();
            let node = variable.moved.unwrap_or_default();
            first.is_some_and(|members| members.contains(node))
        };
        match self.moved.iter().find(|(_, variable)| !known(variable)) {
            None => Ok(()),
            Some((line, variable)) => {
                let node = letter(variable.moved.unwrap_or_default());
                let expected = format!("a first `rescale` to a cluster with node {node}");
                Err((*line, Problem::new(format!("`{variable}`"), expected)))
            }
        }
    }
}
