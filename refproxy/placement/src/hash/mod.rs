//! Digests and hash tags: from the bytes of a key to the number that placement works with.
//!
//! Never allocates and does not know nodes: a placement policy compares the digest.

mod crc16;
mod crc32;
mod fnv;
mod hsieh;
mod jenkins;
mod md5;
mod murmur;
mod murmur2;
mod one_at_a_time;
mod predixy;
mod tag;

pub use crc16::crc16_xmodem;
pub(crate) use md5::md5_words;
pub use murmur2::murmur2_64;
pub use predixy::PredixyHash;
pub use tag::{TagRule, hashed_part};

/// A digest, its name in twemproxy's `hash` setting, and its function.
type Row = (Digest, &'static str, fn(&[u8]) -> u32);

/// twemproxy's twelve digests, sorted by name.
const DIGESTS: [Row; 12] = [
    (Digest::Crc16, "crc16", crc16::crc16),
    (Digest::Crc32, "crc32", crc32::crc32),
    (Digest::Crc32a, "crc32a", crc32::crc32a),
    (Digest::Fnv1_32, "fnv1_32", fnv::fnv1_32),
    (Digest::Fnv1_64, "fnv1_64", fnv::fnv1_64),
    (Digest::Fnv1a32, "fnv1a_32", fnv::fnv1a_32),
    (Digest::Fnv1a64, "fnv1a_64", fnv::fnv1a_64),
    (Digest::Hsieh, "hsieh", hsieh::hsieh),
    (Digest::Jenkins, "jenkins", jenkins::jenkins),
    (Digest::Md5, "md5", md5::md5),
    (Digest::Murmur, "murmur", murmur::murmur),
    (
        Digest::OneAtATime,
        "one_at_a_time",
        one_at_a_time::one_at_a_time,
    ),
];

/// A key digest of twemproxy: 32 bits, with all its quirks. Source: nutcracker 0.5.0 `src/hashkit` on x86-64, where a
/// `char` is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Digest {
    /// CRC-16 in a register of 32 bits.
    Crc16,
    /// 15 bits of a CRC-32.
    Crc32,
    /// CRC-32.
    Crc32a,
    /// FNV-1, 32 bits.
    Fnv1_32,
    /// The low half of a 64-bit FNV-1.
    Fnv1_64,
    /// FNV-1a, 32 bits.
    Fnv1a32,
    /// The low half of a 64-bit FNV-1a: twemproxy's default.
    Fnv1a64,
    /// Hsieh's SuperFastHash from 0.
    Hsieh,
    /// Jenkins' lookup3 from 13.
    Jenkins,
    /// The first word of an MD5.
    Md5,
    /// 32-bit MurmurHash2 seeded by the length.
    Murmur,
    /// Jenkins' one-at-a-time.
    OneAtATime,
}

impl Digest {
    /// All of them, by name.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        DIGESTS.iter().map(|(digest, ..)| *digest)
    }

    /// The digest that twemproxy calls `name`; case matters.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let row = DIGESTS.iter().find(|(_, known, _)| *known == name)?;
        Some(row.0)
    }

    /// Its name in twemproxy's `hash` setting.
    #[must_use]
    pub fn name(self) -> &'static str {
        DIGESTS[self as usize].1
    }

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> u32 {
        DIGESTS[self as usize].2(bytes)
    }
}

/// A byte as x86's `char`, widened: from 0x80 on all higher bits are set.
fn signed(byte: u8) -> u32 {
    i32::from(byte as i8) as u32
}

/// At most eight bytes as one little-endian number.
fn little_endian(tail: &[u8]) -> u64 {
    tail.iter()
        .rev()
        .fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests;
