//! Parses a YAML or JSON file into a value, or into one line with the problem and its location.

use serde::de::DeserializeOwned;

use super::{Error, one_line};

/// Parses `text`; `name` is the name of the file in errors.
///
/// # Errors
/// `file:line: field: what was expected`.
pub fn parse<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, Error> {
    let mut field = String::new();
    let read = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        serde_path_to_error::deserialize::<_, T>(deserializer).map_err(|error| {
            field = path(&error.path().to_string());
            error.into_inner()
        })
    });
    read.map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        let (field, reason) = match is_of_secrets(&field) {
            true => without_content(&field, &reason(&error)),
            false => (field, reason(&error)),
        };
        Error(match field.as_str() {
            "" => format!("{name}:{line}: {reason}"),
            field => format!("{name}:{line}: {field}: {reason}"),
        })
    })
}

/// Fields that hold passwords, with the names of fields in them.
const OF_SECRETS: [&str; 2] = ["auth", "node_auth"];
const IN_SECRETS: [&str; 3] = ["password", "username", "users"];
/// The error for a wrong password; it does not repeat the password.
const WRONG_PASSWORD: &str = "expected a password in quotes";

fn is_of_secrets(field: &str) -> bool {
    let first = field.split('.').next().unwrap_or_default();
    OF_SECRETS.contains(&first)
}

/// The field and the reason, without text from the file, which may be a password in the wrong place.
fn without_content(field: &str, reason: &str) -> (String, String) {
    let known = |step: &&str| OF_SECRETS.contains(step) || IN_SECRETS.contains(step);
    let steps: Vec<&str> = field.split('.').take_while(known).collect();
    let expected = reason
        .rsplit_once(", expected ")
        .map(|(_, expected)| expected);
    let is_safe = reason == WRONG_PASSWORD || WORDING.iter().any(|(_, better)| reason == *better);
    let reason = match expected {
        _ if is_safe => reason.to_owned(),
        Some(expected) if IN_SECRETS.iter().any(|name| expected.contains(name)) => {
            format!("unknown field, expected {expected}")
        }
        _ => "expected a mapping of fields".to_owned(),
    };
    (steps.join("."), reason)
}

/// The path to a field. `value` is a step of the parser where a place is kept, not of the file.
fn path(steps: &str) -> String {
    let known = |step: &&str| !matches!(*step, "value" | "?" | "");
    let known: Vec<&str> = steps.split('.').filter(known).collect();
    known.join(".")
}

/// Messages of the parser, and their replacements.
const WORDING: [(&str, &str); 4] = [
    ("invalid socket address", "expected IP:PORT"),
    ("invalid value: integer `0`", "expected at least 1"),
    ("invalid u", "expected a whole number"),
    ("duplicate mapping key", "duplicate field"),
];

/// The message without the place, which the caller puts before it.
fn reason(error: &serde_saphyr::Error) -> String {
    let text = one_line(&error.without_snippet().to_string());
    let known = WORDING.iter().find(|(said, _)| text.starts_with(said));
    match (known, text.rfind(" at line ")) {
        (Some((_, better)), _) => (*better).to_owned(),
        (None, Some(place)) => text[..place].to_owned(),
        (None, None) => text,
    }
}
