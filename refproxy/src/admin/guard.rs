//! Which requests are not served: those that a web page may have made a browser send.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::failed;

/// Refuses a change under a name of the proxy that another may own. A page whose name is made to lead to this address (DNS
/// rebinding) can have its browser send any request, but only with that name in `Host`; an IP address cannot be rebound.
pub(super) async fn check_host(request: Request, next: Next) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let host = request.headers().get(header::HOST);
        let host = host.map_or(Some(""), |host| host.to_str().ok());
        if !host.is_some_and(is_own) {
            let why = "Host is a name: expected an IP address or localhost";
            return failed(StatusCode::FORBIDDEN, why);
        }
    }
    next.run(request).await
}

/// Whether the host, with or without a port, is an IP address, `localhost` or empty.
fn is_own(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let is_address = bare.unwrap_or(name).parse::<IpAddr>().is_ok();
    host.is_empty() || is_address || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn only_addresses_and_localhost_are_own() {
        for host in [
            "",
            "127.0.0.1",
            "127.0.0.1:9902",
            "[::1]:80",
            "[::1]",
            "LocalHost:1",
        ] {
            assert!(is_own(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9902",
            "127.0.0.1.evil.example",
            "localhost.evil.example:1",
            ":80",
            "x:y",
        ] {
            assert!(!is_own(host), "{host}");
        }
    }
}
