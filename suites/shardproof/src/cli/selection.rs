//! Which cases a command line asks for.

use clap::Args;
use conformance::{self, Case};
use testbed::text;

use super::{Folder, Usage};

/// Cases by id.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Only cases whose id contains this text or matches this pattern with *; repeat for several
    #[arg(long = "filter", value_name = "PATTERN")]
    filters: Vec<String>,
}

impl Selection {
    /// Whether every case is asked for.
    pub(super) fn is_all(&self) -> bool {
        self.filters.is_empty()
    }

    /// The selected cases, sorted by id. A filter that matches no case is a usage error.
    pub(super) fn cases(&self, folder: &Folder) -> anyhow::Result<Vec<Case>> {
        let mut cases = conformance::load(&conformance::files::cases(&folder.fixtures())?)
            .map_err(|errors| anyhow::anyhow!(lines(&errors)))?;
        let idle = |filter: &&String| !cases.iter().any(|case| matches(filter, &case.id));
        if let Some(filter) = self.filters.iter().find(idle) {
            return Err(Usage(format!(
                "--filter {filter}: matches none of {} cases",
                cases.len()
            ))
            .into());
        }
        if !self.filters.is_empty() {
            cases.retain(|case| self.filters.iter().any(|filter| matches(filter, &case.id)));
        }
        Ok(cases)
    }
}

fn matches(filter: &str, id: &str) -> bool {
    if filter.contains('*') {
        text::matches(filter, id)
    } else {
        id.contains(filter)
    }
}

fn lines(errors: &[conformance::ParseError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
