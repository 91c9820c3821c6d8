//! 32-bit MurmurHash3.
//!
//! Source: Austin Appleby, `MurmurHash3_x86_32` in SMHasher.

/// The digest of `bytes` from `seed`.
pub(super) fn murmur3_32(bytes: &[u8], seed: u32) -> u32 {
    let mix = |word: u32| {
        let word = word.wrapping_mul(0xcc9e_2d51).rotate_left(15);
        word.wrapping_mul(0x1b87_3593)
    };
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for block in blocks {
        hash = (hash ^ mix(u32::from_le_bytes(*block))).rotate_left(13);
        hash = hash.wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !tail.is_empty() {
        let word = |word: u32, byte: &u8| word << 8 | u32::from(*byte);
        hash ^= mix(tail.iter().rev().fold(0, word));
    }
    // The original counts in 32 bits as well.
    hash ^= bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::murmur3_32;

    /// From the vectors that Wikipedia and Guava's tests have in common.
    #[test]
    fn published_vectors() {
        for (text, seed, expected) in [
            ("", 0, 0),
            ("", 1, 0x514e_28b7),
            ("test", 0, 0xba6b_d213),
            ("Hello, world!", 0, 0xc036_3e43),
            (
                "The quick brown fox jumps over the lazy dog",
                0,
                0x2e4f_f723,
            ),
        ] {
            assert_eq!(murmur3_32(text.as_bytes(), seed), expected, "{text}");
        }
    }
}
