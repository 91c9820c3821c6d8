//! Tests of each toxic with a manual clock.

use std::time::Duration;

use proptest::prelude::*;

use super::super::toxics::Toxics;
use super::*;
use crate::fault::{
    Bandwidth, Hold, Latency, LimitData, Noop, ResetPeer, Slicer, SlowClose, Timeout, Toxic,
    ToxicKind,
};

/// The output, and after how many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    /// A number of bytes.
    Bytes(u64, usize),
    End(u64),
    Close(u64),
    Reset(u64),
}

/// A direction with a writer that is always ready.
struct Line {
    began: Instant,
    now: Instant,
    chain: Chain,
    toxics: Toxics,
    out: Vec<Out>,
    bytes: Vec<u8>,
    sent: usize,
}

fn line_of(connection: u64) -> Line {
    let now = Instant::now();
    Line {
        began: now,
        now,
        chain: Chain::new(Stream::Downstream, Chance::seeded(1).of(connection)),
        toxics: Toxics::default(),
        out: Vec::new(),
        bytes: Vec::new(),
        sent: 0,
    }
}

fn line(kinds: &[ToxicKind]) -> Line {
    let mut line = line_of(1);
    for (number, kind) in kinds.iter().enumerate() {
        line.add(&number.to_string(), 1.0, kind.clone());
    }
    line
}

impl Line {
    fn add(&mut self, name: &str, toxicity: f32, kind: ToxicKind) {
        let added = self.toxics.add(Toxic {
            name: name.to_owned(),
            toxicity,
            ..Toxic::new(Stream::Downstream, kind)
        });
        added.unwrap();
        self.settle();
    }

    fn remove(&mut self, name: &str) {
        assert!(self.toxics.remove(|toxic| toxic.name == name));
        self.settle();
    }

    fn update(&mut self, name: &str, kind: ToxicKind) {
        assert!(self.toxics.update(name, |toxic| toxic.kind = kind));
        self.settle();
    }

    fn settle(&mut self) {
        let entries = self.toxics.watch().news().unwrap();
        self.chain.set(&entries, self.now);
    }

    /// Sends this number of numbered bytes.
    fn send(&mut self, count: usize) {
        let bytes: Vec<u8> = (self.sent..self.sent + count).map(numbered).collect();
        self.sent += count;
        self.chain.push(Load::Bytes(bytes.into()), self.now);
    }

    fn end(&mut self) {
        self.chain.push(Load::End, self.now);
    }

    fn take(&mut self, at: u64) -> bool {
        let Some(load) = self.chain.ready() else {
            return false;
        };
        let (out, length) = match load {
            Load::Bytes(bytes) => {
                self.bytes.extend_from_slice(bytes);
                (Out::Bytes(at, bytes.len()), bytes.len())
            }
            Load::End => (Out::End(at), 0),
            Load::Close => (Out::Close(at), 0),
        };
        self.out.push(out);
        self.chain.written(length);
        true
    }

    /// Turns the clock to `ms` after the beginning.
    fn until(&mut self, ms: u64) -> &mut Self {
        let end = self.began + Duration::from_millis(ms);
        loop {
            let at = (self.now - self.began).as_millis().try_into().unwrap();
            let next = self.chain.step(self.now);
            if next == Next::Reset {
                self.out.push(Out::Reset(at));
                break;
            }
            if self.take(at) {
                continue;
            }
            match next {
                Next::Due(due) if due <= end => self.now = due,
                _ => break,
            }
        }
        self.now = end;
        self
    }

    /// All that came out since the last look.
    #[track_caller]
    fn gave(&mut self, expected: &[Out]) {
        assert_eq!(self.out, expected);
        assert_eq!(
            self.bytes,
            (0..self.bytes.len()).map(numbered).collect::<Vec<u8>>()
        );
        self.out.clear();
    }
}

fn numbered(number: usize) -> u8 {
    (number % 251) as u8
}

fn latency(latency_ms: i64, jitter_ms: i64) -> ToxicKind {
    ToxicKind::Latency(Latency {
        latency_ms,
        jitter_ms,
    })
}

