//! Client users and the proxy's own credentials, as in Redis. Secrets are never shown.

use testbed::client::{Client, Error};
use testbed::http;

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes, show};

const AUTH: &str = "auth: { password: s3cret, users: { app: 'other one' } }";

/// Gives a plain Redis the users of [`AUTH`].
async fn lock(addr: std::net::SocketAddr) {
    let mut node = Client::connect(addr, DEADLINE).await.unwrap();
    let user = ["ACL", "SETUSER", "app", "on", ">other one", "+@all", "~*"];
    assert_eq!(ask(&mut node, &user).await, "OK");
    let password = ["CONFIG", "SET", "requirepass", "s3cret"];
    assert_eq!(ask(&mut node, &password).await, "OK");
}

/// HELLO's answer without the number of the connection.
fn without_id(answer: &str) -> String {
    let mut words: Vec<&str> = answer.split(' ').collect();
    let place = words.iter().position(|word| *word == "\"id\"").unwrap();
    words.remove(place + 1);
    words.join(" ")
}

/// Compares the replies of both to these requests, one after the other on one connection.
async fn check(proxy: &Proxy, plain: std::net::SocketAddr, requests: &[&[&str]]) {
    let mut client = proxy.client().await;
    let mut plain = Client::connect(plain, DEADLINE).await.unwrap();
    for request in requests {
        let expected = ask(&mut plain, request).await;
        let answer = ask(&mut client, request).await;
        if request[0] == "HELLO" && answer.starts_with('[') {
            // The number of the connection is its own.
            assert_eq!(without_id(&answer), without_id(&expected), "{request:?}");
            continue;
        }
        assert_eq!(answer, expected, "{request:?} of {requests:?}");
    }
}

#[tokio::test]
async fn a_client_says_who_it_is_as_to_one_plain_redis() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs[..2], &format!("workers: 1\n{AUTH}")).await;
    let plain = addrs[2];
    lock(plain).await;
    let stranger: &[&[&str]] = &[
        &["GET", "k"],
        &["PING"],
        &["MGET", "a", "b"],
        &["DBSIZE"],
        &["SUBSCRIBE", "a"],
        &["OBJECT", "ENCODING", "k"],
        &["CLIENT", "ID"],
        &["COMMAND", "COUNT"],
        &["NOSUCH", "a"],
        &["GET"],
        &["AUTH"],
        &["AUTH", "wrong"],
        &["AUTH", "app", "s3cret"],
        &["AUTH", "nobody", "s3cret"],
        &["AUTH", "a", "b", "c"],
        &["HELLO"],
        &["HELLO", "2"],
        &["HELLO", "9"],
        &["HELLO", "x"],
        &["HELLO", "2", "SETNAME", "me"],
        &["HELLO", "2", "AUTH", "app"],
        &["HELLO", "2", "AUTH", "app", "wrong"],
        &["GET", "k"],
        &["RESET"],
        &["GET", "k"],
        &["AUTH", "s3cret"],
        &["GET", "k"],
        &["CLIENT", "GETNAME"],
    ];
    check(&proxy, plain, stranger).await;
    // A failed AUTH keeps the previous login.
    let known: &[&[&str]] = &[
        &["AUTH", "app", "other one"],
        &["SET", "k", "v"],
        &["AUTH", "wrong"],
        &["GET", "k"],
        &["HELLO", "2", "AUTH", "app", "wrong"],
        &["GET", "k"],
        &["HELLO", "2", "SETNAME", "me", "AUTH", "default", "s3cret"],
        &["CLIENT", "GETNAME"],
        &["HELLO", "2", "SETNAME", "you", "WHAT"],
        &["CLIENT", "GETNAME"],
        &["RESET"],
        &["GET", "k"],
        &["HELLO", "2", "AUTH", "app", "other one", "SETNAME", "a b"],
        &["CLIENT", "GETNAME"],
        &["GET", "k"],
    ];
    check(&proxy, plain, known).await;
    check(&proxy, plain, &[&["GET", "k"], &["QUIT"]]).await;
}

