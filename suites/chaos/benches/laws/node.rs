//! A node that executes what workloads send.

use std::collections::HashMap;

use testbed::wire::{Arguments, Value};

/// What a node holds.
#[derive(Default)]
pub(crate) struct Node {
    strings: HashMap<Vec<u8>, Vec<u8>>,
    lists: HashMap<Vec<u8>, Vec<Value>>,
}

impl Node {
    pub(crate) fn execute(&mut self, request: &Arguments) -> Value {
        let words: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
        match words.as_slice() {
            [b"SET", key, _, b"NX"] if self.strings.contains_key(*key) => Value::NullBulk,
            [b"GETSET", key, value] => {
                let before = self.get(key);
                self.strings.insert(key.to_vec(), value.to_vec());
                before
            }
            [b"SET", key, value, ..] => {
                self.strings.insert(key.to_vec(), value.to_vec());
                ok()
            }
            [b"MSET", pairs @ ..] => {
                for pair in pairs.chunks(2) {
                    self.strings.insert(pair[0].to_vec(), pair[1].to_vec());
                }
                ok()
            }
            [b"GET", key] => self.get(key),
            [b"MGET", keys @ ..] => Value::Array(keys.iter().map(|key| self.get(key)).collect()),
            [b"DEL", keys @ ..] => {
                let there = keys
                    .iter()
                    .filter(|key| self.strings.remove(**key).is_some());
                Value::Integer(there.count() as i64)
            }
            [b"INCR", key] => {
                let value = self.strings.entry(key.to_vec()).or_insert(b"0".to_vec());
                let number: i64 = String::from_utf8_lossy(value).parse().unwrap_or(0) + 1;
                *value = number.to_string().into_bytes();
                Value::Integer(number)
            }
            [b"RPUSH", key, value] => {
                let list = self.lists.entry(key.to_vec()).or_default();
                list.push(Value::Bulk(value.to_vec()));
                Value::Integer(list.len() as i64)
            }
            [b"LRANGE", key, ..] => Value::Array(self.lists.get(*key).cloned().unwrap_or_default()),
            _ => ok(),
        }
    }

    fn get(&self, key: &[u8]) -> Value {
        let value = self.strings.get(key).cloned();
        value.map_or(Value::NullBulk, Value::Bulk)
    }

    /// Every key with its value, as GET or LRANGE returns it.
    pub(crate) fn contents(self) -> impl Iterator<Item = (Vec<u8>, Value)> {
        let strings = self.strings.into_iter();
        let strings = strings.map(|(key, value)| (key, Value::Bulk(value)));
        let lists = self.lists.into_iter();
        strings.chain(lists.map(|(key, values)| (key, Value::Array(values))))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.strings.keys().chain(self.lists.keys())
    }
}

pub(crate) fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}
