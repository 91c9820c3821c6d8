//! One request to every node, exactly once, answered as one plain Redis would answer it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use testbed::client::Client;
use testbed::node::{Node as _, Process};

use crate::commands::Pair;
use crate::support::{DEADLINE, Proxy, ask, keys_on, nodes};

/// A proxy over all nodes but the last, which is the plain Redis that it is compared with.
struct Setup {
    nodes: Vec<Process>,
    addrs: Vec<SocketAddr>,
    proxy: Proxy,
    pair: Pair,
}

impl Setup {
    async fn start(settings: &str) -> Self {
        let (nodes, mut addrs) = nodes(4).await;
        let plain = addrs.pop().unwrap();
        let proxy = Proxy::start(&addrs, settings).await;
        let pair = Pair {
            proxy: proxy.client().await,
            plain: Client::connect(plain, DEADLINE).await.unwrap(),
        };
        Self {
            nodes,
            addrs,
            proxy,
            pair,
        }
    }

    /// What the proxy says.
    async fn told(&mut self, line: &str) -> String {
        let args: Vec<&str> = line.split(' ').collect();
        ask(&mut self.pair.proxy, &args).await
    }

    async fn node(&self, place: usize) -> Client {
        Client::connect(self.addrs[place], DEADLINE).await.unwrap()
    }

    /// What a node says by itself.
    async fn at(&self, place: usize, line: &str) -> String {
        let args: Vec<&str> = line.split(' ').collect();
        ask(&mut self.node(place).await, &args).await
    }
}

const HALF_DONE: &str = "#!lua name=half\nredis.register_function('f', function() return 1 end)";

#[tokio::test]
async fn scripts_and_functions_are_the_same_everywhere() {
    let mut setup = Setup::start("workers: 1").await;
    let library = "#!lua name=lib\nredis.register_function('mine', function(keys) return redis.call('GET', keys[1]) end)";
    for line in [
        "SCRIPT LOAD return(KEYS[1])",
        "SCRIPT LOAD this~is~no~lua",
        "SCRIPT EXISTS c25612b82607a58c0a27b966f5ea53f2556fcb4e",
        "EVALSHA c25612b82607a58c0a27b966f5ea53f2556fcb4e 1 a",
        "EVALSHA c25612b82607a58c0a27b966f5ea53f2556fcb4e 1 b",
        "EVALSHA c25612b82607a58c0a27b966f5ea53f2556fcb4e 1 c",
        "SCRIPT FLUSH NOW",
        "SCRIPT FLUSH SYNC",
        "SCRIPT NONSENSE",
        "SCRIPT",
        "SCRIPT LOAD",
        "SCRIPT HELP",
        "FUNCTION HELP",
        "FUNCTION FLUSH",
        "FUNCTION LIST",
        "FUNCTION DUMP",
        "FUNCTION STATS",
        "FUNCTION DELETE lib",
        "FUNCTION RESTORE nonsense",
        "FUNCTION WHAT",
    ] {
        setup.pair.check(line).await;
    }
    for key in ["a", "b", "c", "d"] {
        setup.pair.check(&format!("SET {key} of-{key}")).await;
    }
    let load = ["FUNCTION", "LOAD", library];
    assert_eq!(ask(&mut setup.pair.proxy, &load).await, "\"lib\"");
    assert_eq!(ask(&mut setup.pair.plain, &load).await, "\"lib\"");
    for line in [
        "FCALL mine 1 a",
        "FCALL mine 1 b",
        "FCALL mine 1 c",
        "FCALL mine 1 d",
        "FUNCTION LIST WITHCODE",
        "FUNCTION STATS",
    ] {
        setup.pair.check(line).await;
    }
    // What the proxy dumps can be restored, everywhere.
    let dump = setup.pair.proxy.call(&["FUNCTION", "DUMP"], DEADLINE).await;
    let testbed::wire::Value::Bulk(dump) = dump.unwrap() else {
        panic!("FUNCTION DUMP is no bulk");
    };
    setup.pair.check("FUNCTION DELETE lib").await;
    for place in 0..3 {
        assert_eq!(setup.at(place, "FUNCTION LIST").await, "[]");
    }
    let restore: [&[u8]; 3] = [b"FUNCTION", b"RESTORE", &dump];
    let restored = setup.pair.proxy.call(&restore, DEADLINE).await.unwrap();
    assert_eq!(crate::support::show(&restored), "OK");
    for place in 0..3 {
        assert!(setup.at(place, "FUNCTION LIST").await.contains("\"mine\""));
    }
}

