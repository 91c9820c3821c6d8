//! Hash tags: the part of a key that is hashed, so that related keys share a node.

/// Whether keys carry hash tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagRule {
    /// The whole key is hashed, braces and all: Envoy's default.
    #[default]
    WholeKey,
    /// Between the first `{` and the first `}` after it, when there is something between them: Redis Cluster's rule,
    /// and Envoy's with `enable_hashtagging`.
    Braces,
}

/// The bytes of `key` that are hashed under `rule`. An empty tag means the whole key; no later pair is tried.
///
/// Source: Redis Cluster specification, section "Hash tags"; Envoy 1.40 does the same.
#[must_use]
pub fn hashed_part(rule: TagRule, key: &[u8]) -> &[u8] {
    match rule {
        TagRule::WholeKey => key,
        TagRule::Braces => between_braces(key).unwrap_or(key),
    }
}

fn between_braces(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|byte| *byte == b'{')?;
    let inside = &key[open + 1..];
    let close = inside.iter().position(|byte| *byte == b'}')?;
    (close > 0).then(|| &inside[..close])
}

#[cfg(test)]
mod tests {
    use super::{TagRule, hashed_part};

    #[track_caller]
    fn check(key: &[u8], expected: &[u8]) {
        assert_eq!(
            hashed_part(TagRule::Braces, key).escape_ascii().to_string(),
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
}
