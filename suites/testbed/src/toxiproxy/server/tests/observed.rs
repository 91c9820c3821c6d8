//! What Toxiproxy's server (2.13, built from its public source) answers to bodies and paths, row by row. Go's
//! `encoding/json` reads them: names match in any case, null changes nothing, the last of two values wins, a number is
//! an integer where the field is one, and text after the first JSON value is not read.

use tokio::net::TcpSocket;

use super::*;

/// Sends `body` and compares the fields that `expected` names.
#[track_caller]
fn holds(call: &str, body: &str, answer: &Value, expected: &Value) {
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&answer[field], value, "{call} {body}: {answer}");
    }
}

#[tokio::test]
async fn toxic_bodies_are_read_as_go_reads_them() {
    let on = setting().await;
    on.proxy().await;
    for (body, attributes) in [
        (
            r#"{"type":"latency","attributes":{"Latency":70}}"#,
            json!({"latency": 70, "jitter": 0}),
        ),
        (
            r#"{"TYPE":"latency","Attributes":{"LATENCY":70,"jITTER":1}}"#,
            json!({"latency": 70, "jitter": 1}),
        ),
        (
            r#"{"type":"latency","attributes":{"latency":-5}}"#,
            json!({"latency": -5, "jitter": 0}),
        ),
        (
            r#"{"type":"latency","attributes":{"latency":4,"jitter":null}}"#,
            json!({"latency": 4, "jitter": 0}),
        ),
        (
            r#"{"type":"latency","attributes":{"latency":1,"latency":2}}"#,
            json!({"latency": 2, "jitter": 0}),
        ),
        (
            r#"{"type":"latency","attributes":{"latency":1,"Latency":2}}"#,
            json!({"latency": 2, "jitter": 0}),
        ),
        (
            r#"{"type":"latency","attributes":{"latency":3},"attributes":{"jitter":1}}"#,
            json!({"latency": 3, "jitter": 1}),
        ),
        (
            r#"{"type":"noop","type":"latency","attributes":null}"#,
            json!({"latency": 0, "jitter": 0}),
        ),
        (
            r#"{"type":"latency","attributes":{"latency":9223372036854775807}}"#,
            json!({"latency": i64::MAX, "jitter": 0}),
        ),
        (
            r#"{"type":"latency","attributes":{"other":[{}]},"more":{"a":1.5}}"#,
            json!({"latency": 0, "jitter": 0}),
        ),
        (
            r#"{"type":"latency"} and more"#,
            json!({"latency": 0, "jitter": 0}),
        ),
        (
            " \n{\"type\":\"latency\"}{\"type\":\"noop\"}",
            json!({"latency": 0, "jitter": 0}),
        ),
        (
            r#"{"type":"limit_data","attributes":{"Bytes":7}}"#,
            json!({"bytes": 7}),
        ),
        (
            r#"{"type":"limit_data","attributes":{"bytes":-1}}"#,
            json!({"bytes": -1}),
        ),
        (
            r#"{"type":"bandwidth","attributes":{"Rate":-1}}"#,
            json!({"rate": -1}),
        ),
        (
            r#"{"type":"timeout","attributes":{"Timeout":-1}}"#,
            json!({"timeout": -1}),
        ),
        (
            r#"{"type":"reset_peer","attributes":{"Timeout":-1}}"#,
            json!({"timeout": -1}),
        ),
        (
            r#"{"type":"slow_close","attributes":{"Delay":-1}}"#,
            json!({"delay": -1}),
        ),
        (
            r#"{"type":"slicer","attributes":{"Average_Size":5,"size_variation":5,"delay":-1}}"#,
            json!({"average_size": 5, "size_variation": 5, "delay": -1}),
        ),
        (
            r#"{"type":"slicer","attributes":{"average_size":5,"SIZE_VARIATION":50}}"#,
            json!({"average_size": 5, "size_variation": 50, "delay": 0}),
        ),
    ] {
        let call = "POST /proxies/p/toxics";
        let added = on.json(call, 200, body).await;
        holds(call, body, &added, &json!({"attributes": attributes}));
        let name = added["name"].as_str().unwrap();
        on.done(&format!("DELETE {}/{name}", "/proxies/p/toxics"))
            .await;
    }
    for (body, expected) in [
        (
            r#"{"type":"noop","stream":"UpStream"}"#,
            json!({"stream": "upstream"}),
        ),
        (
            r#"{"type":"noop","stream":null,"toxicity":null,"name":null}"#,
            json!({"name": "noop_downstream", "stream": "downstream", "toxicity": 1.0}),
        ),
        (
            r#"{"type":"noop","Toxicity":-1}"#,
            json!({"toxicity": -1.0}),
        ),
        (
            r#"{"type":"noop","toxicity":15e-1}"#,
            json!({"toxicity": 1.5}),
        ),
        (r#"{"type":"noop","Name":"x"}"#, json!({"name": "x"})),
    ] {
        let call = "POST /proxies/p/toxics";
        let added = on.json(call, 200, body).await;
        holds(call, body, &added, &expected);
        on.done("POST /reset").await;
    }
}

#[tokio::test]
async fn toxic_bodies_that_go_refuses_are_refused() {
    let on = setting().await;
    on.proxy().await;
    let add = "POST /proxies/p/toxics";
    for body in [
        "",
        " ",
        "[]",
        "1",
        "\"noop\"",
        "{'type':'noop'}",
        r#"{"type":"noop""#,
        r#"{"type":1}"#,
        r#"{"type":["noop"]}"#,
        r#"{"type":"noop","toxicity":"1"}"#,
        r#"{"type":"noop","toxicity":true}"#,
        r#"{"type":"noop","toxicity":1e39}"#,
        r#"{"type":"noop","name":false}"#,
        r#"{"type":"noop","stream":0}"#,
        r#"{"type":"noop","attributes":[]}"#,
        r#"{"type":"noop","attributes":"x"}"#,
        r#"{"type":"latency","attributes":{"latency":1.5}}"#,
        r#"{"type":"latency","attributes":{"latency":1.0}}"#,
        r#"{"type":"latency","attributes":{"latency":1e2}}"#,
        r#"{"type":"latency","attributes":{"latency":"1"}}"#,
        r#"{"type":"latency","attributes":{"latency":true}}"#,
        r#"{"type":"latency","attributes":{"latency":{}}}"#,
        r#"{"type":"latency","attributes":{"Latency":[]}}"#,
        r#"{"type":"latency","attributes":{"latency":9223372036854775808}}"#,
        // No average: an original before 2.13 ends by these.
        r#"{"type":"slicer"}"#,
        r#"{"type":"slicer","attributes":{"average_size":-1}}"#,
        r#"{"type":"slicer","attributes":{"average_size":5,"size_variation":-1}}"#,
    ] {
        on.refused(add, body, 400, "bad request body: ").await;
    }
    for body in ["null", "{}", r#"{"type":null}"#] {
        on.refused(add, body, 400, "invalid toxic type").await;
    }
    let stream = "stream was invalid, can be either upstream or downstream";
    on.refused(add, r#"{"type":"flood","stream":""}"#, 400, stream)
        .await;
    on.json(add, 200, json!({"type": "latency"})).await;
    // The name is checked before the attributes.
    let taken = r#"{"type":"latency","attributes":{"latency":"1"}}"#;
    on.refused(add, taken, 409, "toxic already exists").await;
    let update = "PATCH /proxies/p/toxics/latency_downstream";
    for body in [
        "",
        "[]",
        r#"{"attributes":{"latency":"1"}}"#,
        r#"{"toxicity":"1"}"#,
        r#"{"attributes":[]}"#,
    ] {
        on.refused(update, body, 400, "bad request body: ").await;
    }
}

#[tokio::test]
async fn toxic_changes_are_read_as_go_reads_them() {
    let on = setting().await;
    on.proxy().await;
    let first = json!({"type": "latency", "attributes": {"latency": 1, "jitter": 2}});
    on.json("POST /proxies/p/toxics", 200, first).await;
    let update = "PATCH /proxies/p/toxics/latency_downstream";
    for (body, latency, jitter, toxicity) in [
        (r#"{"Attributes":{"Latency":7}}"#, 7, 2, 1.0),
        (r#"{"attributes":{"latency":null,"jitter":3}}"#, 7, 3, 1.0),
        (r#"{"attributes":null,"Toxicity":0.5}"#, 7, 3, 0.5),
        (
            r#"{"toxicity":null,"attributes":{"latency":8,"latency":9}}"#,
            9,
            3,
            0.5,
        ),
        ("null", 9, 3, 0.5),
        ("{} x", 9, 3, 0.5),
    ] {
        let changed = on.json(update, 200, body).await;
        let expected = json!({
            "attributes": {"latency": latency, "jitter": jitter},
            "toxicity": toxicity,
            "type": "latency",
        });
        holds(update, body, &changed, &expected);
    }
}

#[tokio::test]
async fn proxy_bodies_are_read_as_go_reads_them() {
    let on = setting().await;
    let echo = &on.echo;
    for (body, enabled) in [
        (
            format!(r#"{{"Name":"p","Listen":"127.0.0.1:0","Upstream":"{echo}"}}"#),
            true,
        ),
        (
            format!(r#"{{"NAME":"p","UPSTREAM":"{echo}","ENABLED":false}}"#),
            false,
        ),
        (
            format!(
                r#"{{"name":"p","listen":null,"upstream":"{echo}","enabled":null,"toxics":7}}"#
            ),
            true,
        ),
        (
            format!(r#"{{"name":"q","name":"p","upstream":"{echo}"}} {{"#),
            true,
        ),
        (
            format!(r#"{{"name":"p","name":null,"upstream":"{echo}"}}"#),
            true,
        ),
    ] {
        let made = on.json("POST /proxies", 201, &body).await;
        let expected = json!({"name": "p", "upstream": echo, "enabled": enabled});
        holds("POST /proxies", &body, &made, &expected);
        on.done("DELETE /proxies/p").await;
    }
    for body in [
        "[]",
        "1",
        r#"{"name":1}"#,
        r#"{"name":"p","enabled":"true"}"#,
        r#"{"name":"p","enabled":1}"#,
        r#"{"name":"p","listen":0}"#,
    ] {
        on.refused("POST /proxies", body, 400, "bad request body: ")
            .await;
    }
    for body in ["null", r#"{"name":null}"#] {
        on.refused("POST /proxies", body, 400, "missing required field: name")
            .await;
    }
}

#[tokio::test]
async fn proxy_changes_are_read_as_go_reads_them() {
    let on = setting().await;
    let listen = listens(&on.proxy().await);
    let change = "POST /proxies/p";
    for (body, enabled) in [
        (r#"{"Enabled":false}"#, false),
        (r#"{"enabled":null}"#, false),
        (r#"{"enabled":false,"Enabled":true}"#, true),
        (r#"{"listen":null,"upstream":null}"#, true),
        ("null", true),
        (r#"{"ENABLED":false}]"#, false),
        (r#"{"toxics":"x","name":"other","enabled":true}"#, true),
    ] {
        let changed = on.json(change, 200, body).await;
        let expected =
            json!({"name": "p", "listen": listen, "upstream": on.echo, "enabled": enabled});
        holds(change, body, &changed, &expected);
        assert_eq!(echoed(&listen, b"hello").await.is_ok(), enabled, "{body}");
    }
    for body in [r#"{"enabled":"no"}"#, r#"{"upstream":1}"#, "[]", ""] {
        on.refused(change, body, 400, "bad request body: ").await;
    }
}

#[tokio::test]
async fn populate_takes_names_in_any_case() {
    let on = setting().await;
    let body = format!(
        r#"[{{"Name":"p","Listen":"127.0.0.1:0","Upstream":"{0}"}},{{"name":"q","UPSTREAM":"{0}","Enabled":false}}] and more"#,
        on.echo
    );
    let made = on.json("POST /populate", 201, body).await;
    assert_eq!(
        (&made["proxies"][0]["name"], &made["proxies"][0]["enabled"]),
        (&json!("p"), &json!(true))
    );
    assert_eq!(
        (&made["proxies"][1]["name"], &made["proxies"][1]["enabled"]),
        (&json!("q"), &json!(false))
    );
    on.refused(
        "POST /populate",
        r#"[{"name":"p","enabled":0}]"#,
        400,
        "bad request body: ",
    )
    .await;
    on.refused(
        "POST /populate",
        "[null]",
        400,
        "missing required field: name at proxy 1",
    )
    .await;
    on.json("POST /populate", 201, "null").await;
}

#[tokio::test]
async fn addresses_without_a_host_listen_on_both_families() {
    let on = setting().await;
    for listen in [":0", "", "0.0.0.0:0", "[::]:0"] {
        let new = json!({"name": "p", "listen": listen, "upstream": on.echo});
        let made = listens(&on.json("POST /proxies", 201, new).await);
        assert!(made.starts_with("[::]:"), "{listen:?} is {made}");
        let port = made.rsplit_once(':').unwrap().1;
        for host in ["127.0.0.1", "[::1]"] {
            let addr = format!("{host}:{port}");
            assert_eq!(
                echoed(&addr, b"hello").await.unwrap(),
                b"hello",
                "{listen:?} on {addr}"
            );
        }
        on.done("DELETE /proxies/p").await;
    }
}

/// The status of a request without a body.
async fn status(on: &Setting, method: &str, path: &str) -> u16 {
    let mut stream = TcpStream::connect(on.server.addr()).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn head_is_no_method_of_any_path() {
    let on = setting().await;
    on.proxy().await;
    on.json("POST /proxies/p/toxics", 200, json!({"type": "noop"}))
        .await;
    for path in [
        "/proxies",
        "/proxies/p",
        "/proxies/p/toxics",
        "/proxies/p/toxics/noop_downstream",
        "/populate",
        "/reset",
        "/version",
        "/metrics",
    ] {
        assert_eq!(status(&on, "HEAD", path).await, 405, "{path}");
    }
    assert_eq!(status(&on, "HEAD", "/other").await, 404);
    assert_eq!(status(&on, "PUT", "/proxies").await, 405);
}

#[tokio::test]
async fn an_escaped_slash_separates_segments() {
    let on = setting().await;
    for name in ["a/b", "a b"] {
        let new = json!({"name": name, "listen": "127.0.0.1:0", "upstream": on.echo});
        on.json("POST /proxies", 201, new).await;
    }
    assert_eq!(status(&on, "GET", "/proxies/a%2Fb").await, 404);
    assert_eq!(status(&on, "GET", "/proxies/a%2fb").await, 404);
    assert_eq!(status(&on, "DELETE", "/proxies/a%2Fb").await, 404);
    assert_eq!(status(&on, "GET", "/proxies/a%20b").await, 200);
    assert_eq!(status(&on, "GET", "/proxies%2Fa%20b/toxics").await, 200);
}

/// How the connection ends for a client that reads: `Ok` is FIN.
async fn ending(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest));
    read.await.expect("the connection stays open").map(|_| ())
}

/// A connection through `listen` that has carried a byte both ways.
async fn used(listen: &str) -> TcpStream {
    let mut stream = TcpStream::connect(listen).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    stream.read_u8().await.unwrap();
    stream
}

#[tokio::test]
async fn ending_a_proxy_closes_connections_in_order() {
    let on = setting().await;
    let other = setting().await;
    for (call, body) in [
        ("POST /proxies/p", json!({"enabled": false})),
        ("PATCH /proxies/p", json!({"upstream": other.echo})),
        ("PATCH /proxies/p", json!({"listen": "127.0.0.1:0"})),
        (
            "POST /populate",
            json!([{"name": "p", "listen": "127.0.0.1:0", "upstream": other.echo}]),
        ),
        ("DELETE /proxies/p", json!({})),
    ] {
        let mut stream = used(&listens(&on.proxy().await)).await;
        on.call(call, body.clone()).await;
        assert!(ending(&mut stream).await.is_ok(), "{call} {body} resets");
        on.call("DELETE /proxies/p", "").await;
    }
    // Also if bytes wait in the proxy, and where the client's have not been read.
    let mut stream = used(&listens(&on.proxy().await)).await;
    let slow =
        json!({"type": "latency", "stream": "upstream", "attributes": {"latency": 3_600_000}});
    on.json("POST /proxies/p/toxics", 200, slow).await;
    stream.write_all(&[7; 100_000]).await.unwrap();
    on.done("DELETE /proxies/p").await;
    assert!(
        ending(&mut stream).await.is_ok(),
        "bytes that wait make a reset"
    );
}

#[tokio::test]
async fn a_dead_upstream_ends_connections_in_order() {
    let on = setting().await;
    // Bound and not listening: no other process can take the port.
    let dead = TcpSocket::new_v4().unwrap();
    dead.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let new = json!({"name": "p", "listen": "127.0.0.1:0", "upstream": dead.local_addr().unwrap().to_string()});
    let listen = listens(&on.json("POST /proxies", 201, new).await);
    let mut stream = TcpStream::connect(&listen).await.unwrap();
    assert!(
        ending(&mut stream).await.is_ok(),
        "a refused upstream makes a reset"
    );

    // An upstream that resets an open connection: bytes that it sent before are delivered.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap().to_string();
    on.json("PATCH /proxies/p", 200, json!({"upstream": upstream}))
        .await;
    let mut stream = TcpStream::connect(&listen).await.unwrap();
    let (mut node, _) = listener.accept().await.unwrap();
    node.write_all(b"last").await.unwrap();
    let mut last = [0; 4];
    stream.read_exact(&mut last).await.unwrap();
    socket2::SockRef::from(&node)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(node);
    assert!(
        ending(&mut stream).await.is_ok(),
        "a reset upstream makes a reset"
    );
}

#[tokio::test]
async fn reset_peer_alone_resets() {
    let on = setting().await;
    let mut stream = used(&listens(&on.proxy().await)).await;
    let reset = json!({"type": "reset_peer", "attributes": {"timeout": 0}});
    on.json("POST /proxies/p/toxics", 200, reset).await;
    stream.write_all(b"x").await.unwrap();
    let why = ending(&mut stream).await.unwrap_err();
    assert_eq!(why.kind(), std::io::ErrorKind::ConnectionReset);
}
