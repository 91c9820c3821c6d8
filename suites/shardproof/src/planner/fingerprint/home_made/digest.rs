//! The digests that home-made proxies use: those of standard libraries and of well-known packages.

use crc::{CRC_16_IBM_3740, CRC_32_ISCSI, CRC_32_ISO_HDLC, Crc, Table};
use md5::{Digest as _, Md5};
use placement::hash::{self, crc16_xmodem, murmur2_64};
use sha1::Sha1;
use siphasher::sip::{SipHasher13, SipHasher24};
use std::hash::Hasher;
use xxhash_rust::{xxh3, xxh32, xxh64};

use super::number::Number;
use super::{murmur3, strings};

/// A digest of bytes.
pub(super) struct Digest {
    /// Its name, with what distinguishes it from its neighbours.
    pub(super) name: &'static str,
    of: fn(&[u8]) -> Number,
}

impl Digest {
    pub(super) fn of(&self, bytes: &[u8]) -> Number {
        (self.of)(bytes)
    }
}

const fn row(name: &'static str, of: fn(&[u8]) -> Number) -> Digest {
    Digest { name, of }
}

static CRC16_CCITT: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_IBM_3740);
static CRC32: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

/// The digests, the commonest first. A hash of 128 bits or more is also read in parts.
pub(super) static DIGESTS: &[Digest] = &[
    row("crc16 (XMODEM)", |key| Number::of16(crc16_xmodem(key))),
    row("crc16 (CCITT)", |key| {
        Number::of16(CRC16_CCITT.checksum(key))
    }),
    row("crc32", |key| Number::of32(CRC32.checksum(key))),
    row("crc32c", |key| Number::of32(CRC32C.checksum(key))),
    row("md5", |key| Number::big(&Md5::digest(key))),
    row("md5, its first 4 bytes", |key| {
        Number::big(&Md5::digest(key)[..4])
    }),
    row("md5, its first 4 bytes in little endian", |key| {
        reversed(&Md5::digest(key)[..4])
    }),
    row("md5, its first 8 bytes", |key| {
        Number::big(&Md5::digest(key)[..8])
    }),
    row("md5, its first 8 bytes in little endian", |key| {
        reversed(&Md5::digest(key)[..8])
    }),
    row("sha1", |key| Number::big(&Sha1::digest(key))),
    row("sha1, its first 4 bytes", |key| {
        Number::big(&Sha1::digest(key)[..4])
    }),
    row("sha1, its first 4 bytes in little endian", |key| {
        reversed(&Sha1::digest(key)[..4])
    }),
    row("sha1, its first 8 bytes", |key| {
        Number::big(&Sha1::digest(key)[..8])
    }),
    row("sha1, its first 8 bytes in little endian", |key| {
        reversed(&Sha1::digest(key)[..8])
    }),
    row("fnv1a of 32 bits", |key| {
        Number::of32(strings::fnv1a_32(key))
    }),
    row("fnv1a of 64 bits", |key| {
        Number::of64(strings::fnv1a_64(key))
    }),
    row("fnv1 of 32 bits", |key| Number::of32(strings::fnv1_32(key))),
    row("fnv1 of 64 bits", |key| Number::of64(strings::fnv1_64(key))),
    row("fnv1a of 64 bits as twemproxy has it", |key| {
        Number::of32(hash::Digest::Fnv1a64.of(key))
    }),
    row("xxh64", |key| Number::of64(xxh64::xxh64(key, 0))),
    row("xxh3 of 64 bits", |key| Number::of64(xxh3::xxh3_64(key))),
    row("xxh32", |key| Number::of32(xxh32::xxh32(key, 0))),
    row("murmur3 of 32 bits", |key| {
        Number::of32(murmur3::murmur3_32(key, 0))
    }),
    row("murmur2 of 64 bits as libstdc++ has it", |key| {
        Number::of64(murmur2_64(key))
    }),
    row("murmur2 as twemproxy has it", |key| {
        Number::of32(hash::Digest::Murmur.of(key))
    }),
    row("Java's String.hashCode", |key| {
        Number::of32(strings::java(key))
    }),
    row("djb2 of 32 bits", |key| Number::of32(strings::djb2_32(key))),
    row("djb2 of 64 bits", |key| Number::of64(strings::djb2_64(key))),
    row("djb2 with xor of 32 bits", |key| {
        Number::of32(strings::djb2_xor(key))
    }),
    row("sdbm of 32 bits", |key| Number::of32(strings::sdbm(key))),
    row("one-at-a-time", |key| {
        Number::of32(hash::Digest::OneAtATime.of(key))
    }),
    row("siphash-1-3 with key 0", |key| sip13(&[key])),
    row("siphash-1-3 with key 0, as Rust hashes a str", |key| {
        sip13(&[key, &[0xff]])
    }),
    row("siphash-1-3 with key 0, as Rust hashes a slice", |key| {
        sip13(&[&(key.len() as u64).to_le_bytes(), key])
    }),
    row("siphash-2-4 with key 0", |key| {
        let mut hasher = SipHasher24::new();
        hasher.write(key);
        Number::of64(hasher.finish())
    }),
];

fn reversed(bytes: &[u8]) -> Number {
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    Number::big(&reversed)
}

/// Of all parts together.
fn sip13(parts: &[&[u8]]) -> Number {
    let mut hasher = SipHasher13::new();
    parts.iter().for_each(|part| hasher.write(part));
    Number::of64(hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::DIGESTS;

    /// Published check values of `123456789`, from the catalogue of CRCs and the tests of each reference program; md5 and
    /// sha1 by `md5sum` and `sha1sum`.
    #[test]
    fn published_vectors() {
        for (name, top) in [
            ("crc16 (XMODEM)", 0x31c3_0000_0000_0000),
            ("crc16 (CCITT)", 0x29b1_0000_0000_0000),
            ("crc32", 0xcbf4_3926_0000_0000),
            ("crc32c", 0xe306_9283_0000_0000),
            ("md5", 0x25f9_e794_323b_4538),
            (
                "md5, its first 4 bytes in little endian",
                0x94e7_f925_0000_0000,
            ),
            ("sha1", 0xf7c3_bc1d_808e_0473),
            ("xxh64", 0x8cb8_41db_40e6_ae83),
        ] {
            let digest = DIGESTS.iter().find(|digest| digest.name == name);
            let got = digest.expect(name).of(b"123456789").top();
            assert_eq!(got, top, "{name}: {got:x}");
        }
    }

    /// Rust's own hasher, as far as it is siphash-1-3 with key 0, which it has been since 1.13.
    #[test]
    fn rust_hashes_as_the_rows_say() {
        let of = |name: &str| {
            let digest = DIGESTS.iter().find(|digest| digest.name.ends_with(name));
            digest.expect(name).of(b"user:1").top()
        };
        let mut hasher = DefaultHasher::new();
        "user:1".hash(&mut hasher);
        assert_eq!(of("hashes a str"), hasher.finish());
        let mut hasher = DefaultHasher::new();
        b"user:1"[..].hash(&mut hasher);
        assert_eq!(of("hashes a slice"), hasher.finish());
    }

    #[test]
    fn digests_differ() {
        let key = b"a key that is longer than a block of any of them, 64 bytes and more";
        let names: BTreeSet<&str> = DIGESTS.iter().map(|digest| digest.name).collect();
        assert_eq!(names.len(), DIGESTS.len());
        let values: BTreeSet<String> = DIGESTS
            .iter()
            .map(|digest| format!("{:?}", digest.of(key)))
            .collect();
        assert_eq!(values.len(), DIGESTS.len());
    }
}
