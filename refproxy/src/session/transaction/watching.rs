//! Requests of a client that watches for a transaction, or has just ended one.

use super::{Phase, Step, Transaction};
use crate::command::{Refusal, Route, Transaction as Verb, Why};
use crate::local::changes_protocol;
use crate::resp::put_simple;
use crate::route::{Action, Request};
use crate::session::turn::{ANY_NODE, Taken, Turn};
use placement::NodeId;

impl Transaction {
    /// The next transaction, right after one whose last reply is pending, may use the same connection.
    pub(super) fn again(&mut self, request: &Request<'_>, turn: &mut Turn<'_>) -> Taken {
        let row = request.row;
        let begins =
            row.route == Route::Transaction(Verb::Multi) && row.accepts(request.frame.argc);
        if !begins || self.pin.as_ref().is_some_and(|pin| pin.soiled) {
            return Taken::NotNow;
        }
        self.phase = Phase::Queueing;
        turn.answer(|out| put_simple(out, "OK"));
        Taken::Done
    }

    /// A request between WATCH and MULTI, where most are like all others.
    pub(super) fn watching(&mut self, request: &Request<'_>, turn: &mut Turn<'_>) -> Step {
        let row = request.row;
        let concerns = match row.route {
            Route::Transaction(_) => true,
            Route::Local(local) => {
                local.ends_transaction() || changes_protocol(local, request.bytes, turn.identity)
            }
            _ => false,
        };
        if !concerns {
            return Step::Outside(self.detour(turn));
        }
        Step::Taken(match turn.route(request) {
            Action::Transaction(verb, home) => self.watching_verb(verb, home, request, turn),
            Action::Local(local) if local.ends_transaction() => {
                self.end_locally(local, request, turn)
            }
            Action::Refuse(refusal) => self.refuse(&refusal, request.bytes, turn),
            _ => {
                let refusal = Refusal::Unsupported(row, Why::ProtocolOfTransaction);
                self.refuse(&refusal, request.bytes, turn)
            }
        })
    }

    fn watching_verb(
        &mut self,
        verb: Verb,
        home: Option<NodeId>,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Taken {
        match verb {
            Verb::Watch => return self.watch(home, request, turn),
            Verb::Unwatch if self.is_lost() => {
                self.end();
                turn.answer(|out| put_simple(out, "OK"));
            }
            Verb::Unwatch => {
                self.ask(request, turn);
                self.end();
            }
            Verb::Multi if self.is_lost() => {
                self.phase = Phase::Aborted;
                turn.answer(|out| put_simple(out, "OK"));
            }
            Verb::Multi => {
                self.phase = Phase::Queueing;
                self.ask(request, turn);
                if let Some(pin) = &mut self.pin {
                    pin.begun = true;
                }
            }
            Verb::Exec | Verb::Discard => {
                let refusal = Refusal::WithoutMulti(request.row);
                return self.refuse(&refusal, request.bytes, turn);
            }
        }
        Taken::Done
    }

    /// WATCH of keys that live on `home`.
    pub(super) fn watch(
        &mut self,
        home: Option<NodeId>,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Taken {
        let node = home.unwrap_or(ANY_NODE);
        let args = request.args();
        if self.pin.is_none()
            && let Err(taken) = self.pin_to(node, turn)
        {
            return taken;
        }
        if let Some(taken) = self.refuse_elsewhere(node, args[1], request, turn) {
            return taken;
        }
        if self.is_too_large(request, turn) {
            return self.refuse(&Refusal::TransactionTooLarge, request.bytes, turn);
        }
        let lost = self.is_lost();
        self.remember(&args[1..], &turn.routing);
        self.ask(request, turn);
        if lost {
            // The reply says so, and the client may start over.
            self.end();
        }
        Taken::Done
    }
}
