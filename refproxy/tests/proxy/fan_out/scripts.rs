//! Scripts and functions: on every node, or on none.

use super::Setup;
use crate::support::{DEADLINE, Proxy, ask, keys_on};

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
    // The proxy's dump can be restored on any server.
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

/// EVAL leaves the script on the node of its keys only. A script exists if it can be called for every key.
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
    // Both ways in which clients continue from there.
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
    // A single node has all keys.
    let one = Proxy::start(&setup.addrs[..1], "workers: 1").await;
    let mut client = one.client().await;
    assert_eq!(ask(&mut client, &["EVAL", "return 7", "0"]).await, ":7");
    let any = Proxy::start(&setup.addrs, "workers: 1\nscripts_without_keys: any_node").await;
    let mut client = any.client().await;
    assert_eq!(ask(&mut client, &["EVAL", "return 7", "0"]).await, ":7");
}
