//! Making a connection to a node.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::clock::{Micros, micros};
use crate::error::Kind;
use crate::socket;
use crate::upstream::{Handshake, RETRY_MAX, RETRY_MIN};

/// How long to wait for the next attempt after this many failures in a row.
pub(super) fn retry_after(failures: u32) -> Micros {
    micros(
        RETRY_MIN
            .saturating_mul(1 << failures.min(10))
            .min(RETRY_MAX),
    )
}

/// A connection whose first requests have been answered.
pub(super) async fn connect(
    address: Rc<str>,
    greeting: Option<Handshake>,
    (keepalive, unacknowledged): (Duration, Duration),
) -> Result<TcpStream, Kind> {
    let mut stream = TcpStream::connect(&*address)
        .await
        .map_err(|error| connect_failed(&error))?;
    stream
        .set_nodelay(true)
        .and_then(|()| socket::set_keepalive(&stream, keepalive))
        .and_then(|()| socket::set_unacknowledged(&stream, unacknowledged))
        .map_err(|error| connect_failed(&error))?;
    if let Some(greeting) = greeting {
        greeting.exchange(&mut stream).await?;
    }
    Ok(stream)
}

fn connect_failed(error: &io::Error) -> Kind {
    Kind::Connect(match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        _ => error.to_string().into(),
    })
}
