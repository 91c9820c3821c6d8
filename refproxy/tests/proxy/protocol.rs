//! Bytes that clients send: framing, limits, and the end of a connection.

use testbed::client::{Client, Error};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{DEADLINE, Proxy, ask, nodes, show};

/// Sends bytes and returns all replies until the proxy closes the connection.
async fn converse(client: &mut Client, bytes: &[u8]) -> Vec<String> {
    client.write(bytes, DEADLINE).await.unwrap();
    let mut seen = Vec::new();
    loop {
        match client.reply(DEADLINE).await {
            Ok(reply) => seen.push(show(&reply)),
            Err(Error::Closed { pending }) if pending.is_empty() => return seen,
            Err(error) => panic!("{error} after {seen:?}"),
        }
    }
}

const SET: &str = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
const GET: &str = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";

#[tokio::test]
async fn a_protocol_error_comes_after_the_replies_before_it_and_closes() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1\nlimits: { bulk_bytes: 1000, array_len: 10, inline_bytes: 100, request_bytes: 1500 }").await;
    for (bad, expected) in [
        ("*x\r\n", "invalid multibulk length"),
        ("*11\r\n", "invalid multibulk length"),
        ("*1\r\n+PING\r\n", "expected '$', got '+'"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$1001\r\n", "invalid bulk length"),
        (
            "*1\r\n$4\r\nPINGPONG\r\n",
            "expected CRLF after a bulk string",
        ),
        ("SET \"k\r\n", "unbalanced quotes in request"),
        ("SET k v\0\r\n", "NUL in an inline request"),
        (&"x".repeat(200), "too big inline request"),
        (
            &format!("*3\r\n$1000\r\n{0}\r\n$1000\r\n", "x".repeat(1000)),
            "request of more than 1500 bytes",
        ),
    ] {
        let bytes = format!("{SET}{GET}{bad}{GET}");
        let seen = converse(&mut proxy.client().await, bytes.as_bytes()).await;
        assert_eq!(
            seen,
            [
                "OK".into(),
                "\"v\"".into(),
                format!("-ERR Protocol error: {expected}")
            ],
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn inline_requests_and_empty_ones_are_understood() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let bytes = b"\r\n*0\r\n*-1\r\nSET k \"a\\r\\nb\"\r\nGET k\nMGET k 'no ne'\r\nping 'x y'\r\nQUIT\r\nPING\r\n";
    let seen = converse(&mut proxy.client().await, bytes).await;
    assert_eq!(
        seen,
        ["OK", "\"a\\r\\nb\"", "[\"a\\r\\nb\" nil]", "\"x y\"", "OK"]
    );
}

#[tokio::test]
async fn inline_words_are_those_of_one_plain_redis_however_they_are_cut() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs[..1], "workers: 1").await;
    let mut plain = Client::connect(addrs[1], DEADLINE).await.unwrap();
    let mut client = proxy.client().await;
    for line in [
        &b"ECHO v\x0b\r\n"[..],
        b"\x0bECHO \x0c\x0bv\x0bw\x0c\r\n",
        b"ECHO \"v\"\x0c\r\n",
        b"ECHO a\rb\r\n",
        b"ECHO a\r\r\n",
        b"ECHO \"a\r\"\r\n",
        b"ECHO \"a\\x41\\n\\\"\\\\\\xZ1\\x00b\"\r\n",
        b"ECHO 'a\\'\\n'\n",
        b"ECHO \x85a\xa0b\x85\r\n",
    ] {
        plain.write(line, DEADLINE).await.unwrap();
        let expected = show(&plain.reply(DEADLINE).await.unwrap());
        for cut in 1..line.len() {
            client.write(&line[..cut], DEADLINE).await.unwrap();
            // The proxy has the first part when it answers another client.
            assert_eq!(ask(&mut proxy.client().await, &["PING"]).await, "PONG");
            client.write(&line[cut..], DEADLINE).await.unwrap();
            let seen = show(&client.reply(DEADLINE).await.unwrap());
            assert_eq!(seen, expected, "{} cut at {cut}", line.escape_ascii());
        }
    }
}

/// The bytes that a server sends back, until it closes the connection, in order or not.
async fn answer_to(addr: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut seen = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut seen));
    // A reset is an end too.
    let _ = read.await.expect("the connection closes");
    seen.escape_ascii().to_string()
}

