//! Requests, times and nodes as sentences of laws name them.

use testbed::wire::quoted;

use crate::history::Record;

/// Arguments of a request that are shown.
const SHOWN_ARGUMENTS: usize = 6;

/// `GET "k" (session 3, sent at 1.250 s)`
pub(super) fn request(record: &Record) -> String {
    let (sent, session) = (time(record.sent), record.session);
    format!("{} (session {session}, sent at {sent})", words(record))
}

/// The command and its first arguments.
fn words(record: &Record) -> String {
    let mut words = record.request.iter();
    let mut text = words
        .next()
        .map_or(String::new(), |name| name.escape_ascii().to_string());
    for word in words.by_ref().take(SHOWN_ARGUMENTS) {
        text.push(' ');
        text.push_str(&quoted(word));
    }
    if words.next().is_some() {
        text.push_str(" ...");
    }
    text
}

/// A time of the run, in seconds.
pub(super) fn time(nanoseconds: u64) -> String {
    let milliseconds = nanoseconds / 1_000_000;
    format!("{}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}
