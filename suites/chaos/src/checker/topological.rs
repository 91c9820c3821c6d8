//! Sorts intervals so that none comes before one that ended before it began, with further edges between them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A cluster in time. It must come before each other zone whose last operation was sent after its first one had ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zone {
    /// The earliest end of its operations.
    pub(super) end: u64,
    /// The latest time at which one of its operations was sent.
    pub(super) sent: u64,
}

/// The zones in an order that real time and the edges allow, those that must end first as early as possible; `None` if
/// there is no such order. `first`, if given, must be the first.
pub(super) fn sort(zones: &[Zone], edges: &[(u32, u32)], first: Option<u32>) -> Option<Vec<u32>> {
    let mut sorting = Sorting::new(zones, edges);
    if let Some(first) = first {
        sorting.release();
        let at_once = sorting.timely[first as usize] && sorting.waits[first as usize] == 0;
        if !at_once {
            return None;
        }
        sorting.take(first);
    }
    loop {
        sorting.release();
        let Some(Reverse((_, next))) = sorting.ready.pop() else {
            break;
        };
        if !sorting.taken[next as usize] {
            sorting.take(next);
        }
    }
    (sorting.order.len() == zones.len()).then_some(sorting.order)
}

struct Sorting<'a> {
    zones: &'a [Zone],
    /// Edges sorted by where they come from, and where those of each zone begin.
    edges: Vec<(u32, u32)>,
    starts: Vec<usize>,
    /// By zone, the edges to it from zones that were not taken.
    waits: Vec<u32>,
    /// By zone, whether no other zone that was not taken must come before it in real time.
    timely: Vec<bool>,
    taken: Vec<bool>,
    by_end: Vec<u32>,
    /// In `by_end`, the first zone that was not taken, and the second.
    ends: (usize, usize),
    by_sent: Vec<u32>,
    /// In `by_sent`, the first zone that was not found timely by its place there.
    sent: usize,
    ready: BinaryHeap<Reverse<(u64, u32)>>,
    order: Vec<u32>,
}

impl<'a> Sorting<'a> {
    fn new(zones: &'a [Zone], edges: &[(u32, u32)]) -> Self {
        let count = zones.len();
        let mut edges = edges.to_vec();
        edges.sort_unstable();
        edges.dedup();
        let mut waits = vec![0; count];
        let mut starts = vec![0; count + 1];
        for (from, to) in &edges {
            waits[*to as usize] += 1;
            starts[*from as usize + 1] += 1;
        }
        for index in 0..count {
            starts[index + 1] += starts[index];
        }
        let mut by_end: Vec<u32> = (0..count as u32).collect();
        let mut by_sent = by_end.clone();
        by_end.sort_by_key(|zone| zones[*zone as usize].end);
        by_sent.sort_by_key(|zone| zones[*zone as usize].sent);
        Self {
            zones,
            edges,
            starts,
            waits,
            timely: vec![false; count],
            taken: vec![false; count],
            by_end,
            ends: (0, 1),
            by_sent,
            sent: 0,
            ready: BinaryHeap::new(),
            order: Vec::with_capacity(count),
        }
    }

    /// Finds the zones that have become timely.
    fn release(&mut self) {
        self.ends.0 = self.untaken(self.ends.0);
        self.ends.1 = self.untaken(self.ends.1.max(self.ends.0 + 1));
        let Some(first) = self.by_end.get(self.ends.0).copied() else {
            return;
        };
        let end = self.zones[first as usize].end;
        while let Some(zone) = self.by_sent.get(self.sent).copied()
            && self.zones[zone as usize].sent <= end
        {
            self.sent += 1;
            self.set_timely(zone);
        }
        // The zone that ends first waits for the second only.
        let second = self.by_end.get(self.ends.1);
        let end = second.map_or(u64::MAX, |second| self.zones[*second as usize].end);
        if self.zones[first as usize].sent <= end {
            self.set_timely(first);
        }
    }

    /// The first place in `by_end` from `place` on whose zone was not taken.
    fn untaken(&self, mut place: usize) -> usize {
        while let Some(zone) = self.by_end.get(place)
            && self.taken[*zone as usize]
        {
            place += 1;
        }
        place
    }

    fn set_timely(&mut self, zone: u32) {
        if !self.timely[zone as usize] {
            self.timely[zone as usize] = true;
            self.offer(zone);
        }
    }

    fn offer(&mut self, zone: u32) {
        let index = zone as usize;
        if self.timely[index] && self.waits[index] == 0 {
            self.ready.push(Reverse((self.zones[index].end, zone)));
        }
    }

    fn take(&mut self, zone: u32) {
        let index = zone as usize;
        self.taken[index] = true;
        self.order.push(zone);
        for edge in self.starts[index]..self.starts[index + 1] {
            let to = self.edges[edge].1;
            self.waits[to as usize] -= 1;
            self.offer(to);
        }
    }
}
