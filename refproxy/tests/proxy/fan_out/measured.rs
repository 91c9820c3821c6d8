//! What nodes have measured: slow commands and latencies, joined.

use std::collections::BTreeSet;

use super::Setup;
use crate::support::keys_on;

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
    // A request to every node is one entry.
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
