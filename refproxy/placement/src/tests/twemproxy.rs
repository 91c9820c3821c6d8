//! Placements recorded from nutcracker 0.5.0, and its order and naming of servers.

use super::{loopback, three, weighted};
use crate::hash::{Digest, TagRule};
use crate::{Cluster, Error, Health, Node, Placement, Policy};

/// The columns of [`RECORDED`].
const KEYS: [&[u8]; 10] = [
    b"",
    b"key:0",
    b"key:1",
    b"key:2",
    b"key:9999",
    b"foo{bar}{zap}",
    b"{user1000}.following",
    b"{user1000}.followers",
    b"foo{}{bar}",
    b"foo{{bar}}zap",
];

/// Distribution, digest, tags, nodes, and the node of each key by its place in the configuration file.
#[rustfmt::skip]
const RECORDED: [(&str, &str, TagRule, Servers, [u16; 10]); 16] = [
    ("ketama", "fnv1a_64", WHOLE, Servers::Equal(3), [0, 0, 0, 0, 2, 1, 0, 0, 0, 0]),
    ("ketama", "fnv1a_64", WHOLE, Servers::Equal(4), [0, 3, 3, 3, 2, 1, 3, 0, 0, 0]),
    ("ketama", "fnv1a_64", WHOLE, Servers::Equal(9), [0, 3, 3, 3, 6, 1, 3, 0, 0, 7]),
    ("ketama", "fnv1a_64", TagRule::BRACES, Servers::Equal(3), [0, 0, 0, 0, 2, 2, 2, 2, 0, 2]),
    ("ketama", "murmur", TagRule::BRACES, Servers::Equal(3), [0, 1, 0, 1, 2, 2, 1, 1, 1, 2]),
    ("ketama", "md5", WHOLE, Servers::Equal(3), [0, 0, 1, 0, 1, 2, 1, 0, 0, 2]),
    ("ketama", "crc16", WHOLE, Servers::Equal(3), [0, 1, 1, 1, 2, 0, 1, 0, 0, 0]),
    ("ketama", "crc32", WHOLE, Servers::Equal(3), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("ketama", "jenkins", WHOLE, Servers::Equal(4), [0, 3, 0, 3, 3, 3, 2, 3, 2, 1]),
    ("ketama", "hsieh", WHOLE, Servers::Equal(4), [0, 2, 2, 1, 2, 2, 3, 0, 3, 1]),
    ("ketama", "fnv1a_64", WHOLE, Servers::Weighted, [0, 0, 0, 0, 2, 1, 1, 0, 0, 0]),
    ("ketama", "fnv1a_64", WHOLE, Servers::Reversed, [2, 2, 2, 2, 0, 1, 2, 2, 2, 2]),
    ("modula", "fnv1a_64", WHOLE, Servers::Equal(3), [0, 2, 2, 2, 0, 1, 0, 0, 1, 0]),
    ("modula", "fnv1a_64", WHOLE, Servers::Weighted, [0, 1, 2, 1, 0, 1, 0, 0, 2, 2]),
    ("modula", "crc16", WHOLE, Servers::Equal(3), [0, 0, 0, 2, 0, 0, 1, 1, 1, 0]),
    ("modula", "fnv1_64", WHOLE, Servers::Equal(4), [0, 0, 1, 2, 0, 3, 0, 0, 2, 3]),
];

const WHOLE: TagRule = TagRule::WholeKey;

/// The servers of a recording: loopback ports from 21001 on.
#[derive(Debug, Clone, Copy)]
enum Servers {
    Equal(u16),
    /// 1, 2, 3.
    Weighted,
    /// Three, the last first.
    Reversed,
}

impl Servers {
    fn nodes(self) -> Vec<Node> {
        match self {
            Self::Equal(count) => loopback(21001..=21000 + count)
                .into_iter()
                .map(Node::at)
                .collect(),
            Self::Weighted => three(21001..=21003, [1, 2, 3]),
            Self::Reversed => loopback(21001..=21003)
                .into_iter()
                .rev()
                .map(Node::at)
                .collect(),
        }
    }
}

fn policy(distribution: &str, digest: &str) -> Policy {
    let digest = Digest::named(digest).unwrap();
    match distribution {
        "ketama" => Policy::Ketama { digest },
        _ => Policy::Modula { digest },
    }
}

fn ketama(nodes: Vec<Node>) -> Placement {
    Placement::new(&Cluster::new(Policy::ketama(), nodes)).unwrap()
}

fn modula(nodes: Vec<Node>) -> Placement {
    Placement::new(&Cluster::new(Policy::modula(), nodes)).unwrap()
}

fn named(name: &str) -> Node {
    Node {
        hash_key: Some(name.to_owned()),
        ..Node::at(format!("{name}.example:6379"))
    }
}

#[test]
fn recorded_placements() {
    for (distribution, digest, tags, servers, expected) in RECORDED {
        let mut cluster = Cluster::new(policy(distribution, digest), servers.nodes());
        cluster.tags = tags;
        let placement = Placement::new(&cluster).unwrap();
        let nodes = KEYS.map(|key| placement.node(key).0);
        assert_eq!(
            nodes, expected,
            "{distribution} {digest} {tags:?} {servers:?}"
        );
    }
}

#[test]
fn the_ring_of_three_servers() {
    let placement = ketama(Servers::Equal(3).nodes());
    assert_eq!(placement.entries_per_node(), [160; 3]);
    let points: Vec<_> = placement
        .entries()
        .map(|(point, owner)| (point, owner.0))
        .collect();
    assert_eq!(
        points[..4],
        [
            (0x001D_5014, 0),
            (0x00B2_C2D0, 0),
            (0x011F_D6A8, 1),
            (0x0184_7964, 1)
        ]
    );
    assert_eq!(points[478..], [(0xFF29_B10B, 1), (0xFFFD_B542, 1)]);
}

/// `crc32` keeps 15 bits, and a ring has next to no point that low.
#[test]
fn crc32_on_a_ring_puts_all_keys_on_one_node() {
    let cluster = Cluster::new(policy("ketama", "crc32"), Servers::Equal(3).nodes());
    let placement = Placement::new(&cluster).unwrap();
    assert!((0..20_000).all(|key| placement.node(format!("key:{key}").as_bytes()).0 == 0));
}

#[test]
fn a_key_that_hashes_to_a_point_belongs_to_it() {
    let nodes = loopback(29000..=29002).into_iter().map(Node::at).collect();
    let cluster = Cluster::new(policy("ketama", "md5"), nodes);
    let placement = Placement::new(&cluster).unwrap();
    for server in 0..3 {
        for number in 0..40 {
            let key = format!("127.0.0.1:{}-{number}", 29000 + server);
            assert_eq!(placement.node(key.as_bytes()).0, server, "{key}");
        }
    }
}

/// Modula shows the order: the node of the remainder is the n-th in it.
#[track_caller]
fn check_order(nodes: Vec<Node>, expected: &[u16]) {
    let order: Vec<u16> = modula(nodes).entries().map(|(_, owner)| owner.0).collect();
    assert_eq!(order, expected);
}

#[test]
fn shorter_names_come_first() {
    check_order(["zeta", "mid", "alpha"].map(named).to_vec(), &[1, 0, 2]);
    let addresses = ["10.0.0.10:6379", "10.0.0.9:6379"];
    check_order(addresses.map(Node::at).to_vec(), &[1, 0]);
    let addresses = ["127.0.0.1:29001", "127.0.0.1:9101"];
    check_order(addresses.map(Node::at).to_vec(), &[1, 0]);
    check_order(three(1..=3, [1, 2, 3]), &[0, 1, 1, 2, 2, 2]);
}

#[test]
fn a_name_is_hashed_instead_of_the_address() {
    let same = |one: Node, other: &str| {
        let other = ketama(vec![named(other), named("second")]);
        let one = ketama(vec![one, named("second")]);
        assert!(one.entries().eq(other.entries()));
    };
    same(Node::at("cache.example:11211"), "cache.example");
    same(Node::at("cache.example:011211"), "cache.example");
    same(Node::at("cache.example:6379"), "cache.example:6379");
    same(Node::at("127.0.0.1:029001"), "127.0.0.1:029001");
    same(Node::at("/run/redis.sock"), "/run/redis.sock:");
    let name_only = Node {
        name: Some("for people".to_owned()),
        ..Node::at("a:1")
    };
    same(name_only, "a:1");
    let twins = vec![Node::at("x:11211"), named("x")];
    assert_eq!(
        Placement::new(&Cluster::new(Policy::modula(), twins)),
        Err(Error::DuplicateHashKey("x".to_owned()))
    );
}

#[test]
fn an_ejected_server_is_as_if_it_were_not_there() {
    let weights = [1, 2, 1, 3];
    let all: Vec<Node> = loopback(21001..=21004)
        .into_iter()
        .zip(weights)
        .map(|(address, weight)| weighted(address, weight))
        .collect();
    for policy in [Policy::ketama(), Policy::modula()] {
        let mut ejected = all.clone();
        ejected[1].health = Health::Unhealthy;
        let mut without = all.clone();
        without.remove(1);
        let ejected = Placement::new(&Cluster::new(policy.clone(), ejected)).unwrap();
        let without = Placement::new(&Cluster::new(policy, without)).unwrap();
        for key in 0..1000 {
            let key = format!("key:{key}");
            let place = [0, 2, 3][without.node(key.as_bytes()).index()];
            assert_eq!(ejected.node(key.as_bytes()).0, place, "{key}");
        }
    }
    let mut dead = all;
    for node in &mut dead {
        node.health = Health::Unhealthy;
    }
    let dead = Cluster::new(Policy::ketama(), dead);
    assert_eq!(Placement::new(&dead), Err(Error::NoHealthyNode(0)));
}

#[test]
fn a_list_of_slots_that_would_fill_the_memory_is_refused() {
    let nodes = vec![weighted("a:1", 1 << 28), weighted("b:1", 1)];
    assert_eq!(
        Placement::new(&Cluster::new(Policy::modula(), nodes)),
        Err(Error::WeightsOverflow(1 << 28))
    );
}
