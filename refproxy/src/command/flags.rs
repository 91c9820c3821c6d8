//! The flags of `COMMAND`, and their meaning for a proxy.

macro_rules! flags {
    ($($name:ident = $bit:literal, $word:literal;)*) => {
        $(
            #[doc = concat!("Redis' `", $word, "`.")]
            pub const $name: u32 = 1 << $bit;
        )*

        /// Each with its word, in the order of Redis' replies.
        const WORDS: &[(u32, &str)] = &[$(($name, $word)),*];
    };
}

flags! {
    WRITE = 0, "write";
    READONLY = 1, "readonly";
    DENYOOM = 2, "denyoom";
    ADMIN = 3, "admin";
    PUBSUB = 4, "pubsub";
    NOSCRIPT = 5, "noscript";
    BLOCKING = 6, "blocking";
    LOADING = 7, "loading";
    STALE = 8, "stale";
    SKIP_MONITOR = 9, "skip_monitor";
    SKIP_SLOWLOG = 10, "skip_slowlog";
    ASKING = 11, "asking";
    FAST = 12, "fast";
    NO_AUTH = 13, "no_auth";
    MAY_REPLICATE = 14, "may_replicate";
    NO_MANDATORY_KEYS = 15, "no_mandatory_keys";
    NO_ASYNC_LOADING = 16, "no_async_loading";
    NO_MULTI = 17, "no_multi";
    MOVABLEKEYS = 18, "movablekeys";
    ALLOW_BUSY = 19, "allow_busy";
    MODULE = 20, "module";
}

/// The words of `flags`, in the order of Redis' replies.
pub fn words(flags: u32) -> impl Iterator<Item = &'static str> {
    WORDS
        .iter()
        .filter(move |(flag, _)| flags & flag != 0)
        .map(|(_, word)| *word)
}
