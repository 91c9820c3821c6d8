//! The end of a server that keeps its data in a file.

use std::net::SocketAddr;
use std::time::Duration;

use crate::client::{self, Client, NODE_DEADLINE};

/// Time limit for a server to save its data and close the connection.
const SAVED_WITHIN: Duration = Duration::from_secs(5);

/// Tells a server to save its data and to end, and waits until it closes the connection. The process may end later.
///
/// # Errors
/// Why it still runs, or may run.
pub(super) async fn save_and_end(addr: SocketAddr) -> Result<(), String> {
    let saving = async {
        let mut client = Client::connect(addr, NODE_DEADLINE).await?;
        client.call(&["SHUTDOWN", "SAVE"], SAVED_WITHIN).await
    };
    match saving.await {
        // It answers only if it does not end.
        Ok(answer) => Err(answer.to_string()),
        Err(client::Error::Closed { .. }) => Ok(()),
        Err(why) => Err(why.to_string()),
    }
}