#[tokio::test]
async fn a_script_exists_where_every_node_has_it() {
    let mut setup = Setup::start("workers: 1").await;
    let (everywhere, here) = (
        setup.told("SCRIPT LOAD return(1)").await,
        setup.at(1, "SCRIPT LOAD return(2)").await,
    );
    let (everywhere, here) = (everywhere.trim_matches('"'), here.trim_matches('"'));
    let exists = format!("SCRIPT EXISTS {everywhere} {here} {everywhere}");
    assert_eq!(setup.told(&exists).await, "[:1 :0 :1]");
    assert_eq!(setup.told("SCRIPT FLUSH").await, "OK");
    assert_eq!(setup.told(&exists).await, "[:0 :0 :0]");
    for place in 0..3 {
        assert_eq!(setup.at(place, &exists).await, "[:0 :0 :0]");
        let stats = setup.at(place, "INFO commandstats").await;
        assert!(stats.contains("cmdstat_script|flush:calls=1,"), "{stats}");
    }
}

/// EVAL leaves the script on the node of its keys only. What exists can be called for every key.
#[tokio::test]
async fn a_script_exists_when_it_can_be_called_for_every_key() {
    let mut setup = Setup::start("workers: 1").await;
    let keys: Vec<String> = (0..3)
        .map(|place| keys_on(&setup.addrs, place).next().unwrap())
        .collect();
    let sha = "c25612b82607a58c0a27b966f5ea53f2556fcb4e";
    let exists = format!("SCRIPT EXISTS {sha}");
    let eval = |key: &str| format!("EVAL return(KEYS[1]) 1 {key}");
    let call = |key: &str| format!("EVALSHA {sha} 1 {key}");
    let answer = format!("\"{}\"", keys[0]);
    assert_eq!(setup.told(&eval(&keys[0])).await, answer);
    assert_eq!(setup.told(&call(&keys[0])).await, answer);
    assert_eq!(setup.told(&exists).await, "[:0]");
    assert!(setup.told(&call(&keys[1])).await.starts_with("-NOSCRIPT"));
    // Either way in which clients go on from there.
    setup.told(&eval(&keys[1])).await;
    assert_eq!(setup.told(&exists).await, "[:0]");
    assert_eq!(
        setup.told("SCRIPT LOAD return(KEYS[1])").await,
        format!("\"{sha}\"")
    );
    assert_eq!(setup.told(&exists).await, "[:1]");
    for key in &keys {
        assert_eq!(setup.told(&call(key)).await, format!("\"{key}\""));
    }
}