#[tokio::test]
async fn without_users_everybody_is_the_default_user() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs[..1], "workers: 1").await;
    let requests: &[&[&str]] = &[
        &["AUTH", "any"],
        &["AUTH", "default", "any"],
        &["AUTH", "nobody", "any"],
        &["HELLO", "2", "AUTH", "default", "any"],
        &["HELLO", "2", "AUTH", "nobody", "any"],
        &["RESET"],
        &["GET", "k"],
    ];
    check(&proxy, addrs[1], requests).await;
}

#[tokio::test]
async fn with_named_users_only_the_default_user_stays_out() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1\nauth: { users: { app: pw } }").await;
    let mut client = proxy.client().await;
    assert_eq!(
        ask(&mut client, &["PING"]).await,
        "-NOAUTH Authentication required."
    );
    let wrong = "-WRONGPASS invalid username-password pair or user is disabled.";
    assert_eq!(ask(&mut client, &["AUTH", "pw"]).await, wrong);
    assert_eq!(ask(&mut client, &["AUTH", "default", ""]).await, wrong);
    assert_eq!(ask(&mut client, &["AUTH", "app", "pw"]).await, "OK");
    assert_eq!(ask(&mut client, &["PING"]).await, "PONG");
}

/// One client's password does not authenticate another client, in any order of their requests.
#[tokio::test]
async fn a_neighbour_is_not_let_in() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, &format!("workers: 1\n{AUTH}")).await;
    let (mut one, mut other) = (proxy.client().await, proxy.client().await);
    for _ in 0..50 {
        let mut requests = vec![vec!["AUTH", "s3cret"], vec!["SET", "k", "v"]];
        requests.resize(100, vec!["GET", "k"]);
        let strangers = vec![vec!["GET", "k"]; 100];
        let (known, refused) = tokio::join!(
            one.pipeline(&requests, DEADLINE),
            other.pipeline(&strangers, DEADLINE)
        );
        assert!(
            known.unwrap()[2..]
                .iter()
                .all(|reply| show(reply) == "\"v\"")
        );
        let noauth = "-NOAUTH Authentication required.";
        assert!(refused.unwrap().iter().all(|reply| show(reply) == noauth));
        assert_eq!(ask(&mut one, &["RESET"]).await, "RESET");
    }
}

/// An unauthenticated client cannot make the proxy hold large requests; once authenticated, the same client can.
#[tokio::test]
async fn a_strangers_requests_are_small() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, &format!("workers: 1\n{AUTH}")).await;
    for (bytes, expected) in [
        ("*11\r\n", "unauthenticated multibulk length"),
        ("*2\r\n$16385\r\n", "unauthenticated bulk length"),
        ("*x\r\n", "invalid multibulk length"),
    ] {
        let mut client = proxy.client().await;
        client.write(bytes.as_bytes(), DEADLINE).await.unwrap();
        let reply = client.reply(DEADLINE).await.unwrap();
        assert_eq!(show(&reply), format!("-ERR Protocol error: {expected}"));
        let end = client.reply(DEADLINE).await;
        assert!(matches!(end, Err(Error::Closed { .. })), "{end:?}");
    }
    let value = "x".repeat(100_000);
    let mut client = proxy.client().await;
    let requests = [vec!["AUTH", "s3cret"], vec!["SET", "k", &value]];
    let replies = client.pipeline(&requests, DEADLINE).await.unwrap();
    assert_eq!([show(&replies[0]), show(&replies[1])], ["OK", "OK"]);
}

