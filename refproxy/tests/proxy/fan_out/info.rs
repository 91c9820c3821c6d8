//! INFO of all nodes.

use std::collections::BTreeMap;

use testbed::node::Node as _;

use super::Setup;
use crate::support::{DEADLINE, ask};

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
    // Fields that one value cannot express are left out; the section about nodes comes with the usual sections only.
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
    // An error that a client caused is listed with its exact bytes.
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
    // A section with only its title would look like no keys.
    let told = fields(&setup.told("INFO keyspace").await);
    assert!(told["node1"].contains(",error=ERR node "), "{told:?}");
    assert!(!told.contains_key("db0"), "{told:?}");
    for node in [0, 2] {
        setup.nodes[node].kill().await.unwrap();
    }
    let told = setup.told("INFO").await;
    assert!(told.starts_with("-ERR node "), "{told}");
}
