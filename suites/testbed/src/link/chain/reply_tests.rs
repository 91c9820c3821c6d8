//! What toxics of replies do to a stream of replies, with a clock that the test turns.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::fault::{Fault, Toxic};
use crate::link::answers::{Answers, Exchange};
use crate::link::frames::{Frames, Passing, Taken, Track};
use crate::link::toxics::Toxics;

/// A direction from a node, with a writer that is always ready.
struct Replies {
    now: Instant,
    frames: Frames,
    chain: Chain,
    toxics: Toxics,
    /// The output: bytes, and `|` where the connection closed.
    out: String,
    acted: Vec<String>,
    /// Replies that have left the chain.
    left: Vec<String>,
}

impl Replies {
    /// The replies to `requests`, under these faults.
    fn to(requests: &[&str], faults: &[&str]) -> Self {
        let now = Instant::now();
        let mut exchange = Exchange::new(Answers::default());
        for request in requests {
            exchange.asked(&request.split(' ').collect::<Vec<_>>());
        }
        let exchange = Arc::new(Mutex::new(exchange));
        let mut replies = Self {
            now,
            frames: Frames::new(Track::default(), Stream::Downstream, exchange),
            chain: Chain::new(Stream::Downstream, Chance::seeded(1)),
            toxics: Toxics::default(),
            out: String::new(),
            acted: Vec::new(),
            left: Vec::new(),
        };
        for fault in faults {
            replies.add(fault);
        }
        replies
    }

    fn add(&mut self, fault: &str) {
        let Ok(Fault::Toxic(kind)) = fault.parse() else {
            panic!("{fault} is no toxic");
        };
        let added = self.toxics.add(Toxic::new(Stream::Downstream, kind));
        added.unwrap();
        self.settle();
    }

    fn heal(&mut self) -> &mut Self {
        self.toxics.remove(|_| true);
        self.settle();
        self.wait(0)
    }

    fn settle(&mut self) {
        let entries = self.toxics.watch().news().unwrap();
        self.chain.set(&entries, self.now);
    }

    /// The node sends these bytes.
    fn send(&mut self, bytes: &str) -> &mut Self {
        if !self.chain.accepts() {
            return self;
        }
        let mut buffer = BytesMut::from(bytes);
        let taken = match self.chain.wants_replies() {
            true => Taken::Whole,
            false => Taken::Loose,
        };
        let mut ends = Vec::new();
        let (passing, _) = self.frames.feed(&mut buffer, taken, &mut ends);
        for Passing { bytes, tag, ends } in passing {
            if !bytes.is_empty() {
                self.chain.push_reply(bytes, tag, ends, self.now);
            }
        }
        if !buffer.is_empty() {
            self.chain.push_bytes(buffer.freeze(), ends, self.now);
        }
        self.wait(0)
    }

    fn load(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.chain.push(Load::Bytes(bytes), self.now);
        }
    }

    fn end(&mut self) -> &mut Self {
        if !self.chain.accepts() {
            return self;
        }
        let rest = self.frames.rest();
        self.load(rest);
        self.chain.push(Load::End, self.now);
        self.wait(0)
    }

    /// Turns the clock by `ms` milliseconds.
    fn wait(&mut self, ms: u64) -> &mut Self {
        let end = self.now + Duration::from_millis(ms);
        loop {
            let next = self.chain.step(self.now);
            let mut taken = false;
            if let Some(load) = self.chain.ready() {
                let mut length = 0;
                match load {
                    Load::Bytes(bytes) => {
                        self.out += std::str::from_utf8(bytes).unwrap();
                        length = bytes.len();
                    }
                    Load::End | Load::Close => self.out.push('|'),
                }
                self.chain.written(length);
                taken = true;
            }
            self.acted.extend(self.chain.acted());
            let left = self.chain.left().into_iter();
            self.left
                .extend(left.map(|(reply, passage)| format!("{reply} {passage}")));
            match next {
                _ if taken => {}
                Next::Due(due) if due <= end => self.now = due,
                _ => break,
            }
        }
        self.now = end;
        self
    }

    /// Compares the output since the last call, without line ends.
    #[track_caller]
    fn gave(&mut self, expected: &str) -> &mut Self {
        assert_eq!(self.out.replace("\r\n", " ").trim_end(), expected);
        self.out.clear();
        self
    }
}

/// The replies 1 to 4 to `GET a` to `GET d`, sent at once under a fault.
#[track_caller]
fn check(fault: &str, expected: &str) {
    let mut replies = Replies::to(&["GET a", "GET b", "GET c", "GET d"], &[fault]);
    replies.send(":1\r\n:2\r\n:3\r\n:4\r\n").gave(expected);
}