#[tokio::test]
async fn an_http_request_closes_the_connection_wherever_it_begins() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs[..2], "workers: 1").await;
    let attack = "SET attacked yes\r\nFLUSHALL\r\nQUIT\r\n";
    for begin in [
        "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n",
        "pOsT\r\n",
        "\"POST\" x\r\n",
        "GET /key HTTP/1.1\r\nAccept: *\r\nHost: example.org\r\n\r\n",
        "hosT:\r\n",
        "*1\r\n$4\r\nPOST\r\n",
        "*2\r\n$5\r\nHost:\r\n$1\r\nx\r\n",
        "PING\r\nPOST / HTTP/1.1\r\n",
        "GET k\r\nGET l\r\nPOST / HTTP/1.1\r\n",
        "MULTI\r\nPOST / HTTP/1.1\r\n",
        "MULTI\r\nSET k v\r\nHost: x\r\n",
        "MULTI\r\nSET k v\r\nDISCARD\r\nHost: x\r\n",
        "WATCH k\r\nPOST / HTTP/1.1\r\n",
    ] {
        let bytes = format!("{begin}{attack}");
        for (name, addr) in [("Redis", addrs[2]), ("the proxy", proxy.addr)] {
            let seen = answer_to(addr, bytes.as_bytes()).await;
            assert_eq!(seen, "", "{begin:?} sent to {name}");
        }
    }
    let mut client = proxy.client().await;
    assert_eq!(ask(&mut client, &["EXISTS", "attacked"]).await, ":0");
    assert!(proxy.log().contains("it sent an HTTP request"));
}

#[tokio::test]
async fn an_http_request_of_an_unauthenticated_client_closes_the_connection() {
    let (_nodes, addrs) = nodes(1).await;
    let settings = "workers: 1\nauth: { password: s3cret }";
    let proxy = Proxy::start(&addrs, settings).await;
    let seen = answer_to(proxy.addr, b"POST / HTTP/1.1\r\nAUTH s3cret\r\nQUIT\r\n").await;
    assert_eq!(seen, "");
}

#[tokio::test]
async fn a_client_that_ends_its_input_still_gets_its_replies() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    client
        .write(
            format!("{SET}{}*2\r\n$3\r\nGE", GET.repeat(3_000)).as_bytes(),
            DEADLINE,
        )
        .await
        .unwrap();
    client.half_close().await.unwrap();
    let seen = converse(&mut client, b"").await;
    assert_eq!(seen.len(), 3_001);
    assert!(seen[1..].iter().all(|reply| reply == "\"v\""));
}

#[tokio::test]
async fn any_bytes_of_any_size_pass_unchanged() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 1\ntimeouts: { op_ms: 20000 }").await;
    let mut client = proxy.client().await;
    for len in [0, 1, 16_000, 16_384, 65_535, 65_536, 1 << 20, 20 << 20] {
        let value: Vec<u8> = (0..len)
            .map(|at| (at % 251) as u8 ^ (at / 65_536) as u8)
            .collect();
        let key = [b"\r\n$\0\xff", value.get(..7).unwrap_or_default()].concat();
        let requests = [
            &[b"SET".as_slice(), &key, &value][..],
            &[b"GET", &key],
            &[b"MGET", &key, b"other", b"third", &key],
        ];
        let requests: Vec<Vec<&[u8]>> = requests.iter().map(|request| request.to_vec()).collect();
        let replies = client.pipeline(&requests, DEADLINE).await.unwrap();
        assert_eq!(show(&replies[0]), "OK");
        let bulk = testbed::wire::Value::Bulk(value);
        assert!(replies[1] == bulk, "GET of {len} bytes");
        let testbed::wire::Value::Array(values) = &replies[2] else {
            panic!("MGET of {len} bytes is no array");
        };
        assert!(
            values[0] == bulk && values[3] == bulk && values.len() == 4,
            "MGET of {len} bytes"
        );
    }
}

#[tokio::test]
async fn a_deep_pipeline_keeps_its_order() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    let requests: Vec<Vec<String>> = (0..20_000)
        .map(|number| match number % 4 {
            0 => vec!["SET".into(), format!("k{number}"), number.to_string()],
            1 => vec!["PING".into(), number.to_string()],
            2 => vec![
                "MGET".into(),
                format!("k{}", number - 2),
                "none".into(),
                format!("k{}", number - 2),
            ],
            _ => vec!["NOSUCH".into(), number.to_string()],
        })
        .collect();
    // Written and read at once: the proxy stops reading requests until replies are read.
    let replies = client.pipeline(&requests, DEADLINE).await.unwrap();
    for (number, reply) in replies.iter().enumerate() {
        let expected = match number % 4 {
            0 => "OK".into(),
            1 => format!("\"{number}\""),
            2 => format!("[\"{0}\" nil \"{0}\"]", number - 2),
            _ => format!("-ERR unknown command 'NOSUCH', with args beginning with: '{number}' "),
        };
        assert_eq!(show(reply), expected, "reply {number}");
    }
}

#[tokio::test]
async fn a_client_too_many_is_told_so() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 2\nlimits: { clients: 1 }").await;
    let mut first = proxy.client().await;
    assert_eq!(ask(&mut first, &["PING"]).await, "PONG");
    let mut second = proxy.client().await;
    assert_eq!(
        show(&second.reply(DEADLINE).await.unwrap()),
        "-ERR max number of clients reached"
    );
    drop(first);
    crate::support::eventually("there is room again", DEADLINE, async || {
        let mut client = proxy.client().await;
        client
            .call(&["PING"], DEADLINE)
            .await
            .is_ok_and(|reply| !reply.is_error())
    })
    .await;
}
