//! Conformance: one promise a case, judged from both sides of the proxy.
//!
//! A case names no target, and nothing here knows where a key lives but by looking on the nodes.

mod aftermath;
mod asked;
mod beside;
mod canary;
mod case;
mod connection;
pub mod differential;
mod disturbs;
pub mod files;
mod footprint;
mod judge;
mod keys;
pub mod matrix;
mod parse;
mod patience;
mod pattern;
mod runner;
mod settle;
mod stage;
mod transcript;
pub mod verdict;
mod word;
mod world;

use std::collections::BTreeSet;

pub use asked::{Known, compare, requests};
pub use case::{Action, Answer, Asked, Case, NODES, Party, Step};
pub use disturbs::Disturbed;
pub use judge::{Outcome, judge};
pub use keys::Error as KeysError;
pub use parse::{Complaint, ParseError};
pub use pattern::Pattern;
pub use stage::{Error, Stage, skipped};
pub use word::{Piece, Scope, Variable, Word, letter};
pub use world::Allowed;

use testbed::fixtures::Source;

/// All cases of the files.
///
/// # Errors
/// Everything that is wrong with any of them; no cases, and two with one id, are wrong as well.
pub fn load(sources: &[Source]) -> Result<Vec<Case>, Vec<ParseError>> {
    let mut cases = Vec::new();
    let mut errors = Vec::new();
    let mut ids = BTreeSet::new();
    for source in sources {
        match parse::case(source) {
            Ok(case) => cases.push(case),
            Err(found) => errors.extend(found),
        }
        if !ids.insert(&source.id) {
            errors.push(ParseError {
                path: source.path.clone(),
                line: 0,
                complaint: Complaint::new(
                    format!("a second case `{}`", source.id),
                    "ids that differ",
                ),
            });
        }
    }
    if sources.is_empty() {
        errors.push(ParseError {
            path: "fixtures/conformance".to_owned(),
            line: 0,
            complaint: Complaint::new("no case file", "at least one"),
        });
    }
    if errors.is_empty() {
        Ok(cases)
    } else {
        Err(errors)
    }
}

#[cfg(test)]
mod laws;

#[cfg(test)]
mod tests;
