//! A migration that was carried out with something of everything, as its report has it.

use shardproof::fleet::{Carried, Check, Migration, NodeKeys, Probed};

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
        keys: 2000,
        kept: 1500,
        unreachable: 500,
        duplicated: 12,
        stale: 3,
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
                "key:7: lies on 10.0.0.1:6379, where it is placed, and the proxy does not find it"
                    .to_owned(),
            ],
        }),
    }
}

/// What a migration that met with everything left behind.
pub(crate) fn migration() -> Migration {
    let carried = Carried {
        moved: 488,
        superseded: 9,
        spared: 3,
        gone: 4,
        contested: 1,
        refused: 2,
        bytes: 24_400,
        deletes: Some(17),
        examples: vec!["key:9: OOM command not allowed when used memory > 'maxmemory'.".to_owned()],
    };
    let left = Check {
        proxy: None,
        ..check()
    };
    Migration::new(Some(carried), 250, left)
}