#[tokio::test]
async fn the_proxy_says_who_it_is_on_each_connection_to_a_node() {
    let (mut nodes, addrs) = nodes(2).await;
    for addr in &addrs {
        lock(*addr).await;
    }
    for auth in [
        "{ password: s3cret }",
        "{ username: app, password: 'other one' }",
    ] {
        let proxy = Proxy::start(&addrs, &format!("workers: 2\nnode_auth: {auth}")).await;
        let mut client = proxy.client().await;
        for place in 0..2 {
            let key = proxy.key_on(place);
            assert_eq!(ask(&mut client, &["SET", &key, "v"]).await, "OK");
            assert_eq!(ask(&mut client, &["GET", &key]).await, "\"v\"");
        }
        // Every connection after the first authenticates too.
        let mut node = Client::connect(addrs[0], DEADLINE).await.unwrap();
        ask(&mut node, &["AUTH", "s3cret"]).await;
        ask(&mut node, &["CLIENT", "KILL", "TYPE", "normal"]).await;
        let key = proxy.key_on(0);
        eventually("it is connected again", DEADLINE, async || {
            ask(&mut client, &["GET", &key]).await == "\"v\""
        })
        .await;
    }
    drop(nodes.pop());
}

#[tokio::test]
async fn a_nodes_refusal_names_the_node_and_no_secret() {
    let (_nodes, addrs) = nodes(3).await;
    lock(addrs[0]).await;
    lock(addrs[1]).await;
    let mut node = Client::connect(addrs[1], DEADLINE).await.unwrap();
    ask(&mut node, &["AUTH", "s3cret"]).await;
    ask(&mut node, &["CONFIG", "SET", "requirepass", "hidden-word"]).await;
    let settings =
        "workers: 1\nauth: { password: front-door }\nnode_auth: { password: hidden-word }";
    let proxy = Proxy::start_with(&addrs, settings, |command| {
        command.env("RUST_LOG", "trace");
    })
    .await;
    let mut client = proxy.client().await;
    ask(&mut client, &["AUTH", "front-door"]).await;
    let refused = |place| {
        let what = match place {
            0 => {
                "authentication refused: WRONGPASS invalid username-password pair or user is disabled."
            }
            _ => {
                "authentication refused: ERR AUTH <password> called without any password configured for the default user. \
                  Are you sure your configuration is correct?"
            }
        };
        format!("-{}", proxy.error(place, what))
    };
    for place in [0, 2, 0, 2] {
        let key = proxy.key_on(place);
        assert_eq!(ask(&mut client, &["SET", &key, "v"]).await, refused(place));
    }
    // The others are not concerned.
    assert_eq!(
        ask(&mut client, &["SET", &proxy.key_on(1), "v"]).await,
        "OK"
    );
    let mut plain = Client::connect(addrs[2], DEADLINE).await.unwrap();
    assert_eq!(ask(&mut plain, &["DBSIZE"]).await, ":0");
    // Once the node has the password, it is used without a restart.
    ask(&mut plain, &["CONFIG", "SET", "requirepass", "hidden-word"]).await;
    eventually("the node is used", DEADLINE, async || {
        ask(&mut client, &["SET", &proxy.key_on(2), "v"]).await == "OK"
    })
    .await;
    let mut shown = proxy.log();
    for path in ["/cluster", "/clusters", "/stats"] {
        let answer = http::get(proxy.admin, path, DEADLINE).await.unwrap();
        shown.push_str(&answer.body);
    }
    shown.push_str(&ask(&mut client, &["INFO"]).await);
    assert!(
        shown.contains("authentication refused"),
        "the log was looked at"
    );
    for secret in ["front-door", "hidden-word"] {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
    }
}

#[tokio::test]
async fn redis_cli_and_redis_rs_give_their_password() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, &format!("workers: 2\n{AUTH}")).await;
    let port = proxy.addr.port().to_string();
    for auth in [
        &["-a", "s3cret"][..],
        &["--user", "app", "--pass", "other one"],
    ] {
        let mut command = std::process::Command::new("redis-cli");
        command
            .args(["-p", &port, "--no-auth-warning"])
            .args(auth)
            .args(["SET", "a", "1"]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "OK\n");
    }
    for login in [":s3cret", "app:other%20one"] {
        let client = redis::Client::open(format!("redis://{login}@{}/0", proxy.addr)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let value: usize = redis::cmd("GET")
            .arg("a")
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(value, 1);
    }
    let client = redis::Client::open(format!("redis://:wrong@{}/0", proxy.addr)).unwrap();
    assert!(client.get_multiplexed_async_connection().await.is_err());
}