fn slicer(average_size: i64, size_variation: i64, delay_us: i64) -> ToxicKind {
    ToxicKind::Slicer(Slicer {
        average_size,
        size_variation,
        delay_us,
    })
}

const HOLD: ToxicKind = ToxicKind::Hold(Hold {});

#[test]
fn without_toxics_everything_goes_straight_through() {
    let mut on = line(&[]);
    on.send(3);
    on.end();
    on.until(0).gave(&[Out::Bytes(0, 3), Out::End(0)]);
}

#[test]
fn a_toxic_of_the_other_direction_does_nothing() {
    let mut on = line(&[]);
    on.toxics.add(Toxic::new(Stream::Upstream, HOLD)).unwrap();
    on.settle();
    assert!(on.chain.is_clear());
}

#[test]
fn latency_delays_bytes_from_when_they_were_read_but_not_the_end() {
    let mut on = line(&[latency(100, 0)]);
    on.send(3);
    on.until(60);
    on.send(4);
    on.until(200)
        .gave(&[Out::Bytes(100, 3), Out::Bytes(160, 4)]);
    on.end();
    on.until(500).gave(&[Out::End(200)]);
}

#[test]
fn latencies_add_up() {
    let mut on = line(&[latency(100, 0), latency(50, 0)]);
    on.send(3);
    on.until(300).gave(&[Out::Bytes(150, 3)]);
}

#[test]
fn jitter_is_drawn_for_each_chunk_within_its_bounds_and_repeats() {
    let delays = |seed| {
        let mut on = line_of(seed);
        on.add("slow", 1.0, latency(100, 40));
        for number in 0..50 {
            on.until(number * 1000);
            on.send(1);
        }
        on.until(60_000);
        let delay = |out: &Out| match out {
            Out::Bytes(at, 1) => at % 1000,
            other => panic!("{other:?}"),
        };
        on.out.iter().map(delay).collect::<Vec<u64>>()
    };
    let drawn = delays(1);
    assert_eq!(drawn.len(), 50);
    assert!(drawn.iter().all(|ms| (60..140).contains(ms)), "{drawn:?}");
    assert!(drawn.iter().any(|ms| *ms < 80) && drawn.iter().any(|ms| *ms > 120));
    assert_eq!(drawn, delays(1));
    assert_ne!(drawn, delays(2));
}

#[test]
fn jitter_never_overtakes() {
    let mut on = line(&[latency(100, 100)]);
    for _ in 0..50 {
        on.send(10);
    }
    on.until(1000);
    assert_eq!(on.bytes.len(), 500);
    let out = on.out.clone();
    on.gave(&out);
}

#[test]
fn bandwidth_spreads_bytes_over_time() {
    // 10 KB/s are 1000 bytes in 100 ms.
    let mut on = line(&[ToxicKind::Bandwidth(Bandwidth { rate_kb: 10 })]);
    on.send(2500);
    assert!(!on.chain.accepts(), "the sender has to wait");
    on.end();
    on.until(1000).gave(&[
        Out::Bytes(100, 1000),
        Out::Bytes(200, 1000),
        Out::Bytes(250, 500),
        Out::End(250),
    ]);
}

#[test]
fn bandwidth_catches_up_with_a_late_timer_but_makes_no_burst_of_a_pause() {
    let mut on = line(&[ToxicKind::Bandwidth(Bandwidth { rate_kb: 10 })]);
    on.send(100);
    on.until(15).gave(&[Out::Bytes(10, 100)]);
    on.send(100);
    on.until(1000).gave(&[Out::Bytes(20, 100)]);
    on.send(1000);
    on.until(2000).gave(&[Out::Bytes(1080, 1000)]);
}

#[test]
fn bandwidth_of_0_is_without_limit() {
    let mut on = line(&[ToxicKind::Bandwidth(Bandwidth { rate_kb: 0 })]);
    on.send(1_000_000);
    on.until(0).gave(&[Out::Bytes(0, 1_000_000)]);
}

#[test]
fn slow_close_delays_the_end_only() {
    let mut on = line(&[ToxicKind::SlowClose(SlowClose { delay_ms: 70 })]);
    on.send(3);
    on.until(10);
    on.end();
    on.until(200).gave(&[Out::Bytes(0, 3), Out::End(80)]);
}

