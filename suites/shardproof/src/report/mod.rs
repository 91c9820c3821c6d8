//! Reports: one trait for results, one format per file. Never judges, and reads only its input.

mod badge;
mod ctrf;
pub mod html;
pub mod json;
mod junit;
mod kinds;
mod markdown;
pub mod suites;
mod summary;
mod svg;
pub mod terminal;
mod yaml;

use serde::Serialize;

pub use badge::badge;
pub use ctrf::ctrf;
pub use junit::junit;
pub use markdown::markdown;
pub use suites::Suite;

/// The results of a run, in each format that it has.
pub trait Report: Serialize {
    /// The format of its JSON without version: `shardproof.KIND/1`.
    const KIND: &'static str;

    /// Text for a terminal or a log.
    fn terminal(&self) -> String;

    /// A self-contained page; `None` if the report has no page.
    fn html(&self) -> Option<String> {
        None
    }

    /// The run as suites of tests, for the formats of CI servers; none if the report has no tests.
    fn suites(&self) -> Vec<Suite> {
        Vec::new()
    }

    /// Why the run, or a part of it, was not judged: one line each.
    fn unjudged(&self) -> Vec<String> {
        Vec::new()
    }

    /// How the run ends.
    fn exit(&self) -> Exit;
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is as expected.
    Expected,
    /// A promise is broken.
    Broken,
    /// Something could not be judged.
    Unjudged,
}

impl Exit {
    /// As expected or broken.
    #[must_use]
    pub fn expected_if(as_expected: bool) -> Self {
        match as_expected {
            true => Self::Expected,
            false => Self::Broken,
        }
    }
}
