//! The four FNV digests as twemproxy computes them: with signed bytes, and its own idea of 64 bits.
//!
//! Source: nutcracker 0.5.0 `src/hashkit/nc_fnv.c`. The sign of a byte is x86's: bytes from 0x80 are negative.

use super::signed;

const INIT_64: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME_64: u64 = 0x100_0000_01b3;
const INIT_32: u32 = 2_166_136_261;
const PRIME_32: u32 = 16_777_619;

/// `fnv1_64`: the low half of 64-bit FNV-1 of sign-extended bytes.
pub(super) fn fnv1_64(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(INIT_64, |hash, byte| {
        hash.wrapping_mul(PRIME_64) ^ i64::from(*byte as i8) as u64
    });
    hash as u32
}

/// `fnv1a_64`, twemproxy's default: in spite of its name the state has 32 bits, the low halves of start and prime.
pub(super) fn fnv1a_64(bytes: &[u8]) -> u32 {
    bytes.iter().fold(INIT_64 as u32, |hash, byte| {
        (hash ^ signed(*byte)).wrapping_mul(PRIME_64 as u32)
    })
}

/// `fnv1_32`: multiply, then xor.
pub(super) fn fnv1_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(INIT_32, |hash, byte| {
        hash.wrapping_mul(PRIME_32) ^ signed(*byte)
    })
}

/// `fnv1a_32`: xor, then multiply.
pub(super) fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(INIT_32, |hash, byte| {
        (hash ^ signed(*byte)).wrapping_mul(PRIME_32)
    })
}
