//! Settings of the nodes: what clients see and change of them, and what they must not.

use super::Setup;
use crate::support::{Proxy, ask};

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
    // With one node, a transaction forwards its reply unchanged.
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
