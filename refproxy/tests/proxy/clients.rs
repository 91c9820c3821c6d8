//! CLIENT INFO and CLIENT LIST: the clients of all workers.

use std::collections::BTreeMap;

use testbed::client::Client;

use crate::commands::Pair;
use crate::support::{DEADLINE, Proxy, ask, eventually, nodes, show};

/// The lines of a reply, field by field.
fn lines(told: &str) -> Vec<BTreeMap<String, String>> {
    let lines = told.trim_matches('"').split("\\n");
    let lines = lines.filter(|line| !line.is_empty());
    let fields = |line: &str| {
        let fields = line.split(' ').map(|field| field.split_once('=').unwrap());
        fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    lines.map(fields).collect()
}

#[tokio::test]
async fn a_client_is_told_who_it_is_as_redis_tells_it() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs[..1], "workers: 1").await;
    let mut pair = Pair {
        proxy: proxy.client().await,
        plain: Client::connect(addrs[1], DEADLINE).await.unwrap(),
    };
    pair.check("CLIENT SETNAME me").await;
    let plain = &lines(&ask(&mut pair.plain, &["CLIENT", "INFO"]).await)[0];
    let told = &lines(&ask(&mut pair.proxy, &["CLIENT", "INFO"]).await)[0];
    for field in plain.keys() {
        assert!(told.contains_key(field), "{field}: {told:?}");
    }
    for field in [
        "name", "flags", "db", "sub", "psub", "multi", "cmd", "user", "redir", "resp",
    ] {
        assert_eq!(told[field], plain[field], "{field}");
    }
    // Seconds, which differ between two clients.
    for field in ["age", "idle"] {
        assert!(told[field].parse::<u64>().is_ok(), "{field}: {told:?}");
    }
    assert_eq!(told["laddr"], proxy.addr.to_string());
    assert_eq!(
        format!(":{}", told["id"]),
        ask(&mut pair.proxy, &["CLIENT", "ID"]).await
    );
    // At EXEC, in its place.
    for line in ["MULTI", "SET k v", "CLIENT INFO"] {
        let args: Vec<&str> = line.split(' ').collect();
        ask(&mut pair.proxy, &args).await;
    }
    let told = ask(&mut pair.proxy, &["EXEC"]).await;
    assert!(
        told.starts_with("[OK \"id=") && told.contains(" flags=x ") && told.contains(" multi=2 "),
        "{told}"
    );
    for line in [
        "CLIENT",
        "CLIENT INFO x",
        "CLIENT LIST x",
        "CLIENT LIST TYPE x",
        "CLIENT LIST ID x",
        "CLIENT LIST TYPE pubsub",
        "CLIENT LIST ID 999999",
        "CLIENT NONSENSE",
    ] {
        pair.check(line).await;
    }
}

#[tokio::test]
async fn clients_of_all_workers_are_listed() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 3").await;
    let mut clients = Vec::new();
    for number in 0..12 {
        let mut client = proxy.client().await;
        assert_eq!(
            ask(&mut client, &["CLIENT", "SETNAME", &format!("c{number}")]).await,
            "OK"
        );
        clients.push(client);
    }
    ask(&mut clients[3], &["CLIENT", "SETINFO", "LIB-NAME", "mine"]).await;
    clients[4].call(&["HELLO", "3"], DEADLINE).await.unwrap();
    ask(&mut clients[5], &["MULTI"]).await;
    ask(&mut clients[5], &["PING"]).await;
    let listed = lines(&ask(&mut clients[0], &["CLIENT", "LIST"]).await);
    let names: Vec<&str> = listed.iter().map(|line| line["name"].as_str()).collect();
    let expected: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
    assert_eq!(names, expected);
    let of = |place: usize, field: &str| listed[place][field].clone();
    assert_eq!(
        (of(0, "cmd"), of(3, "cmd"), of(3, "lib-name")),
        ("client|list".into(), "client|setinfo".into(), "mine".into())
    );
    assert_eq!(
        (of(4, "resp"), of(5, "multi"), of(5, "flags")),
        ("3".into(), "1".into(), "x".into())
    );
    let ids = [of(7, "id"), of(2, "id")];
    let some = ask(&mut clients[0], &["CLIENT", "LIST", "ID", &ids[0], &ids[1]]).await;
    let names: Vec<String> = lines(&some)
        .iter()
        .map(|line| line["name"].clone())
        .collect();
    assert_eq!(names, ["c7", "c2"]);
    // The reply keeps its place among the others, and in RESP3 it is a verbatim string.
    let pipeline = [vec!["CLIENT", "LIST"], vec!["CLIENT", "GETNAME"]];
    let replies = clients[0].pipeline(&pipeline, DEADLINE).await.unwrap();
    assert_eq!(
        (lines(&show(&replies[0])).len(), show(&replies[1])),
        (12, "\"c0\"".to_owned())
    );
    // Clients that have gone are not listed.
    clients.truncate(2);
    eventually("the others have gone", DEADLINE, async || {
        lines(&ask(&mut clients[1], &["CLIENT", "LIST"]).await).len() == 2
    })
    .await;
    assert_eq!(ask(&mut clients[1], &["MULTI"]).await, "OK");
    let refused = ask(&mut clients[1], &["CLIENT", "LIST"]).await;
    assert!(
        refused.starts_with("-ERR command 'CLIENT|LIST' is not supported"),
        "{refused}"
    );
    assert!(
        ask(&mut clients[1], &["EXEC"])
            .await
            .starts_with("-EXECABORT")
    );
}
