//! The key digests of predixy: a number at the beginning of the key, or Redis Cluster's CRC-16.
//!
//! Source: predixy at commit fb1ac64, `src/HashFunc.cpp` and `src/Crc16.cpp`. Read from the source, never compared with a
//! running predixy.

use super::crc16_xmodem;

/// The digests, sorted by name.
const HASHES: [(PredixyHash, &str); 2] =
    [(PredixyHash::Atol, "atol"), (PredixyHash::Crc16, "crc16")];

/// A key digest of predixy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PredixyHash {
    /// The decimal number that the hashed part begins with, perhaps after a sign; 0 without one.
    Atol,
    /// CRC-16 of 16 bits, as in Redis Cluster. twemproxy's `crc16` has a register of 32 bits.
    Crc16,
}

impl PredixyHash {
    /// All of them, by name.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        HASHES.iter().map(|(hash, _)| *hash)
    }

    /// The digest that predixy calls `name`, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let row = HASHES
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))?;
        Some(row.0)
    }

    /// Its name in predixy's `Hash` setting.
    #[must_use]
    pub fn name(self) -> &'static str {
        HASHES[self as usize].1
    }

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> u64 {
        match self {
            Self::Atol => atol(bytes),
            Self::Crc16 => u64::from(crc16_xmodem(bytes)),
        }
    }
}

/// A C `long` as the unsigned number that a `size_t` makes of it. Too many digits overflow, which C++ leaves undefined, and
/// x86-64 wraps.
fn atol(bytes: &[u8]) -> u64 {
    let (is_negative, rest) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    let number = digits.fold(0_u64, |number, digit| {
        number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'))
    });
    match is_negative {
        true => number.wrapping_neg(),
        false => number,
    }
}

#[cfg(test)]
mod tests {
    use super::{HASHES, PredixyHash};

    #[test]
    fn rows_are_in_the_order_of_the_digests() {
        for (hash, name) in HASHES {
            assert_eq!((hash.name(), PredixyHash::named(name)), (name, Some(hash)));
        }
        assert!(HASHES.is_sorted_by_key(|(_, name)| *name));
        assert_eq!(PredixyHash::named("CRC16"), Some(PredixyHash::Crc16));
        assert_eq!(PredixyHash::named("md5"), None);
    }

    /// By hand, from the source.
    #[test]
    fn atol_reads_the_number_that_a_key_begins_with() {
        for (key, expected) in [
            (&b""[..], 0),
            (b"0", 0),
            (b"007", 7),
            (b"42:user", 42),
            (b"+42", 42),
            (b"-1", u64::MAX),
            (b"-3x", u64::MAX - 2),
            (b"+-5", 0),
            (b"--5", 0),
            (b"user:42", 0),
            (b" 42", 0),
            (b"12 34", 12),
            (b"9223372036854775807", i64::MAX as u64),
            (b"9223372036854775808", 1 << 63),
            (b"18446744073709551616", 0),
            (b"18446744073709551619", 3),
        ] {
            assert_eq!(
                PredixyHash::Atol.of(key),
                expected,
                "{}",
                key.escape_ascii()
            );
        }
    }

    /// The check value of CRC-16/XMODEM, and its register of 16 bits.
    #[test]
    fn crc16_is_that_of_redis_cluster() {
        assert_eq!(PredixyHash::Crc16.of(b"123456789"), 0x31c3);
        assert_eq!(PredixyHash::Crc16.of(b""), 0);
        assert!(PredixyHash::Crc16.of(&[0xff; 100]) <= 0xffff);
    }
}
