//! Predixy's file. The expected clusters follow its source; no predixy has run.

use ::placement::hash::{PredixyHash, TagRule};
use ::placement::{Cluster, Node, Policy};

use super::{inline, none, picking, read, resolving, tags, wrong};
use crate::planner::Placement;
use crate::planner::description::predixy::is_one;
use crate::planner::description::{Description, Hints, included, read_description};

const GROUPS: &str = "Group a {
  + secret@10.0.0.2:6379
  + 10.0.0.9:6379
}
Group b {
  + 10.0.0.1:6379 # the second one
}
";

fn pool(settings: &str) -> String {
    format!("Bind 0.0.0.0:7617\nStandaloneServerPool {{\n{settings}\n{GROUPS}}}\n")
}

const MODULA: &str = "Hash crc16\nDistribution modula\nRefreshMethod fixed";

fn cluster(hash: PredixyHash, rule: TagRule) -> Cluster {
    let node = |address: &str, name: &str| Node {
        name: Some(name.to_owned()),
        ..Node::at(address)
    };
    let nodes = vec![node("10.0.0.2:6379", "a"), node("10.0.0.1:6379", "b")];
    let mut cluster = Cluster::new(Policy::Predixy { hash }, nodes);
    cluster.tags = rule;
    cluster
}

/// The group of a key, by Python's `binascii.crc_hqx(key, 0) % 2` and by hand.
#[test]
fn groups_are_nodes_in_the_order_of_the_file() {
    for (settings, hash, rule) in [
        (MODULA.to_owned(), PredixyHash::Crc16, TagRule::WholeKey),
        (
            "hash ATOL\nDISTRIBUTION Modula\nrefreshmethod FIXED\nHashTag \"{}\"".to_owned(),
            PredixyHash::Atol,
            TagRule::BRACES,
        ),
        (
            format!("{MODULA}\nHashTag $$\nDatabases 16\nHash atol"),
            PredixyHash::Atol,
            TagRule::Between(b'$', b'$'),
        ),
        (
            format!("{MODULA}\nHashTag"),
            PredixyHash::Crc16,
            TagRule::WholeKey,
        ),
    ] {
        let described = read(&pool(&settings), "file", &none()).unwrap();
        assert_eq!(described.cluster, cluster(hash, rule), "{settings}");
        assert_eq!(described.reach, ["10.0.0.2:6379", "10.0.0.1:6379"]);
        assert!(described.notes.is_empty(), "{:?}", described.notes);
    }
    let described = read(&pool(MODULA), "file", &none()).unwrap();
    let word = "predixy/hash=crc16:10.0.0.2:6379,10.0.0.1:6379";
    let word = Placement::new(&inline(word, &none()).unwrap().cluster).unwrap();
    let placement = Placement::new(&described.cluster).unwrap();
    assert_eq!(placement, word);
    for (key, group) in GROUPS_OF {
        assert_eq!(placement.node(key.as_bytes()).index(), group, "{key}");
    }
}

const GROUPS_OF: [(&str, usize); 4] = [("", 0), ("key:1", 1), ("key:2", 0), ("{user}:1", 0)];

#[test]
fn one_group_has_all_keys() {
    let one = |settings: &str| {
        let groups = GROUPS.split_once("Group b").unwrap().0;
        let text = format!("StandaloneServerPool {{\nRefreshMethod fixed\n{settings}\n{groups}}}");
        read(&text, "file", &none()).unwrap()
    };
    assert_eq!(one("").cluster.nodes.len(), 1);
    assert_eq!(one("").notes, [""; 0]);
    let random = one("Distribution random");
    assert!(
        random.notes[0].contains("Distribution random would scatter"),
        "{random:?}"
    );
    let reads = one("StaticSlaveReadPriority 50\nDynamicSlaveReadPriority 0");
    assert!(
        reads.notes[0].starts_with("StaticSlaveReadPriority: reads may"),
        "{reads:?}"
    );
}

#[test]
fn a_redis_cluster_has_seeds() {
    let text = "Include more.conf\nClusterServerPool {\n  Password hunter2\n  Servers {\n    + hunter2@redis-a:7001\n    + 10.0.0.2:7002\n  }\n}\n";
    let hints = Hints {
        included: [("dir/more.conf".to_owned(), "Name more".to_owned())].into(),
        ..resolving(&[("redis-a", [10, 0, 0, 1])])
    };
    let Ok(Description::RedisCluster(seeds)) = read_description(text, "dir/p.conf", &hints) else {
        panic!("not read");
    };
    assert_eq!(
        (&*seeds.place, seeds.setting),
        ("dir/p.conf:2", "ClusterServerPool")
    );
    assert_eq!(seeds.addresses, ["10.0.0.1:7001", "10.0.0.2:7002"]);
    let error = read(text, "dir/p.conf", &hints).unwrap_err().to_string();
    assert!(
        error.starts_with("dir/p.conf:2: ClusterServerPool: the nodes decide"),
        "{error}"
    );
    let off = Hints {
        hash_tags: Some(false),
        ..hints
    };
    let error = read_description(text, "dir/p.conf", &off).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("dir/p.conf:2: --hash-tags off"),
        "{error}"
    );
}

#[test]
fn a_file_is_known_by_its_pool_or_by_what_it_includes() {
    for text in [
        "\nInclude a.conf",
        "# why\nname x\nInclude a.conf",
        "clusterserverpool {",
        "StandaloneServerPool{\n",
        "x\nSentinelServerPool",
    ] {
        assert!(is_one(text), "{text}");
    }
    for text in [
        "",
        "# ClusterServerPool {",
        "Name x",
        "static_resources:\n  include x",
        "a: {ClusterServerPool: 1}",
        "Include: a",
    ] {
        assert!(!is_one(text), "{text}");
    }
}

