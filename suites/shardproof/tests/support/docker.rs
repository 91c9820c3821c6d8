//! Whether containers can be used; for the drivers that start nodes in them.

use crate::support::Presence;

/// Whether the tests on nodes in containers run here.
pub(crate) fn presence() -> Presence {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let containers = runtime.block_on(testbed::node::containers());
    super::present("docker", containers.err().map(|why| why.to_string()))
}
