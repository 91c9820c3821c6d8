//! Envoy's key digest: 64-bit MurmurHash2 as libstdc++ computes `std::hash<std::string>`.

use super::little_endian;

/// Multiplier of MurmurHash2's 64-bit variant.
const MUL: u64 = 0xc6a4_a793_5bd1_e995;
/// libstdc++'s fixed seed; Envoy offers no other.
const SEED: u64 = 0xc70f_6907;

/// The digest of a key in Envoy's `redis_proxy`, on every cluster type but Redis Cluster.
///
/// Equals 64-bit libstdc++'s `_Hash_bytes` with its `std::hash<std::string>` seed; it is not the canonical
/// MurmurHash64A with seed 0. Source: Envoy 1.40 `source/common/common/hash.cc` (`HashUtil`, `MurmurHash`).
#[must_use]
pub fn murmur2_64(bytes: &[u8]) -> u64 {
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(MUL);
    let (blocks, tail) = bytes.as_chunks::<8>();
    for block in blocks {
        let block = shift_mix(u64::from_le_bytes(*block).wrapping_mul(MUL)).wrapping_mul(MUL);
        hash = (hash ^ block).wrapping_mul(MUL);
    }
    if !tail.is_empty() {
        hash = (hash ^ little_endian(tail)).wrapping_mul(MUL);
    }
    shift_mix(shift_mix(hash).wrapping_mul(MUL))
}

fn shift_mix(value: u64) -> u64 {
    value ^ (value >> 47)
}

#[cfg(test)]
mod tests {
    use super::murmur2_64;

    #[track_caller]
    fn check(bytes: &[u8], expected: u64) {
        assert_eq!(
            murmur2_64(bytes),
            expected,
            "digest of {}",
            bytes.escape_ascii()
        );
    }

    #[test]
    fn agrees_with_envoys_own_unit_test_constants() {
        check(b"", 6_142_509_188_972_423_790);
        check(b"foo", 9_631_199_822_919_835_226);
        check(b"bar", 11_474_628_671_133_349_555);
        check(b"foo\nbar", 16_306_510_975_912_980_159);
        check(b"lyft", 12_847_078_931_730_529_320);
        check(b"longer than seven chars", 15_194_079_855_121_201_171);
    }

    #[test]
    fn agrees_around_the_eight_byte_block_edge_and_on_high_bytes() {
        check(b"a", 4_993_892_634_952_068_459);
        check(b"1234567", 7_888_703_982_793_837_558);
        check(b"12345678", 10_113_836_418_918_046_885);
        check(b"123456789", 12_315_982_496_267_331_008);
        check(&[0xff, 0x80, 0x00, 0x7f], 17_348_630_431_966_287_419);
        check(b"user1000", 6_728_334_931_728_966_178);
        check(b"user:1000", 9_913_810_270_617_923_547);
        check(b"{user1000}.following", 11_464_415_821_435_168_329);
    }
}
