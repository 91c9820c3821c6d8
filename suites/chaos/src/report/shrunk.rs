//! What a failing run was cut down to.

use schemars::JsonSchema;
use serde::Serialize;

use crate::shrink::Size;

/// The search for a smaller scenario that fails too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shrunk {
    /// The law that every smaller scenario had to break.
    pub law: String,
    /// Size of the scenario that was run first.
    pub from: Size,
    /// The smallest one that failed. None if no smaller one did.
    pub smallest: Option<Smallest>,
    /// The violation as a case.
    pub case: CaseFile,
    /// Runs of smaller scenarios.
    pub runs: u64,
    /// How long they took, in milliseconds.
    pub took_ms: u64,
    /// Why the search ended.
    pub ended: Ended,
    /// The error that ended the search, if one did.
    pub why: Option<String>,
}

/// The smallest scenario that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Smallest {
    /// Its size.
    pub size: Size,
    /// The laws that it broke, of those that the first run broke.
    pub laws: Vec<String>,
    /// Seed of the run that failed, in hexadecimal digits.
    pub seed: String,
    /// The file that it was written to.
    pub file: String,
    /// The command that repeats it.
    pub repeat: String,
}

/// A violation as a case: a few requests, one after another, with the replies that they should have had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaseFile {
    /// It fails in every one of several runs.
    Saved {
        /// The file that it was written to.
        file: String,
        /// The command that runs it.
        repeat: String,
    },
    /// There is none.
    None {
        /// The reason.
        why: String,
    },
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Every smaller scenario that is known was tried.
    Complete,
    /// No other run would have ended in time.
    OutOfTime,
    /// A run ended with an error.
    Stopped,
}

impl Shrunk {
    /// The result, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (from, law, runs) = (&self.from, &self.law, self.runs);
        let runs = match runs {
            1 => "1 run".to_owned(),
            _ => format!("{runs} runs"),
        };
        let end = self.end();
        match (&self.smallest, self.runs) {
            (Some(smallest), _) => {
                let (size, file) = (&smallest.size, &smallest.file);
                format!("shrunk from {from} to {size}: {file} ({runs}{end})")
            }
            (None, 0) => format!("not shrunk from {from} (no run{end})"),
            (None, _) => {
                format!("not shrunk from {from}: no smaller scenario broke {law} ({runs}{end})")
            }
        }
    }

    /// The case of the violation, or why there is none, in one sentence.
    #[must_use]
    pub fn case_sentence(&self) -> String {
        match &self.case {
            CaseFile::Saved { file, .. } => format!("saved as a case that fails too: {file}"),
            CaseFile::None { why } => format!("no case: {why}"),
        }
    }

    fn end(&self) -> String {
        match (self.ended, &self.why) {
            (Ended::Complete, _) => String::new(),
            (Ended::OutOfTime, _) => ", out of time".to_owned(),
            (Ended::Stopped, Some(why)) => format!(", stopped: {why}"),
            (Ended::Stopped, None) => ", stopped".to_owned(),
        }
    }
}
