//! Forms of twemproxy's file.

use super::Fate::{self, Declined, Read, Refused};
use super::Form;

/// Each form in a pool, each setting next to one server, and each file.
pub(super) fn all() -> Vec<Form> {
    let pool = |form: &str| format!("alpha:\n  listen: 127.0.0.1:6400\n  {form}\n");
    let pools = FORMS.iter().map(|(form, fate)| (pool(form), *fate));
    let servers = "servers:\n  - 10.0.0.1:6379:1";
    let settings = SETTINGS
        .iter()
        .map(|(form, fate)| (pool(&format!("{form}\n  {servers}")), *fate));
    let files = FILES.iter().map(|(file, fate)| {
        let whole = pool(&format!("hash: md5\n  {servers}"));
        (file.replace("FILE", &whole), *fate)
    });
    pools.chain(settings).chain(files).collect()
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
        Refused("a value is expected"),
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
        Refused("flow style"),
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
        Refused("a value is expected"),
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

/// Of a pool whose settings have their defaults.
const PLAIN: &str = "ketama:10.0.0.1:6379";

/// Settings of a pool that place no key, and settings of others.
const SETTINGS: &[(&str, Fate)] = &[
    ("timeout: x", Refused("timeout: a whole number is expected")),
    ("backlog: x", Refused("backlog: a whole number is expected")),
    (
        "client_connections: x",
        Refused("client_connections: a whole number is expected"),
    ),
    (
        "server_connections: x",
        Refused("server_connections: a whole number is expected"),
    ),
    (
        "server_retry_timeout: x",
        Refused("server_retry_timeout: a whole number is expected"),
    ),
    (
        "server_failure_limit: x",
        Refused("server_failure_limit: a whole number is expected"),
    ),
    (
        "redis_db: x",
        Refused("redis_db: a whole number is expected"),
    ),
    (
        "timeout: -1",
        Refused("timeout: a whole number is expected"),
    ),
    (
        "timeout: 1.5",
        Refused("timeout: a whole number is expected"),
    ),
    (
        "timeout: 0x10",
        Refused("timeout: a whole number is expected"),
    ),
    ("timeout: ~", Refused("timeout: a whole number is expected")),
    ("timeout: 007", Read(PLAIN)),
    ("timeout: 99999999999", Read(PLAIN)),
    ("timeout: 0", Read(PLAIN)),
    ("redis_db: 1", Read(PLAIN)),
    (
        "redis_db: 99999999999",
        Declined("the number of a database is expected"),
    ),
    ("server_connections: 00", Refused("at least 1 is expected")),
    ("client_connections: 0", Read(PLAIN)),
    ("redis: yes", Refused("redis: true or false is expected")),
    (
        "tcpkeepalive: yes",
        Refused("tcpkeepalive: true or false is expected"),
    ),
    (
        "preconnect: yes",
        Refused("preconnect: true or false is expected"),
    ),
    (
        "auto_eject_hosts: yes",
        Refused("auto_eject_hosts: true or false is expected"),
    ),
    ("redis: True", Refused("redis: true or false is expected")),
    (
        "preconnect: 1",
        Refused("preconnect: true or false is expected"),
    ),
    ("preconnect: \"false\"", Read(PLAIN)),
    ("timeout: ''", Refused("a value is expected")),
    ("timeout:", Refused("a value is expected")),
    ("redis_auth: ''", Refused("a value is expected")),
    ("redis_auth:", Refused("a value is expected")),
    (
        "redis: true\n  redis_auth: ''",
        Refused("a value is expected"),
    ),
    (
        "redis_auth: x",
        Refused("redis: true is expected next to it"),
    ),
    (
        "redis: false\n  redis_auth: x",
        Refused("redis: true is expected next to it"),
    ),
    ("redis_auth: x\n  redis: true", Read(PLAIN)),
    (
        "reuseport: true",
        Refused("unknown field `reuseport` in a pool: nutcracker 0.5.0 does not know it"),
    ),
    ("mode: 0755", Refused("unknown field `mode` in a pool")),
    ("zone: tc", Refused("unknown field `zone` in a pool")),
    (
        "command:\n  - get",
        Refused("unknown field `command` in a pool"),
    ),
    (
        "sentinels:\n  - 10.0.0.9:26379:1",
        Refused("unknown field `sentinels` in a pool"),
    ),
    (
        "<<:\n    hash: md5",
        Refused("unknown field `<<` in a pool: merge keys"),
    ),
    ("hash: &x md5", Refused("anchors, aliases and tags")),
    ("hash: !!str md5", Refused("anchors, aliases and tags")),
    (
        "redis: true\n  redis_auth: *x",
        Refused("no value has the anchor"),
    ),
    ("hash: [md5]", Refused("flow style")),
    ("\"timeout\": 1", Read(PLAIN)),
    (
        "redis: true\n  redis_auth: \"{a} [b] &c *d !e\"",
        Read(PLAIN),
    ),
    ("# {a} &b\n  timeout: 1 # &c {d}", Read(PLAIN)),
    ("? timeout\n  : 1", Read(PLAIN)),
    ("timeout: >-\n    1", Read(PLAIN)),
];

/// Whole files, or what is around one.
const FILES: &[(&str, Fate)] = &[
    ("FILE", Read("ketama/hash=md5:10.0.0.1:6379")),
    (
        "# text\n\nFILE# text\n",
        Read("ketama/hash=md5:10.0.0.1:6379"),
    ),
    ("---\nFILE", Refused("`---`, `...` and % directives")),
    ("FILE...\n", Refused("`---`, `...` and % directives")),
    (
        "%YAML 1.1\n---\nFILE",
        Refused("`---`, `...` and % directives"),
    ),
    (
        "FILE---\nFILE",
        Refused("give the proxy's own configuration alone"),
    ),
    (
        "alpha: { listen: 127.0.0.1:6400, servers: [ 10.0.0.1:6379:1 ] }\n",
        Refused("flow style"),
    ),
    (
        "{\"alpha\": {\"listen\": \"127.0.0.1:6400\", \"servers\": [\"10.0.0.1:6379:1\"]}}",
        Refused("flow style"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400\n  servers: [ 10.0.0.1:6379:1 ]\n",
        Refused("flow style"),
    ),
    (
        "alpha: &x\n  listen: 127.0.0.1:6400\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("anchors, aliases and tags"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400\n  servers: &x\n  - 10.0.0.1:6379:1\n",
        Refused("anchors, aliases and tags"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400\n  servers:\n  - &x 10.0.0.1:6379:1\n",
        Refused("anchors, aliases and tags"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400\n  servers:\n  - !!str 10.0.0.1:6379:1\n",
        Refused("anchors, aliases and tags"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:0\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: HOST:PORT or /PATH is expected"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:65536\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: HOST:PORT or /PATH is expected"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: HOST:PORT or /PATH is expected"),
    ),
    (
        "alpha:\n  listen: :6400\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: HOST:PORT or /PATH is expected"),
    ),
    (
        "alpha:\n  listen: \n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("a value is expected"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400 x\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: HOST:PORT or /PATH is expected"),
    ),
    (
        "alpha:\n  listen: foo\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: HOST:PORT or /PATH is expected"),
    ),
    (
        "alpha:\n  listen: /tmp/x\n  servers:\n  - 10.0.0.1:6379:1\n",
        Read(PLAIN),
    ),
    (
        "alpha:\n  listen: /tmp/x 0666\n  servers:\n  - 10.0.0.1:6379:1\n",
        Read(PLAIN),
    ),
    (
        "alpha:\n  listen: /\n  servers:\n  - 10.0.0.1:6379:1\n",
        Read(PLAIN),
    ),
    (
        "alpha:\n  listen: localhost:6400\n  servers:\n  - 10.0.0.1:6379:1\n",
        Read(PLAIN),
    ),
    (
        "alpha:\n  listen: '*:6400'\n  servers:\n  - 10.0.0.1:6379:1\n",
        Read(PLAIN),
    ),
    (
        "alpha:\n  listen: ::1:6400\n  servers:\n  - 10.0.0.1:6379:1\n",
        Read(PLAIN),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:065\n  servers:\n  - 10.0.0.1:6379:1\n",
        Read(PLAIN),
    ),
    (
        "alpha:\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: HOST:PORT or /PATH is expected"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400\n",
        Refused("not a description of a cluster"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400\n  servers:\n",
        Refused("servers: a list is expected"),
    ),
    (
        "'':\n  listen: 127.0.0.1:6400\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("a name is expected"),
    ),
    (
        "1:\n  listen: 127.0.0.1:6400\n  servers:\n  - 10.0.0.1:6379:1\n",
        Read(PLAIN),
    ),
    (
        "pools:\n  alpha:\n    listen: 127.0.0.1:6400\n    servers:\n    - 10.0.0.1:6379:1\n",
        Refused("not a description of a cluster"),
    ),
    (
        "listen: 127.0.0.1:6400\nservers:\n- 10.0.0.1:6379:1\n",
        Refused("not a description of a cluster"),
    ),
    (
        "alpha:\nlisten: 127.0.0.1:6400\nservers:\n- 10.0.0.1:6379:1\n",
        Refused("not a description of a cluster"),
    ),
    (
        "kind: ConfigMap\napiVersion: v1\n",
        Refused("a Kubernetes manifest"),
    ),
];
