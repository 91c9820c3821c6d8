//! A script that does not end: its node is busy, and any client can stop it.

use std::net::SocketAddr;

use testbed::client::Client;
use testbed::node::Process;

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes, show};

const BUSY: &str = "-BUSY Redis is busy running a script.";
const NOTBUSY: &str = "-NOTBUSY No scripts in execution right now.";
const KILLED: &str = "-ERR Script killed by user with SCRIPT KILL";
const ENDLESS: &str = "while true do end";
/// It has written, so Redis does not kill it; it ends when it has lasted for two seconds.
const UNKILLABLE: &str = "redis.call('SET', KEYS[1], 'v') \
    local function now() local t = redis.call('TIME') return t[1] + t[2] / 1000000 end \
    local start = now() while now() - start < 2 do end return 'done'";

/// Nodes that answer BUSY 50 ms after a script has started.
async fn quick_nodes(count: usize) -> (Vec<Process>, Vec<SocketAddr>) {
    let (nodes, addrs) = nodes(count).await;
    for addr in &addrs {
        let mut node = Client::connect(*addr, DEADLINE).await.unwrap();
        let set = ["CONFIG", "SET", "busy-reply-threshold", "50"];
        assert_eq!(ask(&mut node, &set).await, "OK");
    }
    (nodes, addrs)
}

/// Sends without waiting for the reply.
async fn send(client: &mut Client, args: &[&str]) {
    let request = refproxy::resp::request(args);
    client.write(&request, DEADLINE).await.unwrap();
}

/// Waits until the node answers another client with BUSY.
async fn until_busy(addr: SocketAddr) {
    let mut node = Client::connect(addr, DEADLINE).await.unwrap();
    eventually("the node is busy", DEADLINE, async || {
        ask(&mut node, &["GET", "k"]).await.starts_with(BUSY)
    })
    .await;
}

#[tokio::test]
async fn a_script_is_killed_wherever_it_runs() {
    let (_nodes, addrs) = quick_nodes(3).await;
    let settings = "workers: 1\ntimeouts: { op_ms: 20000, stall_ms: 60000 }";
    let proxy = Proxy::start(&addrs, settings).await;
    let (mut runs, mut kills) = (proxy.client().await, proxy.client().await);
    for kill in ["SCRIPT", "FUNCTION"] {
        let told = ask(&mut kills, &[kill, "KILL"]).await;
        assert_eq!(told, NOTBUSY, "{kill} KILL without a script");
    }
    for (place, addr) in addrs.iter().enumerate() {
        let key = proxy.key_on(place);
        send(&mut runs, &["EVAL", ENDLESS, "1", &key]).await;
        // After the script, on the connection that both share.
        send(&mut runs, &["SET", &key, "behind"]).await;
        until_busy(*addr).await;
        assert_eq!(ask(&mut kills, &["SCRIPT", "KILL"]).await, "OK");
        let told = show(&runs.reply(DEADLINE).await.unwrap());
        assert!(told.starts_with(KILLED), "{told}");
        assert_eq!(show(&runs.reply(DEADLINE).await.unwrap()), "OK");
        assert_eq!(ask(&mut kills, &["GET", &key]).await, "\"behind\"");
        assert_eq!(ask(&mut kills, &["SCRIPT", "KILL"]).await, NOTBUSY);
    }
}

#[tokio::test]
async fn the_client_of_a_script_can_kill_it_over_the_same_connection() {
    let (_nodes, addrs) = quick_nodes(2).await;
    let settings = "workers: 1\ntimeouts: { op_ms: 20000, stall_ms: 60000 }";
    let proxy = Proxy::start(&addrs, settings).await;
    let mut client = proxy.client().await;
    for hello in ["2", "3"] {
        client.call(&["HELLO", hello], DEADLINE).await.unwrap();
        send(&mut client, &["EVAL", ENDLESS, "1", &proxy.key_on(1)]).await;
        until_busy(addrs[1]).await;
        send(&mut client, &["SCRIPT", "KILL"]).await;
        let told = show(&client.reply(DEADLINE).await.unwrap());
        assert!(told.starts_with(KILLED), "{told}");
        assert_eq!(show(&client.reply(DEADLINE).await.unwrap()), "OK");
    }
}

/// Waits until the proxy has found out this many times that a node is busy.
async fn until_known(proxy: &Proxy, times: usize) {
    eventually(
        "the proxy knows that the node is busy",
        DEADLINE,
        async || proxy.log().matches("the node is busy").count() == times,
    )
    .await;
}

#[tokio::test]
async fn clients_of_a_busy_node_are_refused_at_once_until_the_script_has_ended() {
    let (_nodes, addrs) = quick_nodes(2).await;
    let settings = "workers: 1\ntimeouts: { op_ms: 20000, stall_ms: 60000 }";
    let proxy = Proxy::start(&addrs, settings).await;
    let (mut runs, mut asks) = (proxy.client().await, proxy.client().await);
    let keys: Vec<String> = proxy.keys_on(0).take(2).collect();
    let other = proxy.key_on(1);
    for times in 1..=2 {
        send(&mut runs, &["EVAL", ENDLESS, "1", &keys[0]]).await;
        until_known(&proxy, times).await;
        for line in [
            vec!["GET", &keys[1]],
            vec!["SET", &keys[1], "v"],
            vec!["EVAL", "return 1", "1", &keys[1]],
        ] {
            let told = ask(&mut asks, &line).await;
            assert!(told.starts_with(BUSY), "{line:?}: {told}");
        }
        // Of a request to several nodes, the others do their part.
        let told = ask(&mut asks, &["MGET", &keys[1], &other]).await;
        assert!(
            told.starts_with(&format!("[{BUSY}")) && told.ends_with(" nil]"),
            "{told}"
        );
        // Redis answers it while a function runs, and so about this script.
        let told = ask(&mut asks, &["FUNCTION", "STATS"]).await;
        assert!(told.starts_with(BUSY), "{told}");
        assert_eq!(ask(&mut asks, &["SCRIPT", "KILL"]).await, "OK");
        let told = show(&runs.reply(DEADLINE).await.unwrap());
        assert!(told.starts_with(KILLED), "{told}");
        assert_eq!(ask(&mut asks, &["GET", &keys[1]]).await, "nil");
    }
}

