//! Making a connection to a node.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

use crate::clock::{Micros, micros};
use crate::error::Kind;
use crate::socket;
use crate::stream::Stream;
use crate::tls::Connector;
use crate::upstream::{Handshake, KNOCK, RETRY_MAX, RETRY_MIN};

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
    tls: Option<Connector>,
    probes: (Duration, Duration),
) -> Result<Stream, Kind> {
    let mut stream = match (address.starts_with('/'), tls) {
        (true, _) => unix(&address).await.map(Stream::Unix),
        (false, None) => tcp(&address, probes).await.map(Stream::Tcp),
        (false, Some(tls)) => {
            let stream = tcp(&address, probes).await;
            let stream = stream.map_err(|error| connect_failed(&error))?;
            let secured = tls.connect(&address, stream).await;
            Ok(Stream::Tls(
                secured.map_err(|why| Kind::Unwelcome(why.into()))?,
            ))
        }
    }
    .map_err(|error| connect_failed(&error))?;
    if let Some(greeting) = greeting {
        greeting.exchange(&mut stream).await?;
    }
    Ok(stream)
}

async fn tcp(
    address: &str,
    (keepalive, unacknowledged): (Duration, Duration),
) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    socket::set_keepalive(&stream, keepalive)?;
    socket::set_unacknowledged(&stream, unacknowledged)?;
    Ok(stream)
}

/// The kernel does not queue a connection to a Unix socket when too many wait to be accepted, as it does for TCP: it is
/// tried again until the caller's time is over.
async fn unix(path: &str) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(KNOCK).await;
            }
            done => return done,
        }
    }
}

fn connect_failed(error: &io::Error) -> Kind {
    Kind::Connect(match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        _ => error.to_string().into(),
    })
}
