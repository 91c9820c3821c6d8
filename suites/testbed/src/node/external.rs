//! A node that the suite did not start: used, and never stopped.

use std::net::SocketAddr;

use super::{Error, Node, Step};
use crate::client;
use crate::endpoint::Endpoint;

/// A Redis server at a given address.
#[derive(Debug)]
pub struct External {
    addr: SocketAddr,
}

impl External {
    /// The node at a TCP port, after it answered a PING.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or [`Error::NoPort`].
    pub async fn at(addr: impl Into<Endpoint>) -> Result<Self, Error> {
        let endpoint = addr.into();
        let addr = endpoint.socket_addr();
        let addr = addr.ok_or(Error::NoPort { addr: endpoint })?;
        match client::ping(endpoint).await {
            Ok(()) => Ok(Self { addr }),
            Err(why) => Err(Error::Unreachable {
                addr: endpoint,
                why: why.to_string(),
            }),
        }
    }

    fn refuse(&self, wanted: &'static str) -> Step<'_> {
        Box::pin(std::future::ready(Err(Error::NotOurs {
            addr: self.addr,
            wanted,
        })))
    }
}

impl Node for External {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn is_ours(&self) -> bool {
        false
    }

    fn pause(&self) -> Step<'_> {
        self.refuse("paused")
    }

    fn resume(&self) -> Step<'_> {
        self.refuse("resumed")
    }

    fn stop(&self) -> Step<'_> {
        self.refuse("stopped")
    }

    fn kill(&self) -> Step<'_> {
        self.refuse("killed")
    }

    fn restart(&self) -> Step<'_> {
        self.refuse("restarted")
    }

    fn restart_with_data(&self) -> Step<'_> {
        self.refuse("restarted with its data")
    }

    fn replace(&self) -> Step<'_> {
        self.refuse("replaced")
    }

    fn disconnect(&self) -> Step<'_> {
        self.refuse("disconnected")
    }

    fn connect(&self) -> Step<'_> {
        self.refuse("connected")
    }
}
