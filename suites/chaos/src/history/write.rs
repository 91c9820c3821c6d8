//! Writes a history as JSON lines: the header, then one record per line.

use std::io::{self, Write};

use serde::Serialize;

use super::History;

/// Writes the header and one line per record.
///
/// # Errors
/// As the writer.
pub fn write(out: &mut dyn Write, history: &History) -> io::Result<()> {
    line(out, &history.header)?;
    for record in &history.records {
        line(out, record)?;
    }
    out.flush()
}

fn line(out: &mut dyn Write, object: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    out.write_all(b"\n")
}
