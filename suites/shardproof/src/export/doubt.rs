//! Which replies are certain. A fault may prevent a write, or execute it without an answer, and clients that wait at
//! the same time are served in any order: what depends on that is expected in every form that it may have.

use std::collections::BTreeSet;

use chaos::observed::Key;
use conformance::print;
use testbed::wire::Value;

use super::draft::{Draft, Event, Request, Role};

/// The nodes and keys in doubt at one place of a case.
pub(super) struct Doubt<'a> {
    draft: &'a Draft,
    /// Nodes that have, or had, a fault.
    faulted: BTreeSet<u16>,
    /// Keys whose value depends on faults or on the order of clients.
    doubtful: BTreeSet<&'a Key>,
    /// Requests that wait for their replies.
    open: BTreeSet<usize>,
}

impl<'a> Doubt<'a> {
    pub(super) fn new(draft: &'a Draft) -> Self {
        Self {
            draft,
            faulted: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            open: BTreeSet::new(),
        }
    }

    /// Goes on to the next event. The replies of requests are asked for before they are taken.
    pub(super) fn pass(&mut self, event: &Event) {
        match event {
            Event::Send(places) => places.iter().for_each(|place| self.sent(*place)),
            Event::Want(places) => places.iter().for_each(|place| {
                self.open.remove(place);
            }),
            Event::Heal { .. } => {}
            Event::Fault { node, empties, .. } => self.fault(*node, *empties),
        }
    }

    fn sent(&mut self, place: usize) {
        let all = &self.draft.requests;
        let request = &all[place];
        if !request.reads && self.may_fail(request) {
            self.doubtful.extend(request.keys.keys());
        }
        for other in self.open.iter().map(|other| &all[*other]) {
            if other.client != request.client && !(other.reads && request.reads) {
                let keys = request.keys.keys();
                let shared = keys.filter(|key| other.keys.contains_key(*key));
                self.doubtful.extend(shared);
            }
        }
        self.open.insert(place);
    }

    fn fault(&mut self, node: u16, empties: bool) {
        self.faulted.insert(node);
        for (place, request) in self.draft.requests.iter().enumerate() {
            let waits = self.open.contains(&place) && !request.reads;
            if waits && self.may_fail(request) {
                self.doubtful.extend(request.keys.keys());
            }
            let lost = request
                .keys
                .iter()
                .filter(|(_, at)| empties && **at == node);
            self.doubtful.extend(lost.map(|(key, _)| key));
        }
    }

    /// Whether a fault may be the reason for an error.
    fn may_fail(&self, request: &Request) -> bool {
        request
            .keys
            .values()
            .any(|node| self.faulted.contains(node))
    }

    /// The pattern of a reply, where one plain Redis `said` this.
    pub(super) fn wanted(&self, place: usize, said: &Value) -> String {
        let request = &self.draft.requests[place];
        let certain = !request.keys.keys().any(|key| self.doubtful.contains(key));
        let mut wanted = match certain {
            true => vec![print::pattern(said)],
            false => self.possible(request, said),
        };
        match (request.closed, self.may_fail(request)) {
            (true, _) => wanted.push("error-or-close".to_owned()),
            (false, true) if !said.is_error() => wanted.push("error".to_owned()),
            (false, _) => {}
        }
        wanted.join(" | ")
    }

    /// Every reply that a doubtful key allows.
    fn possible(&self, request: &Request, said: &Value) -> Vec<String> {
        match said {
            Value::Simple(_) | Value::NullBulk | Value::Bulk(_) if request.name == b"SET" => {
                let accepted = print::pattern(&Value::Simple(b"OK".to_vec()));
                match request.words.len() {
                    // Without options.
                    3 => vec![accepted],
                    _ => vec![accepted, "nil".to_owned()],
                }
            }
            Value::Bulk(_) | Value::NullBulk => {
                let mut keys = request.keys.keys();
                keys.next().map_or_else(Vec::new, |key| self.values(key))
            }
            Value::Integer(_) => vec!["int".to_owned()],
            Value::Array(values) if request.name == b"MGET" => {
                let elements = request.words.iter().filter_map(|(role, _)| match role {
                    Role::Key(key) => Some(format!(" ( {} )", self.values(key).join(" | "))),
                    Role::Value | Role::Other => None,
                });
                let elements: String = elements.collect();
                vec![format!("*{}{elements}", values.len())]
            }
            Value::Array(_) | Value::NullArray if request.name == b"EXEC" => {
                vec!["array".to_owned(), "nil-array".to_owned()]
            }
            Value::Array(_) => vec!["array".to_owned()],
            certain => vec![print::pattern(certain)],
        }
    }

    /// Every value that a string may have.
    fn values(&self, key: &Key) -> Vec<String> {
        let scope = &self.draft.scope;
        let mut values = BTreeSet::from(["nil".to_owned()]);
        let mut add = |bytes| values.insert(print::pattern(&Value::Bulk(bytes)));
        for request in &self.draft.requests {
            for (place, (role, word)) in request.words.iter().enumerate() {
                if *role != Role::Key(key.clone()) {
                    continue;
                }
                let given = self.draft.given.iter().filter(|it| it.key == *word);
                for given in given {
                    add(given.value.bytes(scope));
                }
                if let Some((Role::Value, value)) = request.words.get(place + 1) {
                    add(value.bytes(scope));
                }
            }
            if request.keys.contains_key(key) && COMPUTES.contains(&request.name.as_slice()) {
                values = BTreeSet::from(["bulk".to_owned(), "nil".to_owned()]);
                break;
            }
        }
        values.into_iter().collect()
    }
}

/// Commands that give a key a value that is not among their arguments.
const COMPUTES: &[&[u8]] = &[b"APPEND", b"DECR", b"INCR", b"INCRBY"];
