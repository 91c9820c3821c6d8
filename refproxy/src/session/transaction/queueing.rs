//! Requests after MULTI.

use super::pin::Commits;
use super::{Own, Phase, Transaction, cost};
use crate::command::{EXEC_ABORTED, Local, Refusal, Why};
use crate::join::Joining;
use crate::local::changes_protocol;
use crate::resp::{put_array, put_simple};
use crate::route::{Queueing, Request, restrict};
use crate::session::turn::{ANY_NODE, Taken, Turn};
use placement::NodeId;

impl Transaction {
    /// A request after MULTI.
    pub(super) fn queue(&mut self, request: &Request<'_>, turn: &mut Turn<'_>) -> Taken {
        let action = turn.route(request);
        match restrict(action, request, turn.routing.placement()) {
            Queueing::Forward(node) => self.queue_keyed(node, request, turn),
            Queueing::AnyNode => self.queue_anywhere(request, turn),
            Queueing::Local(local) => self.queue_own(local, request, turn),
            Queueing::End(local) => self.end_locally(local, request, turn),
            Queueing::Exec => self.exec(request, turn),
            Queueing::Discard => self.discard(request, turn),
            Queueing::Misplaced(refusal) => self.misplaced(&refusal, request, turn),
            Queueing::Refuse(refusal) => self.refuse(&refusal, request.bytes, turn),
        }
    }

    fn queue_keyed(&mut self, node: NodeId, request: &Request<'_>, turn: &mut Turn<'_>) -> Taken {
        if self.phase == Phase::Aborted {
            return queued(turn);
        }
        let args = request.args();
        let positions = request.row.key_positions(&args).unwrap_or_default();
        let keys: Vec<&[u8]> = positions.into_iter().map(|place| args[place]).collect();
        if self.begun().is_some() {
            let key = keys.first().copied().unwrap_or_default();
            if let Some(taken) = self.refuse_elsewhere(node, key, request, turn) {
                return taken;
            }
        } else if let Err(taken) = self.pin_to(node, turn) {
            return taken;
        }
        if self.is_too_large(request, turn) {
            return self.refuse(&Refusal::TransactionTooLarge, request.bytes, turn);
        }
        self.remember(&keys, &turn.routing);
        self.send_queued(request, turn)
    }

    /// A request that all nodes answer the same waits here until a key decides the node.
    fn queue_anywhere(&mut self, request: &Request<'_>, turn: &mut Turn<'_>) -> Taken {
        if self.phase == Phase::Aborted {
            return queued(turn);
        }
        if self.begun().is_some() {
            return self.send_queued(request, turn);
        }
        if self.is_too_large(request, turn) {
            return self.refuse(&Refusal::TransactionTooLarge, request.bytes, turn);
        }
        self.hold(request.bytes, true);
        self.queued += 1;
        queued(turn)
    }

    /// A command that may not follow MULTI is an error now. Nodes differ in whether EXEC then fails, so the node gets
    /// it too.
    fn misplaced(
        &mut self,
        refusal: &Refusal<'_>,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Taken {
        if self.phase == Phase::Queueing {
            if self.begun().is_some() {
                self.ask(request, turn);
                return Taken::Done;
            }
            if self.is_too_large(request, turn) {
                return self.refuse(&Refusal::TransactionTooLarge, request.bytes, turn);
            }
            self.hold(request.bytes, false);
        }
        turn.refuse(refusal, request.bytes)
    }

    /// A request that the proxy answers itself is answered at EXEC, in its place.
    fn queue_own(&mut self, local: Local, request: &Request<'_>, turn: &mut Turn<'_>) -> Taken {
        if changes_protocol(local, request.bytes, turn.identity) {
            let refusal = Refusal::Unsupported(request.row, Why::ProtocolOfTransaction);
            return self.refuse(&refusal, request.bytes, turn);
        }
        if self.phase == Phase::Aborted {
            return queued(turn);
        }
        if self.is_too_large(request, turn) {
            return self.refuse(&Refusal::TransactionTooLarge, request.bytes, turn);
        }
        self.bytes += cost(request.bytes);
        self.own.push(Own {
            place: self.queued,
            local,
            row: request.row,
            bytes: request.bytes.to_vec(),
        });
        self.queued += 1;
        queued(turn)
    }

    fn exec(&mut self, request: &Request<'_>, turn: &mut Turn<'_>) -> Taken {
        let begun = self.begun().is_some();
        let lost = begun && (self.is_lost() || self.has_moved(&turn.routing));
        if self.phase == Phase::Aborted || lost {
            turn.answer(|out| out.extend_from_slice(EXEC_ABORTED));
            self.break_off();
            return Taken::Done;
        }
        if !begun && self.held.is_empty() {
            let own = self.own_answers(turn);
            turn.answer(|out| {
                put_array(out, own.len());
                own.iter().for_each(|(_, reply)| out.extend(reply));
            });
            self.end();
            return Taken::Done;
        }
        let unusable = self.pin.is_none() || self.is_lost();
        if !begun
            && unusable
            && let Err(taken) = self.pin_to(ANY_NODE, turn)
        {
            if taken.is_taken() {
                self.end();
            }
            return taken;
        }
        let own = self.own_answers(turn);
        let before = self.prologue();
        let cost = request.bytes.len();
        let number = if before.requests.is_empty() && own.is_empty() {
            turn.outbox.expect_exec(cost, self.queued)
        } else {
            let queued = self.queued - own.len();
            let joining = Joining::exec(before.requests.len() + 1, queued, own);
            let joining = joining.unheeding(before.unheeded);
            turn.outbox.expect_joined(cost, joining)
        };
        self.send_after(before.requests, request, number, Commits::Yes, turn);
        self.end();
        Taken::Done
    }

    fn discard(&mut self, request: &Request<'_>, turn: &mut Turn<'_>) -> Taken {
        let pin = self.begun();
        if pin.is_some_and(|pin| !pin.soiled && !pin.is_over()) {
            self.ask(request, turn);
        } else {
            turn.answer(|out| put_simple(out, "OK"));
        }
        self.end();
        Taken::Done
    }

    fn own_answers(&mut self, turn: &mut Turn<'_>) -> Vec<(usize, Vec<u8>)> {
        let own = std::mem::take(&mut self.own);
        turn.client.note_transaction(self.queued(), self.bytes());
        own.into_iter()
            .map(|own| {
                let mut out = Vec::new();
                // Commands that close the connection are never queued.
                let _ = turn.own_answer(own.local, own.row, &own.bytes, &mut out);
                (own.place, out)
            })
            .collect()
    }
}

fn queued(turn: &mut Turn<'_>) -> Taken {
    turn.answer(|out| put_simple(out, "QUEUED"));
    Taken::Done
}
