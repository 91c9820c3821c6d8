//! The command matrix as a page: how many commands have each class, then command x target, then both sides of the rest.

use askama::Template;

use super::evidence::Shown;
use crate::report::summary;
use conformance::matrix::{CLASSES, Cell, Column, Matrix};
use conformance::verdict::Class;

/// The page of a matrix.
#[must_use]
pub fn matrix(matrix: &Matrix) -> String {
    let page = Page {
        matrix,
        cards: matrix
            .targets
            .iter()
            .map(|column| card(matrix, column))
            .collect(),
        rows: matrix
            .rows
            .chunk_by(|one, other| one.command == other.command)
            .filter_map(row)
            .collect(),
        calls: matrix
            .rows
            .iter()
            .filter_map(|cell| call(matrix, cell))
            .collect(),
    };
    page.to_string()
}

#[derive(Template)]
#[template(path = "matrix.html")]
struct Page<'a> {
    matrix: &'a Matrix,
    cards: Vec<Card<'a>>,
    rows: Vec<Row<'a>>,
    calls: Vec<Call<'a>>,
}

struct Card<'a> {
    target: &'a str,
    version: &'a str,
    untrue: usize,
    counts: String,
}

struct Row<'a> {
    command: &'a str,
    /// The words for the filters.
    classes: String,
    cells: &'a [Cell],
}

struct Call<'a> {
    anchor: String,
    cell: &'a Cell,
    evidence: Shown<'a>,
}

fn card<'a>(matrix: &Matrix, column: &'a Column) -> Card<'a> {
    let count = |class| matrix.count(&column.target, class);
    Card {
        target: &column.target,
        version: &column.version,
        untrue: count(Class::Wrong) + count(Class::Hung),
        counts: summary::matrix(matrix, &column.target),
    }
}

fn row(cells: &[Cell]) -> Option<Row<'_>> {
    let classes: Vec<&str> = cells.iter().map(|cell| cell.class.name()).collect();
    Some(Row {
        command: &cells.first()?.command,
        classes: classes.join(" "),
        cells,
    })
}

fn call<'a>(matrix: &Matrix, cell: &'a Cell) -> Option<Call<'a>> {
    let (evidence, repeat) = (cell.evidence.as_ref()?, matrix.repeat(cell));
    Some(Call {
        anchor: anchor(cell),
        cell,
        evidence: match cell.class {
            // The text of a refusal is enough; a picture of each would make the page heavy.
            Class::Refused => Shown::without_picture(evidence, repeat),
            _ => Shown::new(evidence, repeat),
        },
    })
}

fn anchor(cell: &Cell) -> String {
    let plain = |text: &str| text.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    format!("{}--{}", plain(&cell.target), plain(&cell.command))
}
