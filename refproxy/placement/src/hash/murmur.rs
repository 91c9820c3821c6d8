//! 32-bit MurmurHash2 as twemproxy computes it: the seed depends on the length.
//!
//! Source: nutcracker 0.5.0 `src/hashkit/nc_murmur.c`.

use super::little_endian;

const MUL: u32 = 0x5bd1_e995;

pub(super) fn murmur(bytes: &[u8]) -> u32 {
    // The original counts in 32 bits as well.
    let length = bytes.len() as u32;
    let mut hash = 0xdead_beef_u32.wrapping_mul(length) ^ length;
    let (blocks, tail) = bytes.as_chunks::<4>();
    for block in blocks {
        let mut word = u32::from_le_bytes(*block).wrapping_mul(MUL);
        word ^= word >> 24;
        hash = hash.wrapping_mul(MUL) ^ word.wrapping_mul(MUL);
    }
    if !tail.is_empty() {
        // At most three bytes.
        hash = (hash ^ little_endian(tail) as u32).wrapping_mul(MUL);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MUL);
    hash ^ (hash >> 15)
}
