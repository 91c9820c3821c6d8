//! Requests without a unique value: GET, INCR and the like, matched by key, time and reply.
//!
//! Two of them with the same key, reply and time are ambiguous, but either match proves the same. A request whose
//! client got no reply may match any sighting that is left over, so its match proves nothing and has no answer.

use std::collections::HashMap;

use testbed::wire::Value;

use super::sighting::Sighting;
use crate::history::{Record, Seen};

/// Commands without a value, the commands into which a proxy may turn them, and whether all arguments are keys.
const COMMANDS: &[(&str, &[&str], bool)] = &[
    ("DEL", &["DEL", "UNLINK"], true),
    ("GET", &["GET"], false),
    ("INCR", &["INCR"], false),
    ("LRANGE", &["LRANGE"], false),
    ("MGET", &["MGET", "GET"], true),
];

/// Adds to each record what the nodes saw of it, from the sightings that are not `claimed`.
pub(super) fn attach(records: &mut [Record], all: &[Sighting], claimed: &mut [bool]) {
    let by_key = by_key(all, claimed);
    let mut taken = Taken {
        all,
        by_key: &by_key,
        taken: claimed.to_vec(),
    };
    let answered = |record: &Record| record.reply.as_ref().is_some_and(|reply| !reply.is_error());
    // Answered requests are matched first: the rest may belong to unanswered ones.
    for record in records.iter_mut().filter(|record| answered(record)) {
        taken.attach(record);
    }
    for record in records.iter_mut().filter(|record| !answered(record)) {
        taken.attach_uncertain(record);
    }
}

/// Each key with the requests that name it, in the order of time.
fn by_key<'a>(all: &'a [Sighting], claimed: &[bool]) -> HashMap<&'a [u8], Vec<usize>> {
    let mut by_key: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (place, sighting) in all.iter().enumerate().filter(|(place, _)| !claimed[*place]) {
        for word in &sighting.request[1..] {
            by_key.entry(word).or_default().push(place);
        }
    }
    by_key
}

struct Taken<'a> {
    all: &'a [Sighting],
    by_key: &'a HashMap<&'a [u8], Vec<usize>>,
    taken: Vec<bool>,
}

impl Taken<'_> {
    fn attach(&mut self, record: &mut Record) {
        let mut found = Vec::new();
        for (number, key) in keys(record).iter().enumerate() {
            let fits = |place: &usize| {
                let open = !self.taken[*place] || found.contains(place);
                open && agrees(record, number, key, &self.all[*place])
            };
            // A proxy may join the requests of several clients, but a request that is this one's alone is more likely.
            let own = |place: &usize| fits(place) && is_part(record, &self.all[*place]);
            let place = self.candidates(record, key).find(own);
            let place = place.or_else(|| self.candidates(record, key).find(fits));
            found.extend(place.filter(|place| !found.contains(place)));
        }
        for place in found {
            self.taken[place] = true;
            record.seen.push(self.all[place].seen.clone());
        }
    }

    /// One entry without an answer where any request is left over that may be this one.
    fn attach_uncertain(&self, record: &mut Record) {
        let keys = keys(record);
        let left = keys.iter().find_map(|key| {
            let mut candidates = self.candidates(record, key);
            candidates.find(|place| !self.taken[*place])
        });
        record.seen.extend(left.map(|place| Seen {
            answered: None,
            ..self.all[place].seen.clone()
        }));
    }

    /// Sightings of this key while the record was open.
    fn candidates(&self, record: &Record, key: &[u8]) -> impl Iterator<Item = usize> {
        let (all, sent) = (self.all, record.sent);
        let answered = record.reply.as_ref().is_some_and(|reply| !reply.is_error());
        let until = record.received.filter(|_| answered).unwrap_or(u64::MAX);
        let words = words(record);
        let places = self.by_key.get(key).map_or(&[][..], Vec::as_slice);
        let from = places.partition_point(|place| all[*place].seen.asked < sent);
        let near = places[from..].iter().copied();
        near.take_while(move |place| all[*place].seen.asked <= until)
            .filter(move |place| {
                let word = &all[*place].request[0];
                words
                    .iter()
                    .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
            })
    }
}

/// The commands that a node may receive for this record; empty if a unique value decides.
fn words(record: &Record) -> &'static [&'static str] {
    let row = row(record);
    row.map_or(&[], |(_, words, _)| words)
}

fn keys(record: &Record) -> Vec<Vec<u8>> {
    match row(record) {
        Some((_, _, true)) => record.request[1..].to_vec(),
        Some((_, _, false)) => record.request[1..2].to_vec(),
        None => Vec::new(),
    }
}

fn row(record: &Record) -> Option<&'static (&'static str, &'static [&'static str], bool)> {
    let name = &record.request[0];
    COMMANDS.iter().find(|(word, ..)| word.as_bytes() == name)
}

/// Whether the node's answer is the one that the client got for its key with this number.
fn agrees(record: &Record, number: usize, key: &[u8], sighting: &Sighting) -> bool {
    let (Some(reply), Some(answered)) = (&record.reply, &sighting.seen.answered) else {
        // A client that was answered by something else: a reply that the node did not give.
        return false;
    };
    match &record.request[0][..] {
        b"DEL" => true,
        b"MGET" => element(reply, number) == of_key(sighting, key, &answered.reply),
        _ => *reply == answered.reply && record.request[1..] == sighting.request[1..],
    }
}

/// Whether all arguments of a node's request are arguments of this one.
fn is_part(record: &Record, sighting: &Sighting) -> bool {
    let mut words = sighting.request[1..].iter();
    words.all(|word| record.request[1..].contains(word))
}

fn element(reply: &Value, number: usize) -> Option<&Value> {
    match reply {
        Value::Array(elements) => elements.get(number),
        _ => None,
    }
}

/// The node's answer for one key of a GET or MGET.
fn of_key<'a>(sighting: &Sighting, key: &[u8], reply: &'a Value) -> Option<&'a Value> {
    match reply {
        Value::Array(elements) => {
            let place = sighting.request[1..].iter().position(|word| word == key)?;
            elements.get(place)
        }
        one => Some(one),
    }
}