#[tokio::test]
async fn a_random_key_is_one_of_any_node() {
    let mut setup = Setup::start("workers: 1").await;
    setup.pair.check("RANDOMKEY").await;
    let alone = keys_on(&setup.addrs, 2).next().unwrap();
    setup.told(&format!("SET {alone} v")).await;
    for _ in 0..20 {
        assert_eq!(setup.told("RANDOMKEY").await, format!("\"{alone}\""));
    }
    let mut expected = BTreeSet::from([format!("\"{alone}\"")]);
    for place in [0, 1] {
        let key = keys_on(&setup.addrs, place).next().unwrap();
        setup.told(&format!("SET {key} v")).await;
        expected.insert(format!("\"{key}\""));
    }
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        seen.insert(setup.told("RANDOMKEY").await);
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn settings_are_those_of_the_nodes() {
    let mut setup = Setup::start("workers: 1").await;
    for line in [
        "CONFIG GET save",
        "CONFIG GET appendonly",
        "CONFIG GET no-such-setting",
        "CONFIG SET maxmemory-samples 7",
        "CONFIG GET maxmemory-samples",
        "CONFIG SET maxmemory-samples x",
        "CONFIG SET no-such-setting 1",
        "CONFIG SET maxmemory-samples",
        "CONFIG RESETSTAT",
        "CONFIG HELP",
        "CONFIG",
        "CONFIG NONSENSE",
        "CONFIG GET",
        "SLOWLOG LEN",
        "SLOWLOG RESET",
        "SLOWLOG GET",
        "SLOWLOG GET -2",
        "SLOWLOG GET x",
        "SLOWLOG HELP",
        "LATENCY RESET",
        "LATENCY HELP",
        "MEMORY PURGE",
        "MODULE LIST",
        "MODULE HELP",
        "MODULE NONSENSE",
    ] {
        setup.pair.check(line).await;
    }
    for place in 0..3 {
        let told = setup.at(place, "CONFIG GET maxmemory-samples").await;
        assert_eq!(told, "[\"maxmemory-samples\" \"7\"]");
    }
    setup.at(1, "CONFIG SET maxmemory-samples 8").await;
    let [a, b, c] = [0, 1, 2].map(|place| setup.addrs[place]);
    assert_eq!(
        setup.told("CONFIG GET maxmemory-samples").await,
        "[\"maxmemory-samples\" \"7\"]"
    );
    setup.at(1, "CONFIG SET maxmemory-policy allkeys-lru").await;
    assert_eq!(
        setup.told("CONFIG GET maxmemory-policy").await,
        format!(
            "[\"maxmemory-policy\" \"nodes differ: {a} says 'noeviction'; {b} says 'allkeys-lru'; {c} says 'noeviction'\"]"
        )
    );
    assert_eq!(
        setup.told("CONFIG GET databases").await,
        "[\"databases\" \"1\"]"
    );
    // All of them at once, as many as a node has but for the passwords.
    let all = |told: String| told.matches('"').count();
    let (told, plain) = (
        setup.told("CONFIG GET *").await,
        setup.at(0, "CONFIG GET *").await,
    );
    // Names and values: requirepass, masterauth and two of TLS keys, which a build without TLS does not know.
    let secrets =
        ["requirepass", "masterauth", "key-file-pass"].map(|name| plain.matches(name).count());
    assert_eq!(
        all(told),
        all(plain.clone()) - 4 * secrets.iter().sum::<usize>()
    );
}

/// Commands by which a client could see a secret, lock the proxy or clients out, move or copy a node's data, or stop a node.
const DANGEROUS: &str = "\
ACL LIST; ACL SETUSER default off; ACL LOAD; ACL SAVE; ACL DELUSER default; ACL GETUSER default; ACL LOG;
BGREWRITEAOF; BGSAVE; SAVE; LASTSAVE;
CLIENT KILL TYPE normal; CLIENT PAUSE 100000; CLIENT REPLY OFF; CLIENT NO-TOUCH on; CLIENT UNBLOCK 1;
CLIENT TRACKING on; CLUSTER RESET; CLUSTER MEET 127.0.0.1 1; CLUSTER FAILOVER;
CONFIG GET requirepass; CONFIG GET save MASTERAUTH; CONFIG SET requirepass x; CONFIG SET masterauth x;
CONFIG SET port 1; CONFIG SET bind 127.0.0.9; CONFIG SET maxclients 1; CONFIG SET timeout 1; CONFIG SET tls-port 1;
CONFIG SET protected-mode yes; CONFIG SET maxmemory 0 unixsocket /x;
DEBUG SLEEP 1; DEBUG SEGFAULT; DEBUG RELOAD; FAILOVER; MIGRATE 127.0.0.1 1 k 0 1;
MODULE LOAD /x; MODULE LOADEX /x; MODULE UNLOAD x; MONITOR; PSYNC ? -1; SYNC; REPLCONF listening-port 1;
REPLICAOF 127.0.0.1 1; SLAVEOF 127.0.0.1 1; ROLE; SCRIPT DEBUG yes; SHUTDOWN NOSAVE; SWAPDB 0 1; MOVE k 1;
SUBSCRIBE x; PFDEBUG GETREG k; PFSELFTEST; READONLY; ASKING";

#[tokio::test]
async fn no_client_can_reveal_lock_out_or_move_a_node() {
    let mut setup = Setup::start("workers: 1").await;
    setup.at(0, "CONFIG SET masterauth s3cret").await;
    for line in DANGEROUS.split(';').map(str::trim) {
        let told = setup.told(line).await;
        assert!(
            told.starts_with('-') && told.contains("not supported by this proxy: "),
            "{line}: {told}"
        );
    }
    for pattern in [
        "*",
        "*auth",
        "m?sterauth",
        "masteraut[h]",
        "masterauth*",
        "*pass",
    ] {
        let told = setup.told(&format!("CONFIG GET {pattern}")).await;
        assert!(
            !told.contains("s3cret") && !told.contains("masterauth"),
            "{pattern}: {told}"
        );
    }
    for place in 0..3 {
        assert_eq!(
            setup.at(place, "CONFIG GET requirepass").await,
            "[\"requirepass\" \"\"]"
        );
        assert!(setup.at(place, "ROLE").await.starts_with("[\"master\""));
    }
    // With one node, a transaction passes its reply on as it is.
    let one = Proxy::start(&setup.addrs[..1], "workers: 1").await;
    let mut client = one.client().await;
    for pattern in ["masterauth", "*", "masteraut[h]"] {
        assert_eq!(ask(&mut client, &["MULTI"]).await, "OK");
        assert!(
            ask(&mut client, &["CONFIG", "GET", pattern])
                .await
                .starts_with("-ERR command 'CONFIG|GET'")
        );
        assert!(ask(&mut client, &["EXEC"]).await.starts_with("-EXECABORT"));
    }
}

#[tokio::test]
async fn slow_commands_of_all_nodes_are_one_log() {
    let mut setup = Setup::start("workers: 1").await;
    setup.told("CONFIG SET slowlog-log-slower-than 0").await;
    setup.told("SLOWLOG RESET").await;
    for place in 0..3 {
        let key = keys_on(&setup.addrs, place).next().unwrap();
        setup.told(&format!("SET {key} v")).await;
    }
    setup.told("CONFIG SET slowlog-log-slower-than -1").await;
    // Each node has logged the RESET, its SET, and the CONFIG SET before it took effect, or not.
    let log = setup.told("SLOWLOG GET -1").await;
    for place in 0..3 {
        let key = keys_on(&setup.addrs, place).next().unwrap();
        assert_eq!(
            log.matches(&format!("[\"SET\" \"{key}\" \"v\"]")).count(),
            1,
            "{log}"
        );
    }
    // What every node was asked is one entry.
    for all in [
        "[\"SLOWLOG\" \"RESET\"]",
        "\"slowlog-log-slower-than\" \"-1\"]",
    ] {
        assert!(log.matches(all).count() <= 1, "{all}: {log}");
    }
    let entries = log.matches("\"127.0.0.1:").count();
    assert_eq!(setup.told("SLOWLOG LEN").await, format!(":{entries}"));
    let ids: Vec<&str> = log
        .split("] [:")
        .map(|entry| entry.split(' ').next().unwrap())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), entries, "{log}");
    let two = setup.told("SLOWLOG GET 2").await;
    assert_eq!(two.matches("\"127.0.0.1:").count(), 2, "{two}");
    assert_eq!(setup.told("SLOWLOG RESET").await, "OK");
    assert_eq!(setup.told("SLOWLOG GET").await, "[]");
}

