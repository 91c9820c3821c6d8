//! Toxics of replies over the API: they are listed, checked, and act without a tap.

use std::env;

use super::*;
use crate::client::{Client, NODE_DEADLINE};
use crate::fault::ToxicKind;
use crate::node::{Node, Process};
use crate::program::Search;

#[tokio::test]
async fn all_types_are_listed_with_their_attributes() {
    let on = setting().await;
    let types = on.json("GET /toxics", 200, "").await;
    let types = types.as_array().unwrap();
    let names: Vec<&str> = types
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    let rows = ToxicKind::rows();
    assert_eq!(names, rows.iter().map(|row| row.name).collect::<Vec<_>>());
    let of = |name: &str| types.iter().find(|it| it["type"] == name).unwrap();
    let latency = json!({
        "type": "latency",
        "summary": "Bytes arrive later.",
        "streams": ["downstream", "upstream"],
        "attributes": [
            {"name": "latency", "type": "number", "unit": "ms", "default": 0},
            {"name": "jitter", "type": "number", "unit": "ms", "default": 0},
        ],
    });
    assert_eq!(of("latency"), &latency);
    let cut = of("cut_reply");
    assert_eq!(cut["streams"], json!(["downstream"]));
    assert_eq!(
        cut["attributes"][0],
        json!({"name": "part", "type": "string", "unit": "choice", "default": "header", "choices": ["header", "body"]})
    );
    // Every listed type can be created, with exactly these attributes.
    on.proxy().await;
    for it in types {
        let made = json!({"type": it["type"], "attributes": {"average_size": 1}});
        let made = on.json("POST /proxies/p/toxics", 200, made).await;
        let mut listed: Vec<&str> = it["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap())
            .collect();
        listed.sort_unstable();
        let made: Vec<&String> = made["attributes"].as_object().unwrap().keys().collect();
        assert_eq!(made, listed, "{it}");
    }
}

#[tokio::test]
async fn attributes_that_fit_no_toxic_of_replies_are_refused() {
    let on = setting().await;
    on.proxy().await;
    let refused = async |attributes: Value, text: &str| {
        let body = json!({"type": "cut_reply", "attributes": attributes});
        let text = format!("bad request body: {text}");
        on.refused("POST /proxies/p/toxics", body, 400, &text).await;
    };
    refused(json!({"part": "middle"}), "unknown variant `middle`").await;
    refused(
        json!({"part": 3}),
        "part: expected a string, found another number",
    )
    .await;
    refused(json!({"nth": "3"}), "nth: expected").await;
    refused(
        json!({"percent": 101}),
        "percent of replies: expected 0 to 100",
    )
    .await;
    let upstream = json!({"type": "drop_reply", "stream": "upstream"});
    let text = "bad request body: stream of drop_reply: expected downstream";
    on.refused("POST /proxies/p/toxics", upstream, 400, text)
        .await;
}

#[tokio::test]
async fn a_reply_is_replaced_and_the_toxic_is_changed_and_removed() {
    let search = Search::new(&env::current_exe().unwrap(), env::vars_os());
    let node = Process::start(&search).await.unwrap();
    let on = setting().await;
    let new = json!({"name": "p", "listen": "127.0.0.1:0", "upstream": node.addr().to_string()});
    let made = on.json("POST /proxies", 201, new).await;
    let addr: std::net::SocketAddr = listens(&made).parse().unwrap();
    let mut client = Client::connect(addr, NODE_DEADLINE).await.unwrap();
    let mut shown = async |request: &str| {
        let words: Vec<&str> = request.split(' ').collect();
        client
            .call(&words, NODE_DEADLINE)
            .await
            .unwrap()
            .to_string()
    };
    assert_eq!(shown("GET k").await, "nil");
    let toxic = json!({"type": "error_reply", "attributes": {"error": "OOM", "command": "get"}});
    let made = on.json("POST /proxies/p/toxics", 200, toxic).await;
    assert_eq!(made["name"], "error_reply_downstream");
    assert!(shown("GET k").await.starts_with("-OOM "));
    assert_eq!(shown("PING").await, "+PONG");
    let change = json!({"attributes": {"error": "LOADING"}});
    let path = "/proxies/p/toxics/error_reply_downstream";
    let changed = on.json(&format!("PATCH {path}"), 200, change).await;
    assert_eq!(changed["attributes"]["command"], "get");
    assert!(shown("GET k").await.starts_with("-LOADING "));
    on.done(&format!("DELETE {path}")).await;
    assert_eq!(shown("GET k").await, "nil");
}
