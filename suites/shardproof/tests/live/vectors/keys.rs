//! The key set of the recordings: every shape of key that may confuse a digest or a hash tag.
//!
//! Made from one seed by arithmetic only, so that it never changes; its SHA-256 is in every recording, so that a change
//! of this file is noticed.

use std::collections::HashSet;

use sha2::{Digest, Sha256};
use testbed::chance::Draws;

/// The number of keys.
pub(crate) const COUNT: usize = 20_000;
const SEED: u64 = 0x7368_6172_6470_726f;
/// Where long sequential ids start.
const FAR: u64 = 9_007_199_254_740_000;
/// Shapes of hash tags, right and wrong. `@` is replaced by a number.
const TAGGED: [&str; 32] = [
    "{}",
    "}{",
    "{",
    "}",
    "{{",
    "}}",
    "a{}b",
    "{a",
    "a}",
    "{a}",
    "a{b}c{d}",
    "{{a}}",
    "{}{a}",
    "a}b{c}",
    "}{a}",
    "{a}{b}",
    "{ }",
    "foo{}{bar}",
    "foo{{bar}}zap",
    "foo{bar}{zap}",
    "$$",
    "$a$b",
    "$$a$",
    "a$b",
    "x$y$z$",
    "{@}",
    "{user@}.following",
    "user{@}",
    "{@}{a}",
    "$@$.x",
    "a$@",
    "{$@$}",
];

/// All keys, each once.
pub(crate) fn all() -> Vec<Vec<u8>> {
    let mut strings = Strings(Draws::seeded(SEED));
    let mut set = Set::default();
    set.add(Vec::new());
    set.extend((0..=u8::MAX).map(|byte| vec![byte]));
    // Digests read blocks of 4, 8, 12 and 64 bytes: every length of tail, with bytes of either sign.
    for byte in *b"x\x00\xff" {
        set.extend((2..=300).map(|length| vec![byte; length]));
    }
    set.extend((0..6000).map(|number| format!("key:{number}").into_bytes()));
    set.extend((0..2500).map(|number| format!("user:{:019}:profile", FAR + number).into_bytes()));
    for number in 0..100 {
        let number = number.to_string();
        set.extend(TAGGED.map(|tagged| tagged.replace('@', &number).into_bytes()));
    }
    set.extend((0..3000).map(|_| strings.bytes_of(b"{}{}$$ab", 12)));
    set.extend((0..1000).map(|_| strings.bytes_of(b"\r\n\0 *$+-:\"'", 9)));
    set.extend((0..1500).map(|number| format!("\u{e9}\u{4e16}\u{1f511}{number}").into_bytes()));
    while set.keys.len() < COUNT {
        set.add(strings.bytes(300));
    }
    set.keys
}

/// The SHA-256 of a key set: of each key's length in 32 bits, little-endian, and its bytes.
pub(crate) fn fingerprint(keys: &[Vec<u8>]) -> String {
    let mut hash = Sha256::new();
    for key in keys {
        // No key has 4 GiB.
        hash.update((key.len() as u32).to_le_bytes());
        hash.update(key);
    }
    hex(&hash.finalize())
}

/// The SHA-256 of a text.
pub(crate) fn text_fingerprint(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keys in the order in which they were first added.
#[derive(Default)]
struct Set {
    seen: HashSet<Vec<u8>>,
    keys: Vec<Vec<u8>>,
}

impl Set {
    fn add(&mut self, key: Vec<u8>) {
        if self.seen.insert(key.clone()) {
            self.keys.push(key);
        }
    }

    fn extend(&mut self, keys: impl IntoIterator<Item = Vec<u8>>) {
        for key in keys {
            self.add(key);
        }
    }
}

/// Strings that are drawn.
struct Strings(Draws);

impl Strings {
    /// Up to `length_max` bytes of any value.
    fn bytes(&mut self, length_max: usize) -> Vec<u8> {
        let length = self.0.below(length_max + 1);
        // The lowest byte of each draw.
        (0..length).map(|_| self.0.number() as u8).collect()
    }

    /// Up to `length_max` bytes out of `alphabet`.
    fn bytes_of(&mut self, alphabet: &[u8], length_max: usize) -> Vec<u8> {
        let length = self.0.below(length_max + 1);
        (0..length)
            .map(|_| alphabet[self.0.below(alphabet.len())])
            .collect()
    }
}
