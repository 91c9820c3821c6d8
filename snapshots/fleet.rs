//! A migration with at least one of everything, as in its report.

use shardproof::fleet::{
    Check, ConflictKey, Finding, LargeKey, Level, Migration, MoveOutcome, NodeKeys, OtherDatabase,
    Point, Probed,
};

/// Two nodes and one that has left.
pub(crate) fn check() -> Check {
    let node = |addr: &str, leaving, [kept, unreachable, duplicated]: [u64; 3]| NodeKeys {
        addr: addr.to_owned(),
        leaving,
        lie: kept + unreachable + duplicated,
        kept,
        unreachable,
        duplicated,
    };
    Check {
        routed_elsewhere: 0,
        shares_nodes: false,
        format: "shardproof.check/1",
        policy: "maglev",
        databases: vec![0],
        elsewhere: vec![OtherDatabase {
            node: "10.0.0.2:6379".to_owned(),
            database: 3,
            keys: 7,
        }],
        keys: 2000,
        kept: 1500,
        unreachable: 500,
        duplicated: 12,
        stale: 3,
        conflicts: 1,
        conflict_keys: vec![ConflictKey {
            key: "key:11".to_owned(),
            nodes: vec!["10.0.0.2:6379".to_owned(), "10.0.0.3:6379".to_owned()],
            database: 0,
        }],
        large: 1,
        large_keys: vec![LargeKey {
            key: "key:12".to_owned(),
            node: "10.0.0.3:6379".to_owned(),
            bytes: Some(150_000_000),
            database: 0,
        }],
        movable: 498,
        findings: vec![Finding {
            point: Point::Functions,
            level: Level::Blocks,
            node: "10.0.0.2:6379".to_owned(),
            what: "library mylib is missing, which 10.0.0.1:6379 has".to_owned(),
        }],
        nodes: vec![
            node("10.0.0.1:6379", false, [800, 100, 5]),
            node("10.0.0.2:6379", false, [700, 0, 7]),
            node("10.0.0.3:6379", true, [0, 400, 0]),
        ],
        matrix: vec![vec![800, 7, 250], vec![105, 700, 150]],
        proxy: Some(Probed {
            agree: 1999,
            differ: 1,
            examples: vec![
                "key:7: is on 10.0.0.1:6379, where it is placed, and the proxy does not find it"
                    .to_owned(),
            ],
            shown: 400,
            tagged: 12,
            tagged_shown: 9,
            written: 0,
        }),
    }
}

/// The report of a migration with leftovers of every kind.
pub(crate) fn migration() -> Migration {
    let carried = MoveOutcome {
        moved: 488,
        superseded: 9,
        spared: 3,
        gone: 4,
        contested: 1,
        refused: 2,
        conflicts: 2,
        large: 1,
        bytes: 24_400,
        deletes: Some(17),
        examples: vec!["key:9: OOM command not allowed when used memory > 'maxmemory'.".to_owned()],
        proof: None,
    };
    let left = Check {
        proxy: None,
        ..check()
    };
    Migration::new(Some(carried), 250, left)
}
