//! Conformance: one promise per case, judged from both sides of the proxy.
//!
//! | module | what |
//! |---|---|
//! | [`cases`] | the grammar of `.case` files, and the judge; pure |
//! | [`harness`] | a proxy over nodes, on which cases run one after the other |
//! | [`probe`] | which capabilities a proxy offers |
//! | [`oracle`] | one plain Redis next to the proxy: how both answer a request |
//! | [`matrix`] | every command of Redis, one class each |
//! | [`differential`] | random requests of several clients, compared with the oracle |
//! | [`verdict`] | verdicts and their evidence, for reports |
//! | [`report`] | the results of a run, target by target |
//!
//! A case names no target, and the suite learns where a key is only by asking the nodes.

mod cases;
#[cfg(feature = "differential")]
pub mod differential;
pub mod files;
mod harness;
pub mod matrix;
mod oracle;
pub mod probe;
pub mod report;
pub mod verdict;

pub use cases::asked::{Known, compare, requests};
pub use cases::case::{Action, Answer, Asked, Case, NODES, Party, Step, Template};
pub use cases::disturbed::Disturbed;
pub use cases::judge::{Outcome, judge};
pub use cases::parse::template::text_of;
pub use cases::parse::{ParseError, Problem};
pub use cases::pattern::Pattern;
pub use cases::print;
pub use cases::shapes::{LISTS, List, Selection};
pub use cases::word::{Group, Piece, Scope, Variable, Word, letter};
pub use cases::{in_order_of_starts, load};
pub use harness::environment::Allowed;
pub use harness::keys::Error as KeysError;
pub use harness::{Error, Harness, skipped};