#[tokio::test]
async fn what_is_done_on_some_nodes_only_is_told() {
    let mut setup = Setup::start("workers: 1").await;
    let [a, b, c] = [0, 1, 2].map(|place| keys_on(&setup.addrs, place).next().unwrap());
    let [on_a, on_b, on_c] = [0, 1, 2].map(|place| setup.addrs[place].to_string());
    assert_eq!(setup.told(&format!("MSET {a} 1 {b} 2 {c} 3")).await, "OK");
    setup.nodes[1].kill().await.unwrap();
    let refused = format!("-ERR node {on_b}: connection refused");
    crate::support::eventually("the node is known to be gone", DEADLINE, async || {
        setup.told(&format!("GET {b}")).await == refused
    })
    .await;
    // A value of its own is an error of its own.
    assert_eq!(
        setup.told(&format!("MGET {c} {b} {a} {b}")).await,
        format!("[\"3\" {refused} \"1\" {refused}]")
    );
    let part = |done: &str| format!("{refused}; failed on {on_b}, done on {done}");
    for (line, done) in [
        (format!("MSET {c} 4 {b} 4 {a} 4"), format!("{on_c}, {on_a}")),
        (format!("EXISTS {a} {b}"), on_a.clone()),
        (format!("TOUCH {b} {c}"), on_c.clone()),
        (format!("UNLINK {b} {a}"), on_a.clone()),
        (format!("DEL {c} {b}"), on_c.clone()),
        ("DBSIZE".to_owned(), format!("{on_a}, {on_c}")),
        (
            "SCRIPT LOAD return(1)".to_owned(),
            format!("{on_a}, {on_c}"),
        ),
        ("FLUSHALL".to_owned(), format!("{on_a}, {on_c}")),
    ] {
        assert_eq!(setup.told(&line).await, part(&done), "{line}");
    }
    let load = ["FUNCTION", "LOAD", HALF_DONE];
    let told = ask(&mut setup.pair.proxy, &load).await;
    assert_eq!(told, part(&format!("{on_a}, {on_c}")));
    // A node's own error says which it was.
    setup.nodes[1].restart().await.unwrap();
    crate::support::eventually("the node is back", DEADLINE, async || {
        setup.told(&format!("GET {b}")).await == "nil"
    })
    .await;
    setup.at(2, "REPLICAOF 127.0.0.1 1").await;
    assert_eq!(
        setup.told(&format!("MSET {a} 1 {b} 2 {c} 3")).await,
        format!(
            "-READONLY You can't write against a read only replica.; failed on {on_c}, done on {on_a}, {on_b}"
        )
    );
}

