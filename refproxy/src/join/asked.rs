//! What of a request shapes the reply that its parts' replies make.

use super::scan::Pages;
use super::server::info::{self, Facts};
use super::server::slowlog::Measure;
use crate::resp::Args;

/// What SLOWLOG GET gives without a number.
const LATEST_DEFAULT: usize = 10;

/// What of the request itself shapes the reply.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// What has come of a SCAN; only [`Join::Page`] looks at it.
    pub(super) pages: Option<Pages>,
    /// Entries asked for, and what they measure; only [`Join::Latest`] and [`Join::Entries`] look at it.
    pub(super) most: usize,
    pub(super) measure: Measure,
    /// A number that is another one each time; only [`Join::Any`] looks at it.
    pub(super) lot: u64,
    /// What the proxy tells of itself, and whether of its nodes too; only [`Join::Info`] looks at it.
    pub(super) about: Option<Box<(Facts, bool)>>,
}

impl Asked {
    /// By the complete request in `frame`.
    pub(crate) fn by(frame: &[u8], lot: u64) -> Self {
        let number = Args::of(frame).nth(2).and_then(|text| {
            let text = std::str::from_utf8(text).ok()?;
            text.parse::<i64>().ok()
        });
        // COMMANDLOG says last which of its logs it means.
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

    /// For INFO, as the complete request in `frame` wants it.
    pub(crate) fn about(frame: &[u8], facts: Facts) -> Self {
        let with_nodes = info::wants_nodes(Args::of(frame).skip(1));
        Self {
            about: Some(Box::new((facts, with_nodes))),
            ..Self::default()
        }
    }

    /// For these pages.
    pub(crate) fn pages(pages: Pages) -> Self {
        Self {
            pages: Some(pages),
            ..Self::default()
        }
    }
}
