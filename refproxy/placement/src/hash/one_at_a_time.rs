//! Jenkins' one-at-a-time as twemproxy computes it: with signed bytes.
//!
//! Source: nutcracker 0.5.0 `src/hashkit/nc_one_at_a_time.c`.

use super::signed;

pub(super) fn one_at_a_time(bytes: &[u8]) -> u32 {
    let mut hash = bytes.iter().fold(0_u32, |hash, byte| {
        let hash = hash.wrapping_add(signed(*byte));
        let hash = hash.wrapping_add(hash << 10);
        hash ^ (hash >> 6)
    });
    hash = hash.wrapping_add(hash << 3);
    hash ^= hash >> 11;
    hash.wrapping_add(hash << 15)
}
