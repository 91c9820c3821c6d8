//! The command matrix as a page: how many commands have each class, then command x target, then both sides of the rest.

use std::fmt::Write;

use super::page;
use crate::report::svg::escaped;
use crate::report::svg::sequence::sequence;
use crate::report::terminal::spoken;
use crate::run::{CLASSES, Cell, Matrix};
use conformance::verdict::{Class, Evidence};

/// The page of a matrix.
#[must_use]
pub fn matrix(matrix: &Matrix) -> String {
    let commands = matrix.rows.len() / matrix.targets.len().max(1);
    let mut body = format!(
        "<h1>shardproof: commands</h1>\n<p class=\"dim\">{commands} commands beside one plain {} with the same data, \
         seed <code>{}</code>{}</p>\n",
        escaped(&matrix.server),
        escaped(&matrix.seed),
        match matrix.unknown.len() {
            0 => String::new(),
            1 => "; it does not know 1 command of other servers".to_owned(),
            count => format!("; it does not know {count} commands of other servers"),
        }
    );
    body.push_str(&cards(matrix));
    body.push_str(&filters());
    body.push_str(&grid(matrix));
    body.push_str("<h2>Evidence</h2>\n");
    for cell in &matrix.rows {
        if let Some(evidence) = &cell.evidence {
            body.push_str(&told(matrix, cell, evidence));
        }
    }
    page("shardproof: commands", &body)
}

fn cards(matrix: &Matrix) -> String {
    let mut html = String::from("<div class=\"cards\">\n");
    for column in &matrix.targets {
        let count = |class| matrix.count(&column.target, class);
        let untrue = count(Class::Wrong) + count(Class::Hung);
        let _ = writeln!(
            html,
            "<div class=\"card\"><h3>{} <span class=\"dim\">{}</span></h3>\
             <div class=\"number {}\">{untrue}</div><p>commands answered wrongly or not at all</p>\
             <p class=\"dim\">{} correct, {} refused, {} closed, {} partial, {} hung, {} wrong</p></div>",
            escaped(&column.target),
            escaped(&column.version),
            if untrue == 0 { "zero" } else { "some" },
            count(Class::Correct),
            count(Class::Refused),
            count(Class::Closed),
            count(Class::Partial),
            count(Class::Hung),
            count(Class::Wrong),
        );
    }
    html + "</div>\n"
}

fn filters() -> String {
    let mut html = String::from(
        "<div class=\"filters\"><input id=\"search\" type=\"search\" placeholder=\"command\" aria-label=\"filter commands\">",
    );
    for class in CLASSES {
        let name = class.name();
        let _ = write!(
            html,
            "<button data-standing=\"{name}\" aria-pressed=\"false\">{name}</button>"
        );
    }
    html + "<span id=\"shown\" data-what=\"commands\" class=\"dim\"></span></div>\n"
}

fn grid(matrix: &Matrix) -> String {
    let mut html =
        String::from("<div class=\"wide\"><table class=\"classes\">\n<thead><tr><th>command</th>");
    for column in &matrix.targets {
        let _ = write!(html, "<th>{}</th>", escaped(&column.target));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for cells in matrix
        .rows
        .chunk_by(|one, other| one.command == other.command)
    {
        let Some(first) = cells.first() else { continue };
        let classes: Vec<&str> = cells.iter().map(|cell| cell.class.name()).collect();
        let command = escaped(&first.command);
        let _ = write!(
            html,
            "<tr data-case=\"{command}\" data-standings=\"{}\"><td><span class=\"id\">{command}</span></td>",
            classes.join(" ")
        );
        for cell in cells {
            html.push_str(&word(cell));
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody></table></div>\n"
}

fn word(cell: &Cell) -> String {
    let name = cell.class.name();
    let partly = if cell.class == Class::Correct && cell.refused > 0 {
        let (refused, calls) = (cell.refused, cell.calls);
        format!(" <span class=\"dim\">{refused} of {calls} calls refused</span>")
    } else {
        String::new()
    };
    match &cell.evidence {
        Some(_) => format!(
            "<td class=\"class-{name}\"><a href=\"#{}\">{name}</a>{partly}</td>",
            anchor(cell)
        ),
        None => format!("<td class=\"class-{name}\">{name}{partly}</td>"),
    }
}

fn told(matrix: &Matrix, cell: &Cell, evidence: &Evidence) -> String {
    let said: Vec<String> = evidence.transcript.iter().map(spoken).collect();
    let name = cell.class.name();
    // A refusal is told by its text; a picture of each would make the page heavy.
    let picture = match cell.class {
        Class::Refused => String::new(),
        _ => format!(
            "<div class=\"picture\">{}</div>",
            sequence(&evidence.transcript)
        ),
    };
    format!(
        "<details class=\"evidence\" id=\"{}\"><summary><b>{}</b> <span class=\"id\">{}</span> <span class=\"class-{name}\">{name}</span></summary><div>\
         <p><code>{}</code></p><p>expected <code>{}</code><br>got <code>{}</code></p>{picture}<pre>{}</pre>\
         <p class=\"dim\">repeat: <code>{}</code></p></div></details>\n",
        anchor(cell),
        escaped(&cell.target),
        escaped(&cell.command),
        escaped(&evidence.at),
        escaped(&evidence.expected),
        escaped(&evidence.got),
        escaped(&said.join("\n")),
        escaped(&matrix.repeat(cell)),
    )
}

fn anchor(cell: &Cell) -> String {
    let plain = |text: &str| text.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    format!("{}--{}", plain(&cell.target), plain(&cell.command))
}
