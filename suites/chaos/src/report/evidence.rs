//! Records as lines for people: client, request, time, reply, and what the nodes saw of it.

use testbed::wire::quoted;

use crate::history::{Completion, Library, Passage, Record, Seen};
use crate::observed::{Observed, Subject};

/// Words of a request that are shown.
const WORDS_MAX: usize = 8;

/// The lines of some records, by their places in the history.
#[must_use]
pub fn lines(observed: &Observed, places: &[usize]) -> Vec<String> {
    let records = places
        .iter()
        .filter_map(|place| observed.history.records.get(*place));
    records.flat_map(of_record).collect()
}

fn of_record(record: &Record) -> Vec<String> {
    let library = match record.client {
        Library::Raw => "socket",
        Library::Redis => "redis crate",
    };
    let request = format!(
        "{} connection {} request {} ({library}): {}",
        time(record.sent),
        record.session,
        record.sequence,
        words(&record.request)
    );
    let reply = match (&record.reply, record.received) {
        (Some(reply), Some(at)) => format!("{} reply {reply}", time(at)),
        (Some(reply), None) => format!("reply {reply}"),
        (None, _) => "no reply".to_owned(),
    };
    let completion = match record.completion {
        Completion::Ok => "executed",
        Completion::Failed => "not executed",
        Completion::Indefinite => "execution unknown to the client",
    };
    let seen = record.seen.iter().map(of_node);
    [request, format!("  {reply} ({completion})")]
        .into_iter()
        .chain(seen)
        .collect()
}

fn of_node(seen: &Seen) -> String {
    let node = Subject::Node(seen.node);
    let asked = format!(
        "  {} node {node} asked on connection {}",
        time(seen.asked),
        seen.connection
    );
    match &seen.answered {
        Some(answered) => {
            let (at, reply) = (time(answered.at), &answered.reply);
            let passage = match answered.passage {
                Passage::AtOnce => String::new(),
                Passage::Sent(at) => format!(", {} sent on by the link", time(at)),
                Passage::Lost => ", lost on the link".to_owned(),
                Passage::HungUp => ", not sent on: the proxy had closed".to_owned(),
            };
            format!("{asked}, {at} answered {reply}{passage}")
        }
        None => format!("{asked}, answer not recorded"),
    }
}

pub(super) fn words(request: &[Vec<u8>]) -> String {
    let shown = request.iter().take(WORDS_MAX).map(|word| {
        let plain = word.len() <= 64 && word.iter().all(u8::is_ascii_graphic);
        match std::str::from_utf8(word) {
            Ok(text) if plain => text.to_owned(),
            _ => quoted(word),
        }
    });
    let mut shown: Vec<String> = shown.collect();
    if request.len() > WORDS_MAX {
        shown.push("...".to_owned());
    }
    shown.join(" ")
}

/// Milliseconds since the start of the load.
fn time(at: u64) -> String {
    format!("{:>10.3} ms", at as f64 / 1e6)
}
