//! Hidden home-made placements are found by their keys alone.

use super::super::observation::{Observation, Why};
use super::super::query::Query;
use super::super::tests::question;
use super::*;

/// What `search` says of 1024 keys that `place` places.
fn found(question: &Query, place: impl Fn(&[u8]) -> usize) -> Option<HomeMade> {
    let mut keys = super::super::keys::Keys::new("probe", 7);
    let observations: Vec<Observation> = (0..1024)
        .map(|number| {
            let key = keys.plain();
            Observation {
                place: place(&key),
                key,
                number,
                why: Why::Drawn,
            }
        })
        .collect();
    let chance = 1.0 / question.nodes.len() as f64;
    let rule = search(question, &observations, chance)?;
    rule.explains(question, &observations, &[TagRule::WholeKey])
}

#[track_caller]
fn check(question: &Query, place: impl Fn(&[u8]) -> usize, digest: &str, rule: &str) -> HomeMade {
    let found = found(question, place).expect("a placement");
    assert_eq!((found.digest, found.rule.as_str()), (digest, rule));
    found
}

fn of(digest: &str) -> impl Fn(&[u8]) -> number::Number {
    let row = digest::DIGESTS.iter().find(|row| row.name == digest);
    let row = row.expect(digest);
    |key: &[u8]| row.of(key)
}

/// Python's `int(hashlib.md5(key).hexdigest(), 16) % 3`, over nodes in another order than the one given.
#[test]
fn a_remainder_of_a_long_number_is_found_in_any_order() {
    let md5 = of("md5");
    let place = |key: &[u8]| [2, 0, 1][md5(key).remainder(number::Sign::Unsigned, 3) as usize];
    let rule = "remainder of a division by 3";
    let found = check(&question(3), place, "md5", rule);
    assert_eq!(found.numbers, Some(vec![vec![1], vec![2], vec![0]]));
}

#[test]
fn a_signed_remainder_is_found() {
    let java = of("Java's String.hashCode");
    let place = |key: &[u8]| (java(key).low() as u32 as i32).rem_euclid(5) as usize;
    let rule = "remainder of a division by 5, signed, floor modulo";
    check(&question(5), place, "Java's String.hashCode", rule);
}

/// As a proxy with weights 1, 2 and 1 has it.
#[test]
fn a_table_of_remainders_is_found() {
    let crc = of("crc32");
    let place = |key: &[u8]| [0, 1, 1, 2][(crc(key).low() % 4) as usize];
    let found = check(&question(3), place, "crc32", "remainder of a division by 4");
    assert_eq!(found.numbers, Some(vec![vec![0], vec![1, 2], vec![3]]));
}

#[test]
fn slots_are_found() {
    let crc = of("crc16 (XMODEM)");
    let place = |key: &[u8]| (crc(key).low() % 16_384 % 3) as usize;
    let rule = "remainder of 16384 slots by the number of nodes";
    check(&question(3), place, "crc16 (XMODEM)", rule);
    let xxh = of("xxh64");
    let place = |key: &[u8]| ((xxh(key).low() % 1024) / 341).min(2) as usize;
    let rule = "1024 slots, equal ranges, the last node has the rest";
    check(&question(3), place, "xxh64", rule);
}

#[test]
fn jump_and_equal_parts_are_found() {
    let xxh = of("xxh3 of 64 bits");
    let place = |key: &[u8]| [3, 1, 0, 2][placement::jump_bucket(xxh(key).low(), 4) as usize];
    let jump = "jump consistent hash";
    check(&question(4), place, "xxh3 of 64 bits", jump);
    let fnv = of("fnv1a of 64 bits");
    let place = |key: &[u8]| ((u128::from(fnv(key).low()) * 7) >> 64) as usize;
    let parts = "equal parts of all digests";
    check(&question(7), place, "fnv1a of 64 bits", parts);
}

#[test]
fn rendezvous_is_found() {
    let siphash = of("siphash-1-3 with key 0, as Rust hashes a str");
    let question = question(3);
    let place = |key: &[u8]| {
        let score = |place: &usize| {
            let name = question.nodes[*place].seen.as_bytes();
            siphash(&[key, b"|", name].concat()).low()
        };
        (0..3).max_by_key(score).expect("a node")
    };
    let digest = "siphash-1-3 with key 0, as Rust hashes a str";
    let rule = "rendezvous: the highest digest of KEY|NODE";
    let found = check(&question, place, digest, rule);
    let names = "addresses as the proxy sees them";
    assert_eq!(found.names.as_deref(), Some(names));
}

/// Rings of few and of many points.
#[test]
fn rings_are_found() {
    for (digest, points, first) in [
        ("md5, its first 4 bytes in little endian", 40, 1),
        ("sha1", 160, 0),
        ("crc32", 1000, 0),
    ] {
        let of = of(digest);
        let question = question(3);
        let mut ring: Vec<(u64, usize)> = (0..3)
            .flat_map(|place| {
                let name = question.nodes[place].name.clone().expect("a name");
                let point = |number| of(format!("{name}#{number}").as_bytes()).top();
                let points = (first..first + points).map(point);
                points.map(move |point| (point, place)).collect::<Vec<_>>()
            })
            .collect();
        ring.sort_unstable();
        let place = |key: &[u8]| {
            let next = ring.partition_point(|(point, _)| *point < of(key).top());
            ring[next % ring.len()].1
        };
        let found = found(&question, place).expect(digest);
        let begins = found.digest.starts_with(&digest[..3]);
        assert!(begins, "{found:?}");
        let ends = format!("points per node, at the digests of NODE#I, I from {first}");
        assert!(found.rule.ends_with(&ends), "{found:?}");
        // A few neighbours may place the same 1024 keys alike.
        let counts = found.rule.split(' ').filter_map(|word| word.parse().ok());
        let counts: Vec<u32> = counts.collect();
        let (least, most) = (counts[0], counts[counts.len() - 2]);
        assert!((least..=most).contains(&points), "{found:?}");
        assert!(most - least <= 4 + points / 200, "{found:?}");
    }
}

#[test]
fn a_salted_digest_is_not_found() {
    let crc = of("crc32");
    let place = |key: &[u8]| (crc(&[b"salt", key].concat()).low() >> 7) as usize % 3;
    assert_eq!(found(&question(3), place), None);
}
