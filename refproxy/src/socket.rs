//! Options of TCP sockets to detect a vanished peer.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// Probes without an answer after which a connection is closed, as in Redis.
const PROBES: u32 = 3;
/// The kernel takes whole seconds, at least one.
const SECOND: Duration = Duration::from_secs(1);

/// Probes a connection that has been idle for `idle`, then every third of it. Source: Redis' `anet.c`, `anetKeepAlive`.
pub(crate) fn set_keepalive<'a>(socket: impl Into<SockRef<'a>>, idle: Duration) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(idle.max(SECOND))
        .with_interval((idle / PROBES).max(SECOND))
        .with_retries(PROBES);
    socket.into().set_tcp_keepalive(&keepalive)
}

/// Closes a connection whose peer's host acknowledges no sent bytes for `limit`.
pub(crate) fn set_unacknowledged<'a>(
    socket: impl Into<SockRef<'a>>,
    limit: Duration,
) -> io::Result<()> {
    socket.into().set_tcp_user_timeout(Some(limit))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use socket2::SockRef;

    use super::{set_keepalive, set_unacknowledged};

    #[test]
    fn the_kernel_has_the_settings() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        set_keepalive(&stream, Duration::from_secs(300)).unwrap();
        set_unacknowledged(&stream, Duration::from_millis(3_000)).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), 300);
        assert_eq!(socket.tcp_keepalive_interval().unwrap().as_secs(), 100);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        let limit = socket.tcp_user_timeout().unwrap();
        assert_eq!(limit, Some(Duration::from_secs(3)));
    }
}
