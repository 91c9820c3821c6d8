//! Cases: the grammar of `.case` files, and the judge of what a client and the nodes saw.
//!
//! Pure: never opens a connection or a file.

pub(crate) mod asked;
pub(crate) mod case;
pub(crate) mod disturbed;
pub(crate) mod disturbs;
pub(crate) mod footprint;
pub(crate) mod judge;
pub(crate) mod members;
pub(crate) mod parse;
pub(crate) mod pattern;
pub mod print;
pub(crate) mod shapes;
#[cfg(test)]
mod tests;
pub(crate) mod word;

use std::collections::BTreeSet;

use case::Case;
use parse::{ParseError, Problem};
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
        match parse::cases(source) {
            Ok(found) => cases.extend(found),
            Err(found) => errors.extend(found),
        }
        if !ids.insert(&source.id) {
            errors.push(ParseError {
                path: source.path.clone(),
                line: 0,
                complaint: Problem::new(
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
            complaint: Problem::new("no case file", "at least one"),
        });
    }
    if errors.is_empty() {
        Ok(cases)
    } else {
        Err(errors)
    }
}

/// The cases in an order that starts a proxy seldom: those that disturb come last, and those with a time limit of their own
/// before them.
#[must_use]
pub fn in_order_of_starts(cases: &[Case]) -> Vec<&Case> {
    let mut ordered: Vec<&Case> = cases.iter().collect();
    ordered.sort_by_key(|case| (!case.disturbs.is_empty(), case.op_timeout));
    ordered
}