#[test]
fn only_selected_replies_change() {
    check("drop_reply nth 2", ":1 :3 :4");
    check("drop_reply key c", ":1 :2 :4");
    check("drop_reply command SET", ":1 :2 :3 :4");
    check("drop_reply every 2", ":1 :3");
    check("duplicate_reply times 1", ":1 :1 :2 :3 :4");
    check(
        "error_reply NOAUTH nth 4",
        ":1 :2 :3 -NOAUTH Authentication required.",
    );
}

#[test]
fn neighbours_change_places_once() {
    check("swap_replies nth 2", ":1 :3 :2 :4");
    check("swap_replies times 1", ":2 :1 :3 :4");
    check("swap_replies", ":2 :1 :4 :3");
    // The last one has no neighbour.
    check("swap_replies nth 4", ":1 :2 :3");
}

#[test]
fn a_reply_without_a_neighbour_waits_for_it() {
    let mut replies = Replies::to(&["GET a", "GET b"], &["swap_replies"]);
    replies.send(":1\r\n").wait(3_600_000).gave("");
    replies.send(":2\r\n").gave(":2 :1");
    let mut replies = Replies::to(&["GET a"], &["swap_replies"]);
    replies.send(":1\r\n").gave("");
    replies.heal().gave(":1");
    let mut replies = Replies::to(&["GET a"], &["swap_replies"]);
    replies.send(":1\r\n").end().gave(":1 |");
}

#[test]
fn a_delayed_reply_delays_what_follows_it() {
    let mut replies = Replies::to(&["GET a", "GET b"], &["delay_reply 50ms key b"]);
    replies.send(":1\r\n:2\r\n:3\r\n").gave(":1");
    replies.wait(49).gave("");
    replies.wait(1).gave(":2 :3");
}

#[test]
fn a_held_reply_goes_on_when_its_time_is_over_or_the_fault_is_healed() {
    let mut replies = Replies::to(&["GET a", "GET b"], &["hold_reply nth 2"]);
    replies
        .send(":1\r\n:2\r\n:3\r\n")
        .wait(3_600_000)
        .gave(":1");
    replies.heal().gave(":2 :3");
    let mut replies = Replies::to(&["GET a", "GET b"], &["hold_reply 2s nth 2"]);
    replies.send(":1\r\n:2\r\n").wait(1999).gave(":1");
    replies.wait(1).gave(":2");
}

#[test]
fn a_cut_reply_ends_the_connection_or_silences_it() {
    let cut = "cut_reply body at 2B nth 2";
    let mut replies = Replies::to(&[], &[cut]);
    replies.send(":1\r\n$3\r\nabc\r\n:3\r\n").gave(":1 $3 ab|");
    let mut replies = Replies::to(&[], &[&format!("{cut} then silence")]);
    replies.send(":1\r\n$3\r\nabc\r\n:3\r\n").gave(":1 $3 ab");
    replies.send(":4\r\n").wait(3_600_000).gave("");
    // Bytes are lost: later bytes would be wrong.
    replies.heal().gave("|");
    let mut replies = Replies::to(&[], &["cut_reply at 0B"]);
    replies.send(":1\r\n").gave("|");
}

#[test]
fn toxics_of_replies_act_before_those_of_bytes_and_on_what_others_made() {
    let mut replies = Replies::to(&[], &["slicer 1B", "duplicate_reply nth 1"]);
    replies.add("drop_reply nth 2");
    replies.send(":1\r\n:2\r\n:3\r\n").gave(":1 :1 :3");
    assert_eq!(
        replies.acted,
        ["duplicate_reply_downstream", "drop_reply_downstream"]
    );
}

#[test]
fn a_reply_that_went_on_in_part_is_left_alone() {
    let mut replies = Replies::to(&["GET a", "GET b"], &[]);
    replies.send("$3\r\na").gave("$3 a");
    replies.add("drop_reply");
    replies.send("bc\r\n:2\r\n").gave("bc");
    // Held bytes are sent when the toxic is removed, or the node is gone.
    replies.send("$3\r\na").gave("");
    replies.heal().send("bc\r\n").gave("$3 abc");
    replies.add("drop_reply");
    replies.send("$3\r\na").end().gave("$3 a|");
}

#[test]
fn what_is_no_resp_passes() {
    let mut replies = Replies::to(&[], &["drop_reply"]);
    replies
        .send("HTTP/1.1 200 OK\r\n")
        .send("more")
        .gave("HTTP/1.1 200 OK more");
}

#[test]
fn counts_hold_over_connections_and_changes_of_the_toxic() {
    let mut one = Replies::to(&[], &["drop_reply nth 3"]);
    let mut other = Replies::to(&[], &[]);
    other.toxics = one.toxics.clone();
    other.settle();
    one.send(":1\r\n").gave(":1");
    other.send(":2\r\n").gave(":2");
    let keep = |toxic: &mut Toxic| toxic.toxicity = 1.0;
    assert!(one.toxics.update("drop_reply_downstream", keep));
    one.settle();
    one.send(":3\r\n:4\r\n").gave(":4");
}

