//! Commands: their outcomes, and which of them are known.

use super::{Baseline, Outcome};
use ::conformance::matrix::Matrix;

impl Outcome {
    /// The outcomes of commands.
    #[must_use]
    pub fn of_commands(matrix: &Matrix) -> Vec<Self> {
        let outcome = |cell: &::conformance::matrix::Cell| {
            let once = (usize::from(cell.is_failure()), 1);
            let repeats = cell.repeats.as_ref();
            let (failed, judged) = repeats.map_or(once, |it| (it.failed, it.judged));
            Self {
                case: cell.command.clone(),
                failed,
                judged,
                class: cell.is_failure().then_some(cell.class),
            }
        };
        matrix.rows.iter().map(outcome).collect()
    }
}

impl Baseline {
    /// Marks the known failures of a matrix.
    pub fn mark_matrix(&self, matrix: &mut Matrix) {
        for cell in &mut matrix.rows {
            cell.known = self.known(&cell.command);
        }
    }
}
