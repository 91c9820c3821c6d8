//! Text for people at a terminal: plain, so that it reads the same in a log.

mod chaos;
mod conformance;
mod diff;
mod differential;
mod explain;
mod fault;
mod fingerprint;
mod fleet;
mod history;
mod list;
mod locate;
mod matrix;
mod plan;
mod probe;
mod rescale;
mod table;

pub use crate::evidence::{evidence, lines, spoken};
pub use chaos::{chaos, scenario, shrunk};
pub use conformance::{Shown, failed, summary, target};
pub use diff::diff;
pub use differential::differential;
pub use explain::explain;
pub use fault::fault;
pub use fingerprint::fingerprint;
pub use fleet::{check, migration};
pub use history::history;
pub use list::list;
pub use locate::{located, located_header};
pub use matrix::{evidence_lines, matrix};
pub use plan::plan;
pub(super) use plan::{chance, comparison};
pub use probe::probe;
pub use rescale::{claim, rescale, rescales};
pub(super) use rescale::{laws, policy, prediction};