#[tokio::test]
async fn a_busy_node_is_known_after_the_script_has_run_out_of_time() {
    let (_nodes, addrs) = quick_nodes(1).await;
    let settings = "workers: 1\ntimeouts: { op_ms: 100, stall_ms: 60000 }";
    let proxy = Proxy::start(&addrs, settings).await;
    let mut client = proxy.client().await;
    let told = ask(&mut client, &["EVAL", ENDLESS, "1", "k"]).await;
    assert_eq!(told, format!("-{}", proxy.error(0, "timeout")));
    until_known(&proxy, 1).await;
    let told = ask(&mut client, &["SET", "k", "refused"]).await;
    assert!(told.starts_with(BUSY), "{told}");
    assert_eq!(ask(&mut client, &["SCRIPT", "KILL"]).await, "OK");
    eventually("the node answers again", DEADLINE, async || {
        ask(&mut client, &["GET", "k"]).await == "nil"
    })
    .await;
}

#[tokio::test]
async fn a_function_that_keeps_a_node_busy_is_shown() {
    let (_nodes, addrs) = quick_nodes(2).await;
    let settings = "workers: 1\ntimeouts: { op_ms: 20000, stall_ms: 60000 }";
    let proxy = Proxy::start(&addrs, settings).await;
    let (mut runs, mut asks) = (proxy.client().await, proxy.client().await);
    let library =
        format!("#!lua name=lib\nredis.register_function('endless', function() {ENDLESS} end)");
    let load = ["FUNCTION", "LOAD", &library];
    assert_eq!(ask(&mut asks, &load).await, "\"lib\"");
    send(&mut runs, &["FCALL", "endless", "1", &proxy.key_on(1)]).await;
    until_known(&proxy, 1).await;
    let told = ask(&mut asks, &["FUNCTION", "STATS"]).await;
    assert!(told.contains("\"endless\""), "{told}");
    assert_eq!(ask(&mut asks, &["FUNCTION", "KILL"]).await, "OK");
    show(&runs.reply(DEADLINE).await.unwrap());
    assert!(
        !ask(&mut asks, &["FUNCTION", "STATS"])
            .await
            .contains("endless")
    );
}

#[tokio::test]
async fn a_function_is_killed_and_a_script_that_has_written_is_not() {
    let (_nodes, addrs) = quick_nodes(2).await;
    let settings = "workers: 1\ntimeouts: { op_ms: 20000, stall_ms: 60000 }";
    let proxy = Proxy::start(&addrs, settings).await;
    let (mut runs, mut kills) = (proxy.client().await, proxy.client().await);
    let key = proxy.key_on(1);
    let library =
        format!("#!lua name=lib\nredis.register_function('endless', function() {ENDLESS} end)");
    assert_eq!(
        ask(&mut kills, &["FUNCTION", "LOAD", &library]).await,
        "\"lib\""
    );
    send(&mut runs, &["FCALL", "endless", "1", &key]).await;
    until_busy(addrs[1]).await;
    // The node that runs a function answers with the command that kills it.
    let told = ask(&mut kills, &["SCRIPT", "KILL"]).await;
    assert!(told.starts_with(BUSY), "{told}");
    assert_eq!(ask(&mut kills, &["FUNCTION", "KILL"]).await, "OK");
    let told = show(&runs.reply(DEADLINE).await.unwrap());
    assert!(told.starts_with("-ERR Script killed by user"), "{told}");

    send(&mut runs, &["EVAL", UNKILLABLE, "1", &key]).await;
    until_busy(addrs[1]).await;
    let told = ask(&mut kills, &["SCRIPT", "KILL"]).await;
    assert!(told.starts_with("-UNKILLABLE "), "{told}");
    assert_eq!(show(&runs.reply(DEADLINE).await.unwrap()), "\"done\"");
}

#[tokio::test]
async fn a_script_is_killed_on_a_node_that_takes_no_more_requests() {
    let (_nodes, addrs) = quick_nodes(1).await;
    let settings =
        "workers: 1\ntimeouts: { op_ms: 20000, stall_ms: 60000 }\nlimits: { node_requests: 1 }";
    let proxy = Proxy::start(&addrs, settings).await;
    let (mut runs, mut kills) = (proxy.client().await, proxy.client().await);
    send(&mut runs, &["EVAL", ENDLESS, "1", "k"]).await;
    until_busy(addrs[0]).await;
    let told = ask(&mut kills, &["GET", "k"]).await;
    let full = proxy.error(0, "too many requests wait for it");
    assert_eq!(told, format!("-{full}"));
    assert_eq!(ask(&mut kills, &["SCRIPT", "KILL"]).await, "OK");
    let told = show(&runs.reply(DEADLINE).await.unwrap());
    assert!(told.starts_with(KILLED), "{told}");
}

#[tokio::test]
async fn to_kill_is_to_administer() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1\nadmin_fan_out: false").await;
    let mut client = proxy.client().await;
    for kill in ["SCRIPT", "FUNCTION"] {
        assert_eq!(
            ask(&mut client, &[kill, "KILL"]).await,
            format!(
                "-ERR command '{kill}|KILL' is not supported by this proxy: it changes every node, and `admin_fan_out` is off"
            )
        );
    }
}
