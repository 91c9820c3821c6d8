//! `shardproof explain`: one case in words.

use clap::Args;
use conformance::Case;
use shardproof::report;
use testbed::fixtures::Source;
use testbed::targets;
use testbed::text;

use super::{Console, Exit, Folder, Usage};

/// Case ids that an error lists.
const SHOWN: usize = 5;

/// Explain a case: its promise, its steps for redis-cli, and known deviations
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Case id, or a part of one
    #[arg(value_name = "CASE")]
    case: String,
    #[command(flatten)]
    pub(super) folder: Folder,
}

pub(super) fn run(flags: &Flags, console: &Console) -> anyhow::Result<Exit> {
    let fixtures = flags.folder.fixtures();
    let sources = conformance::files::cases(&fixtures)?;
    let cases = conformance::load(&sources).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(errors.join("\n"))
    })?;
    let case = find(&cases, &flags.case)?;
    let targets = targets::load_all(&fixtures.targets()?)?;
    let text = file_of(&sources, case);
    (console.out)(&report::terminal::explain(case, text, &targets));
    Ok(Exit::Expected)
}

/// The case with this id, or the only one whose id contains it. The shapes of a template are one case here.
fn find<'a>(cases: &'a [Case], wanted: &str) -> Result<&'a Case, Usage> {
    if let Some(case) = cases.iter().find(|case| case.id == wanted) {
        return Ok(case);
    }
    let mut found: Vec<&Case> = cases
        .iter()
        .filter(|case| case.id.contains(wanted))
        .collect();
    found.dedup_by(|one, next| one.template.is_some() && one.path == next.path);
    match &*found {
        [only] => Ok(only),
        [] => {
            let ids = cases.iter().map(|case| case.id.as_str());
            let near = text::nearest(wanted, ids);
            let near = near.map_or(String::new(), |near| format!(", did you mean {near}?"));
            Err(Usage(format!("{wanted}: no case has this in its id{near}")))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|case| case.id.as_str()).collect();
            let shown = ids
                .iter()
                .take(SHOWN)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            let count = ids.len();
            Err(Usage(format!(
                "{wanted}: {count} cases have this in their ids, expected one, such as {shown}"
            )))
        }
    }
}

fn file_of<'a>(sources: &'a [Source], case: &Case) -> &'a str {
    let source = sources.iter().find(|source| source.path == case.path);
    source.map_or("", |source| source.text.as_str())
}