#[tokio::test]
async fn administration_of_all_nodes_can_be_switched_off() {
    let mut setup = Setup::start("workers: 1\nadmin_fan_out: false").await;
    setup.told("SET k v").await;
    for (line, name) in [
        ("FLUSHALL", "FLUSHALL"),
        ("FLUSHDB ASYNC", "FLUSHDB"),
        ("CONFIG SET maxmemory 1", "CONFIG|SET"),
        ("CONFIG RESETSTAT", "CONFIG|RESETSTAT"),
        ("SCRIPT FLUSH", "SCRIPT|FLUSH"),
        ("FUNCTION FLUSH", "FUNCTION|FLUSH"),
        ("FUNCTION LOAD x", "FUNCTION|LOAD"),
        ("SLOWLOG RESET", "SLOWLOG|RESET"),
    ] {
        assert_eq!(
            setup.told(line).await,
            format!(
                "-ERR command '{name}' is not supported by this proxy: it changes every node, and `admin_fan_out` is off"
            )
        );
    }
    // A script can do the same on its node.
    setup
        .told("SCRIPT LOAD return(redis.call('flushall'))")
        .await;
    for line in [
        "EVAL return(redis.call('flushall')) 1 k",
        "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 k",
        "FCALL f 1 k",
    ] {
        let told = setup.told(line).await;
        assert!(
            told.contains("a script can change or empty its node, and `admin_fan_out` is off"),
            "{line}: {told}"
        );
        assert_eq!(setup.told("MULTI").await, "OK");
        assert_eq!(setup.told(line).await, told);
        assert!(setup.told("EXEC").await.starts_with("-EXECABORT"));
    }
    for line in [
        "DBSIZE",
        "KEYS *",
        "CONFIG GET maxmemory",
        "EVAL_RO return(redis.call('get',KEYS[1])) 1 k",
        "SCRIPT LOAD return(1)",
    ] {
        let told = setup.told(line).await;
        assert!(!told.starts_with('-'), "{line}: {told}");
    }
    let flushes = "EVAL_RO return(redis.call('flushall')) 1 k";
    assert!(setup.told(flushes).await.starts_with('-'));
    assert_eq!(setup.told("GET k").await, "\"v\"");
}