#[test]
fn timeout_drops_everything_and_closes_when_it_was_quiet_for_so_long() {
    let mut on = line(&[ToxicKind::Timeout(Timeout { timeout_ms: 100 })]);
    on.until(60);
    on.send(3);
    on.until(60);
    assert!(on.chain.accepts());
    on.until(400).gave(&[Out::Close(160)]);
    assert!(!on.chain.accepts());
}

#[test]
fn timeout_closes_also_where_nothing_comes() {
    let mut on = line(&[ToxicKind::Timeout(Timeout { timeout_ms: 100 })]);
    on.until(400).gave(&[Out::Close(100)]);
}

#[test]
fn timeout_of_0_drops_until_it_is_removed_and_then_closes() {
    let mut on = line(&[ToxicKind::Timeout(Timeout { timeout_ms: 0 })]);
    on.send(3);
    on.until(3_600_000).gave(&[]);
    on.remove("0");
    on.until(3_600_000).gave(&[Out::Close(3_600_000)]);
}

#[test]
fn the_removal_of_a_timeout_closes_only_what_it_worked_on() {
    let mut on = line(&[]);
    on.add("0", 0.0, ToxicKind::Timeout(Timeout { timeout_ms: 0 }));
    on.send(3);
    on.until(1).gave(&[Out::Bytes(0, 3)]);
    on.remove("0");
    on.send(4);
    on.until(2).gave(&[Out::Bytes(1, 4)]);
}

#[test]
fn reset_peer_resets_after_bytes_or_the_end() {
    let kind = ToxicKind::ResetPeer(ResetPeer { timeout_ms: 50 });
    let mut on = line(std::slice::from_ref(&kind));
    on.until(10).gave(&[]);
    on.send(3);
    on.until(500).gave(&[Out::Reset(60)]);
    let mut on = line(&[kind]);
    on.end();
    on.until(500).gave(&[Out::Reset(50)]);
}

