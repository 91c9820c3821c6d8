//! A summary in Markdown for the page of a CI job: the result of each proxy, then its failures.

use std::fmt::Write;

use super::Exit;
use super::suites::{Outcome, Suite, Test};

/// Failures that are listed. A CI server limits the size of a summary.
const FAILURES_MAX: usize = 100;

/// The summary of all suites; `unjudged` are the reasons why the run, or a part of it, was not judged.
#[must_use]
pub fn markdown(suites: &[Suite], exit: Exit, unjudged: &[String]) -> String {
    let verdict = match exit {
        Exit::Expected => "as expected",
        Exit::Broken => "a promise is broken",
        Exit::Unjudged => "not judged",
    };
    let mut text = format!("## shardproof: {verdict}\n\n| proxy | result |\n|---|---|\n");
    for suite in suites {
        let name = plain(&format!("{} {}", suite.name(), suite.version));
        let _ = writeln!(text, "| {name} | {} |", plain(&suite.sentence));
    }
    text.push('\n');
    for why in unjudged {
        let _ = writeln!(text, "- {}", plain(why));
    }
    let attention = |test: &&Test| matches!(test.outcome, Outcome::Failed | Outcome::Unjudged);
    let tests = suites.iter().flat_map(|suite| &suite.tests);
    let failures: Vec<&Test> = tests.filter(attention).collect();
    if !failures.is_empty() {
        let count = failures.len();
        let _ = write!(
            text,
            "\n<details><summary>Failures: {count}</summary>\n\n| test | outcome | |\n|---|---|---|\n"
        );
        for test in failures.iter().take(FAILURES_MAX) {
            let _ = writeln!(text, "{}", row(test));
        }
        if count > FAILURES_MAX {
            let _ = writeln!(text, "| and {} more | | |", count - FAILURES_MAX);
        }
        text.push_str("\n</details>\n");
    }
    text.push('\n');
    text
}

fn row(test: &Test) -> String {
    let name = format!("{}/{}", test.path.join("/"), test.name);
    let words = [Some(test.word), test.level, test.class];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    format!(
        "| {} | {} | {} |",
        plain(&name),
        words.join(", "),
        plain(&test.message)
    )
}

/// A text that Markdown shows as it is, within one cell of a table.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '@' => {
                plain.push('\\');
                plain.push(letter);
            }
            letter if letter.is_control() => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    plain
}
