//! Every workload got requests through.

use std::collections::BTreeMap;

use super::Condition;
use crate::history::Completion;
use crate::observed::Observed;

pub(super) struct CompletedPerWorkload;

impl Condition for CompletedPerWorkload {
    fn id(&self) -> &'static str {
        "completed-per-workload"
    }

    fn counts(&self) -> &'static str {
        "requests that succeeded, of the workload with the fewest"
    }

    fn count(&self, observed: &Observed) -> usize {
        let sessions = observed.sessions.values();
        let mut completed: BTreeMap<&str, usize> = sessions
            .map(|session| (session.workload.as_str(), 0))
            .collect();
        for record in &observed.history.records {
            let session = observed.sessions.get(&record.session);
            if let Some(session) = session.filter(|_| record.completion == Completion::Ok) {
                *completed.entry(&session.workload).or_default() += 1;
            }
        }
        completed.into_values().min().unwrap_or(0)
    }
}
