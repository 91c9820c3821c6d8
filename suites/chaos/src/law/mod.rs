//! Laws: what the history of a run must satisfy, whatever faults acted.
//!
//! A law is one file of this folder, whose stem is its id, and one row of the table below. Pure: a law reads an
//! [`Observed`] run and nothing else. It sees which objects a fault acted on and when, never which fault it was.
//!
//! A law does not judge undecidable events: indefinite writes, expiry, clients that left, stalls of the machine and
//! requests that the end of the run cut off break no law. A law that judged nothing is unknown.

mod answers_within_deadline;
mod appends_intact;
mod before;
mod command;
mod connections_bounded;
mod counters_exact;
mod error_names_node;
mod executed_at_most_once;
mod expires_in_time;
mod findings;
mod interleaved;
mod isolation;
mod keys;
mod last;
mod ledger_as_predicted;
mod memory_bounded;
mod misdelivery;
mod no_cross_talk;
mod no_false_nil;
mod no_short_answer;
mod on_proxies;
mod operation;
mod overlaps;
mod placement_unchanged;
mod proxies_agree;
mod recovers_within;
mod registers_linearizable;
mod replies_in_order;
mod scan_complete;
mod text;
mod transactions_atomic;
mod verdict;
pub(crate) mod windows;

#[cfg(test)]
pub(crate) mod tests;

use testbed::class::Class;
use testbed::wire::Arguments;

use crate::observed::Observed;

pub(crate) use on_proxies::{KeyOnProxies, on_proxies};
pub use verdict::{Verdict, Violation};

/// A property that a run must satisfy.
pub trait Law: Sync {
    /// The name in scenarios and reports: the stem of its file, with hyphens.
    fn id(&self) -> &'static str;

    /// What it promises, in one sentence.
    fn promise(&self) -> &'static str;

    /// Where it comes from: a paper, a specification or an issue.
    fn source(&self) -> &'static str;

    /// Its level.
    fn level(&self) -> Level {
        Level::Must
    }

    /// The outcome classes of a case that shows a violation: a few requests, one after another, with the replies of one
    /// plain Redis. Empty where replies do not show it.
    fn classes(&self) -> &'static [Class] {
        &[]
    }

    /// Judges a run, in O(n log n) of its records.
    fn judge(&self, observed: &Observed) -> Verdict;
}

/// How binding a law is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A proxy that breaks it returns or loses something wrong, or hangs.
    Must,
    /// A proxy that breaks it is harder to operate.
    Should,
}

/// Every law, in the order of reports.
pub static LAWS: &[&dyn Law] = &[
    &registers_linearizable::RegistersLinearizable,
    &counters_exact::CountersExact,
    &appends_intact::AppendsIntact,
    &replies_in_order::RepliesInOrder,
    &no_cross_talk::NoCrossTalk,
    &executed_at_most_once::ExecutedAtMostOnce,
    &no_false_nil::NoFalseNil,
    &no_short_answer::NoShortAnswer,
    &expires_in_time::ExpiresInTime,
    &transactions_atomic::TransactionsAtomic,
    &isolation::Isolation,
    &placement_unchanged::PlacementUnchanged,
    &scan_complete::ScanComplete,
    &ledger_as_predicted::LedgerAsPredicted,
    &proxies_agree::ProxiesAgree,
    &answers_within_deadline::AnswersWithinDeadline,
    &recovers_within::RecoversWithin,
    &error_names_node::ErrorNamesNode,
    &memory_bounded::MemoryBounded,
    &connections_bounded::ConnectionsBounded,
];

/// The law of an id.
#[must_use]
pub fn law(id: &str) -> Option<&'static dyn Law> {
    LAWS.iter().copied().find(|law| law.id() == id)
}

/// Whether a request changes no key, as far as laws understand it.
#[must_use]
pub fn reads(request: &Arguments) -> bool {
    command::Command::of(request).reads()
}
