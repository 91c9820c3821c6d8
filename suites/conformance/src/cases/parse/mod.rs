//! Case files to cases; each error is one line that names file and line.
//!
//! Opens no file: callers pass texts.

mod changes;
mod error;
mod pattern;
mod step;
pub(crate) mod template;
mod token;

use std::collections::BTreeSet;
use std::time::Duration;

pub use error::{ParseError, Problem};
pub(crate) use token::tokens;

use self::changes::Changes;
use self::step::{Order, duration, step};
use crate::cases::case::{Action, Case, Party, Step};
use crate::cases::disturbed::Disturbed;
use crate::cases::pattern::Pattern;
use crate::cases::word::{Piece, Variable};
use crate::verdict::Level;
use testbed::fixtures::Source;
use testbed::targets::{Capability, correction};

/// The version of the format that this parser reads.
const VERSION: &str = "case 1";

/// The case in a file, or the cases of a template, in the order of their shapes.
///
/// # Errors
/// Everything that is wrong with it, for a template with its first shape that is wrong.
pub(crate) fn cases(source: &Source) -> Result<Vec<Case>, Vec<ParseError>> {
    match template::expand(source) {
        None => Ok(vec![case(source)?]),
        Some(expanded) => {
            let (template, sources) = expanded.map_err(|wrong| vec![wrong])?;
            let of_template = |case: Case| Case {
                template: Some(template.clone()),
                ..case
            };
            let cases = sources.iter().map(|source| case(source).map(of_template));
            cases.collect()
        }
    }
}

/// The case in a file that is not a template.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn case(source: &Source) -> Result<Case, Vec<ParseError>> {
    let mut reading = Reading::default();
    let mut errors = Vec::new();
    let mut complain = |line, complaint| {
        errors.push(ParseError {
            path: source.path.clone(),
            line,
            complaint,
        });
    };
    for (line, text) in (1..).zip(source.text.lines()) {
        if let Err(complaint) = reading.line(line, text) {
            complain(line, complaint);
            if line == 1 {
                return Err(errors);
            }
        }
    }
    if let Err((line, complaint)) = reading.changes.check() {
        complain(line, complaint);
    }
    match reading.end(source) {
        Ok(case) if errors.is_empty() => Ok(case),
        Ok(_) => Err(errors),
        Err(complaint) => {
            // The missing line may be one that was refused.
            if errors.is_empty() {
                errors.push(ParseError {
                    path: source.path.clone(),
                    line: 0,
                    complaint,
                });
            }
            Err(errors)
        }
    }
}

#[derive(Default)]
struct Reading {
    promise: Option<String>,
    spec: Option<String>,
    level: Option<Level>,
    needs: Vec<Capability>,
    destructive: bool,
    disturbs: BTreeSet<Disturbed>,
    deadline: Option<Duration>,
    op_timeout: Option<Duration>,
    shapes: Option<()>,
    variables: BTreeSet<Variable>,
    steps: Vec<Step>,
    times: Option<usize>,
    eventually: Option<Pending>,
    /// How many alternatives the last reply had that had some.
    alternatives: Option<usize>,
    changes: Changes,
}

/// An `eventually` and the parsed part of the pair after it.
struct Pending {
    line: usize,
    within: Duration,
    send: Option<Box<Step>>,
}

