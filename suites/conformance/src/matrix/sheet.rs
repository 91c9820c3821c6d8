//! The sheet: the calls by which each command is judged. One row per command in the files of `fixtures/matrix`.
//!
//! Never opens anything: text in, rows out.

use std::collections::BTreeSet;

use crate::cases::parse::{ParseError, Problem, tokens};
use crate::cases::word::{Piece, Scope, Variable, Word};
use crate::oracle::Comparison;
use testbed::fixtures::Source;

/// A command, and how it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name, as `GET` or `OBJECT|ENCODING`.
    pub command: String,
    /// The parts that must be equal.
    pub comparison: Comparison,
    /// Whether the connection changes its mode, so that it accepts no further requests.
    pub ends: bool,
    /// Whether it may change servers beyond their keys, so that they are replaced after it.
    pub dangerous: bool,
    /// Whether two servers may answer or keep it differently on other data than the given.
    pub fickle: bool,
    /// Number of replies to a request.
    pub replies: usize,
    /// Location of the row, `file:line`.
    pub at: String,
    /// The initial data, one key per request.
    pub given: Vec<Request>,
    /// The calls, each on the same data.
    pub trials: Vec<Trial>,
}

/// Requests on one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Location of its first request, `file:line`.
    pub at: String,
    /// One after the other.
    pub requests: Vec<Request>,
}

/// The words of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Name first.
    pub words: Vec<Word>,
    /// Whether Redis does not answer it.
    pub silent: bool,
}

impl Request {
    /// The bytes of each word.
    #[must_use]
    pub fn bytes(&self, scope: &Scope) -> Vec<Vec<u8>> {
        self.words.iter().map(|word| word.bytes(scope)).collect()
    }

    /// The keys in it.
    pub fn keys(&self) -> impl Iterator<Item = Variable> {
        let pieces = self.words.iter().flat_map(|word| &word.pieces);
        pieces.filter_map(|piece| match piece {
            Piece::Key(variable) => Some(*variable),
            _ => None,
        })
    }
}

impl Row {
    /// Whether its keys can be on several nodes.
    #[must_use]
    pub fn crosses(&self) -> bool {
        let trials = self.trials.iter().flat_map(|trial| &trial.requests);
        let all = trials.chain(&self.given).flat_map(Request::keys);
        all.collect::<BTreeSet<_>>().len() > 1
    }
}

/// All rows of the files, sorted by command.
///
/// # Errors
/// Everything that is wrong with any of them; a command that comes twice is wrong as well.
pub fn load(sources: &[Source]) -> Result<Vec<Row>, Vec<ParseError>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut errors = Vec::new();
    for source in sources {
        for (line, text) in (1..).zip(source.text.lines()) {
            if let Err(complaint) = read(source, line, text, &mut rows) {
                errors.push(ParseError {
                    path: source.path.clone(),
                    line,
                    complaint,
                });
            }
        }
    }
    if let Some(row) = rows.iter().find(|row| row.trials.is_empty()) {
        let complaint = Problem::new(format!("no call of {}", row.command), "`call WORDS`");
        errors.push(ParseError {
            path: row.at.clone(),
            line: 0,
            complaint,
        });
    }
    if errors.is_empty() {
        rows.sort_by(|one, other| one.command.cmp(&other.command));
        Ok(rows)
    } else {
        Err(errors)
    }
}

