//! Connections to a node that the proxy opened after a fault of that node began.

use std::collections::BTreeMap;

use super::Condition;
use crate::observed::{Observed, Subject};

pub(super) struct Reconnects;

impl Condition for Reconnects {
    fn id(&self) -> &'static str {
        "reconnects"
    }

    fn counts(&self) -> &'static str {
        "new connections to a node after its fault began"
    }

    fn count(&self, observed: &Observed) -> usize {
        let mut first: BTreeMap<(u16, u64), u64> = BTreeMap::new();
        for seen in observed
            .history
            .records
            .iter()
            .flat_map(|record| &record.seen)
        {
            let asked = first
                .entry((seen.node, seen.connection))
                .or_insert(seen.asked);
            *asked = seen.asked.min(*asked);
        }
        let reconnect = |((node, _), asked): &(&(u16, u64), &u64)| {
            let begun = observed
                .windows
                .iter()
                .filter(|window| window.span.from <= **asked);
            let on = [Subject::Node(*node), Subject::Proxy];
            begun.into_iter().any(|window| on.contains(&window.on))
        };
        first.iter().filter(reconnect).count()
    }
}
