//! Reads a history: one clear line about the first thing that is wrong with it.

use std::collections::HashMap;
use std::io::{self, BufRead};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Completion, FORMAT, Header, History, Record};

/// A history that cannot be read: file, line and the expected content.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct Malformed {
    /// The file, as the caller names it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The mistake, and the expected content.
    pub why: String,
}

/// Reads a history from JSON lines. `file` is its name in errors.
///
/// # Errors
/// [`Malformed`]: the first line that violates the format.
pub fn read(input: &mut dyn BufRead, file: &str) -> Result<History, Malformed> {
    let mut lines = Lines {
        input,
        file,
        line: 0,
        text: String::new(),
    };
    let header: Header = match lines.next()? {
        false => return Err(lines.wrong(format!("the file is empty, expected {FORMAT}"))),
        true => lines.header()?,
    };
    let mut records = Vec::new();
    let mut sessions = HashMap::new();
    while lines.next()? {
        let record: Record = lines.parsed()?;
        check(&record, &header)
            .and_then(|()| follows(&record, &mut sessions))
            .map_err(|why| lines.wrong(why))?;
        records.push(record);
    }
    Ok(History { header, records })
}

struct Lines<'a> {
    input: &'a mut dyn BufRead,
    file: &'a str,
    line: usize,
    text: String,
}

impl Lines<'_> {
    /// Whether there is another line; its text is then in `text`.
    fn next(&mut self) -> Result<bool, Malformed> {
        self.line += 1;
        self.text.clear();
        let read = self.input.read_line(&mut self.text);
        let length = read.map_err(|why| self.wrong(unreadable(&why)))?;
        Ok(length > 0)
    }

    /// The version is checked first: fields of another version may mean something else.
    fn header(&self) -> Result<Header, Malformed> {
        #[derive(Deserialize)]
        struct Format {
            format: String,
        }
        let Format { format } = self.parsed()?;
        match format == FORMAT {
            true => self.parsed(),
            false => Err(self.wrong(format!("format {format:?}, expected {FORMAT:?}"))),
        }
    }

    fn parsed<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        let mut from = serde_json::Deserializer::from_str(&self.text);
        let parsed = serde_path_to_error::deserialize(&mut from).map_err(|error| {
            let place = error.path().to_string();
            let why = without_line(&error.into_inner());
            match place.as_str() {
                "." | "?" => self.wrong(why),
                place => self.wrong(format!("{place}: {why}")),
            }
        })?;
        from.end()
            .map_err(|error| self.wrong(without_line(&error)))?;
        Ok(parsed)
    }

    fn wrong(&self, why: String) -> Malformed {
        Malformed {
            file: self.file.to_owned(),
            line: self.line,
            why,
        }
    }
}

fn unreadable(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::InvalidData => "not UTF-8, expected one JSON object".to_owned(),
        _ => why.to_string(),
    }
}

/// The error with its column alone: each line is a document of its own.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let column = error.column();
    match text.rsplit_once(" at line ") {
        Some((why, _)) => format!("{why} (column {column})"),
        None => text,
    }
}

/// Checks of one record that serde does not do.
fn check(record: &Record, header: &Header) -> Result<(), String> {
    if record.request.is_empty() {
        return Err("request: empty, expected a command".to_owned());
    }
    if let Some(received) = record.received.filter(|at| *at < record.sent) {
        let sent = record.sent;
        return Err(format!("received: {received} is before sent, {sent}"));
    }
    let nodes = header.nodes.len();
    for seen in &record.seen {
        if usize::from(seen.node) >= nodes {
            let node = seen.node;
            return Err(format!("seen: node {node}, but the header lists {nodes}"));
        }
        if seen.asked < record.sent {
            let (asked, sent) = (seen.asked, record.sent);
            return Err(format!("seen: asked at {asked} is before sent, {sent}"));
        }
    }
    completes(record)
}

/// An executed request has a reply that is not an error, and a time by which it had taken effect.
fn completes(record: &Record) -> Result<(), String> {
    let refused = record.reply.as_ref().is_none_or(|reply| reply.is_error());
    match record.completion {
        Completion::Ok if refused => {
            Err("completion: ok, which needs a reply that is no error".to_owned())
        }
        Completion::Ok if record.end().is_none() => {
            Err("completion: ok, which needs received, or a node that answered".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether a record continues its session: the next sequence number, not sent earlier than the last one.
fn follows(record: &Record, sessions: &mut HashMap<u32, (u64, u64)>) -> Result<(), String> {
    let this = (record.sequence, record.sent);
    let session = record.session;
    match sessions.insert(session, this) {
        Some((last, _)) if this.0 <= last => Err(format!(
            "sequence: {} of session {session} does not follow {last}",
            this.0
        )),
        Some((_, last)) if this.1 < last => Err(format!(
            "sent: {} of session {session} is before {last}, when its last request was sent",
            this.1
        )),
        _ => Ok(()),
    }
}
