//! Published vectors of ring hash, and its errors.

use super::{loopback, sha256, three};
use crate::{Cluster, Error, Node, Placement, Policy, RING_SIZE_MAX, RingFunction};

const DEFAULT: (u32, RingFunction) = (1024, RingFunction::XxHash);

fn ring(nodes: Vec<Node>, (size_min, function): (u32, RingFunction)) -> Placement {
    sized(nodes, (size_min, RING_SIZE_MAX), function).unwrap()
}

fn sized(
    nodes: Vec<Node>,
    (size_min, size_max): (u32, u32),
    function: RingFunction,
) -> Result<Placement, Error> {
    let policy = Policy::RingHash {
        size_min,
        size_max,
        function,
        hash_hostnames: false,
    };
    Placement::new(&Cluster::new(policy, nodes))
}

fn at(addresses: impl IntoIterator<Item = String>) -> Vec<Node> {
    addresses.into_iter().map(Node::at).collect()
}

/// Over the points in order: the number as little-endian u64, the owner as little-endian u16.
fn sha256_of_points(placement: &Placement) -> String {
    let bytes: Vec<u8> = placement
        .entries()
        .flat_map(|(point, owner)| [&point.to_le_bytes()[..], &owner.0.to_le_bytes()].concat())
        .collect();
    sha256(&bytes)
}

#[test]
fn small_rings_of_envoys_own_tests() {
    #[track_caller]
    fn check(
        ports: std::ops::RangeInclusive<u16>,
        function: RingFunction,
        expected: &[(u64, u16)],
    ) {
        let placement = ring(at(loopback(ports)), (12, function));
        let points: Vec<_> = placement
            .entries()
            .map(|(point, owner)| (point, owner.0))
            .collect();
        assert_eq!(points, expected);
    }
    check(
        90..=95,
        RingFunction::XxHash,
        &[
            (833_437_586_790_550_860, 4),
            (928_266_305_478_181_108, 2),
            (1_033_482_794_131_418_490, 0),
            (3_551_244_743_356_806_947, 5),
            (3_851_675_632_748_031_481, 3),
            (5_583_722_120_771_150_861, 1),
            (6_311_230_543_546_372_928, 1),
            (7_700_377_290_971_790_572, 3),
            (13_144_177_310_400_110_813, 5),
            (13_444_792_449_719_432_967, 2),
            (15_516_499_411_664_133_160, 4),
            (16_117_243_373_044_804_889, 0),
        ],
    );
    check(
        80..=85,
        RingFunction::Murmur2,
        &[
            (1_358_027_074_129_602_068, 5),
            (4_361_834_613_929_391_114, 3),
            (7_224_494_972_555_149_682, 4),
            (7_701_421_856_454_313_576, 1),
            (8_649_315_368_077_433_379, 2),
            (8_739_448_859_063_030_639, 4),
            (9_887_544_217_113_020_895, 1),
            (10_150_910_876_324_007_731, 2),
            (15_168_472_011_420_622_455, 3),
            (15_427_156_902_705_414_897, 0),
            (16_375_050_414_328_759_093, 5),
            (17_613_279_263_364_193_813, 0),
        ],
    );
}

// The digests below were recorded with an oracle that agreed with a real Envoy on every key asked.
#[test]
fn rings_at_the_default_size() {
    #[track_caller]
    fn check(placement: &Placement, points: &[usize], digest: &str) {
        assert_eq!(placement.entries_per_node(), points);
        assert_eq!(sha256_of_points(placement), digest);
    }
    let equal = ring(three(7001..=7003, [1, 1, 1]), DEFAULT);
    let first: Vec<_> = equal
        .entries()
        .take(3)
        .map(|(point, owner)| (point, owner.0))
        .collect();
    assert_eq!(
        first,
        [
            (26_018_964_500_578_674, 2),
            (33_466_263_486_001_082, 1),
            (52_061_155_027_483_469, 2)
        ]
    );
    check(
        &equal,
        &[342, 342, 342],
        "1a313ae510bc0bf258b393c156ca61f904c40a6bd53fe4adf4656704b630f8b2",
    );
    check(
        &ring(three(7001..=7003, [1, 2, 3]), DEFAULT),
        &[171, 342, 513],
        "ef6807727205367c9e668d33c5dce915497b494e6bf1d8b6300d1895489fe0c9",
    );
    check(
        &ring(three(7001..=7003, [1, 1, 1]), (1024, RingFunction::Murmur2)),
        &[342, 342, 342],
        "35331a75751d96c679aa1b2c9929dd976632240e81b1df5b6a7435c63df4dc9b",
    );
    check(
        &ring(
            at((1..=5).map(|last| format!("10.0.0.{last}:6379"))),
            DEFAULT,
        ),
        &[205; 5],
        "6e57760e19332fdedf39a1c521fb637ad77a161b76977f618874965a69975da0",
    );
}

