//! A badge as shields.io reads it from an address: the headline count, never a rate of passed tests.
//!
//! Source: <https://shields.io/badges/endpoint-badge>.

use serde::Serialize;

use super::Exit;
use super::suites::Suite;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Badge {
    schema_version: u8,
    label: String,
    message: String,
    color: &'static str,
}

/// The badge of all suites. A run that could not be judged has no count.
///
/// # Errors
/// Never for suites of this program.
pub fn badge(suites: &[Suite], exit: Exit) -> serde_json::Result<String> {
    let label = match suites {
        [suite] => format!("shardproof {}", suite.name()),
        _ => "shardproof".to_owned(),
    };
    let count: usize = suites.iter().map(|suite| suite.headline.count).sum();
    let word = suites.first().map_or("wrong", |suite| suite.headline.word);
    let (message, color) = match (exit, count) {
        (Exit::Unjudged, _) => ("not judged".to_owned(), "lightgrey"),
        (_, 0) => (format!("0 {word}"), "brightgreen"),
        (_, _) => (format!("{count} {word}"), "red"),
    };
    let mut text = serde_json::to_string(&Badge {
        schema_version: 1,
        label,
        message,
        color,
    })?;
    text.push('\n');
    Ok(text)
}