#[test]
fn toxicity_is_drawn_for_the_connection() {
    let mut replies = Replies::to(&[], &["drop_reply"]);
    let never = |toxic: &mut Toxic| toxic.toxicity = 0.0;
    assert!(replies.toxics.update("drop_reply_downstream", never));
    replies.settle();
    replies.send(":1\r\n").gave(":1");
    assert_eq!(replies.acted, Vec::<String>::new());
}

const FAULTS: &[&str] = &[
    "drop_reply every 2",
    "drop_reply percent 50%",
    "duplicate_reply key a",
    "swap_replies every 3",
    "cut_reply body at 1B nth 4",
    "cut_reply header nth 5 then silence",
    "corrupt_length nth 2",
    "error_reply MOVED command SET",
    "wrong_type every 2 times 2",
    "push_before_reply nth 3",
    "delay_reply 1ms every 2",
    "hold_reply nth 6",
];

proptest! {
    /// The decisions do not depend on how the bytes are cut into chunks.
    #[test]
    fn chunks_change_nothing(
        picked in prop::collection::vec((0..5_usize, 0..3_usize), 1..10),
        faults in prop::collection::vec(0..FAULTS.len(), 1..4),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let shapes = ["+OK\r\n", "$5\r\nab\r\nc\r\n", "*2\r\n:1\r\n$-1\r\n", "-ERR no\r\n", "$-1\r\n"];
        let requests: Vec<&str> = picked.iter().map(|(_, at)| ["GET a", "SET b", "INCR c"][*at]).collect();
        let bytes: String = picked.iter().map(|(shape, _)| shapes[*shape]).collect();
        let mut faults: Vec<&str> = faults.iter().map(|at| FAULTS[*at]).collect();
        faults.sort_unstable_by_key(|fault| fault.split(' ').next().map(str::to_owned));
        faults.dedup_by_key(|fault| fault.split(' ').next().map(str::to_owned));
        let run = |cuts: &[usize]| {
            let mut replies = Replies::to(&requests, &faults);
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
            ends.push(bytes.len());
            ends.sort_unstable();
            let mut from = 0;
            for end in ends {
                replies.send(&bytes[from..end]);
                from = end;
            }
            replies.wait(10).heal().end();
            // Which of two toxics sees the replies before it first depends on when they arrive.
            replies.acted.sort();
            // So does whether a toxic still sees replies after a cut, which are not forwarded.
            if replies.acted.iter().any(|toxic| toxic.starts_with("cut_reply")) {
                replies.acted.retain(|toxic| toxic.starts_with("cut_reply"));
            }
            (replies.out, replies.acted)
        };
        prop_assert_eq!(run(&cuts), run(&[]));
    }
}

/// Where the replies 1 to 3 to `GET a` to `GET c` have gone, `wait_ms` after they were sent at once under faults.
#[track_caller]
fn check_left(faults: &[&str], wait_ms: u64, expected: &[&str]) {
    let mut replies = Replies::to(&["GET a", "GET b", "GET c"], faults);
    replies.send(":1\r\n:2\r\n:3\r\n").wait(wait_ms);
    assert_eq!(replies.left, expected, "{faults:?}");
}

#[test]
fn a_reply_has_left_when_its_last_byte_was_sent() {
    let all = ["0 sent", "1 sent", "2 sent"];
    check_left(&["delay_reply 50ms nth 2"], 49, &all[..1]);
    check_left(&["delay_reply 50ms nth 2"], 50, &all);
    check_left(&["latency 50ms"], 49, &[]);
    check_left(&["latency 50ms"], 50, &all);
    // Four bytes a reply, and six bytes at once.
    check_left(&["slicer 6B delay 10000us"], 9, &all[..1]);
    check_left(&["slicer 6B delay 10000us"], 10, &all);
    check_left(&["duplicate_reply nth 1"], 0, &all);
    check_left(&["swap_replies nth 1"], 0, &["1 sent", "0 sent", "2 sent"]);
}

#[test]
fn a_reply_that_a_toxic_takes_changes_or_cuts_is_lost() {
    check_left(&["drop_reply nth 2"], 0, &["1 lost", "0 sent", "2 sent"]);
    check_left(&["wrong_type nth 2"], 0, &["1 lost", "0 sent", "2 sent"]);
    check_left(&["limit_data 6B"], 0, &["1 lost", "2 lost", "0 sent"]);
    check_left(
        &["cut_reply header nth 2"],
        0,
        &["1 lost", "2 lost", "0 sent"],
    );
    let mut replies = Replies::to(&["GET a", "GET b"], &["hold"]);
    replies.send(":1\r\n:2\r\n");
    assert_eq!(replies.chain.unsent(), [0, 1]);
}
