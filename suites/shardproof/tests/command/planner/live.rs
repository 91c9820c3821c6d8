//! Keys on real nodes are on the predicted nodes.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use testbed::client::Client;
use testbed::node::{Node, Process};
use testbed::targets::{Proxy, Setting};

use super::{check, file, shardproof, stdout};
use crate::support;

/// Real nodes behind a real proxy: keys written through it are on the predicted nodes, and a copy elsewhere is found.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_looked_for_where_they_may_be() {
    let target = support::targets()
        .into_iter()
        .find(|target| target.name == "refproxy")
        .unwrap();
    support::prepare(&target);
    let search = support::search();
    let nodes = [
        Process::start(&search).await.unwrap(),
        Process::start(&search).await.unwrap(),
    ];
    let addrs = nodes.each_ref().map(|node| node.addr());
    let setting = Setting {
        nodes: addrs.to_vec(),
        policy: "maglev".to_owned(),
        hash_tags: true,
        op_timeout_ms: 5000,
    };
    let proxy = Proxy::start(&target, setting, &search).await.unwrap();
    let seen = ["10.9.8.1:6379", "10.9.8.2:6379"];
    let cluster = format!("maglev/hash_tags:{},{}", addrs[0], addrs[1]);
    let proxy_addr = proxy.addr().to_string();
    let locate = [
        "locate",
        "--cluster",
        &cluster,
        "--look",
        "--proxy",
        &proxy_addr,
    ];
    let keys: Vec<String> = (0..50)
        .map(|number| format!("{{{number}}}\u{e9}"))
        .collect();
    for key in &keys {
        call(proxy.addr(), &["SET", key, "value"]).await;
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let text = stdout(shardproof(&[&locate[..], &keys].concat()));
    for line in text.lines().skip(1) {
        let parts: Vec<&str> = line.split('\t').collect();
        assert_eq!(parts.len(), 7, "{line}");
        assert_eq!(parts[4..], [parts[4], parts[4], "found"], "{line}");
    }
    assert!(
        addrs
            .iter()
            .all(|addr| text.contains(&format!("{addr}\t{addr}\tfound"))),
        "{text}"
    );

    // The key is gone from its node, and a copy of it is on another one.
    call(proxy.addr(), &["DEL", keys[0]]).await;
    for addr in addrs {
        call(addr, &["DEL", keys[0]]).await;
    }
    let line: Value = serde_json::from_str(&stdout(shardproof(
        &[&locate[..], &["--json", "-", keys[0]]].concat(),
    )))
    .unwrap();
    assert_eq!(line["found_by_proxy"], false);
    assert_eq!(line["found_on"], serde_json::json!([]));
    let other = 1 - usize::try_from(line["index"].as_u64().unwrap()).unwrap();
    call(addrs[other], &["SET", keys[0], "copy"]).await;
    let output = shardproof(&[&locate[..], &["--json", "-", keys[0]]].concat());
    assert_eq!(output.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["found_by_proxy"], false);
    assert_eq!(
        line["found_on"],
        serde_json::json!([addrs[other].to_string()])
    );

    // Placed by addresses that only the proxy sees, searched at the addresses at which we reach the nodes.
    let cluster = format!("maglev:{}", seen.join(","));
    let reach = [0, 1].map(|node| format!("{}={}", addrs[node], seen[node]));
    let located = [
        "locate",
        "--cluster",
        &cluster,
        "--node",
        &reach[0],
        "--node",
        &reach[1],
        keys[1],
    ];
    let text = stdout(shardproof(&located));
    assert!(
        seen.iter()
            .any(|seen| text.ends_with(&format!("\t{seen}\n"))),
        "{text}"
    );
    let unreached = ["locate", "--cluster", "maglev:127.0.0.1:1", "--look", "key"];
    check(&unreached, 2, &["node 127.0.0.1:1", "no connection"]);
}

/// An Envoy that sends keys of a prefix to another cluster.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_routed_elsewhere_are_never_kept() {
    let search = support::search();
    let nodes = [
        Process::start(&search).await.unwrap(),
        Process::start(&search).await.unwrap(),
    ];
    let [one, two] = nodes.each_ref().map(|node| node.addr());
    let cluster = |name: &str, addr: SocketAddr| {
        let place = format!(
            "{{socket_address: {{address: {}, port_value: {}}}}}",
            addr.ip(),
            addr.port()
        );
        format!(
            "  - {{name: {name}, lb_policy: MAGLEV, load_assignment: {{endpoints: {{lb_endpoints: {{endpoint: {{address: {place}}}}}}}}}}}\n"
        )
    };
    let text = format!(
        "static_resources:
  listeners:
  - filter_chains:
    - filters:
      - name: redis
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          prefix_routes: {{routes: [{{prefix: '2:', cluster: c2}}], catch_all_route: {{cluster: c1}}}}
  clusters:
{}{}",
        cluster("c1", one),
        cluster("c2", two)
    );
    let (folder, path) = file("envoy.yaml", &text);
    for number in 0..39 {
        let key = format!("{}:{number}", 1 + number % 2);
        call(one, &["SET", &key, "value"]).await;
    }
    let description = ["--to", &path, "--cluster-name", "c1"];
    for command in ["check", "migrate"] {
        let output = shardproof(&[&[command][..], &description, &["--json", "-"]].concat());
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let check = report.get("check").unwrap_or(&report);
        assert_eq!((&check["kept"], &check["keys"]), (&20.into(), &20.into()));
        assert_eq!(check["routed_elsewhere"], 19);
        let output = shardproof(&[&[command][..], &description].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("routed elsewhere: 19 keys"), "{text}");
    }
    let output = shardproof(&[
        "check",
        "--to",
        &path,
        "--cluster-name",
        "c2",
        "--from-node",
        &one.to_string(),
        "--json",
        "-",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let check: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&check["unreachable"], &check["routed_elsewhere"]),
        (&19.into(), &20.into())
    );

    let keys = folder.path().join("keys");
    fs::write(&keys, "1:a\n2:a\n2:b\n").unwrap();
    let keys = keys.to_str().unwrap();
    let plan = [
        "plan",
        "--from",
        &path,
        "--cluster-name",
        "c1",
        "--add-node",
        "c:1",
        "--keys",
        keys,
        "--json",
        "-",
    ];
    let plan: Value = serde_json::from_str(&stdout(shardproof(&plan))).unwrap();
    assert_eq!(
        (&plan["keys"], &plan["routed_elsewhere"]),
        (&1.into(), &2.into())
    );
    let locate = ["locate", "--cluster", &path, "--cluster-name", "c1", "2:a"];
    let located = stdout(shardproof(&locate));
    assert!(located.ends_with("\t-\trouted elsewhere\n"), "{located}");
}

async fn call(addr: SocketAddr, arguments: &[&str]) {
    let within = Duration::from_secs(5);
    let mut client = Client::connect(addr, within).await.unwrap();
    let answer = client.call(arguments, within).await.unwrap();
    assert!(!answer.is_error(), "{arguments:?}: {answer}");
}
