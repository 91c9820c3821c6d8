//! A node of the model: a few commands on strings, counters and lists. Keys with a time to live expire when they like, at
//! the latest in time.

use std::collections::BTreeMap;

use testbed::wire::Value;

use crate::law::tests::run::{array, ok};

/// The contents of a node.
#[derive(Default)]
pub(super) struct Node {
    strings: BTreeMap<Vec<u8>, Vec<u8>>,
    lists: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// When keys with a time to live are over.
    over: BTreeMap<Vec<u8>, u64>,
    reads: u64,
}

impl Node {
    /// Executes a request at a time.
    pub(super) fn execute(&mut self, request: &[Vec<u8>], at: u64) -> Value {
        let words: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
        match words.as_slice() {
            [b"SET", key, value, ttl @ ..] => {
                self.over.remove(*key);
                if let [b"EX", seconds] = ttl {
                    let seconds: u64 = std::str::from_utf8(seconds).unwrap().parse().unwrap();
                    self.over.insert(key.to_vec(), at + seconds * 1_000_000_000);
                }
                self.strings.insert(key.to_vec(), value.to_vec());
                ok()
            }
            [b"GET", key] => {
                self.expire(key, at);
                let value = self.strings.get(*key);
                value.map_or(Value::NullBulk, |value| Value::Bulk(value.clone()))
            }
            [b"INCR", key] => {
                let value = self.strings.entry(key.to_vec()).or_insert(b"0".to_vec());
                let number: i64 = std::str::from_utf8(value).unwrap().parse().unwrap();
                *value = (number + 1).to_string().into_bytes();
                Value::Integer(number + 1)
            }
            [b"DEL", key] => Value::Integer(self.strings.remove(*key).is_some().into()),
            [b"RPUSH", key, value] => {
                let list = self.lists.entry(key.to_vec()).or_default();
                list.push(value.to_vec());
                Value::Integer(list.len() as i64)
            }
            [b"LRANGE", key, ..] => self
                .lists
                .get(*key)
                .map_or(array([]), |list| elements(list)),
            [b"SCAN", ..] => {
                let keys = self.strings.keys().chain(self.lists.keys());
                array(keys.map(|key| Value::Bulk(key.clone())))
            }
            words => panic!("the model has no {words:?}"),
        }
    }

    /// Every third read of a key with a time to live finds it expired, and every one that comes too late.
    fn expire(&mut self, key: &[u8], at: u64) {
        self.reads += 1;
        let over = self.over.get(key).copied();
        if over.is_some_and(|over| at >= over || self.reads.is_multiple_of(3)) {
            self.strings.remove(key);
            self.over.remove(key);
        }
    }

    /// Every key with its value, as GET or LRANGE returns it.
    pub(super) fn contents(&self) -> impl Iterator<Item = (Vec<u8>, Value)> {
        let strings = self
            .strings
            .iter()
            .map(|(key, value)| (key.clone(), Value::Bulk(value.clone())));
        let lists = self
            .lists
            .iter()
            .map(|(key, list)| (key.clone(), elements(list)));
        strings.chain(lists)
    }
}

fn elements(list: &[Vec<u8>]) -> Value {
    array(list.iter().map(|value| Value::Bulk(value.clone())))
}
