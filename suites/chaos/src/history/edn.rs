//! Export as EDN, one operation per line, as Jepsen and its checkers (Knossos, Elle) read histories.

use std::io::{self, Write};

use testbed::wire::Value;

use super::{Completion, History, Record, bytes};

/// Writes invocations and completions in the order of their times, one map per line.
///
/// A process of Jepsen has one request at a time and ends with the first that is indefinite, so that pipelined requests
/// become processes of their own. Session and sequence number are kept as `:session` and `:sequence`; `:process` is the
/// index of the request. Jepsen's `:ok`, `:fail` and `:info` are ok, failed and indefinite.
///
/// # Errors
/// As the writer.
pub fn write(out: &mut dyn Write, history: &History) -> io::Result<()> {
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * history.records.len());
    for (process, record) in history.records.iter().enumerate() {
        events.push((record.sent, false, process));
        events.push((end(record), true, process));
    }
    // A completion after the invocations of the same time: requests that touch are concurrent.
    events.sort_unstable();
    for (index, (time, completes, process)) in events.into_iter().enumerate() {
        let record = &history.records[process];
        event(out, (index, time, process), record, completes)?;
    }
    out.flush()
}

/// When a request completes; an indefinite one without a reply never does, so it is written last.
fn end(record: &Record) -> u64 {
    record.received.or(record.end()).unwrap_or(u64::MAX)
}

fn event(
    out: &mut dyn Write,
    (index, time, process): (usize, u64, usize),
    record: &Record,
    completes: bool,
) -> io::Result<()> {
    let kind = match (completes, record.completion) {
        (false, _) => "invoke",
        (true, Completion::Ok) => "ok",
        (true, Completion::Failed) => "fail",
        (true, Completion::Indefinite) => "info",
    };
    let reply = record.reply.as_ref().filter(|_| completes);
    let words: Vec<String> = record.request.iter().map(|word| string(word)).collect();
    writeln!(
        out,
        "{{:index {index}, :time {}, :process {process}, :type :{kind}, :f {}, \
         :value [[{}] {}], :session {}, :sequence {}}}",
        // EDN's integers are Java's.
        time.min(i64::MAX as u64),
        function(record),
        words[1..].join(" "),
        reply.map_or("nil".to_owned(), value),
        record.session,
        record.sequence,
    )
}

/// The command in lower case: a keyword if it can be one.
fn function(record: &Record) -> String {
    let name = record.request[0].to_ascii_lowercase();
    match !name.is_empty() && name.iter().all(u8::is_ascii_lowercase) {
        true => format!(":{}", bytes::escaped(&name)),
        false => string(&name),
    }
}

/// A reply as a plain value; an error as a map of its own.
fn value(reply: &Value) -> String {
    match reply {
        Value::NullBulk | Value::NullArray | Value::Null => "nil".to_owned(),
        Value::Simple(text) | Value::Bulk(text) | Value::Verbatim { text, .. } => string(text),
        Value::Double(text) | Value::BigNumber(text) => string(text),
        Value::Error(text) | Value::BulkError(text) => format!("{{:error {}}}", string(text)),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(is) => is.to_string(),
        Value::Array(values) | Value::Set(values) | Value::Push(values) => {
            let values: Vec<String> = values.iter().map(value).collect();
            format!("[{}]", values.join(" "))
        }
        Value::Map(entries) => {
            let entries = entries.iter();
            let pairs = entries.map(|(key, of)| format!("[{} {}]", value(key), value(of)));
            format!("[{}]", pairs.collect::<Vec<_>>().join(" "))
        }
        Value::Attributed { value: reply, .. } => value(reply),
    }
}

/// A string of EDN. Bytes that are not UTF-8 are escaped as everywhere in a history.
fn string(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for char in bytes::escaped(bytes).chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            char => text.push(char),
        }
    }
    text.push('"');
    text
}
