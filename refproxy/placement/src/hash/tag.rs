//! Hash tags: the part of a key that is hashed, so that related keys share a node.

/// Whether keys carry hash tags, and between which bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagRule {
    /// The whole key is hashed, braces and all: the default of Envoy and of twemproxy.
    #[default]
    WholeKey,
    /// Between the first `.0` byte and the first `.1` byte after it, unless that part is empty. Both may be the same
    /// byte.
    Between(u8, u8),
}

impl TagRule {
    /// Redis Cluster's rule, and Envoy's with `enable_hashtagging`.
    pub const BRACES: Self = Self::Between(b'{', b'}');
}

/// The bytes of `key` that are hashed under `rule`. With an empty tag the whole key is hashed; no later pair is tried.
///
/// Source: Redis Cluster specification, section "Hash tags"; Envoy 1.40 and twemproxy 0.5.0 (`hash_tag`) do the same.
#[must_use]
pub fn hashed_part(rule: TagRule, key: &[u8]) -> &[u8] {
    match rule {
        TagRule::WholeKey => key,
        TagRule::Between(open, close) => between(key, open, close).unwrap_or(key),
    }
}

fn between(key: &[u8], open: u8, close: u8) -> Option<&[u8]> {
    let start = key.iter().position(|byte| *byte == open)?;
    let inside = &key[start + 1..];
    let length = inside.iter().position(|byte| *byte == close)?;
    (length > 0).then(|| &inside[..length])
}

#[cfg(test)]
mod tests {
    use super::{TagRule, hashed_part};

    #[track_caller]
    fn check(key: &[u8], expected: &[u8]) {
        assert_eq!(
            hashed_part(TagRule::BRACES, key).escape_ascii().to_string(),
            expected.escape_ascii().to_string(),
            "hashed part of {}",
            key.escape_ascii()
        );
        assert_eq!(hashed_part(TagRule::WholeKey, key), key);
    }

    #[test]
    fn the_first_pair_with_something_inside_is_the_tag() {
        check(b"a{b}c{d}", b"b");
        check(b"{{a}}", b"{a");
        check(b"a}b{c}", b"c");
        check(b"}{a}", b"a");
        check(b"{a}{b}", b"a");
        check(b"{ }", b" ");
        check(b"{\x00}", b"\x00");
        check(b"foo{{bar}}zap", b"{bar");
        check(b"foo{bar}{zap}", b"bar");
    }

    #[test]
    fn without_a_filled_pair_the_whole_key_is_hashed() {
        for key in [
            &b""[..],
            b"plain",
            b"{}",
            b"}{",
            b"a{}b",
            b"{a",
            b"{}{a}",
            b"foo{}{bar}",
        ] {
            check(key, key);
        }
    }

    /// twemproxy's `hash_tag: "$$"`.
    #[test]
    fn one_byte_may_open_and_close() {
        let dollars = TagRule::Between(b'$', b'$');
        for (key, expected) in [
            (&b"$a$b"[..], &b"a"[..]),
            (b"$$a$", b"$$a$"),
            (b"a$b", b"a$b"),
            (b"x$y$z$", b"y"),
        ] {
            assert_eq!(hashed_part(dollars, key), expected);
        }
    }
}
