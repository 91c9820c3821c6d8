//! Whether the taps saw a transaction as one: on one connection to one node, without requests of other clients in
//! between.

use std::collections::HashMap;

use super::command::Command;
use super::text;
use crate::history::{History, Record};

/// Requests that the taps saw, by connection and order.
pub(super) struct Taps<'a> {
    history: &'a History,
    /// Places in the history of requests with a value, which are matched exactly, ordered as the node was asked.
    connections: HashMap<(u16, u64), Vec<(u64, usize)>>,
}

impl<'a> Taps<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        let mut connections: HashMap<_, Vec<_>> = HashMap::new();
        for (place, record) in history
            .records
            .iter()
            .enumerate()
            .filter(|(_, record)| exact(record))
        {
            for seen in &record.seen {
                let asked = connections.entry((seen.node, seen.connection)).or_default();
                asked.push((seen.order, place));
            }
        }
        connections
            .values_mut()
            .for_each(|asked| asked.sort_unstable());
        Self {
            history,
            connections,
        }
    }

    /// How a transaction of these requests was torn, with other records that prove it.
    pub(super) fn torn(
        &self,
        queued: impl Iterator<Item = usize>,
        exec: usize,
    ) -> Option<(String, Vec<usize>)> {
        let records = &self.history.records;
        let session = records[exec].session;
        let queued = queued
            .map(|place| &records[place])
            .filter(|record| exact(record));
        let seen: Vec<_> = queued
            .chain([&records[exec]])
            .flat_map(|record| &record.seen)
            .collect();
        let first = seen.iter().min_by_key(|seen| seen.order)?;
        let on = (first.node, first.connection);
        if seen.iter().any(|seen| (seen.node, seen.connection) != on) {
            let why = "its requests went to several connections or nodes".to_owned();
            return Some((why, Vec::new()));
        }
        let last = seen.iter().map(|seen| seen.order).max()?;
        let asked = self.connections.get(&on)?;
        let from = asked.partition_point(|(order, _)| *order <= first.order);
        let between = asked[from..].iter().take_while(|(order, _)| *order < last);
        let mut others = between.filter(|(_, place)| records[*place].session != session);
        let (_, other) = others.next()?;
        let why = format!(
            "{} is between its requests on the connection to node {}",
            text::request(&records[*other]),
            first.node
        );
        Some((why, vec![*other]))
    }
}

/// Whether a request has a value by which the taps know it for certain.
fn exact(record: &Record) -> bool {
    matches!(
        Command::of(&record.request),
        Command::Set(..) | Command::Append(..)
    )
}
