//! Records as messages between clients, the proxy and nodes, for a sequence diagram.

use schemars::JsonSchema;
use serde::Serialize;

use super::evidence::words;
use crate::history::{Passage, Record};
use crate::observed::{Observed, Subject};

/// One message that the proxy received or sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Message {
    /// Since the start of the load, in microseconds.
    pub at_us: u64,
    /// Who talked with the proxy: `client N`, by the number of its connection, or `node A`.
    pub party: String,
    /// Which way it went.
    pub way: Way,
    /// The request or the reply.
    pub text: String,
}

/// The direction of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A request of a client, or the reply of a node.
    ToProxy,
    /// A reply to a client, or a request to a node.
    FromProxy,
}

/// The messages of some records, by their places in the history, in the order of time.
#[must_use]
pub fn messages(observed: &Observed, places: &[usize]) -> Vec<Message> {
    let records = places
        .iter()
        .filter_map(|place| observed.history.records.get(*place));
    let mut messages: Vec<Message> = records.flat_map(of_record).collect();
    messages.sort_by_key(|message| message.at_us);
    messages
}

fn of_record(record: &Record) -> Vec<Message> {
    let message = |at: u64, party: &str, way, text| Message {
        at_us: at / 1000,
        party: party.to_owned(),
        way,
        text,
    };
    let client = format!("client {}", record.session);
    let request = words(&record.request);
    let mut messages = vec![message(record.sent, &client, Way::ToProxy, request.clone())];
    for seen in &record.seen {
        let node = format!("node {}", Subject::Node(seen.node));
        messages.push(message(seen.asked, &node, Way::FromProxy, request.clone()));
        if let Some(answered) = &seen.answered {
            let reply = answered.reply.to_string();
            let at = match answered.passage {
                Passage::Sent(at) => at,
                _ => answered.at,
            };
            messages.push(message(at, &node, Way::ToProxy, reply));
        }
    }
    if let (Some(reply), Some(at)) = (&record.reply, record.received) {
        messages.push(message(at, &client, Way::FromProxy, reply.to_string()));
    }
    messages
}
