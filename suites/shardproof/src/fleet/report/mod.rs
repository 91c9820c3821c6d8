//! The results of a check of a fleet and of a migration of its keys: the model of every report on them.

mod check;
mod examples;
mod key_copy;
mod migration;
mod probed;

pub use check::{Check, CheckStatus, ConflictKey, LargeKey, NodeKeys, OtherDatabase};
pub use key_copy::{CopyState, KeyCopy, write_head, write_line};
pub use migration::{Migration, MoveOutcome};
pub use probed::Probed;
