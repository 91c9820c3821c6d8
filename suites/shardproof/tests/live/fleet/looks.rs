//! Reports of a check on live nodes.

use std::sync::Mutex;

use shardproof::fleet::{self, CheckOptions, Error, Fleet, Member, Scanning, Stream};
use testbed::wire::Value;

use crate::fleet::nodes::{Nodes, cluster};

pub(crate) async fn each_key_has_the_state_of_its_place() {
    let nodes = Nodes::start(3, 1).await;
    // On the right node; only on a wrong node; also on a wrong node, equal and different; on the node that left; on two
    // wrong nodes.
    let key = |number| nodes.key(0, number);
    nodes.ask(0, &format!("SET {} kept", key(0))).await;
    nodes.ask(1, &format!("SET {} away", key(1))).await;
    for place in [0, 1] {
        nodes.ask(place, &format!("SET {} same", key(2))).await;
        nodes.ask(place, &format!("SET {} {place}", key(3))).await;
        nodes
            .ask(place, &format!("SET {} alike EX 100", key(6)))
            .await;
    }
    nodes.ask(3, &format!("SET {} left", key(4))).await;
    nodes.ask(1, &format!("SET {} two", key(5))).await;
    nodes.ask(2, &format!("SET {} two", key(5))).await;
    nodes.ask(1, &format!("PERSIST {}", key(6))).await;

    let check = nodes.check().await;
    let keys = (check.keys, check.kept, check.unreachable);
    assert_eq!(keys, (7, 4, 3), "{check:?}");
    assert_eq!((check.duplicated, check.stale), (3, 1), "{check:?}");
    let counts = check.nodes.iter().map(|node| {
        assert_eq!(node.kept + node.unreachable + node.duplicated, node.lie);
        (node.kept, node.unreachable, node.duplicated, node.leaving)
    });
    let expected = [
        (4, 0, 0, false),
        (0, 2, 3, false),
        (0, 1, 0, false),
        (0, 1, 0, true),
    ];
    assert_eq!(counts.collect::<Vec<_>>(), expected);
    assert_eq!(check.matrix, [[4, 5, 1, 1], [0; 4], [0; 4]]);
    assert!(!check.as_expected());
}

/// The order of a set or a hash differs between servers, and so does its dump.
pub(crate) async fn copies_are_compared_by_content() {
    let nodes = Nodes::start(2, 0).await;
    let (set, hash, more) = (nodes.key(0, 0), nodes.key(0, 1), nodes.key(0, 2));
    for place in [0, 1] {
        for number in 0..1000 {
            nodes.ask(place, &format!("SADD {set} m{number}")).await;
            nodes
                .ask(place, &format!("HSET {hash} f{number} v{number}"))
                .await;
            nodes.ask(place, &format!("SADD {more} m{number}")).await;
        }
    }
    nodes.ask(1, &format!("SADD {more} one-more")).await;
    let dumps = (
        nodes.ask(0, &format!("DUMP {set}")).await,
        nodes.ask(1, &format!("DUMP {set}")).await,
    );
    assert_ne!(dumps.0, dumps.1, "the test shows nothing");
    let check = nodes.check().await;
    assert_eq!((check.duplicated, check.stale), (3, 1), "{check:?}");
}

pub(crate) async fn a_scan_returns_every_key_once_and_only_those_of_its_prefix() {
    let nodes = Nodes::start(2, 0).await;
    let mut expected = Vec::new();
    for number in 0..3000_u16 {
        let bytes = number.to_be_bytes();
        let key = [b"pre[*]\\\r\n", &bytes[..]].concat();
        let place = usize::from(number % 2);
        nodes.ask_bytes(place, &[b"SET", &key[..], b"v"]).await;
        nodes.ask(place, &format!("SET pre{number} v")).await;
        expected.push(key);
    }
    let scanning = Scanning {
        prefix: b"pre[*]\\\r\n".to_vec(),
        count: 100,
    };
    let (sender, mut batches) = tokio::sync::mpsc::channel(1);
    let scan = {
        let (fleet, scanning) = (nodes.fleet.clone(), scanning.clone());
        let pace = std::sync::Arc::new(fleet::RateLimit::new(None));
        tokio::spawn(async move { fleet::scan_all(fleet.members(), &scanning, pace, sender).await })
    };
    let mut found = Vec::new();
    while let Some(keys) = batches.recv().await {
        found.extend(keys);
    }
    scan.await.unwrap().unwrap();
    found.sort();
    assert_eq!(found, expected);
    let looking = CheckOptions {
        scanning,
        ..CheckOptions::default()
    };
    assert_eq!(nodes.look(&looking).await.keys, 3000);
}

pub(crate) async fn an_impossible_fleet_is_refused() {
    let nodes = Nodes::start(2, 0).await;
    let twice = [nodes.endpoint(0); 2];
    let refused = Fleet::open(&cluster(2), &twice, &[]).await.unwrap_err();
    assert!(matches!(refused, Error::SameServer { .. }), "{refused}");

    let master = nodes.addr(0).replace(':', " ");
    assert_eq!(
        nodes.ask(1, &format!("REPLICAOF {master}")).await,
        Value::Simple(b"OK".to_vec())
    );
    let refused = Fleet::open(&cluster(2), &[0, 1].map(|place| nodes.endpoint(place)), &[]).await;
    assert!(matches!(refused, Err(Error::Replica(_))), "{refused:?}");
}

pub(crate) async fn threads_take_the_keys_of_live_nodes() {
    let nodes = Nodes::start(2, 0).await;
    for number in 0..2000 {
        nodes.ask(number % 2, &format!("SET key:{number} v")).await;
    }
    let member = |place: usize| Member::at(&nodes.addr(place), nodes.endpoint(place));
    let stream = Stream::open(vec![member(0), member(1)], Scanning::default(), None);
    let stream = Mutex::new(stream);
    let keys = Mutex::new(Vec::new());
    let take = || {
        while let Some(batch) = stream.lock().unwrap().take().unwrap() {
            keys.lock().unwrap().extend(batch);
        }
    };
    // Threads of their own and one of the runtime, as in a program that computes.
    std::thread::scope(|scope| {
        scope.spawn(take);
        take();
    });
    let mut keys = keys.into_inner().unwrap();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 2000);

    let addr: std::net::SocketAddr = "127.0.0.1:1".parse().unwrap();
    let gone = vec![member(0), Member::at("127.0.0.1:1", addr.into())];
    let mut stream = Stream::open(gone, Scanning::default(), None);
    let failed = loop {
        match stream.take() {
            Ok(keys) => assert!(
                keys.is_some(),
                "a node that is not there is no node without keys"
            ),
            Err(why) => break why,
        }
    };
    assert!(failed.to_string().contains("127.0.0.1:1"), "{failed}");
}
