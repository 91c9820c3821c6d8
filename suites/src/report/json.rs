//! JSON for machines: one object, which starts with its format.

use serde::Serialize;
use serde_json::Value;

use crate::rescale::Report;

#[derive(Serialize)]
struct Rescales<'a> {
    format: &'static str,
    reports: Vec<&'a Report>,
}

/// One rescale as `shardproof.rescale/1`; several as `shardproof.rescales/1`, which lists them.
///
/// # Errors
/// Never for a report of this suite.
pub fn rescales(reports: &[&Report]) -> serde_json::Result<String> {
    match reports {
        [report] => pretty(report),
        _ => pretty(&Rescales {
            format: "shardproof.rescales/1",
            reports: reports.to_vec(),
        }),
    }
}

fn pretty(document: &impl Serialize) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(text)
}

/// The value of a document, for tests that look into one.
///
/// # Errors
/// When `text` is no JSON.
pub fn parse(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text)
}
