//! What a case writes, derived from its requests: keys to remove, scripts to report, and whether a time to live would
//! be noticed.

/// Words of requests that see, change or react to a key's time to live. A key of such a case gets none while it runs.
const NOTICING: &[&str] = &[
    "CLIENT",
    "DEBUG",
    "DUMP",
    "EXPIRE",
    "EXPIREAT",
    "EXPIRETIME",
    "GETEX",
    "KEEPTTL",
    "MONITOR",
    "OBJECT",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "PEXPIRETIME",
    "PSUBSCRIBE",
    "PTTL",
    "RESTORE",
    "SUBSCRIBE",
    "TTL",
    // A change of the time to live aborts the transaction.
    "WATCH",
];

/// Whether bytes that a case sends would notice that its keys expire.
pub(crate) fn notices_expiry(bytes: &[u8]) -> bool {
    tokens(bytes).any(|token| {
        let named = |name: &&str| token.eq_ignore_ascii_case(name.as_bytes());
        NOTICING.iter().any(named)
    })
}

/// The parts of raw bytes that contain `prefix`, in RESP as well as in inline requests.
pub(crate) fn keys_in<'a>(bytes: &'a [u8], prefix: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    tokens(bytes).filter(move |token| contains(token, prefix))
}

/// Whether `word` contains `prefix`.
pub(crate) fn contains(word: &[u8], prefix: &[u8]) -> bool {
    memchr::memmem::find(word, prefix).is_some()
}

/// The script that a request leaves in a node's cache.
pub(crate) fn script(words: &[Vec<u8>]) -> Option<&[u8]> {
    let is = |at: usize, name: &str| {
        let word = words.get(at);
        word.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    let at = match () {
        () if is(0, "EVAL") || is(0, "EVAL_RO") => 1,
        () if is(0, "SCRIPT") && is(1, "LOAD") => 2,
        () if is(0, "FUNCTION") && is(1, "LOAD") => words.len() - 1,
        () => return None,
    };
    words.get(at).map(Vec::as_slice)
}

fn tokens(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
    bytes.split(between).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{keys_in, notices_expiry, script};

    #[track_caller]
    fn check(bytes: &str, expected: &[&str]) {
        let found: Vec<&[u8]> = keys_in(bytes.as_bytes(), b"sp-1-").collect();
        let expected: Vec<&[u8]> = expected.iter().map(|key| key.as_bytes()).collect();
        assert_eq!(found, expected, "{}", bytes.escape_debug());
    }

    #[test]
    fn keys_are_found_in_raw_bytes() {
        check("*2\r\n$3\r\nGET\r\n$6\r\nsp-1-a\r\n", &["sp-1-a"]);
        check("set \"{sp-1-a}:x\" 'sp-1-b'\n", &["{sp-1-a}:x", "sp-1-b"]);
        check("*2\r\n$3\r\nGET\r\n$6\r\nsp-1-", &["sp-1-"]);
        check("*1\r\n$4\r\nPING\r\n", &[]);
    }

    #[test]
    fn commands_that_see_a_time_to_live_are_detected() {
        assert!(notices_expiry(b"pttl"));
        assert!(notices_expiry(b"*1\r\n$5\r\nWATCH\r\n"));
        assert!(!notices_expiry(b"GET"));
    }

    #[test]
    fn scripts_that_stay_are_detected() {
        let words = |text: &str| -> Vec<Vec<u8>> {
            text.split(' ')
                .map(|word| word.as_bytes().to_vec())
                .collect()
        };
        assert_eq!(script(&words("eval X 1 k")), Some(&b"X"[..]));
        assert_eq!(script(&words("SCRIPT LOAD X")), Some(&b"X"[..]));
        assert_eq!(script(&words("FUNCTION LOAD REPLACE X")), Some(&b"X"[..]));
        assert_eq!(script(&words("EVALSHA X 0")), None);
        assert_eq!(script(&words("EVAL")), None);
    }
}
