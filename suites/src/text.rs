//! Small texts for people.

use std::path::Path;

/// The last `count` lines of a file, indented; a note where it cannot be read.
#[must_use]
pub fn last_lines(file: &Path, count: usize) -> String {
    match std::fs::read(file) {
        Err(why) => format!("  (no log: {why})"),
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .collect();
            lines[lines.len().saturating_sub(count)..]
                .iter()
                .map(|line| format!("  {line}"))
                .collect::<Vec<_>>()
                .join("\n")
        }
    }
}
