//! Requests that were pending while a node or proxy that they needed had a fault.

use super::Condition;
use crate::law::windows::{Faults, life, owners};
use crate::observed::{Observed, Subject};

pub(super) struct RequestsInFault;

impl Condition for RequestsInFault {
    fn id(&self) -> &'static str {
        "requests-in-fault"
    }

    fn counts(&self) -> &'static str {
        "requests to a node, a proxy or of a client with a fault"
    }

    fn count(&self, observed: &Observed) -> usize {
        let faults = Faults::new(observed);
        let records = observed.history.records.iter();
        let felt = records.filter(|record| {
            let span = life(observed, record);
            let owners = owners(observed, record).unwrap_or_default();
            faults.acting(span).any(|window| {
                let concerned = match window.on {
                    Subject::Node(node) => owners.contains(&node),
                    Subject::Proxy | Subject::Clients => true,
                };
                concerned && window.in_force.overlaps(span)
            })
        });
        felt.count()
    }
}