impl Reading {
    fn line(&mut self, line: usize, text: &str) -> Result<(), Problem> {
        let text = text.trim();
        if line == 1 {
            return match text {
                VERSION => Ok(()),
                other => Err(Problem::new(
                    format!("`{other}`"),
                    format!("`{VERSION}` on the first line"),
                )),
            };
        }
        if let Some(comment) = text.strip_prefix('#') {
            let comment = comment.trim();
            if self.promise.is_none() && !comment.is_empty() {
                self.promise = Some(comment.to_owned());
            }
            return Ok(());
        }
        if text.is_empty() {
            return Ok(());
        }
        let (verb, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        match self.header(verb, rest.trim()) {
            Some(result) if self.steps.is_empty() => result,
            Some(_) => Err(Problem::new(
                format!("`{verb}` after a step"),
                "it before the first step",
            )),
            None => self.step(line, verb, rest),
        }
    }

    /// `None` if the line is not a header.
    fn header(&mut self, verb: &str, rest: &str) -> Option<Result<(), Problem>> {
        Some(match verb {
            "spec" if rest.starts_with("https://") => once(verb, &mut self.spec, rest.to_owned()),
            "spec" => Err(Problem::new(format!("`{rest}`"), "an https:// address")),
            "level" => level(rest).and_then(|level| once(verb, &mut self.level, level)),
            "needs" => needs(rest).map(|found| self.needs.extend(found)),
            "destructive" => {
                self.destructive = true;
                Ok(())
            }
            "disturbs" => disturbs(rest).map(|found| self.disturbs.extend(found)),
            "deadline" => duration(rest).and_then(|time| once(verb, &mut self.deadline, time)),
            "op-timeout" => duration(rest).and_then(|time| once(verb, &mut self.op_timeout, time)),
            // Read before: this text is that of one shape.
            "shapes" => once(verb, &mut self.shapes, ()),
            _ => return None,
        })
    }

    fn step(&mut self, line: usize, verb: &str, rest: &str) -> Result<(), Problem> {
        let order = step(verb, rest)?;
        if self.promise.is_none() {
            return Err(Problem::new(
                "a step before the promise",
                "`# One sentence, the promise.`",
            ));
        }
        match order {
            Order::Times(times) => {
                self.times = Some(times);
                Ok(())
            }
            Order::Eventually(within) => {
                self.eventually = Some(Pending {
                    line,
                    within,
                    send: None,
                });
                Ok(())
            }
            Order::Do(action) => {
                self.tie(&action)?;
                self.collect(&action);
                self.changes.read(line, &action);
                let times = self.times.take();
                if times.is_some() && !repeatable(&action) {
                    return Err(Problem::new(
                        format!("`times` before `{verb}`"),
                        "send, raw or want",
                    ));
                }
                let step = Step {
                    line,
                    times: times.unwrap_or(1),
                    action,
                };
                numbered(&step)?;
                self.place(step)
            }
        }
    }

    /// Checks a `likewise` against the alternatives before it.
    fn tie(&mut self, action: &Action) -> Result<(), Problem> {
        let count = |pattern: &Pattern| match pattern {
            Pattern::Either(alternatives) => Some(alternatives.len()),
            _ => None,
        };
        match (action, self.alternatives) {
            (Action::Want { patterns, .. }, before) => {
                self.alternatives = patterns.iter().filter_map(count).next_back().or(before);
                Ok(())
            }
            (Action::Likewise { .. }, None) => Err(Problem::new(
                "`likewise` without alternatives before it",
                "a `want` such as `want :1 | error` before it",
            )),
            (Action::Likewise { alternatives, .. }, Some(count)) if alternatives.len() != count => {
                Err(Problem::new(
                    format!("{} in `likewise`", alternatives.len()),
                    format!("{count} alternatives, as in the last `want` that has some"),
                ))
            }
            _ => Ok(()),
        }
    }

    fn place(&mut self, step: Step) -> Result<(), Problem> {
        let Some(mut pending) = self.eventually.take() else {
            self.steps.push(step);
            return Ok(());
        };
        let sender = |step: &Step| match step.action {
            Action::Send { from, .. } | Action::Raw { from, .. } | Action::Want { from, .. } => {
                Some(from)
            }
            _ => None,
        };
        match (&step.action, pending.send.take()) {
            (Action::Send { .. } | Action::Raw { .. }, None) => {
                pending.send = Some(Box::new(step));
                self.eventually = Some(pending);
            }
            (Action::Want { .. }, Some(send)) if sender(&send) == sender(&step) => {
                self.steps.push(Step {
                    line: pending.line,
                    times: 1,
                    action: Action::Eventually {
                        within: pending.within,
                        send,
                        want: Box::new(step),
                    },
                });
            }
            _ => {
                return Err(Problem::new(
                    "another step after `eventually`",
                    "a send and a want of the same party",
                ));
            }
        }
        Ok(())
    }

    fn collect(&mut self, action: &Action) {
        let variables = action.words().into_iter().flat_map(|word| &word.pieces);
        self.variables
            .extend(variables.filter_map(|piece| match piece {
                Piece::Key(variable) | Piece::Length(variable) | Piece::Padded(variable, _) => {
                    Some(*variable)
                }
                Piece::Bytes(_) | Piece::Run | Piece::Repetition => None,
            }));
    }

    fn end(self, source: &Source) -> Result<Case, Problem> {
        let missing = |what: &str, expected: &str| Problem::new(format!("no {what}"), expected);
        if self.times.is_some() || self.eventually.is_some() {
            return Err(Problem::new(
                "`times` or `eventually` at the end",
                "the steps that it repeats",
            ));
        }
        let judges = |step: &Step| {
            !matches!(
                step.action,
                Action::Given { .. }
                    | Action::Send { .. }
                    | Action::Raw { .. }
                    | Action::Pause { .. }
            )
        };
        if !self.steps.iter().any(judges) {
            return Err(missing("step that judges", "`want`, `nothing` or `asked`"));
        }
        Ok(Case {
            id: source.id.clone(),
            path: source.path.clone(),
            promise: self
                .promise
                .ok_or_else(|| missing("promise", "`# One sentence.` after the first line"))?,
            spec: self
                .spec
                .ok_or_else(|| missing("spec", "`spec https://...`"))?,
            level: self
                .level
                .ok_or_else(|| missing("level", "`level must`, `should` or `may`"))?,
            needs: self.needs,
            destructive: self.destructive,
            disturbs: self.disturbs,
            deadline: self.deadline,
            op_timeout: self.op_timeout,
            template: None,
            variables: self.variables,
            steps: self.steps,
        })
    }
}

fn repeatable(action: &Action) -> bool {
    matches!(
        action,
        Action::Send { .. }
            | Action::Raw { .. }
            | Action::Want {
                from: Party::Client(_) | Party::EachClient,
                ..
            }
    )
}

/// Checks that each repetition of `@*` is the number of a client.
fn numbered(step: &Step) -> Result<(), Problem> {
    let (Action::Send { from, .. } | Action::Raw { from, .. } | Action::Want { from, .. }) =
        &step.action
    else {
        return Ok(());
    };
    match *from == Party::EachClient && step.times > usize::from(u16::MAX) {
        true => Err(Problem::new(
            format!("{} clients", step.times),
            format!("up to {}", u16::MAX),
        )),
        false => Ok(()),
    }
}

fn once<T>(verb: &str, place: &mut Option<T>, value: T) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::new(format!("a second `{verb}`"), "one")),
    }
}

