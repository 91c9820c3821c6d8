//! How much clients do.

use crate::fault::{CLIENTS_MAX, CONNECTIONS_MAX, REQUESTS_MAX};

/// A number of clients, and of requests per client. Limited to what the suite may ask of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fault) struct Load {
    pub(super) clients: usize,
    pub(super) requests: usize,
}

impl Load {
    pub(in crate::fault) fn new(clients: i64, requests: i64) -> Self {
        Self {
            clients: within(clients, CLIENTS_MAX),
            requests: within(requests, REQUESTS_MAX),
        }
    }

    /// Clients that send nothing.
    pub(in crate::fault) fn silent(clients: i64) -> Self {
        Self {
            clients: within(clients, CONNECTIONS_MAX),
            requests: 0,
        }
    }
}

fn within(number: i64, most: i64) -> usize {
    usize::try_from(number.clamp(0, most)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_load_exceeds_the_limits() {
        let load = Load::new(i64::MAX, i64::MAX);
        let most = (CLIENTS_MAX as usize, REQUESTS_MAX as usize);
        assert_eq!((load.clients, load.requests), most);
        let load = Load::silent(i64::MAX);
        assert_eq!((load.clients, load.requests), (CONNECTIONS_MAX as usize, 0));
        let load = Load::new(i64::MIN, -1);
        assert_eq!((load.clients, load.requests), (0, 0));
    }
}
