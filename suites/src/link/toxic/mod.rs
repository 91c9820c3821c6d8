//! Toxics: what can be wrong with a link. The names and streams are Toxiproxy's.
//!
//! A toxic only decides, from when a chunk was read; it never sees a socket, a clock or a case.

mod hold;
mod latency;
mod reset_peer;

use tokio::time::Instant;

pub use hold::Hold;
pub use latency::Latency;
pub use reset_peer::ResetPeer;

/// Every toxic by its name in files and reports.
pub const NAMES: &[&str] = &["hold", "latency", "reset_peer"];

/// The direction that a toxic works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// From the proxy to the node: requests.
    Upstream,
    /// From the node to the proxy: replies.
    Downstream,
}

/// What happens to a chunk of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It goes on, not before this time.
    NotBefore(Instant),
    /// It waits until the toxic is gone.
    Hold,
    /// The connection is reset in both directions.
    Reset,
}

/// The law of one toxic.
pub trait Rule {
    /// What happens to a chunk that was read at `read_at`. Asked again whenever the toxics of the link change.
    fn decide(&self, read_at: Instant) -> Decision;
}

/// One toxic of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bytes wait until the toxic is removed.
    Hold(Hold),
    /// Bytes arrive later.
    Latency(Latency),
    /// The connection is reset as soon as bytes flow.
    ResetPeer(ResetPeer),
}

impl Kind {
    fn rule(&self) -> &dyn Rule {
        match self {
            Self::Hold(rule) => rule,
            Self::Latency(rule) => rule,
            Self::ResetPeer(rule) => rule,
        }
    }

    /// The name in files and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hold(_) => "hold",
            Self::Latency(_) => "latency",
            Self::ResetPeer(_) => "reset_peer",
        }
    }
}

/// A toxic with its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Toxic {
    /// The bytes that it works on.
    pub stream: Stream,
    /// What it does to them.
    pub kind: Kind,
}

/// The decision of several toxics together: a reset wins over a hold, a hold over a delay, the longest delay wins.
pub(super) fn decide(toxics: &[Toxic], stream: Stream, read_at: Instant) -> Decision {
    toxics
        .iter()
        .filter(|toxic| toxic.stream == stream)
        .map(|toxic| toxic.kind.rule().decide(read_at))
        .fold(Decision::NotBefore(read_at), stronger)
}

fn stronger(one: Decision, other: Decision) -> Decision {
    match (one, other) {
        (Decision::Reset, _) | (_, Decision::Reset) => Decision::Reset,
        (Decision::Hold, _) | (_, Decision::Hold) => Decision::Hold,
        (Decision::NotBefore(one), Decision::NotBefore(other)) => {
            Decision::NotBefore(one.max(other))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SLOW: Kind = Kind::Latency(Latency { latency_ms: 50 });

    #[track_caller]
    fn check(kinds: &[Kind], expected: impl Fn(Instant) -> Decision) {
        let now = Instant::now();
        let toxics: Vec<Toxic> = kinds
            .iter()
            .map(|kind| Toxic {
                stream: Stream::Downstream,
                kind: *kind,
            })
            .collect();
        assert_eq!(decide(&toxics, Stream::Downstream, now), expected(now));
        // The other direction is never touched.
        assert_eq!(
            decide(&toxics, Stream::Upstream, now),
            Decision::NotBefore(now)
        );
    }

    #[test]
    fn the_strongest_toxic_decides() {
        let after = |ms| move |now| Decision::NotBefore(now + Duration::from_millis(ms));
        check(&[], after(0));
        check(&[SLOW], after(50));
        check(
            &[Kind::Latency(Latency { latency_ms: 80 }), SLOW],
            after(80),
        );
        check(&[SLOW, Kind::Hold(Hold)], |_| Decision::Hold);
        check(&[Kind::Hold(Hold), Kind::ResetPeer(ResetPeer)], |_| {
            Decision::Reset
        });
    }

    #[test]
    fn names_are_sorted_unique_and_have_a_file_each() {
        assert!(NAMES.is_sorted_by(|one, other| one < other));
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/link/toxic");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| {
                file.unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .filter(|stem| stem != "mod")
            .collect();
        files.sort();
        assert_eq!(files, NAMES);
        for kind in [Kind::Hold(Hold), SLOW, Kind::ResetPeer(ResetPeer)] {
            assert!(NAMES.contains(&kind.name()));
        }
    }
}
