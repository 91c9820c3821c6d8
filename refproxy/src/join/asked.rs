//! The parts of a request that shape the reply made of its parts' replies.

use super::scan::Pages;
use super::server::info::{self, Facts};
use super::server::slowlog::Measure;
use crate::resp::Args;

/// The number of entries of SLOWLOG GET without an argument.
const LATEST_DEFAULT: usize = 10;

/// The parts of the request itself that shape the reply.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// The pages of a SCAN so far; only [`Join::Page`] uses it.
    pub(super) pages: Option<Pages>,
    /// The maximum of entries, and what they measure; only [`Join::Latest`] and [`Join::Entries`] use it.
    pub(super) most: usize,
    pub(super) measure: Measure,
    /// A random number; only [`Join::Any`] uses it.
    pub(super) lot: u64,
    /// The proxy's own facts, and whether the section about nodes is included; only [`Join::Info`] uses it.
    pub(super) about: Option<Box<(Facts, bool)>>,
}

impl Asked {
    /// From the complete request in `frame`.
    pub(crate) fn by(frame: &[u8], lot: u64) -> Self {
        let number = Args::of(frame).nth(2).and_then(|text| {
            let text = std::str::from_utf8(text).ok()?;
            text.parse::<i64>().ok()
        });
        // The last argument of COMMANDLOG names its log.
        let is_of_time = |log: &[u8]| log.eq_ignore_ascii_case(b"slow");
        Self {
            measure: match Args::of(frame).nth(3).is_none_or(is_of_time) {
                true => Measure::Time,
                false => Measure::Bytes,
            },
            most: match number {
                Some(number) => usize::try_from(number).unwrap_or(usize::MAX),
                None => LATEST_DEFAULT,
            },
            lot,
            ..Self::default()
        }
    }

    /// For INFO, according to the complete request in `frame`.
    pub(crate) fn about(frame: &[u8], facts: Facts) -> Self {
        let with_nodes = info::wants_nodes(Args::of(frame).skip(1));
        Self {
            about: Some(Box::new((facts, with_nodes))),
            ..Self::default()
        }
    }

    /// From these pages.
    pub(crate) fn pages(pages: Pages) -> Self {
        Self {
            pages: Some(pages),
            ..Self::default()
        }
    }
}
