//! Digests that walk through the bytes of a string, one multiplication per byte.

/// FNV-1a, 32 bits. Source of the four: Fowler, Noll and Vo, `draft-eastlake-fnv`.
pub(super) fn fnv1a_32(bytes: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619);
    bytes.iter().fold(2_166_136_261, step)
}

/// FNV-1, 32 bits.
pub(super) fn fnv1_32(bytes: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| hash.wrapping_mul(16_777_619) ^ u32::from(*byte);
    bytes.iter().fold(2_166_136_261, step)
}

/// FNV-1a, 64 bits.
pub(super) fn fnv1a_64(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// FNV-1, 64 bits.
pub(super) fn fnv1_64(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| hash.wrapping_mul(0x100_0000_01b3) ^ u64::from(*byte);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Java's `String.hashCode` of ASCII.
pub(super) fn java(bytes: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| hash.wrapping_mul(31).wrapping_add(u32::from(*byte));
    bytes.iter().fold(0, step)
}

/// Bernstein's hash from 5381, 32 bits.
pub(super) fn djb2_32(bytes: &[u8]) -> u32 {
    djb2_64(bytes) as u32
}

/// Bernstein's hash from 5381, 64 bits.
pub(super) fn djb2_64(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| hash.wrapping_mul(33).wrapping_add(u64::from(*byte));
    bytes.iter().fold(5381, step)
}

/// Bernstein's hash with xor in the place of the sum.
pub(super) fn djb2_xor(bytes: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| hash.wrapping_mul(33) ^ u32::from(*byte);
    bytes.iter().fold(5381, step)
}

/// The hash of the sdbm database.
pub(super) fn sdbm(bytes: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| hash.wrapping_mul(65_599).wrapping_add(u32::from(*byte));
    bytes.iter().fold(0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV from the draft's test vectors, Java from `"hello".hashCode()`, djb2 and sdbm by hand.
    #[test]
    fn published_vectors() {
        assert_eq!(fnv1a_32(b"foobar"), 0xbf9c_f968);
        assert_eq!(fnv1_32(b"foobar"), 0x31f0_b262);
        assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(fnv1_64(b"foobar"), 0x340d_8765_a4dd_a9c2);
        assert_eq!(java(b"hello"), 99_162_322);
        assert_eq!(djb2_64(b"ab"), (5381 * 33 + 97) * 33 + 98);
        assert_eq!(djb2_xor(b"a"), (5381 * 33) ^ 97);
        assert_eq!(sdbm(b"ab"), 97 * 65_599 + 98);
    }
}