#[test]
fn keys_of_the_reference_cluster() {
    for (function, keys) in [
        (
            RingFunction::XxHash,
            &[
                (&b"foo"[..], 1),
                (b"bar", 2),
                (b"user:1000", 0),
                (b"user1000", 0),
                (b"", 2),
                (b"key:0", 2),
                (b"key:1", 1),
                (b"key:2", 2),
                (b"key:3", 2),
            ][..],
        ),
        (
            RingFunction::Murmur2,
            &[
                (b"foo", 1),
                (b"bar", 0),
                (b"user:1000", 1),
                (b"user1000", 2),
                (b"key:0", 0),
            ],
        ),
    ] {
        let placement = ring(three(7001..=7003, [1, 1, 1]), (1024, function));
        for (key, node) in keys {
            let name = key.escape_ascii();
            assert_eq!(placement.node(key).0, *node, "{name} under {function:?}");
        }
    }
}

/// Envoy's own statistical test.
#[test]
fn weights_make_the_shares_that_envoy_expects() {
    let placement = ring(three(90..=92, [1, 2, 3]), (6144, RingFunction::XxHash));
    let mut counts = [0; 3];
    for digest in (0..6000).map(|step| u64::MAX / 6000 * step) {
        counts[placement.node_of_digest(digest).index()] += 1;
    }
    assert_eq!(counts, [987, 1932, 3081]);
}

/// With 75 equal nodes 1024 points cannot be divided evenly, and rounding gives the first node one more.
#[test]
fn the_first_of_75_nodes_has_a_point_more() {
    let addresses = loopback(7001..=7075);
    let forward = ring(at(addresses.clone()), DEFAULT);
    assert_eq!(forward.entries_per_node()[..3], [15, 14, 14]);
    let backward = ring(at(addresses.into_iter().rev()), DEFAULT);
    assert_eq!(backward.entries_per_node()[..3], [15, 14, 14]);
    let more_than_even: Vec<u16> = (1..=120)
        .filter(|count| {
            let points = ring(at(loopback(7001..=7000 + count)), DEFAULT).entries_per_node();
            points[0] > points[usize::from(*count) - 1]
        })
        .collect();
    assert_eq!(more_than_even, [75, 77, 91, 93, 99, 105, 117]);
}

#[test]
fn a_ring_may_be_too_small_for_its_nodes() {
    let four = sized(at(loopback(1..=4)), (2, 2), RingFunction::XxHash).unwrap();
    assert_eq!(
        four.entries_per_node()
            .iter()
            .filter(|points| **points == 0)
            .count(),
        2
    );
    let two = sized(at(loopback(1..=2)), (1023, 1023), RingFunction::XxHash).unwrap();
    assert_eq!(two.entries_per_node(), [512, 511]);
}

#[test]
fn sizes_that_envoy_refuses_are_refused() {
    for ((size_min, size_max), expected) in [
        ((0, 1024), Error::RingSize(0)),
        ((1024, 8_388_609), Error::RingSize(8_388_609)),
        (
            (1024, 1023),
            Error::RingSizes {
                size_min: 1024,
                size_max: 1023,
            },
        ),
    ] {
        let nodes = at(loopback(1..=2));
        assert_eq!(
            sized(nodes, (size_min, size_max), RingFunction::XxHash),
            Err(expected)
        );
    }
}