fn level(text: &str) -> Result<Level, Problem> {
    match text {
        "must" => Ok(Level::Must),
        "should" => Ok(Level::Should),
        "may" => Ok(Level::May),
        other => Err(Problem::new(
            format!("level `{other}`"),
            "must, should or may",
        )),
    }
}

fn needs(rest: &str) -> Result<Vec<Capability>, Problem> {
    let words = rest.split_whitespace();
    words
        .map(|word| match correction(word) {
            None => Ok(word.to_owned()),
            Some(correction) => Err(Problem::new(
                format!("unknown capability `{word}`"),
                format!("a known one: {correction}"),
            )),
        })
        .collect()
}

fn disturbs(rest: &str) -> Result<Vec<Disturbed>, Problem> {
    const EXPECTED: &str = "connections, nodes or proxy";
    let known = |word: &str| Disturbed::ALL.iter().find(|(name, _)| *name == word);
    let found: Vec<Disturbed> = rest
        .split_whitespace()
        .map(|word| {
            let found = known(word).map(|(_, disturbed)| *disturbed);
            found.ok_or_else(|| Problem::new(format!("disturbs `{word}`"), EXPECTED))
        })
        .collect::<Result<_, _>>()?;
    match found.is_empty() {
        true => Err(Problem::new("`disturbs` alone", EXPECTED)),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests;
