//! Sets a time to live on the keys of a run on foreign nodes, as long as clients write them: most commands set a key
//! without one, so a run that is killed would leave its keys behind.

use std::time::Duration;

use testbed::endpoint::Endpoint;
use testbed::leftovers;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::observed::Key;

/// Between two rounds: keys written since then have no time to live yet.
const EVERY: Duration = Duration::from_millis(500);

/// Goes over all keys on all nodes until `stopped` is true, and once more then.
pub(super) async fn keep_expiring(
    nodes: Vec<Endpoint>,
    keys: Vec<Key>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        // If the sender is gone, the run has failed.
        let is_last = *stopped.borrow_and_update() || stopped.has_changed().is_err();
        for node in &nodes {
            // A node with a fault does not answer, and is asked again in the next round.
            let _ = leftovers::expire(*node, &keys).await;
        }
        if is_last {
            return;
        }
        // Another round is due, whether it stops then or not.
        let _ = timeout(EVERY, stopped.changed()).await;
    }
}

#[cfg(test)]
mod tests {
    use testbed::client::{Client, NODE_DEADLINE};
    use testbed::node::{Node, Process};
    use testbed::program::Search;
    use testbed::wire::Value;

    use super::*;

    #[tokio::test]
    async fn keys_that_are_there_in_the_end_expire() {
        let search = Search::new(&std::env::current_exe().unwrap(), std::env::vars_os());
        let node = Process::start(&search).await.unwrap();
        let mut client = Client::connect(node.addr(), NODE_DEADLINE).await.unwrap();
        client
            .call(&["SET", "k", "v"], NODE_DEADLINE)
            .await
            .unwrap();
        let (_stop, stopped) = watch::channel(true);
        let keys = vec![b"k".to_vec(), b"missing".to_vec()];
        keep_expiring(vec![node.addr().into()], keys, stopped).await;
        let ttl = client.call(&["TTL", "k"], NODE_DEADLINE).await.unwrap();
        assert!(matches!(ttl, Value::Integer(1..=3600)), "{ttl}");
    }
}
