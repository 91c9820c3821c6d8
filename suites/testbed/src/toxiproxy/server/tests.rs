//! The API as Toxiproxy's README and code have it: every endpoint, status code and text.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::http::{self, Answer};

const DEADLINE: Duration = Duration::from_secs(10);

struct Setting {
    server: Server,
    /// The upstream of proxies: it echoes what it receives.
    echo: String,
}

async fn setting() -> Setting {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let echo = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    let server = Server::start("127.0.0.1:0", None, 1).await.unwrap();
    Setting { server, echo }
}

impl Setting {
    /// `METHOD PATH`, with a body.
    async fn call(&self, call: &str, body: impl ToString) -> Answer {
        let (method, path) = call.split_once(' ').unwrap();
        let (addr, body) = (self.server.addr(), body.to_string());
        match method {
            "GET" => http::get(addr, path, DEADLINE).await,
            "POST" => http::post(addr, path, body, DEADLINE).await,
            "PATCH" => http::patch(addr, path, body, DEADLINE).await,
            "DELETE" => http::delete(addr, path, DEADLINE).await,
            other => panic!("{other}"),
        }
        .unwrap()
    }

    async fn json(&self, call: &str, status: u16, body: impl ToString) -> Value {
        let answer = self.call(call, body).await;
        assert_eq!(answer.status, status, "{call}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// A refusal: its text and status, also in the body.
    async fn refused(&self, call: &str, body: impl ToString, status: u16, text: &str) {
        let body = self.json(call, status, body).await;
        assert_eq!(body["status"], status, "{call}: {body}");
        let error = body["error"].as_str().unwrap();
        assert!(error.starts_with(text), "{call}: {error}");
    }

    async fn done(&self, call: &str) {
        let answer = self.call(call, "").await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{call}");
    }

    /// Creates the proxy `p` on a free port.
    async fn proxy(&self) -> Value {
        let new = json!({"name": "p", "listen": "127.0.0.1:0", "upstream": self.echo});
        self.json("POST /proxies", 201, new).await
    }
}

fn listens(proxy: &Value) -> String {
    proxy["listen"].as_str().unwrap().to_owned()
}

/// Bytes returned by the echo server of `listen`.
async fn echoed(listen: &str, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(listen).await?;
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    let mut back = Vec::new();
    stream.read_to_end(&mut back).await?;
    Ok(back)
}

#[tokio::test]
async fn a_proxy_is_created_shown_listed_and_deleted() {
    let on = setting().await;
    assert_eq!(on.json("GET /proxies", 200, "").await, json!({}));
    let made = on.proxy().await;
    let listen = listens(&made);
    assert!(!listen.ends_with(":0"), "{made}");
    assert_eq!(
        made,
        json!({"name": "p", "listen": listen, "upstream": on.echo, "enabled": true, "toxics": []})
    );
    assert_eq!(on.json("GET /proxies", 200, "").await, json!({"p": made}));
    assert_eq!(on.json("GET /proxies/p", 200, "").await, made);
    assert_eq!(echoed(&listen, b"hello").await.unwrap(), b"hello");
    on.done("DELETE /proxies/p").await;
    assert_eq!(on.json("GET /proxies", 200, "").await, json!({}));
    assert!(echoed(&listen, b"hello").await.is_err());
}

#[tokio::test]
async fn a_proxy_that_cannot_be_is_refused() {
    let on = setting().await;
    let made = on.proxy().await;
    let create = "POST /proxies";
    on.refused(create, "{", 400, "bad request body: ").await;
    on.refused(create, "", 400, "bad request body: ").await;
    let nameless = json!({"upstream": "127.0.0.1:1"});
    on.refused(create, nameless, 400, "missing required field: name")
        .await;
    on.refused(
        create,
        json!({"name": "q"}),
        400,
        "missing required field: upstream",
    )
    .await;
    let again = json!({"name": "p", "upstream": "127.0.0.1:1"});
    on.refused(create, again, 409, "proxy already exists").await;
    let taken = json!({"name": "q", "listen": listens(&made), "upstream": "127.0.0.1:1"});
    on.refused(create, taken, 500, "link cannot listen on")
        .await;
    let nonsense = json!({"name": "q", "listen": "no port", "upstream": "127.0.0.1:1"});
    on.refused(create, nonsense, 500, "listen no port").await;
    for call in [
        "GET /proxies/q",
        "POST /proxies/q",
        "PATCH /proxies/q",
        "DELETE /proxies/q",
        "GET /proxies/q/toxics",
        "POST /proxies/q/toxics",
        "GET /proxies/q/toxics/t",
        "POST /proxies/q/toxics/t",
        "PATCH /proxies/q/toxics/t",
        "DELETE /proxies/q/toxics/t",
    ] {
        on.refused(call, "{}", 404, "proxy not found").await;
    }
}

#[tokio::test]
async fn a_disabled_proxy_is_enabled_on_the_same_port() {
    let on = setting().await;
    let listen = listens(&on.proxy().await);
    for change in ["POST /proxies/p", "PATCH /proxies/p"] {
        let down = on.json(change, 200, json!({"enabled": false})).await;
        assert_eq!(down["enabled"], false);
        assert!(echoed(&listen, b"hello").await.is_err());
        let up = on.json(change, 200, json!({"enabled": true})).await;
        assert_eq!(
            (up["enabled"].clone(), listens(&up)),
            (json!(true), listen.clone())
        );
        assert_eq!(echoed(&listen, b"hello").await.unwrap(), b"hello");
    }
    on.refused("PATCH /proxies/p", "{", 400, "bad request body: ")
        .await;
}

#[tokio::test]
async fn a_proxy_created_disabled_listens_when_it_is_enabled() {
    let on = setting().await;
    let new = json!({"name": "p", "listen": "127.0.0.1:0", "upstream": on.echo, "enabled": false});
    let made = on.json("POST /proxies", 201, new).await;
    assert_eq!(made["enabled"], false);
    assert_eq!(listens(&made), "127.0.0.1:0");
    let up = on
        .json("PATCH /proxies/p", 200, json!({"enabled": true}))
        .await;
    assert_eq!(echoed(&listens(&up), b"hello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn another_upstream_ends_connections_and_keeps_toxics() {
    let on = setting().await;
    let listen = listens(&on.proxy().await);
    let toxic = json!({"type": "noop"});
    on.json("POST /proxies/p/toxics", 200, toxic).await;
    let mut open = TcpStream::connect(&listen).await.unwrap();
    open.write_all(b"x").await.unwrap();
    open.read_u8().await.unwrap();
    let other = setting().await;
    let change = json!({"upstream": other.echo});
    let changed = on.json("PATCH /proxies/p", 200, change).await;
    assert_eq!(changed["upstream"], other.echo);
    assert_eq!(listens(&changed), listen);
    assert_eq!(changed["toxics"][0]["name"], "noop_downstream");
    assert!(open.read_u8().await.is_err(), "the connection is open");
    assert_eq!(echoed(&listen, b"hello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn populate_creates_replaces_and_leaves_alone() {
    let on = setting().await;
    let listen = listens(&on.proxy().await);
    on.json("POST /proxies/p/toxics", 200, json!({"type": "noop"}))
        .await;
    let same = json!({"name": "p", "listen": listen, "upstream": on.echo});
    let new = json!({"name": "q", "listen": "127.0.0.1:0", "upstream": on.echo, "enabled": false});
    let made = on.json("POST /populate", 201, json!([same, new])).await;
    let proxies = made["proxies"].as_array().unwrap();
    assert_eq!(proxies.len(), 2);
    assert_eq!(proxies[0]["toxics"][0]["type"], "noop");
    assert_eq!(proxies[1]["enabled"], false);
    // Elsewhere: another proxy of this name, without toxics.
    let moved = json!([{"name": "p", "listen": listen, "upstream": "127.0.0.1:1"}]);
    let made = on.json("POST /populate", 201, moved).await;
    assert_eq!(made["proxies"][0]["upstream"], "127.0.0.1:1");
    assert_eq!(made["proxies"][0]["toxics"], json!([]));
}

#[tokio::test]
async fn populate_reports_the_error_and_the_created_proxies() {
    let on = setting().await;
    let call = "POST /populate";
    on.refused(call, "{}", 400, "bad request body: ").await;
    let nameless = json!([{"name": "p", "upstream": on.echo}, {"upstream": on.echo}]);
    on.refused(
        call,
        nameless,
        400,
        "missing required field: name at proxy 2",
    )
    .await;
    assert_eq!(on.json("GET /proxies", 200, "").await, json!({}));
    let api = on.server.addr().to_string();
    let second_taken = json!([
        {"name": "p", "listen": "127.0.0.1:0", "upstream": on.echo},
        {"name": "q", "listen": api, "upstream": on.echo},
    ]);
    let failed = on.json(call, 500, second_taken).await;
    assert_eq!(failed["status"], 500);
    assert_eq!(failed["proxies"][0]["name"], "p");
}

#[tokio::test]
async fn a_toxic_is_added_shown_updated_and_removed() {
    let on = setting().await;
    on.proxy().await;
    let toxics = "/proxies/p/toxics";
    let added = on
        .json(&format!("POST {toxics}"), 200, json!({"type": "latency"}))
        .await;
    let shown = json!({
        "name": "latency_downstream",
        "type": "latency",
        "stream": "downstream",
        "toxicity": 1.0,
        "attributes": {"latency": 0, "jitter": 0},
    });
    assert_eq!(added, shown);
    let named = json!({
        "name": "cut",
        "type": "limit_data",
        "stream": "upstream",
        "toxicity": 0.5,
        "attributes": {"bytes": 7},
        "unknown": [],
    });
    let cut = on.json(&format!("POST {toxics}"), 200, named).await;
    // Upstream comes first.
    let all = on.json(&format!("GET {toxics}"), 200, "").await;
    assert_eq!(all, json!([cut, shown]));
    assert_eq!(on.json("GET /proxies/p", 200, "").await["toxics"], all);
    let one = format!("{toxics}/latency_downstream");
    assert_eq!(on.json(&format!("GET {one}"), 200, "").await, shown);
    // Attributes and toxicity can be changed separately; nothing else can.
    for (method, change, latency, jitter, toxicity) in [
        ("PATCH", json!({"attributes": {"latency": 9}}), 9, 0, 1.0),
        ("POST", json!({"attributes": {"jitter": 3}}), 9, 3, 1.0),
        (
            "POST",
            json!({"toxicity": 0.5, "name": "x", "stream": "upstream"}),
            9,
            3,
            0.5,
        ),
    ] {
        let changed = on.json(&format!("{method} {one}"), 200, change).await;
        let mut expected = shown.clone();
        expected["attributes"] = json!({"latency": latency, "jitter": jitter});
        expected["toxicity"] = json!(toxicity);
        assert_eq!(changed, expected);
    }
    on.done(&format!("DELETE {one}")).await;
    assert_eq!(
        on.json(&format!("GET {toxics}"), 200, "").await,
        json!([cut])
    );
}

#[tokio::test]
async fn a_toxic_that_cannot_be_is_refused() {
    let on = setting().await;
    on.proxy().await;
    let add = "POST /proxies/p/toxics";
    on.refused(add, "", 400, "bad request body: ").await;
    let stream = "stream was invalid, can be either upstream or downstream";
    let sideways = json!({"type": "latency", "stream": "sideways"});
    on.refused(add, sideways, 400, stream).await;
    on.refused(add, json!({"type": "flood"}), 400, "invalid toxic type")
        .await;
    on.refused(add, json!({}), 400, "invalid toxic type").await;
    on.json(add, 200, json!({"type": "noop"})).await;
    on.refused(add, json!({"type": "noop"}), 409, "toxic already exists")
        .await;
    let one = "/proxies/p/toxics/t";
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        on.refused(&format!("{method} {one}"), "{}", 404, "toxic not found")
            .await;
    }
    let update = "PATCH /proxies/p/toxics/noop_downstream";
    on.refused(update, "[]", 400, "bad request body: ").await;
}

#[tokio::test]
async fn toxics_work_and_reset_heals_everything() {
    let on = setting().await;
    let listen = listens(&on.proxy().await);
    let cut = json!({"type": "limit_data", "attributes": {"bytes": 3}});
    on.json("POST /proxies/p/toxics", 200, cut).await;
    assert_eq!(echoed(&listen, b"hello").await.unwrap(), b"hel");
    on.json("PATCH /proxies/p", 200, json!({"enabled": false}))
        .await;
    on.done("POST /reset").await;
    let healed = on.json("GET /proxies/p", 200, "").await;
    assert_eq!(
        (&healed["enabled"], &healed["toxics"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(echoed(&listen, b"hello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn version_and_metrics_are_served() {
    let on = setting().await;
    let version = on.json("GET /version", 200, "").await;
    assert!(version["version"].as_str().unwrap().starts_with("2."));
    let listen = listens(&on.proxy().await);
    assert_eq!(echoed(&listen, b"hello").await.unwrap(), b"hello");
    let metrics = on.call("GET /metrics", "").await;
    assert_eq!(metrics.status, 200);
    for (what, stream) in [
        ("received", "upstream"),
        ("sent", "upstream"),
        ("received", "downstream"),
        ("sent", "downstream"),
    ] {
        let line = format!(
            "toxiproxy_proxy_{what}_bytes_total{{direction=\"{stream}\",listener=\"{listen}\",proxy=\"p\",upstream=\"{}\"}} 5",
            on.echo
        );
        assert!(
            metrics.body.lines().any(|other| other == line),
            "{line}\n{}",
            metrics.body
        );
    }
}

#[tokio::test]
async fn browsers_are_refused() {
    let on = setting().await;
    for (agent, status) in [("Mozilla/5.0 (X11)", "403"), ("curl/8", "200")] {
        let mut stream = TcpStream::connect(on.server.addr()).await.unwrap();
        let request = format!(
            "GET /proxies HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_config_is_populated_or_refused() {
    let on = setting().await;
    let config = json!([{"name": "c", "listen": "127.0.0.1:0", "upstream": on.echo}]);
    let config = config.to_string();
    let server = Server::start("127.0.0.1:0", Some(config.as_bytes()), 1).await;
    let on = Setting {
        server: server.unwrap(),
        ..on
    };
    assert_eq!(on.json("GET /proxies/c", 200, "").await["enabled"], true);
    let wrong = Server::start("127.0.0.1:0", Some(b"{}"), 1).await;
    assert!(
        matches!(wrong, Err(Error::Populate(Failed::Body(_)))),
        "{wrong:?}"
    );
    let taken = Server::start(&on.server.addr().to_string(), None, 1).await;
    assert!(matches!(taken, Err(Error::Listen { .. })), "{taken:?}");
}

mod observed;
mod replies;
