//! What becomes of a request behind MULTI.

use super::traffic::{Commits, Pinned};
use super::{Phase, Transaction, cost};
use crate::command::{self, EXEC_ABORTED, Local, Route, Row, Transaction as Step, Why};
use crate::join::Joining;
use crate::resp::{Args, Frame, put_array, put_error, put_simple};
use crate::session::dispatch::{ANY_NODE, Taken, Turn};
use crate::upstream::Payload;

pub(super) const TOO_LARGE: &[u8] = b"ERR transaction too large";

impl Turn<'_> {
    /// A request behind MULTI.
    pub(super) fn queue(
        &mut self,
        transaction: &mut Transaction,
        row: &'static Row,
        bytes: &[u8],
        frame: &Frame,
        payload: Payload<'_>,
    ) -> Taken {
        if !row.accepts(frame.argc) {
            return self.misfit(transaction, row);
        }
        match row.route {
            Route::Transaction(Step::Multi) => {
                let text = b"ERR MULTI calls can not be nested";
                self.misplaced(transaction, text, bytes, payload)
            }
            Route::Transaction(Step::Watch) => {
                let text = b"ERR WATCH inside MULTI is not allowed";
                self.misplaced(transaction, text, bytes, payload)
            }
            Route::Transaction(Step::Discard) => self.discard(transaction, bytes, payload),
            Route::Transaction(Step::Exec) => self.exec(transaction, bytes, payload),
            Route::Local(local) if local.ends_transaction() => {
                self.end_locally(transaction, local, bytes)
            }
            Route::Local(local) => self.queue_own(transaction, row, local, bytes, frame),
            Route::AnyNodeBelow if frame.argc == 1 => {
                self.queue_anywhere(transaction, bytes, payload)
            }
            Route::OneNode | Route::SameNode | Route::PerNode(_) => {
                self.queue_keyed(transaction, row, bytes, payload)
            }
            Route::Below | Route::AnyNodeBelow => {
                let subcommand = &bytes[frame.first.clone()];
                match command::below(row, subcommand) {
                    Some(below) => self.queue(transaction, below, bytes, frame, payload),
                    None => self.abort(transaction, &command::unknown_below(row, subcommand)),
                }
            }
            Route::Administer(_) if !self.worker.rules().admin_fan_out => {
                let text = command::unsupported(row, Why::AdminFanOut);
                self.abort(transaction, text.as_bytes())
            }
            Route::AllNodes(_) | Route::Administer(_) if self.routing.nodes.len() > 1 => {
                let text = command::unsupported(row, Why::Transaction);
                self.abort(transaction, text.as_bytes())
            }
            // Its cursor is the proxy's own, and no node could answer with it.
            Route::NodeByNode => {
                let text = command::unsupported(row, Why::Transaction);
                self.abort(transaction, text.as_bytes())
            }
            Route::AllNodes(_) | Route::Administer(_) => {
                let refused = row.guard.and_then(|guard| {
                    let args: Vec<&[u8]> = Args::of(bytes).collect();
                    guard.refuses_in_transaction(&args)
                });
                match refused {
                    Some(why) => self.abort(transaction, command::unsupported(row, why).as_bytes()),
                    None => self.queue_anywhere(transaction, bytes, payload),
                }
            }
            Route::Workers => {
                let text = command::unsupported(row, Why::Workers);
                self.abort(transaction, text.as_bytes())
            }
            Route::AnyNode | Route::Transaction(Step::Unwatch) => {
                self.queue_anywhere(transaction, bytes, payload)
            }
            Route::Refuse(why) => {
                self.abort(transaction, command::unsupported(row, why).as_bytes())
            }
        }
    }

    fn queue_keyed(
        &mut self,
        transaction: &mut Transaction,
        row: &'static Row,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        let args: Vec<&[u8]> = Args::of(bytes).collect();
        let node = match self.home(row, &args) {
            Ok(Some(node)) => node,
            Ok(None) => return self.queue_anywhere(transaction, bytes, payload),
            Err(text) => return self.abort(transaction, &text),
        };
        let positions = row.key_positions(&args).unwrap_or_default();
        let keys: Vec<&[u8]> = positions.into_iter().map(|place| args[place]).collect();
        if transaction.phase == Phase::Aborted {
            return self.queued();
        }
        if transaction.begun().is_some() {
            let key = keys.first().copied().unwrap_or_default();
            if let Some(text) = self.elsewhere(transaction, node, key) {
                return self.abort(transaction, &text);
            }
        } else {
            match self.pin(transaction, node) {
                Pinned::Yes => {}
                Pinned::NotNow => return Taken::NotNow,
                Pinned::No(text) => return self.abort(transaction, text.as_bytes()),
            }
        }
        if self.is_too_large(transaction, bytes) {
            return self.abort(transaction, TOO_LARGE);
        }
        transaction.remember(&keys, &self.routing);
        self.send_queued(transaction, bytes, payload)
    }

    /// A request that any node answers alike waits here until a key names the node.
    fn queue_anywhere(
        &mut self,
        transaction: &mut Transaction,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        if transaction.phase == Phase::Aborted {
            return self.queued();
        }
        if transaction.begun().is_some() {
            return self.send_queued(transaction, bytes, payload);
        }
        if self.is_too_large(transaction, bytes) {
            return self.abort(transaction, TOO_LARGE);
        }
        transaction.hold(bytes, true);
        transaction.queued += 1;
        self.queued()
    }

    /// What may not stand behind MULTI is an error now; whether EXEC fails for it, nodes do not agree on, so the node hears of it.
    fn misplaced(
        &mut self,
        transaction: &mut Transaction,
        text: &[u8],
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        if transaction.phase == Phase::Queueing {
            if transaction.begun().is_some() {
                self.ask(transaction, bytes.len(), payload);
                return Taken::Done;
            }
            if self.is_too_large(transaction, bytes) {
                return self.abort(transaction, TOO_LARGE);
            }
            transaction.hold(bytes, false);
        }
        self.answer(|out| put_error(out, text));
        Taken::Done
    }

    /// What the proxy answers itself, it answers at EXEC, in its place.
    fn queue_own(
        &mut self,
        transaction: &mut Transaction,
        row: &'static Row,
        local: Local,
        bytes: &[u8],
        frame: &Frame,
    ) -> Taken {
        if crate::local::changes_protocol(local, bytes, self.identity) {
            let text = command::unsupported(row, Why::ProtocolOfTransaction);
            return self.abort(transaction, text.as_bytes());
        }
        let subcommand = &bytes[frame.first.clone()];
        if frame.argc > 1 && command::has_below(row) {
            match command::below(row, subcommand) {
                Some(below) if below.accepts(frame.argc) => {}
                Some(below) => return self.misfit(transaction, below),
                None => return self.abort(transaction, &command::unknown_below(row, subcommand)),
            }
        }
        if transaction.phase == Phase::Aborted {
            return self.queued();
        }
        if self.is_too_large(transaction, bytes) {
            return self.abort(transaction, TOO_LARGE);
        }
        transaction.bytes += cost(bytes);
        let own = (transaction.queued, local, bytes.to_vec());
        transaction.own.push(own);
        transaction.queued += 1;
        self.queued()
    }

    fn exec(&mut self, transaction: &mut Transaction, bytes: &[u8], payload: Payload<'_>) -> Taken {
        let begun = transaction.begun().is_some();
        let lost = begun && (transaction.is_lost() || transaction.has_moved(&self.routing));
        if transaction.phase == Phase::Aborted || lost {
            self.answer(|out| out.extend_from_slice(EXEC_ABORTED));
            transaction.break_off();
            return Taken::Done;
        }
        if !begun && transaction.held.is_empty() {
            let own = self.own_answers(transaction);
            self.answer(|out| {
                put_array(out, own.len());
                own.iter().for_each(|(_, reply)| out.extend(reply));
            });
            transaction.end();
            return Taken::Done;
        }
        let unusable = transaction.pin.is_none() || transaction.is_lost();
        if !begun && unusable {
            match self.pin(transaction, ANY_NODE) {
                Pinned::Yes => {}
                Pinned::NotNow => return Taken::NotNow,
                Pinned::No(text) => {
                    self.answer(|out| put_error(out, text.as_bytes()));
                    transaction.end();
                    return Taken::Done;
                }
            }
        }
        let own = self.own_answers(transaction);
        let before = self.prologue(transaction);
        let number = if before.requests.is_empty() && own.is_empty() {
            self.outbox.expect_exec(bytes.len(), transaction.queued)
        } else {
            let queued = transaction.queued - own.len();
            let joining = Joining::exec(before.requests.len() + 1, queued, own);
            let joining = joining.unheeding(before.unheeded);
            self.outbox.expect_joined(bytes.len(), joining)
        };
        self.send_after(transaction, before.requests, payload, number, Commits::Yes);
        transaction.end();
        Taken::Done
    }

    fn discard(
        &mut self,
        transaction: &mut Transaction,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        let pin = transaction.begun();
        if pin.is_some_and(|pin| !pin.soiled && !pin.connection.is_over()) {
            self.ask(transaction, bytes.len(), payload);
        } else {
            self.answer(|out| put_simple(out, "OK"));
        }
        transaction.end();
        Taken::Done
    }

    pub(super) fn end_locally(
        &mut self,
        transaction: &mut Transaction,
        local: Local,
        bytes: &[u8],
    ) -> Taken {
        transaction.break_off();
        self.local(local, bytes)
    }

    pub(super) fn is_too_large(&self, transaction: &Transaction, bytes: &[u8]) -> bool {
        transaction.bytes + cost(bytes) > self.worker.limits().client_bytes_max
            || transaction.held.len() + 2 > usize::from(u16::MAX)
    }

    fn queued(&mut self) -> Taken {
        self.answer(|out| put_simple(out, "QUEUED"));
        Taken::Done
    }

    /// An error now, and another one at EXEC.
    pub(super) fn abort(&mut self, transaction: &mut Transaction, text: &[u8]) -> Taken {
        transaction.phase = Phase::Aborted;
        self.answer(|out| put_error(out, text));
        Taken::Done
    }

    /// The wrong number of arguments. Of EXEC itself it is the end, as with Redis.
    pub(super) fn misfit(&mut self, transaction: &mut Transaction, row: &Row) -> Taken {
        let text = command::wrong_arity(row);
        if row.route == Route::Transaction(Step::Exec) {
            transaction.break_off();
        } else if transaction.phase != Phase::Watching {
            transaction.phase = Phase::Aborted;
        }
        self.answer(|out| put_error(out, text.as_bytes()));
        Taken::Done
    }

    fn own_answers(&mut self, transaction: &mut Transaction) -> Vec<(usize, Vec<u8>)> {
        let own = std::mem::take(&mut transaction.own);
        self.client
            .note_transaction(transaction.queued(), transaction.bytes());
        own.into_iter()
            .map(|(place, local, bytes)| {
                let mut out = Vec::new();
                // What would hang up is never queued.
                let _ = self.own_answer(local, &bytes, &mut out);
                (place, out)
            })
            .collect()
    }
}
