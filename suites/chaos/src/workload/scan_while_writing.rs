//! `scan-while-writing`: keys that stay, while SCAN goes through all keys and others come and go.

use testbed::wire::{Arguments, Value};

use super::draw::Draw;
use super::{Generator, Key, Plan, Workload, drawn, request};

pub(super) struct ScanWhileWriting;

impl Workload for ScanWhileWriting {
    fn id(&self) -> &'static str {
        "scan-while-writing"
    }

    fn summary(&self) -> &'static str {
        "every second client writes keys that stay and then goes through all keys with SCAN; the others write and delete theirs"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["scan"]
    }

    fn keys(&self, plan: &Plan) -> Vec<Key> {
        let clients = 0..plan.clients;
        clients.flat_map(|number| own_keys(plan, number)).collect()
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        let keys = own_keys(plan, number);
        if number % 2 == 1 {
            return drawn(plan, keys, number, |draw, keys| {
                let key = draw.one(keys);
                match draw.happens(50) {
                    true => request([b"SET", key, &draw.value()]),
                    false => request([b"DEL", key]),
                }
            });
        }
        Box::new(Scanner {
            pattern: format!("{}*", plan.prefix).into_bytes(),
            keys,
            draw: plan.draw(number),
            cursor: None,
        })
    }
}

/// The keys of one client: those of the first ones have one letter, so that reports show which stay.
fn own_keys(plan: &Plan, client: u16) -> Vec<Key> {
    let kind = match client % 2 {
        0 => "stay",
        _ => "come",
    };
    let count = plan.keys / u32::from(plan.clients.max(1));
    let key = |n| format!("{}{kind}-{client}-{n}", plan.prefix).into_bytes();
    (0..count.max(1)).map(key).collect()
}

struct Scanner {
    pattern: Vec<u8>,
    keys: Vec<Key>,
    draw: Draw,
    /// The next cursor of SCAN. `None` until the keys are written.
    cursor: Option<Vec<u8>>,
}

impl Generator for Scanner {
    fn batch(&mut self) -> Vec<Arguments> {
        match &self.cursor {
            Some(cursor) => {
                let pattern = &self.pattern;
                vec![request([
                    b"SCAN", cursor, b"MATCH", pattern, b"COUNT", b"20",
                ])]
            }
            None => {
                let draw = &mut self.draw;
                let set = |key: &Key| request([b"SET", key, &draw.value()]);
                self.keys.iter().map(set).collect()
            }
        }
    }

    fn answered(&mut self, replies: &[Option<Value>]) {
        let written = |reply: &Option<Value>| *reply == Some(Value::Simple(b"OK".to_vec()));
        self.cursor = match (&self.cursor, replies) {
            (Some(_), [Some(page)]) => Some(next(page).unwrap_or_else(|| b"0".to_vec())),
            (Some(_), _) => Some(b"0".to_vec()),
            (None, replies) => replies.iter().all(written).then(|| b"0".to_vec()),
        };
    }
}

/// The cursor of a page.
fn next(page: &Value) -> Option<Vec<u8>> {
    match page {
        Value::Array(parts) => match parts.first()? {
            Value::Bulk(cursor) => Some(cursor.clone()),
            _ => None,
        },
        _ => None,
    }
}
