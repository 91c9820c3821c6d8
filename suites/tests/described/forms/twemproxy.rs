//! Forms of twemproxy's file.

use super::Fate::{self, Declined, Read, Refused};
use super::Form;

/// Each form in a pool.
pub(super) fn all() -> Vec<Form> {
    let pool = |form: &str| format!("alpha:\n  listen: 127.0.0.1:6400\n  {form}\n");
    FORMS
        .iter()
        .map(|(form, fate)| (pool(form), *fate))
        .collect()
}

/// Forms of a pool.
const FORMS: &[(&str, Fate)] = &[
    (
        "hash: fnv1a_64\n  servers:\n  - 10.0.0.1:6379:1",
        Read("ketama:10.0.0.1:6379"),
    ),
    (
        "redis: \"true\"\n  timeout: \"1\"\n  backlog: 5\n  servers:\n  - 10.0.0.1:6379:1",
        Read("ketama:10.0.0.1:6379"),
    ),
    (
        "hash: \"md5\"\n  distribution: \"modula\"\n  servers:\n  - 10.0.0.1:6379:1",
        Read("modula/hash=md5:10.0.0.1:6379"),
    ),
    (
        "hash: MD5\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("one of crc16"),
    ),
    (
        "hash: Fnv1a_64\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("one of crc16"),
    ),
    (
        "hash: ~\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("one of crc16"),
    ),
    (
        "hash: null\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("one of crc16"),
    ),
    (
        "hash: \"\"\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("one of crc16"),
    ),
    (
        "hash: xxhash\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("one of crc16"),
    ),
    (
        "distribution: KETAMA\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("ketama, modula or random is expected"),
    ),
    (
        "distribution: Ketama\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("ketama, modula or random is expected"),
    ),
    (
        "distribution: random\n  servers:\n  - 10.0.0.1:6379:1",
        Read("random:10.0.0.1:6379"),
    ),
    (
        "distribution: random\n  servers:\n  - 10.0.0.1:6379:1\n  - 10.0.0.2:6379:1",
        Declined("random is not a placement over several nodes"),
    ),
    (
        "hash_tag: \"{}\"\n  servers:\n  - 10.0.0.1:6379:1",
        Read("ketama/hash_tags:10.0.0.1:6379"),
    ),
    (
        "hash_tag: '{}'\n  servers:\n  - 10.0.0.1:6379:1",
        Read("ketama/hash_tags:10.0.0.1:6379"),
    ),
    (
        "hash_tag: $$\n  servers:\n  - 10.0.0.1:6379:1",
        Read("ketama/hash_tags=$$:10.0.0.1:6379"),
    ),
    (
        "hash_tag: ab\n  servers:\n  - 10.0.0.1:6379:1",
        Read("ketama/hash_tags=ab:10.0.0.1:6379"),
    ),
    (
        "hash_tag: {}\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("hash_tag: one value is expected"),
    ),
    (
        "hash_tag: \"{\"\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("two characters are expected"),
    ),
    (
        "hash_tag: \"abc\"\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("two characters are expected"),
    ),
    (
        "hash_tag: \"\"\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("two characters are expected"),
    ),
    (
        "distributon: modula\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("unknown field `distributon` in a pool, did you mean `distribution`?"),
    ),
    (
        "Hash: md5\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("did you mean `hash`?"),
    ),
    (
        "hash: md5\n  hash: md5\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("given twice"),
    ),
    (
        "redis: true\n  redis_auth: 1234\n  servers:\n  - 10.0.0.1:6379:1",
        Read("ketama:10.0.0.1:6379"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379",
        Refused("HOST:PORT:WEIGHT or /PATH:WEIGHT is expected"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:1  name",
        Refused("HOST:PORT:WEIGHT or /PATH:WEIGHT is expected"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:1 two words",
        Refused("HOST:PORT:WEIGHT or /PATH:WEIGHT is expected"),
    ),
    (
        "servers:\n  - 10.0.0.1:65536:1",
        Refused("HOST:PORT:WEIGHT or /PATH:WEIGHT is expected"),
    ),
    (
        "servers:\n  - 10.0.0.1:0:1",
        Refused("HOST:PORT:WEIGHT or /PATH:WEIGHT is expected"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:1.5",
        Refused("HOST:PORT:WEIGHT or /PATH:WEIGHT is expected"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:2147483648",
        Refused("HOST:PORT:WEIGHT or /PATH:WEIGHT is expected"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:",
        Refused("HOST:PORT:WEIGHT or /PATH:WEIGHT is expected"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:-1",
        Refused("HOST:PORT:WEIGHT or /PATH:WEIGHT is expected"),
    ),
    ("servers:\n  - 10.0.0.1:6379:0", Refused("has weight 0")),
    (
        "servers:\n  - 10.0.0.1:6379:1\n  - 10.0.0.1:6379:1",
        Refused("two nodes hash as"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:1 a\n  - 10.0.0.1:6380:1 a",
        Refused("two nodes hash as `a`"),
    ),
    ("servers: 10.0.0.1:6379:1", Refused("a list is expected")),
];
