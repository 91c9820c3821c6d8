//! What becomes of a request of a client that begins a transaction, watches for one, or has just ended one.

use super::queue::TOO_LARGE;
use super::traffic::Pinned;
use super::{Phase, Transaction};
use crate::command::{self, Route, Row, Transaction as Step, Why};
use crate::local::{Identity, changes_protocol};
use crate::resp::{Args, Frame, put_error, put_simple};
use crate::session::dispatch::{ANY_NODE, Taken, Turn};
use crate::upstream::Payload;

impl Turn<'_> {
    /// A command of transactions outside of one.
    pub(in crate::session) fn transact(
        &mut self,
        step: Step,
        row: &'static Row,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        match step {
            Step::Multi => {
                *self.transaction = Some(Transaction::new(Phase::Queueing));
                self.answer(|out| put_simple(out, "OK"));
            }
            Step::Watch => {
                let mut transaction = Transaction::new(Phase::Watching);
                let taken = self.watch(&mut transaction, row, bytes, payload);
                if taken == Taken::NotNow {
                    self.worker.stats().take_back(row);
                }
                if transaction.pin.is_some() {
                    *self.transaction = Some(transaction);
                }
                return taken;
            }
            Step::Unwatch => self.answer(|out| put_simple(out, "OK")),
            Step::Exec | Step::Discard => self.answer(|out| put_error(out, without_multi(step))),
        }
        Taken::Done
    }

    /// A request of a client that has a transaction.
    #[cold]
    pub(in crate::session) fn in_transaction(
        &mut self,
        bytes: &[u8],
        frame: &Frame,
        payload: Payload<'_>,
    ) -> Taken {
        let Some(mut transaction) = self.transaction.take() else {
            return Taken::Done;
        };
        let row = command::find(&bytes[frame.name.clone()]);
        self.client.asked.set(row);
        if row.is_none() && command::is_http(&bytes[frame.name.clone()]) {
            self.worker.stats().unknown();
            return Taken::Cut;
        }
        let taken = match transaction.phase {
            Phase::Over if self.outbox.waiting() == 0 => {
                transaction.release(self.worker);
                return self.take(bytes, frame, payload);
            }
            Phase::Over => self.again(&mut transaction, row, frame),
            Phase::Watching => match row.filter(|row| concerns(row, bytes, self.identity)) {
                Some(row) => self.watching(&mut transaction, row, bytes, frame, payload),
                None => {
                    let detour =
                        transaction.detour(self.worker, &self.routing, self.identity.protocol());
                    let straight = std::mem::replace(&mut self.routing, detour);
                    let taken = self.take(bytes, frame, payload);
                    self.routing = straight;
                    *self.transaction = Some(transaction);
                    return taken;
                }
            },
            Phase::Queueing | Phase::Aborted => match row {
                Some(row) => self.queue(&mut transaction, row, bytes, frame, payload),
                None => {
                    self.worker.stats().unknown();
                    let name = &bytes[frame.name.clone()];
                    let text = command::unknown(name, Args::of(bytes).skip(1));
                    self.abort(&mut transaction, &text)
                }
            },
        };
        *self.transaction = Some(transaction);
        if let Some(row) = row
            && taken != Taken::NotNow
        {
            self.worker.stats().command(row);
        }
        taken
    }

    /// The next transaction, right behind one whose last reply has not come, may go over the same connection.
    pub(super) fn again(
        &mut self,
        transaction: &mut Transaction,
        row: Option<&Row>,
        frame: &Frame,
    ) -> Taken {
        let begins = row.is_some_and(|row| {
            row.route == Route::Transaction(Step::Multi) && row.accepts(frame.argc)
        });
        if !begins || transaction.pin.as_ref().is_some_and(|pin| pin.soiled) {
            return Taken::NotNow;
        }
        transaction.phase = Phase::Queueing;
        self.answer(|out| put_simple(out, "OK"));
        Taken::Done
    }

    /// A request between WATCH and MULTI that is not one like all others.
    fn watching(
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
        let step = match row.route {
            Route::Transaction(step) => step,
            Route::Local(local) if local.ends_transaction() => {
                return self.end_locally(transaction, local, bytes);
            }
            Route::Local(_) => {
                let text = command::unsupported(row, Why::ProtocolOfTransaction);
                self.answer(|out| put_error(out, text.as_bytes()));
                return Taken::Done;
            }
            _ => return Taken::Done,
        };
        match step {
            Step::Watch => return self.watch(transaction, row, bytes, payload),
            Step::Unwatch if transaction.is_lost() => {
                transaction.end();
                self.answer(|out| put_simple(out, "OK"));
            }
            Step::Unwatch => {
                self.ask(transaction, bytes.len(), payload);
                transaction.end();
            }
            Step::Multi if transaction.is_lost() => {
                transaction.phase = Phase::Aborted;
                self.answer(|out| put_simple(out, "OK"));
            }
            Step::Multi => {
                transaction.phase = Phase::Queueing;
                self.ask(transaction, bytes.len(), payload);
                if let Some(pin) = &mut transaction.pin {
                    pin.begun = true;
                }
            }
            Step::Exec | Step::Discard => self.answer(|out| put_error(out, without_multi(step))),
        }
        Taken::Done
    }

    pub(super) fn watch(
        &mut self,
        transaction: &mut Transaction,
        row: &'static Row,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        let args: Vec<&[u8]> = Args::of(bytes).collect();
        let node = match self.home(row, &args) {
            Ok(Some(node)) => node,
            Ok(None) => ANY_NODE,
            Err(text) => {
                self.answer(|out| put_error(out, &text));
                return Taken::Done;
            }
        };
        if transaction.pin.is_none() {
            match self.pin(transaction, node) {
                Pinned::Yes => {}
                Pinned::NotNow => return Taken::NotNow,
                Pinned::No(text) => {
                    self.answer(|out| put_error(out, text.as_bytes()));
                    return Taken::Done;
                }
            }
        }
        if let Some(text) = self.elsewhere(transaction, node, args[1]) {
            self.answer(|out| put_error(out, &text));
            return Taken::Done;
        }
        if self.is_too_large(transaction, bytes) {
            self.answer(|out| put_error(out, TOO_LARGE));
            return Taken::Done;
        }
        let lost = transaction.is_lost();
        transaction.remember(&args[1..], &self.routing);
        self.ask(transaction, bytes.len(), payload);
        if lost {
            // Now that it is told, the client may begin anew.
            transaction.end();
        }
        Taken::Done
    }
}

/// Between WATCH and MULTI, all other requests are as always.
fn concerns(row: &Row, bytes: &[u8], identity: &Identity) -> bool {
    match row.route {
        Route::Transaction(_) => true,
        Route::Local(local) => local.ends_transaction() || changes_protocol(local, bytes, identity),
        _ => false,
    }
}

fn without_multi(step: Step) -> &'static [u8] {
    match step {
        Step::Discard => b"ERR DISCARD without MULTI",
        _ => b"ERR EXEC without MULTI",
    }
}
