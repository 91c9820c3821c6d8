//! Judges one register: by its clusters, then by a search.

use super::clusters::{self, Outcome};
use super::intern::intern;
use super::operation::Operation;
use super::options::{Method, Options, SessionOrder};
use super::order::Sessions;
use super::search::{Found, search};
use super::witness;

/// Whether there is a linearization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    Linearizable(Method),
    Impossible,
    /// The budget of the search was used up.
    Undecided,
}

/// Judges registers, one after the other.
pub(super) struct Judge {
    options: Options,
    sessions: Sessions,
    count: usize,
}

impl Judge {
    /// For sessions that are numbered below `sessions`.
    pub(super) fn new(options: Options, sessions: usize) -> Self {
        Self {
            options,
            sessions: Sessions::new(sessions),
            count: sessions,
        }
    }

    pub(super) fn options(&self) -> Options {
        self.options
    }

    /// Sets the budget of further searches; the one before.
    pub(super) fn replace_budget(&mut self, budget: usize) -> usize {
        std::mem::replace(&mut self.options.budget, budget)
    }

    /// Judges a register; the node's own order is tried first.
    pub(super) fn rule(&mut self, operations: &[Operation<&[u8]>]) -> Ruling {
        let session_order = self.options.session_order;
        match witness::witnesses(operations, &mut self.sessions, session_order) {
            true => Ruling::Linearizable(Method::Witness),
            false => self.rule_without_witness(operations),
        }
    }

    /// Judges a register as if sessions could be reordered.
    pub(super) fn rule_ignoring_sessions(&mut self, operations: &[Operation<&[u8]>]) -> Ruling {
        let kept = self.options.session_order;
        self.options.session_order = SessionOrder::Ignored;
        let ruling = self.rule_without_witness(operations);
        self.options.session_order = kept;
        ruling
    }

    /// Judges a register by its operations alone.
    pub(super) fn rule_without_witness(&mut self, operations: &[Operation<&[u8]>]) -> Ruling {
        let Options {
            session_order,
            budget,
        } = self.options;
        let register = intern(operations);
        let ranks = match clusters::decide(&register, &mut self.sessions, session_order) {
            Outcome::Linearizable => return Ruling::Linearizable(Method::Clusters),
            Outcome::Impossible => return Ruling::Impossible,
            Outcome::Undecided(ranks) => ranks,
        };
        match search(&register, &ranks, session_order, self.count, budget) {
            Found::Linearization => Ruling::Linearizable(Method::Search),
            Found::None => Ruling::Impossible,
            Found::Exhausted => Ruling::Undecided,
        }
    }
}
