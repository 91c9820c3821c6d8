//! A time to live for the keys of a case on foreign servers, if the case does not notice it.

use super::Run;
use crate::cases::case::{Action, Step};
use crate::cases::footprint;
use crate::cases::word::{Scope, Word};
use testbed::leftovers;

impl Run<'_> {
    /// Sets a time to live on keys whose write was confirmed, on foreign servers: if the suite is killed, its keys must
    /// go.
    pub(super) async fn expire(&mut self, step: &Step) {
        let (Some(record), Some(done)) = (&self.environment.record, self.expiring) else {
            return;
        };
        if done == self.written.len() || !reads(&step.action) {
            return;
        }
        for addr in record.places() {
            // A server that does not answer is noticed at the next reply; the end of the run reports the keys that are
            // left.
            if let Err(why) = leftovers::expire(addr, &self.written).await {
                tracing::debug!("keys at {addr} get no time to live: {why}");
            }
        }
        self.expiring = Some(self.written.len());
    }
}

/// Whether a step waits for a reply, so that earlier requests are finished.
fn reads(action: &Action) -> bool {
    matches!(
        action,
        Action::Want { .. }
            | Action::Likewise { .. }
            | Action::Nothing { .. }
            | Action::Eventually { .. }
    )
}

/// Whether a request of the steps would notice that keys expire.
pub(super) fn notices_expiry(steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.action {
        Action::Send { .. } | Action::Raw { .. } => {
            let bytes = |word: &Word| word.once(&Scope::default());
            let mut words = step.action.words().into_iter();
            words.any(|word| footprint::notices_expiry(&bytes(word)))
        }
        Action::Eventually { send, .. } => notices_expiry(std::slice::from_ref(send)),
        _ => false,
    })
}
