//! Hsieh's SuperFastHash as twemproxy computes it: it starts at 0 instead of the length.
//!
//! Source: nutcracker 0.5.0 `src/hashkit/nc_hsieh.c`.

use super::signed;

pub(super) fn hsieh(bytes: &[u8]) -> u32 {
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = 0_u32;
    for [a, b, c, d] in blocks {
        hash = hash.wrapping_add(word(*a, *b));
        let high = (word(*c, *d) << 11) ^ hash;
        hash = (hash << 16) ^ high;
        hash = hash.wrapping_add(hash >> 11);
    }
    avalanche(mix_tail(hash, tail))
}

/// The third byte of a tail is signed, a lone one is not.
fn mix_tail(mut hash: u32, tail: &[u8]) -> u32 {
    match *tail {
        [a, b, c] => {
            hash = hash.wrapping_add(word(a, b));
            hash ^= hash << 16;
            hash ^= signed(c) << 18;
            hash.wrapping_add(hash >> 11)
        }
        [a, b] => {
            hash = hash.wrapping_add(word(a, b));
            hash ^= hash << 11;
            hash.wrapping_add(hash >> 17)
        }
        [a] => {
            hash = hash.wrapping_add(u32::from(a));
            hash ^= hash << 10;
            hash.wrapping_add(hash >> 1)
        }
        _ => hash,
    }
}

fn avalanche(mut hash: u32) -> u32 {
    hash ^= hash << 3;
    hash = hash.wrapping_add(hash >> 5);
    hash ^= hash << 4;
    hash = hash.wrapping_add(hash >> 17);
    hash ^= hash << 25;
    hash.wrapping_add(hash >> 6)
}

fn word(low: u8, high: u8) -> u32 {
    u32::from(u16::from_le_bytes([low, high]))
}
