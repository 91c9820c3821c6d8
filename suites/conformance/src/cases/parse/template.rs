//! Templates: a file with the header `shapes` is one case for each shape.
//!
//! A shape is put into the text before it is parsed, so it can be anything that a case can write.

use super::error::{ParseError, Problem};
use crate::cases::case::{Case, Template};
use crate::cases::shapes::Selection;
use testbed::fixtures::Source;

/// The text between the braces, before an operation.
const NAME: &str = "shape";

/// The cases of a template as files; `None` if the file is not a template.
pub(super) fn expand(source: &Source) -> Option<Result<(Template, Vec<Source>), ParseError>> {
    let headers = (1..).zip(source.text.lines());
    let (line, list) = headers
        .filter_map(|(line, text)| Some((line, header(text)?)))
        .next()?;
    let wrong = |line, complaint| ParseError {
        path: source.path.clone(),
        line,
        complaint,
    };
    let template = match template(source, list) {
        Ok(template) => template,
        Err(complaint) => return Some(Err(wrong(line, complaint))),
    };
    let shapes = template.shapes.shapes.iter();
    let cases = shapes.map(|shape| {
        let text = filled(&source.text, shape).map_err(|(line, what)| wrong(line, what))?;
        Ok(Source {
            path: source.path.clone(),
            id: format!("{}@{shape}", source.id),
            text,
        })
    });
    let cases = cases.collect::<Result<Vec<Source>, ParseError>>();
    Some(cases.map(|cases| (template, cases)))
}

/// The text after the word `shapes`.
pub(super) fn header(line: &str) -> Option<&str> {
    let (word, rest) = line.trim().split_once([' ', '\t'])?;
    (word == "shapes").then_some(rest.trim())
}

fn template(source: &Source, list: &str) -> Result<Template, Problem> {
    let shapes = Selection::parse(list).map_err(|(what, expected)| Problem::new(what, expected))?;
    let promise = source.text.lines().find_map(|line| {
        let comment = line.trim().strip_prefix('#')?.trim();
        (!comment.is_empty()).then_some(comment)
    });
    let promise = promise.unwrap_or_default();
    if !promise.contains("${shape") {
        // The promises of cases differ.
        return Err(Problem::new(
            format!("`shapes` with the promise `{promise}`"),
            "`${shape}` in the promise",
        ));
    }
    Ok(Template {
        id: source.id.clone(),
        promise: promise
            .replace("${shape}", "N")
            .replace("${shape words}", "N"),
        selected: list.to_owned(),
        shapes,
    })
}

/// The text of the file of `case`, with the shape of a template filled in.
#[must_use]
pub fn text_of(case: &Case, file: &str) -> String {
    let shape = case
        .template
        .as_ref()
        .and_then(|it| case.id.strip_prefix(&it.id)?.strip_prefix('@'));
    let filled = shape.and_then(|shape| filled(file, shape).ok());
    filled.unwrap_or_else(|| file.to_owned())
}

/// The text with the shape in the place of `${shape}`, its parts in that of `${shape words}`, and the results of `${shape+1}`,
/// `${shape-1}` and `${shape*2}`. An error comes with its line.
fn filled(text: &str, shape: &str) -> Result<String, (usize, Problem)> {
    let mut filled = String::with_capacity(text.len());
    for (line, text) in (1..).zip(text.lines()) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${shape") {
            filled.push_str(before);
            let (operation, after) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(&result(shape, operation).map_err(|wrong| (line, wrong))?);
            rest = after;
        }
        filled.push_str(rest);
        filled.push('\n');
    }
    Ok(filled)
}

fn result(shape: &str, operation: &str) -> Result<String, Problem> {
    match operation {
        "" => return Ok(shape.to_owned()),
        " words" => return Ok(shape.replace('-', " ")),
        _ => {}
    }
    let wrong = || {
        Problem::new(
            format!("`${{{NAME}{operation}}}` with the shape `{shape}`"),
            "`${shape}`, `${shape words}`, or `+N`, `-N` or `*N` after a shape that is a number",
        )
    };
    let number: i128 = shape.parse().map_err(|_| wrong())?;
    let (operator, operand) = operation.split_at_checked(1).ok_or_else(wrong)?;
    let operand: i128 = operand.parse().map_err(|_| wrong())?;
    let result = match operator {
        "+" => number.checked_add(operand),
        "-" => number.checked_sub(operand),
        "*" => number.checked_mul(operand),
        _ => None,
    };
    result.map(|result| result.to_string()).ok_or_else(wrong)
}
