//! What each fault of a node, of a whole link, and of a proxy does before it is healed.

use super::*;
use crate::fixtures::Source;
use crate::targets::{Proxy, Setting, Target};

/// A node behind a link of our own.
struct Setup {
    node: Process,
    injector: FaultInjector,
    _lease: PortLock,
}

async fn setup(port_base: u16) -> Setup {
    let node = process().await;
    let lease = PortLock::on(port_base).await.unwrap();
    let (tap, chance) = (Tap::default(), Chance::seeded(0));
    let injector = FaultInjector::links(&[node.addr()], port_base, &tap, chance).unwrap();
    Setup {
        node,
        injector,
        _lease: lease,
    }
}

impl Setup {
    fn site(&self) -> Site<'_> {
        Site::new(&self.node, &self.injector, 0)
    }

    async fn client(&self) -> Client {
        let addr = self.injector.addrs()[0];
        Client::connect(addr, NODE_DEADLINE).await.unwrap()
    }
}

fn fault(text: &str) -> Fault {
    text.parse().unwrap()
}

/// The answer, or the error, as text.
async fn call(client: &mut Client, request: &str) -> String {
    let words: Vec<&str> = request.split(' ').collect();
    match client.call(&words, NODE_DEADLINE).await {
        Ok(reply) => reply.to_string(),
        Err(why) => why.to_string(),
    }
}

#[tokio::test]
async fn a_restart_keeps_or_loses_the_data() {
    let on = setup(23_821).await;
    for (text, kept) in [("restart", "\"v\""), ("restart_empty", "nil")] {
        let mut client = on.client().await;
        assert_eq!(call(&mut client, "SET k v").await, "+OK");
        fault(text).apply(on.site()).await.unwrap();
        let ended = call(&mut client, "GET k").await;
        assert!(ended.starts_with("the connection was closed"), "{ended}");
        let mut client = on.client().await;
        assert_eq!(call(&mut client, "GET k").await, kept, "{text}");
        fault(text).heal(on.site()).await.unwrap();
        assert_eq!(call(&mut client, "GET k").await, kept, "{text}");
    }
}

#[tokio::test]
async fn the_link_leads_to_a_replacement_and_back() {
    let on = setup(23_831).await;
    let (home, replace) = (on.node.addr(), fault("replace"));
    assert_eq!(call(&mut on.client().await, "SET k v").await, "+OK");
    replace.apply(on.site()).await.unwrap();
    assert_ne!(on.node.addr(), home);
    assert_eq!(call(&mut on.client().await, "GET k").await, "nil");
    replace.heal(on.site()).await.unwrap();
    assert_eq!(on.node.addr(), home);
    assert_eq!(call(&mut on.client().await, "SET k v").await, "+OK");
}

#[tokio::test]
async fn a_full_backlog_takes_no_new_connection_and_keeps_the_open_ones() {
    let on = setup(23_841).await;
    let (addr, full) = (on.injector.addrs()[0], fault("full_backlog"));
    let mut open = on.client().await;
    assert_eq!(call(&mut open, "PING").await, "+PONG");
    full.apply(on.site()).await.unwrap();
    full.apply(on.site()).await.unwrap();
    let waiting = tokio::spawn(client::ping(addr));
    for _ in 0..100 {
        assert_eq!(call(&mut open, "PING").await, "+PONG");
    }
    assert!(!waiting.is_finished(), "neither accepted nor refused");
    full.heal(on.site()).await.unwrap();
    assert_eq!(client::ping(addr).await, Ok(()));
    assert_eq!(call(&mut open, "PING").await, "+PONG");
}

#[tokio::test]
async fn a_busy_node_says_so_until_its_script_is_killed() {
    let on = setup(23_851).await;
    let (busy, mut client) = (fault("busy"), on.client().await);
    busy.apply(on.site()).await.unwrap();
    let answer = call(&mut client, "GET k").await;
    assert!(answer.starts_with("-BUSY "), "{answer}");
    busy.heal(on.site()).await.unwrap();
    assert_eq!(call(&mut client, "GET k").await, "nil");
    // There is nothing left to heal.
    busy.heal(on.site()).await.unwrap();
}

#[tokio::test]
async fn a_slow_node_is_waited_for() {
    let on = setup(23_861).await;
    let slow = fault("slow 200ms");
    slow.apply(on.site()).await.unwrap();
    slow.heal(on.site()).await.unwrap();
    let slept = call(&mut on.client().await, "SLOWLOG GET 1").await;
    assert!(slept.contains("\"DEBUG\" \"SLEEP\""), "{slept}");
}

/// A Redis in the place of a proxy: it has an address, a configuration and a process.
fn double() -> Target {
    let text = r#"
name = "double"
program = { name = "redis-server", env = "SHARDPROOF_REDIS_SERVER" }
[start]
args = ["{{ config }}"]
config_name = "redis.conf"
config = "bind 127.0.0.1\nport {{ listen.port }}\nsave \"\"\n"
"#;
    let source = Source {
        path: "double.toml".to_owned(),
        id: "double".to_owned(),
        text: text.to_owned(),
    };
    Target::parse(&source).unwrap()
}

async fn proxy() -> Proxy {
    let setting = Setting {
        nodes: Vec::new(),
        policy: "none".to_owned(),
        hash_tags: false,
        op_timeout_ms: 200,
    };
    let search = Search::new(&env::current_exe().unwrap(), env::vars_os());
    Proxy::start(&double(), setting, &search).await.unwrap()
}

#[tokio::test]
async fn a_proxy_of_our_own_is_killed_restarted_reloaded_and_paused() {
    let (node, proxy) = (process().await, proxy().await);
    let injector = FaultInjector::Links(Vec::new());
    let site = Site {
        proxy: Some(&proxy),
        ..Site::new(&node, &injector, 0)
    };
    for text in ["proxy_restart", "proxy_reload"] {
        let pid = proxy.pid();
        fault(text).apply(site).await.unwrap();
        assert_ne!(proxy.pid(), pid, "{text}");
        fault(text).heal(site).await.unwrap();
        assert_eq!(client::ping(proxy.addr()).await, Ok(()), "{text}");
    }
    fault("proxy_kill").apply(site).await.unwrap();
    assert!(!proxy.alive());
    assert!(client::ping(proxy.addr()).await.is_err());
    fault("proxy_kill").heal(site).await.unwrap();
    assert!(proxy.alive());

    let mut client = Client::connect(proxy.addr(), NODE_DEADLINE).await.unwrap();
    fault("proxy_pause").apply(site).await.unwrap();
    let request = encode_request(&["PING"]);
    client.write(&request, NODE_DEADLINE).await.unwrap();
    // The signal takes effect a moment later.
    let deadline = Instant::now() + NODE_DEADLINE;
    while state(proxy.pid()) != 'T' {
        assert!(Instant::now() < deadline, "the proxy is not stopped");
        tokio::task::yield_now().await;
    }
    fault("proxy_pause").heal(site).await.unwrap();
    let pong = client.reply(NODE_DEADLINE).await;
    assert_eq!(pong, Ok(Value::Simple(b"PONG".to_vec())));
}

/// The state of a process, as in /proc.
fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let behind_name = stat.rsplit(") ").next().unwrap();
    behind_name.chars().next().unwrap()
}

#[tokio::test]
async fn without_a_proxy_or_clients_their_faults_are_refused() {
    let on = setup(23_871).await;
    for row in Fault::rows() {
        if matches!(row.acts_on, Object::Proxy | Object::Client) {
            let refused = smallest(row).apply(on.site()).await;
            assert!(matches!(refused, Err(Error::Absent(_))), "{}", row.name);
        }
    }
}
