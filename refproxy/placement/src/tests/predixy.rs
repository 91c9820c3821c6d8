//! Predixy's placement by an independent implementation: Python's `binascii.crc_hqx` is CRC-16/XMODEM, and the rules of
//! hash tags and signs are followed by hand. Never compared with a running predixy.

use proptest::prelude::*;

use crate::hash::{PredixyHash, TagRule};
use crate::{Cluster, Node, Placement, Policy};

#[track_caller]
fn check(hash: PredixyHash, tags: TagRule, groups: u16, expected: &[(&str, u16)]) {
    // Neither the order of addresses nor that of names counts.
    let nodes = (0..groups).map(|group| Node::at(format!("10.0.0.{}:6379", 200 - group)));
    let mut cluster = Cluster::new(Policy::Predixy { hash }, nodes.collect());
    cluster.tags = tags;
    let placement = Placement::new(&cluster).unwrap();
    for (key, group) in expected {
        assert_eq!(placement.node(key.as_bytes()).0, *group, "{key}");
    }
}

/// `binascii.crc_hqx(part, 0) % 3`, of the whole key and of its tag.
#[test]
fn keys_are_placed_by_crc16() {
    let whole = CRC16.map(|(key, whole, _)| (key, whole));
    check(PredixyHash::Crc16, TagRule::WholeKey, 3, &whole);
    let tagged = CRC16.map(|(key, _, tagged)| (key, tagged));
    check(PredixyHash::Crc16, TagRule::BRACES, 3, &tagged);
}

/// A key, and its group by the whole key and by the tag. An empty tag is none.
#[rustfmt::skip]
const CRC16: [(&str, u16, u16); 9] = [
    ("", 0, 0),
    ("a", 1, 1),
    ("key:1", 2, 2),
    ("key:2", 1, 1),
    ("{user}:1", 2, 2),
    ("{user}:2", 2, 2),
    ("a{b}c{d}", 0, 1),
    ("{}{x}", 1, 1),
    ("x{y", 2, 2),
];

/// A negative number is a large one to `size_t`: (2^64 - 1) % 7 is 1, and (2^64 - 3) % 7 is 6.
#[test]
fn keys_are_placed_by_the_number_that_they_begin_with() {
    let whole = [
        ("0", 0),
        ("7", 0),
        ("13:user", 6),
        ("user:13", 0),
        ("+9", 2),
        ("-1", 1),
        ("-3", 6),
        ("{13}", 0),
        ("", 0),
    ];
    check(PredixyHash::Atol, TagRule::WholeKey, 7, &whole);
    let tagged = [
        ("{13}", 6),
        ("user:{13}:5", 6),
        ("9{}", 2),
        ("9{", 2),
        ("{-1}", 1),
    ];
    check(PredixyHash::Atol, TagRule::BRACES, 7, &tagged);
    let dollars = [("a$13$b", 6), ("13$$", 6)];
    check(PredixyHash::Atol, TagRule::Between(b'$', b'$'), 7, &dollars);
}

/// `Hash::hashTagStr` of `src/HashFunc.cpp`, index by index.
fn tag_of<'a>(key: &'a [u8], tag: &[u8; 2]) -> &'a [u8] {
    let (len, mut i) = (key.len(), 0);
    while i < len && key[i] != tag[0] {
        i += 1;
    }
    if i == len {
        return key;
    }
    i += 1;
    let begin = i;
    while i < len && key[i] != tag[1] {
        i += 1;
    }
    if i == len || begin == i {
        return key;
    }
    &key[begin..i]
}

/// `Hash::crc16`, bit by bit instead of by its table.
fn crc16(bytes: &[u8]) -> u64 {
    let crc = bytes.iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    });
    u64::from(crc)
}

/// `Hash::atol` with the remainder of `getServer`: a number in 128 bits that is cut to 64 after each digit.
fn atol(bytes: &[u8], groups: u64) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let digits = unsigned.chars().map_while(|letter| letter.to_digit(10));
    let number = digits.fold(0_u128, |number, digit| {
        (number * 10 + u128::from(digit)) % (1 << 64)
    });
    let signed = match text.starts_with('-') {
        true => ((1_u128 << 64) - number) % (1 << 64),
        false => number,
    };
    u64::try_from(signed).unwrap() % groups
}

proptest! {
    /// Keys of which some have tags and numbers.
    #[test]
    fn the_group_is_that_of_a_second_implementation(
        key in r"([-+]?[0-9]{0,22}|[a-z{}$]{0,6}|\PC{0,3}){0,4}",
        braces in any::<bool>(),
        groups in 1_u16..20,
    ) {
        let tag = if braces { b"{}" } else { b"$$" };
        let part = tag_of(key.as_bytes(), tag);
        let count = u64::from(groups);
        for (hash, expected) in [
            (PredixyHash::Crc16, crc16(part) % count),
            (PredixyHash::Atol, atol(part, count)),
        ] {
            let nodes = (0..groups).map(|group| Node::at(format!("a:{}", group + 1)));
            let mut cluster = Cluster::new(Policy::Predixy { hash }, nodes.collect());
            cluster.tags = TagRule::Between(tag[0], tag[1]);
            let placed = Placement::new(&cluster).unwrap().node(key.as_bytes());
            prop_assert_eq!(u64::from(placed.0), expected, "{:?} of {}", hash, key);
        }
    }
}