#[tokio::test]
async fn a_script_without_keys_is_refused_with_what_to_do() {
    let mut setup = Setup::start("workers: 1").await;
    setup.told("SET k5 old").await;
    setup
        .told("FUNCTION LOAD #!lua name=mine\nredis.register_function('f',function()return(1)end)")
        .await;
    for (line, name) in [
        ("EVAL redis.call('SET','k5','v') 0", "EVAL"),
        ("EVAL_RO return(7) 0", "EVAL_RO"),
        (
            "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
            "EVALSHA",
        ),
        (
            "EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0 a",
            "EVALSHA_RO",
        ),
        ("FCALL f 0", "FCALL"),
        ("FCALL_RO f 0 a", "FCALL_RO"),
    ] {
        let refused = format!(
            "-ERR command '{name}' without keys is not supported by this proxy: declare the keys that the script uses, or set \
             `scripts_without_keys: any_node`"
        );
        assert_eq!(setup.told(line).await, refused);
        assert_eq!(setup.told("MULTI").await, "OK");
        assert_eq!(setup.told(line).await, refused);
        assert!(setup.told("EXEC").await.starts_with("-EXECABORT"));
    }
    assert_eq!(setup.told("GET k5").await, "\"old\"");
    assert_eq!(
        setup
            .told("EVAL return(redis.call('SET',KEYS[1],'new')) 1 k5")
            .await,
        "OK"
    );
    assert_eq!(setup.told("GET k5").await, "\"new\"");
    // Where there is one node, it has all keys.
    let one = Proxy::start(&setup.addrs[..1], "workers: 1").await;
    let mut client = one.client().await;
    assert_eq!(ask(&mut client, &["EVAL", "return 7", "0"]).await, ":7");
    let any = Proxy::start(&setup.addrs, "workers: 1\nscripts_without_keys: any_node").await;
    let mut client = any.client().await;
    assert_eq!(ask(&mut client, &["EVAL", "return 7", "0"]).await, ":7");
}