fn read(source: &Source, line: usize, text: &str, rows: &mut Vec<Row>) -> Result<(), Problem> {
    let at = format!("{}:{line}", source.path);
    if text.trim().is_empty() || text.starts_with('#') {
        return Ok(());
    }
    if !text.starts_with(' ') {
        let row = header(text, at)?;
        if rows.iter().any(|other| other.command == row.command) {
            let what = format!("a second row of {}", row.command);
            return Err(Problem::new(what, "one row a command"));
        }
        rows.push(row);
        return Ok(());
    }
    let row = rows
        .last_mut()
        .ok_or_else(|| Problem::new("a step of no command", "a line with its name before it"))?;
    let (verb, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let request = request(rest, verb == "silent")?;
    match (verb, row.trials.last_mut()) {
        ("given", None) => {
            if request.keys().collect::<BTreeSet<_>>().len() > 1 {
                return Err(Problem::new("keys of several nodes", "one key a given"));
            }
            row.given.push(request);
        }
        ("call" | "silent", _) => row.trials.push(Trial {
            at,
            requests: vec![request],
        }),
        ("then", Some(trial)) => trial.requests.push(request),
        _ => {
            let what = format!("`{verb}` here");
            return Err(Problem::new(what, "given, then call or silent, and then"));
        }
    }
    Ok(())
}

fn header(text: &str, at: String) -> Result<Row, Problem> {
    let mut words = text.split_whitespace();
    let mut row = Row {
        command: words.next().unwrap_or_default().to_owned(),
        comparison: Comparison::Exact,
        ends: false,
        dangerous: false,
        fickle: false,
        replies: 1,
        at,
        given: Vec::new(),
        trials: Vec::new(),
    };
    for word in words {
        match (word, word.strip_prefix("replies=")) {
            ("ends", _) => row.ends = true,
            ("dangerous", _) => row.dangerous = true,
            ("fickle", _) => row.fickle = true,
            (_, Some(digits)) => {
                let wrong = || Problem::new(format!("`{word}`"), "a number of replies");
                row.replies = digits.parse().map_err(|_| wrong())?;
            }
            _ => {
                let known = || Comparison::ALL.map(Comparison::name).join(", ");
                row.comparison = Comparison::named(word).ok_or_else(|| {
                    let expected =
                        format!("ends, dangerous, fickle, replies=N or one of {}", known());
                    Problem::new(format!("`{word}`"), expected)
                })?;
            }
        }
    }
    Ok(row)
}

fn request(text: &str, silent: bool) -> Result<Request, Problem> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(Problem::new("a step of no words", "a request"));
    }
    let words: Result<Vec<Word>, Problem> = tokens.iter().map(|token| token.word()).collect();
    Ok(Request {
        words: words?,
        silent,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::load;
    use testbed::fixtures::{Fixtures, Source};

    #[track_caller]
    fn check_wrong(text: &str, said: &str) {
        let source = Source {
            path: "x.txt".to_owned(),
            id: "x".to_owned(),
            text: text.to_owned(),
        };
        let errors = load(&[source]).unwrap_err();
        assert!(errors[0].to_string().contains(said), "{}", errors[0]);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        check_wrong("GET\n  given SET $k1 1\n", "x.txt:1: no call of GET");
        check_wrong("GET sorted\n", "x.txt:1: `sorted`, expected ends");
        check_wrong("  call GET $k1\n", "x.txt:1: a step of no command");
        check_wrong(
            "GET\n  call GET\n  given SET $k1 1\n",
            "x.txt:3: `given` here",
        );
        check_wrong("GET\n  given MSET $k1 1 $k2 1\n", "one key a given");
        check_wrong("GET\n  call GET\nGET\n", "x.txt:3: a second row of GET");
        check_wrong("GET\n  call\n", "x.txt:2: a step of no words");
        check_wrong("GET\n  call \"x\n", "x.txt:2: an open quote");
    }

    /// Every command and subcommand that one of the recorded servers has, and no other.
    #[test]
    fn the_sheet_has_a_row_for_each_command() {
        let rows = load(&crate::files::sheets(&Fixtures::compiled_in()).unwrap()).unwrap();
        let judged: BTreeSet<String> = rows.into_iter().map(|row| row.command).collect();
        let servers = [
            include_str!("../../../../fixtures/commands/redis-7.0.15.tsv"),
            include_str!("../../../../fixtures/commands/redis-8.2.3.tsv"),
            include_str!("../../../../fixtures/commands/valkey-9.1.2.tsv"),
        ];
        let lines = servers.into_iter().flat_map(str::lines);
        let names = lines.filter(|line| !line.starts_with('#'));
        let known: BTreeSet<String> = names
            .map(|line| line.split('\t').next().unwrap().to_uppercase())
            .collect();
        let missing: Vec<_> = known.difference(&judged).collect();
        assert!(missing.is_empty(), "no row of {missing:?}");
        let unknown: Vec<_> = judged.difference(&known).collect();
        assert!(unknown.is_empty(), "no such command: {unknown:?}");
    }
}
