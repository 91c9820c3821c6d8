//! MD5. twemproxy uses its first four bytes for a key and all sixteen for four points of a ring.

use md5::{Digest as _, Md5};

/// The first four bytes, little-endian. Source: nutcracker 0.5.0 `src/hashkit/nc_md5.c`.
pub(super) fn md5(bytes: &[u8]) -> u32 {
    md5_words(bytes)[0]
}

/// The digest as four little-endian words, which are four points of a ketama ring.
pub(crate) fn md5_words(bytes: &[u8]) -> [u32; 4] {
    let digest: [u8; 16] = Md5::digest(bytes).into();
    let (words, _) = digest.as_chunks::<4>();
    [0, 1, 2, 3].map(|word| u32::from_le_bytes(words[word]))
}
