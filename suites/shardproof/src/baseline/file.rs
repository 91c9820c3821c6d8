//! The text of a baseline: TOML, one `[[known]]` row per failure.

use serde::{Deserialize, Serialize};
use testbed::targets::Occurs;
use toml::Spanned;

use super::{Baseline, Command, Row, Versions};
use ::conformance::verdict::Class;
use testbed::text::shell_quoted;

const FORMAT: &str = "shardproof.baseline/1";
/// The verdict of rows of laws.
const BROKEN: &str = "broken";

/// A baseline cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is wrong.
    #[error("{path}:{line}: {why}")]
    Text {
        /// The file.
        path: String,
        /// The line of the mistake, from 1.
        line: usize,
        /// The mistake, and the expected text.
        why: String,
    },
    /// It lists failures of something else.
    #[error("{path}: a baseline of `{found}`, expected one of `{expected}`")]
    Other {
        /// The file.
        path: String,
        /// The command and the target of the baseline.
        found: String,
        /// Those of the run.
        expected: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    format: Spanned<String>,
    command: Command,
    target: String,
    versions: Versions,
    #[serde(default)]
    known: Vec<Spanned<FileRow>>,
}

#[derive(Debug, Serialize)]
struct Written<'a> {
    format: &'a str,
    command: Command,
    target: &'a str,
    versions: &'a Versions,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known: Vec<FileRow>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRow {
    case: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    seen: String,
    #[serde(default, skip_serializing_if = "is_always")]
    occurs: Occurs,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

fn is_always(occurs: &Occurs) -> bool {
    *occurs == Occurs::Always
}

impl FileRow {
    /// Why the row is wrong, if it is.
    fn mistake(&self, command: Command) -> Option<String> {
        let Self {
            case,
            class,
            verdict,
            ..
        } = self;
        match (command, class, verdict.as_deref()) {
            (Command::Chaos, None, Some(BROKEN)) => None,
            (Command::Chaos, ..) => Some(format!(
                "known `{case}`: expected `verdict = \"{BROKEN}\"` and no class"
            )),
            (_, Some(Class::Correct), _) => {
                Some(format!("known `{case}`: class `correct` is no failure"))
            }
            (_, Some(_), None) => None,
            _ => Some(format!("known `{case}`: expected a class and no verdict")),
        }
    }

    fn row(self, line: usize) -> Row {
        let Self {
            case,
            class,
            seen,
            occurs,
            why,
            link,
            ..
        } = self;
        Row {
            case,
            class,
            seen,
            occurs,
            why,
            link,
            line,
        }
    }
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// The first mistake, with its line.
    pub fn parse(path: &str, text: &str) -> Result<Self, Error> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let wrong = |at, why| Error::Text {
            path: path.to_owned(),
            line: line(at),
            why,
        };
        let read: Read = toml::from_str(text).map_err(|why| {
            let at = why.span().map_or(0, |span| span.start);
            wrong(at, why.message().replace('\n', ", "))
        })?;
        if read.format.get_ref() != FORMAT {
            let why = format!("format `{}`, expected `{FORMAT}`", read.format.get_ref());
            return Err(wrong(read.format.span().start, why));
        }
        let mut rows: Vec<Row> = Vec::new();
        for known in read.known {
            let at = known.span().start;
            let row = known.into_inner();
            if let Some(why) = row.mistake(read.command) {
                return Err(wrong(at, why));
            }
            if rows.iter().any(|other| other.case == row.case) {
                let why = format!("known `{}`: a second row, expected one per case", row.case);
                return Err(wrong(at, why));
            }
            rows.push(row.row(line(at)));
        }
        Ok(Self {
            path: path.to_owned(),
            command: read.command,
            target: read.target,
            versions: read.versions,
            rows,
        })
    }

    /// The same if it lists failures of `target` under `command`.
    ///
    /// # Errors
    /// [`Error::Other`].
    pub fn of(self, command: Command, target: &str) -> Result<Self, Error> {
        let named = |command: Command, target: &str| format!("{} {target}", command.name());
        match self.command == command && self.target == target {
            true => Ok(self),
            false => Err(Error::Other {
                found: named(self.command, &self.target),
                expected: named(command, target),
                path: self.path,
            }),
        }
    }

    /// The text of the file.
    ///
    /// # Errors
    /// Never for rows of this suite.
    pub fn text(&self) -> Result<String, toml::ser::Error> {
        let verdict = (self.command == Command::Chaos).then(|| BROKEN.to_owned());
        let known = self.rows.iter().cloned().map(|row| FileRow {
            case: row.case,
            class: row.class,
            verdict: verdict.clone(),
            seen: row.seen,
            occurs: row.occurs,
            why: row.why,
            link: row.link,
        });
        let body = toml::to_string(&Written {
            format: FORMAT,
            command: self.command,
            target: &self.target,
            versions: &self.versions,
            known: known.collect(),
        })?;
        let (command, path) = (self.command.name(), shell_quoted(&self.path));
        Ok(format!(
            "# Known failures. `shardproof {command} ... --baseline {path}` fails on others, and on a row whose case passed.\n\
             # A row with occurs = \"by-placement\" may pass. Add `why` and `link` by hand: --write-baseline keeps them.\n\n\
             {body}"
        ))
    }
}