/// A file that includes itself is read once here, and refused later.
#[test]
fn all_included_files_are_read_once() {
    let mut asked = Vec::new();
    let all = included(
        "Include a.conf\nInclude a.conf",
        "d/p.conf",
        |place, path| {
            asked.push(format!("{place} {path}"));
            match path {
                "d/a.conf" => Ok("Include /b.conf"),
                "/b.conf" => Ok("Include b.conf"),
                other => Err(other.to_owned()),
            }
            .map(str::to_owned)
        },
    );
    let all: Vec<String> = all.unwrap().into_keys().collect();
    assert_eq!(all, ["/b.conf", "d/a.conf"]);
    assert_eq!(asked, ["d/p.conf:2 d/a.conf", "d/a.conf:1 /b.conf"]);
    let missing = included("Include c.conf", "p.conf", |_, path| Err(path.to_owned()));
    assert_eq!(missing, Err("c.conf".to_owned()));
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    let random = "Hash atol\nDistribution random\nRefreshMethod fixed";
    for (text, hints, expected) in [
        (
            pool("Hash md5\nDistribution modula\nRefreshMethod fixed"),
            none(),
            "file:3: Hash `md5`: expected atol or crc16",
        ),
        (
            pool("Hash atol\nDistribution ketama\nRefreshMethod fixed"),
            none(),
            "file:4: Distribution `ketama`: expected modula or random",
        ),
        (
            pool("Hash atol\nRefreshMethod fixed"),
            none(),
            "file:2: Distribution: expected modula, for several groups",
        ),
        (
            pool("Distribution modula\nRefreshMethod fixed"),
            none(),
            "file:2: Hash: expected atol or crc16, for several groups",
        ),
        (
            pool(&format!("{MODULA}\nHashTag \"{{\"")),
            none(),
            "file:6: HashTag `{`: expected two characters",
        ),
        (
            pool("Hash atol\nDistribution modula"),
            none(),
            "file:2: RefreshMethod: expected fixed",
        ),
        (
            pool("RefreshMethod none"),
            none(),
            "file:3: RefreshMethod `none`: expected fixed",
        ),
        (
            pool(&format!("{MODULA}\nHashTags {{}}")),
            none(),
            "file:6: unknown field `HashTags` in a pool, did you mean `HashTag`?",
        ),
        (
            pool(MODULA) + "Pool x\n",
            none(),
            "file:14: unknown field `Pool` in the file: predixy does not know it; leave it out if another version does and it places no key",
        ),
        (
            pool(MODULA),
            tags(true),
            "file:2: --hash-tags on: hash tags are off here",
        ),
        (
            pool(MODULA),
            picking("main"),
            "file: --cluster-name main: expected one of StandaloneServerPool",
        ),
        (
            pool(MODULA).replace("10.0.0.1:", "secret@:"),
            none(),
            "file:11: server: expected + HOST:PORT or + /PATH, perhaps with PASSWORD@ before it",
        ),
        (
            pool(MODULA).replace("  + 10.0.0.1:6379 # the second one\n", ""),
            none(),
            "file:10: Group b: expected its servers",
        ),
        (
            pool(MODULA).replace("  + 10.0.0.1", "  10.0.0.1"),
            none(),
            "file:11: line in Group: expected servers, each as + HOST:PORT",
        ),
        (
            pool(MODULA).replace("10.0.0.1", "10.0.0.2"),
            none(),
            "file:2: two nodes have the hash key `10.0.0.2:6379`, expected a different one for each node",
        ),
        (
            pool(MODULA) + "ClusterServerPool {\n}\n",
            none(),
            "file:2: StandaloneServerPool: ClusterServerPool is given too, expected only one pool",
        ),
        (
            "StandaloneServerPool {\nRefreshMethod fixed\n}".to_owned(),
            none(),
            "file:1: Group: expected at least one group",
        ),
        (
            "StandaloneServerPool".to_owned(),
            none(),
            "file:1: StandaloneServerPool: expected a scope: { at the end of the line",
        ),
        (
            "ClusterServerPool {\nServers {\n}\n}".to_owned(),
            none(),
            "file:1: Servers: expected at least one server",
        ),
        (
            "ClusterServerPool {\nDatabases 2\n}".to_owned(),
            none(),
            "file:2: Databases: expected 1 in ClusterServerPool",
        ),
        (
            "ClusterServerPool {\nHash atol\n}".to_owned(),
            none(),
            "file:2: unknown field `Hash` in a pool: predixy does not know it; leave it out if another version does and it places no key",
        ),
        (
            "Include a.conf".to_owned(),
            none(),
            "file:1: Include a.conf: expected a file that can be read",
        ),
    ] {
        wrong(&text, &hints, expected);
    }
    for (text, part) in [
        (
            pool(random),
            "Distribution random is not a placement over several nodes",
        ),
        (
            pool("RefreshMethod sentinel\nSentinels {\n}"),
            "the sentinels know the masters",
        ),
        (
            "SentinelServerPool {\nHash atol\n}".to_owned(),
            "the sentinels know the masters",
        ),
        (
            pool(&format!("{MODULA}\nSentinels {{\n}}")),
            "expected none with RefreshMethod fixed",
        ),
    ] {
        let error = read(&text, "file", &none()).unwrap_err().to_string();
        assert!(
            error.starts_with("file:") && error.contains(part),
            "{error}"
        );
    }
}