#[test]
fn slicer_cuts_bytes_and_spaces_the_pieces() {
    let mut on = line(&[slicer(10, 3, 2000)]);
    on.send(100);
    on.until(1000);
    let pieces: Vec<(u64, usize)> = on
        .out
        .iter()
        .map(|out| match out {
            Out::Bytes(at, length) => (*at, *length),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(pieces.iter().map(|(_, length)| length).sum::<usize>(), 100);
    assert!(pieces.iter().all(|(_, length)| *length <= 13), "{pieces:?}");
    let (_, full) = pieces.split_last().unwrap();
    assert!(full.iter().all(|(_, length)| *length >= 7), "{pieces:?}");
    assert!(full.iter().any(|(_, length)| *length != full[0].1));
    let times: Vec<u64> = pieces.iter().map(|(at, _)| *at).collect();
    let spaced: Vec<u64> = (0..pieces.len() as u64).map(|number| number * 2).collect();
    assert_eq!(times, spaced);
}

#[test]
fn limit_data_lets_exactly_so_many_bytes_through_and_closes() {
    let limited = || line(&[ToxicKind::LimitData(LimitData { bytes: 10 })]);
    let mut on = limited();
    on.send(4);
    on.until(1).gave(&[Out::Bytes(0, 4)]);
    on.send(40);
    on.until(2).gave(&[Out::Bytes(1, 6), Out::Close(1)]);
    // The last byte closes, not the one after it.
    let mut on = limited();
    on.send(10);
    on.until(1).gave(&[Out::Bytes(0, 10), Out::Close(0)]);
    let mut on = line(&[ToxicKind::LimitData(LimitData { bytes: 0 })]);
    on.until(1).gave(&[]);
    on.send(1);
    on.until(2).gave(&[Out::Close(1)]);
}

#[test]
fn a_close_waits_behind_what_went_on_before_it() {
    let mut on = line(&[
        ToxicKind::LimitData(LimitData { bytes: 10 }),
        latency(100, 0),
        ToxicKind::SlowClose(SlowClose { delay_ms: 30 }),
    ]);
    on.send(40);
    on.until(500).gave(&[Out::Bytes(100, 10), Out::Close(130)]);
}

#[test]
fn limit_data_counts_on_when_it_is_updated() {
    let mut on = line(&[ToxicKind::LimitData(LimitData { bytes: 10 })]);
    on.send(8);
    on.until(1).gave(&[Out::Bytes(0, 8)]);
    on.update("0", ToxicKind::LimitData(LimitData { bytes: 12 }));
    on.send(8);
    on.until(2).gave(&[Out::Bytes(1, 4), Out::Close(1)]);
}

#[test]
fn hold_lets_go_of_everything_in_order() {
    let mut on = line(&[HOLD, ToxicKind::Noop(Noop {})]);
    on.send(3);
    on.send(4);
    on.end();
    on.until(3_600_000).gave(&[]);
    on.remove("0");
    on.until(3_600_000).gave(&[
        Out::Bytes(3_600_000, 3),
        Out::Bytes(3_600_000, 4),
        Out::End(3_600_000),
    ]);
}

#[test]
fn an_update_holds_for_what_waits() {
    let mut on = line(&[latency(3_600_000, 0)]);
    on.send(3);
    on.until(10).gave(&[]);
    on.update("0", latency(20, 0));
    on.until(100).gave(&[Out::Bytes(20, 3)]);
}

#[test]
fn a_toxic_that_is_added_works_on_what_has_not_gone_out() {
    let mut on = line(&[HOLD]);
    on.send(40);
    on.add("later", 1.0, ToxicKind::LimitData(LimitData { bytes: 5 }));
    on.remove("0");
    on.until(1).gave(&[Out::Bytes(0, 5), Out::Close(0)]);
}

#[test]
fn toxicity_picks_connections_by_the_seed() {
    let held = |toxicity: f32, connection: u64| {
        let mut on = line_of(connection);
        on.add("hold", toxicity, HOLD);
        on.send(1);
        on.until(0);
        on.out.is_empty()
    };
    let all =
        |toxicity: f32| -> Vec<bool> { (0..1000).map(|number| held(toxicity, number)).collect() };
    let count = |toxicity: f32| all(toxicity).into_iter().filter(|held| *held).count();
    assert_eq!((count(0.0), count(1.0)), (0, 1000));
    assert!((250..350).contains(&count(0.3)), "{}", count(0.3));
    assert_eq!(all(0.3), all(0.3));
    // A higher toxicity only adds connections.
    let both = all(0.3).into_iter().zip(all(0.6));
    assert!(both.into_iter().all(|(few, many)| !few || many));
}

#[test]
fn only_toxics_that_buffer_read_ahead() {
    let accepts = |kind| {
        let mut on = line(&[kind]);
        on.send(70_000);
        on.chain.step(on.now);
        on.chain.accepts()
    };
    assert!(accepts(latency(1000, 0)));
    assert!(accepts(HOLD));
    assert!(!accepts(ToxicKind::Bandwidth(Bandwidth { rate_kb: 1 })));
    assert!(!accepts(ToxicKind::ResetPeer(ResetPeer {
        timeout_ms: 1000
    })));
}

/// An event of a direction.
#[derive(Debug, Clone)]
enum Deed {
    Send(usize),
    Add(f32, ToxicKind),
    Remove(usize),
    Update(usize, f32, ToxicKind),
    /// Milliseconds.
    Wait(u64),
    /// The receiver takes one piece.
    Take,
}

/// The toxics that promise delivery.
fn delivering() -> impl Strategy<Value = ToxicKind> {
    prop_oneof![
        (0..200_i64, 0..200_i64).prop_map(|(latency_ms, jitter_ms)| latency(latency_ms, jitter_ms)),
        (0..20_i64).prop_map(|rate_kb| ToxicKind::Bandwidth(Bandwidth { rate_kb })),
        (0..40_i64, 0..40_i64, 0..3000_i64).prop_map(|(size, more, us)| slicer(size, more, us)),
        (0..100_i64).prop_map(|delay_ms| ToxicKind::SlowClose(SlowClose { delay_ms })),
        Just(HOLD),
        Just(ToxicKind::Noop(Noop {})),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let toxicity = || prop_oneof![Just(1.0_f32), 0.0..1.0_f32];
    prop_oneof![
        6 => (1..3000_usize).prop_map(Deed::Send),
        4 => (toxicity(), delivering()).prop_map(|(toxicity, kind)| Deed::Add(toxicity, kind)),
        3 => (0..8_usize).prop_map(Deed::Remove),
        2 => (0..8_usize, toxicity(), delivering()).prop_map(|(at, toxicity, kind)| Deed::Update(at, toxicity, kind)),
        4 => (0..100_u64).prop_map(Deed::Wait),
        6 => Just(Deed::Take),
    ]
}

proptest! {
    #[test]
    fn no_byte_is_lost_doubled_or_overtaken_whatever_is_added_and_removed(
        deeds in prop::collection::vec(deed(), 1..80),
        connection in 0..1000_u64,
        end_after in 0..100_usize,
    ) {
        let mut on = line_of(connection);
        let mut clock = 0;
        for (number, deed) in deeds.iter().enumerate() {
            let toxics = on.toxics.list();
            let name = |at: usize| toxics.get(at % toxics.len().max(1)).map(|toxic| toxic.name.clone());
            match deed {
                Deed::Send(count) if on.chain.accepts() => on.send(*count),
                Deed::Send(_) => {}
                Deed::Add(toxicity, kind) => on.add(&number.to_string(), *toxicity, kind.clone()),
                Deed::Remove(at) => if let Some(name) = name(*at) { on.remove(&name) },
                Deed::Update(at, toxicity, kind) => if let Some(name) = name(*at) {
                    on.toxics.update(&name, |toxic| (toxic.toxicity, toxic.kind) = (*toxicity, kind.clone()));
                    on.settle();
                },
                Deed::Wait(ms) => clock += ms,
                Deed::Take => { on.take(clock); }
            }
            on.now = on.began + Duration::from_millis(clock);
            // The receiver may be slow: a ready piece stays ready.
            on.chain.step(on.now);
            if number == end_after && on.chain.accepts() {
                on.end();
            }
        }
        if !on.chain.over {
            on.end();
        }
        on.toxics.remove(|_| true);
        on.settle();
        on.until(clock);
        prop_assert_eq!(on.bytes.len(), on.sent);
        prop_assert_eq!(&on.bytes, &(0..on.sent).map(numbered).collect::<Vec<u8>>());
        let ends = on.out.iter().filter(|out| matches!(out, Out::End(_))).count();
        prop_assert_eq!(ends, 1);
        prop_assert!(matches!(on.out.last(), Some(Out::End(_))), "{:?}", on.out.last());
    }

    #[test]
    fn with_time_every_toxic_lets_go_by_itself(
        kinds in prop::collection::vec(delivering(), 0..6),
        sizes in prop::collection::vec(1..3000_usize, 1..10),
    ) {
        let kinds: Vec<ToxicKind> = kinds.into_iter().filter(|kind| *kind != HOLD).collect();
        let mut on = line(&kinds);
        let mut clock = 0;
        for size in &sizes {
            while !on.chain.accepts() {
                clock += 100;
                prop_assert!(clock < 3_600_000, "stuck");
                on.until(clock);
            }
            on.send(*size);
        }
        on.end();
        on.until(clock + 3_600_000);
        prop_assert_eq!(on.bytes.len(), on.sent);
        prop_assert_eq!(&on.bytes, &(0..on.sent).map(numbered).collect::<Vec<u8>>());
        prop_assert!(matches!(on.out.last(), Some(Out::End(_))), "{:?}", on.out.last());
    }
}

#[test]
fn latency_holds_1024_chunks_and_32_mib() {
    let hour = ToxicKind::Latency(Latency {
        latency_ms: 3_600_000,
        jitter_ms: 0,
    });
    for (length, most) in [(1, 1024), (32 * 1024, 1024), (64 * 1024, 512)] {
        let mut line = line(std::slice::from_ref(&hour));
        let mut taken = 0;
        while line.chain.accepts() {
            line.send(length);
            taken += 1;
        }
        assert_eq!(taken, most, "chunks of {length} bytes");
    }
}
