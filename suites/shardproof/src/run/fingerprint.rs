//! Fingerprint runs: a proxy that already runs, its nodes, and the search for how it places keys.

use testbed::endpoint::Endpoint;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::fleet::placement_probe::{self, PlacementProbe};
use crate::planner::fingerprint::report::Fingerprint;
use crate::planner::fingerprint::{Failure, Observer, Query, identify};

/// Finds out how the proxy places keys; writes them under `question.prefix`, and deletes them even if it fails. `say`
/// is called with each step. Needs a runtime of several threads, because the search sometimes computes for seconds.
///
/// # Errors
/// The server that does not answer, or why it cannot be found out.
pub async fn fingerprint(
    proxy: Endpoint,
    reached: Vec<Endpoint>,
    question: &Query,
    ttl_s: u64,
    say: &dyn Fn(&str),
) -> Result<Fingerprint, Failure<placement_probe::Error>> {
    let mut witness = PlacementProbe::new(proxy, reached, ttl_s);
    witness.greet().await.map_err(Failure::Observer)?;
    let finding = block_in_place(|| identify(question, &mut Blocking(&mut witness), say));
    if let Err(why) = witness.clean().await {
        tracing::warn!("keys may be left, which expire within {ttl_s} s: {why}");
    }
    Ok(Fingerprint::new(proxy, question, &finding?))
}

/// The search is synchronous: it waits for its observer.
struct Blocking<'a>(&'a mut PlacementProbe);

impl Observer for Blocking<'_> {
    type Error = placement_probe::Error;

    fn write(&mut self, keys: &[Vec<u8>], times: usize) -> Result<Vec<Vec<usize>>, Self::Error> {
        Handle::current().block_on(self.0.write(keys, times))
    }
}
