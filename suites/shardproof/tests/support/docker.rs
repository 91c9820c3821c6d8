//! Whether containers are at hand; for the drivers that start nodes in them.

use crate::support::{Presence, required};

/// Whether the tests on nodes in containers run here.
pub(crate) fn presence() -> Presence {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match runtime.block_on(testbed::node::containers()) {
        Err(why) if !required("docker") => Presence::Missing(why.to_string()),
        _ => Presence::Expected,
    }
}