/// The fields of a text of INFO.
pub(crate) fn fields(text: &str) -> BTreeMap<String, String> {
    let lines = text.trim_matches('"').split("\\r\\n");
    let pairs = lines.filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn info_adds_up_what_the_nodes_say() {
    let mut setup = Setup::start("workers: 1").await;
    for number in 0..60 {
        setup.pair.check(&format!("SET k{number} v")).await;
    }
    for line in ["EXPIRE k1 1000", "GET k1", "GET nothing", "GET k1 k2"] {
        setup.pair.check(line).await;
    }
    let told = fields(&setup.told("INFO everything").await);
    let plain = fields(&ask(&mut setup.pair.plain, &["INFO", "everything"]).await);
    for field in [
        "redis_version",
        "redis_mode",
        "role",
        "loading",
        "maxmemory_policy",
        "keyspace_hits",
        "keyspace_misses",
    ] {
        assert_eq!(told.get(field), plain.get(field), "{field}");
    }
    let keys = |told: &BTreeMap<String, String>| {
        let counts = told["db0"].rsplit_once(',').unwrap();
        counts.0.to_owned()
    };
    assert_eq!(keys(&told), "keys=60,expires=1");
    assert_eq!(keys(&told), keys(&plain));
    let calls =
        |told: &BTreeMap<String, String>| told["cmdstat_set"].split(',').next().unwrap().to_owned();
    assert_eq!(calls(&told), calls(&plain));
    assert_eq!(told["nodes"], "3");
    assert_eq!(told["tcp_port"], setup.proxy.addr.port().to_string());
    assert_eq!(told["connected_clients"], "1");
    let memory: u64 = told["used_memory"].parse().unwrap();
    assert!(memory > 2 * plain["used_memory"].parse::<u64>().unwrap());
    // What one value cannot say is not said at all; what is about the nodes comes with the usual sections only.
    assert!(plain.contains_key("master_replid") && !told.contains_key("master_replid"));
    assert_ne!(told["run_id"], plain["run_id"]);
    // Each node has counted the INFO.
    setup.told("DBSIZE").await;
    let told = fields(&setup.told("INFO commandstats").await);
    assert!(told["cmdstat_dbsize"].starts_with("calls=1,"), "{told:?}");
    let memory = setup.told("INFO memory").await;
    assert!(
        memory.contains("used_memory_human:") && !memory.contains("# Nodes"),
        "{memory}"
    );
    assert_eq!(setup.told("INFO nonsense").await, "\"\"");
    // An error that a client makes is told to the byte.
    let made = [
        "EVAL",
        r"return redis.error_reply('\255\254 made')",
        "1",
        "k",
    ];
    ask(&mut setup.pair.proxy, &made).await;
    let told = setup.pair.proxy.call(&["INFO", "errorstats"], DEADLINE);
    let testbed::wire::Value::Bulk(told) = told.await.unwrap() else {
        panic!("INFO is no bulk");
    };
    let line = b"errorstat_\xff\xfe:count=1\r\n";
    assert!(told.windows(line.len()).any(|at| at == line));
}

#[tokio::test]
async fn info_tells_of_a_node_that_is_gone_and_sums_nothing_up() {
    let mut setup = Setup::start("workers: 1").await;
    for number in 0..60 {
        setup.told(&format!("SET k{number} v")).await;
    }
    setup.nodes[1].kill().await.unwrap();
    let told = fields(&setup.told("INFO").await);
    let gone = &told["node1"];
    let address = format!("address={},state=", setup.addrs[1]);
    assert!(
        gone.starts_with(&address) && gone.contains(",error=ERR node "),
        "{gone}"
    );
    assert!(told["node0"].contains(",role=master"), "{told:?}");
    assert_eq!(told["role"], "master");
    for field in ["db0", "used_memory", "keyspace_hits"] {
        assert!(!told.contains_key(field), "{field}: {told:?}");
    }
    // Nothing but its title would look like no keys.
    let told = fields(&setup.told("INFO keyspace").await);
    assert!(told["node1"].contains(",error=ERR node "), "{told:?}");
    assert!(!told.contains_key("db0"), "{told:?}");
    for node in [0, 2] {
        setup.nodes[node].kill().await.unwrap();
    }
    let told = setup.told("INFO").await;
    assert!(told.starts_with("-ERR node "), "{told}");
}

#[tokio::test]
async fn latency_is_that_of_all_nodes() {
    let mut setup = Setup::start("workers: 1").await;
    for line in [
        "LATENCY LATEST",
        "LATENCY HISTORY command",
        "LATENCY HISTOGRAM nonsense",
        "LATENCY RESET",
    ] {
        setup.pair.check(line).await;
    }
    setup.told("CONFIG SET latency-monitor-threshold 200").await;
    for (place, seconds) in [(0, "0.3"), (2, "0.5")] {
        assert_eq!(
            setup.at(place, &format!("DEBUG SLEEP {seconds}")).await,
            "OK"
        );
    }
    let own = [
        setup.at(0, "LATENCY LATEST").await,
        setup.at(2, "LATENCY LATEST").await,
    ];
    // The last number of `["command" :TIME :LATEST :WORST]`; other events may have entries of their own.
    let worst = |told: &str| -> i64 {
        let (_, entry) = told.split_once("[\"command\" ").unwrap();
        let (entry, _) = entry.split_once(']').unwrap();
        entry.rsplit(':').next().unwrap().parse().unwrap()
    };
    let latest = setup.told("LATENCY LATEST").await;
    assert_eq!(latest.matches("\"command\"").count(), 1, "{latest}");
    assert_eq!(
        worst(&latest),
        own.iter().map(|told| worst(told)).max().unwrap()
    );
    let history = setup.told("LATENCY HISTORY command").await;
    let own = setup.at(2, "LATENCY HISTORY command").await;
    let last = own.trim_end_matches(']').rsplit('[').next().unwrap();
    assert!(history.contains(&format!("[{last}]")), "{history}: {own}");
    for number in 0..30 {
        setup.pair.check(&format!("SET k{number} v")).await;
    }
    let histogram = setup.told("LATENCY HISTOGRAM set").await;
    assert!(
        histogram.starts_with("[\"set\" [\"calls\" :30 \"histogram_usec\" ["),
        "{histogram}"
    );
    assert!(
        histogram.trim_end_matches(']').ends_with(" :30"),
        "{histogram}"
    );
    for _ in 0..5 {
        setup.pair.check("DBSIZE").await;
    }
    let histogram = setup.told("LATENCY HISTOGRAM dbsize").await;
    assert!(
        histogram.starts_with("[\"dbsize\" [\"calls\" :5 "),
        "{histogram}"
    );
    setup.told("CONFIG SET latency-monitor-threshold 0").await;
    setup.told("LATENCY RESET").await;
    assert_eq!(setup.told("LATENCY LATEST").await, "[]");
}
