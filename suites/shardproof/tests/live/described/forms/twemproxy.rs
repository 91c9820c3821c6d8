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
        Refused("expected a value"),
    ),
    (
        "hash: xxhash\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("one of crc16"),
    ),
    (
        "distribution: KETAMA\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("expected ketama, modula or random"),
    ),
    (
        "distribution: Ketama\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("expected ketama, modula or random"),
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
        Refused("expected two characters"),
    ),
    (
        "hash_tag: \"abc\"\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("expected two characters"),
    ),
    (
        "hash_tag: \"\"\n  servers:\n  - 10.0.0.1:6379:1",
        Refused("expected a value"),
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
        Refused("duplicate field"),
    ),
    (
        "redis: true\n  redis_auth: 1234\n  servers:\n  - 10.0.0.1:6379:1",
        Read("ketama:10.0.0.1:6379"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379",
        Refused("expected HOST:PORT:WEIGHT or /PATH:WEIGHT"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:1  name",
        Refused("expected HOST:PORT:WEIGHT or /PATH:WEIGHT"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:1 two words",
        Refused("expected HOST:PORT:WEIGHT or /PATH:WEIGHT"),
    ),
    (
        "servers:\n  - 10.0.0.1:65536:1",
        Refused("expected HOST:PORT:WEIGHT or /PATH:WEIGHT"),
    ),
    (
        "servers:\n  - 10.0.0.1:0:1",
        Refused("expected HOST:PORT:WEIGHT or /PATH:WEIGHT"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:1.5",
        Refused("expected HOST:PORT:WEIGHT or /PATH:WEIGHT"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:2147483648",
        Refused("expected HOST:PORT:WEIGHT or /PATH:WEIGHT"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:",
        Refused("expected HOST:PORT:WEIGHT or /PATH:WEIGHT"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:-1",
        Refused("expected HOST:PORT:WEIGHT or /PATH:WEIGHT"),
    ),
    ("servers:\n  - 10.0.0.1:6379:0", Refused("has weight 0")),
    (
        "servers:\n  - 10.0.0.1:6379:1\n  - 10.0.0.1:6379:1",
        Refused("two nodes have the hash key"),
    ),
    (
        "servers:\n  - 10.0.0.1:6379:1 a\n  - 10.0.0.1:6380:1 a",
        Refused("two nodes have the hash key `a`"),
    ),
    ("servers: 10.0.0.1:6379:1", Refused("expected a list")),
];

/// A pool with default settings.
const PLAIN: &str = "ketama:10.0.0.1:6379";

/// Settings of a pool that place no key, and settings of others.
const SETTINGS: &[(&str, Fate)] = &[
    ("timeout: x", Refused("timeout: expected a whole number")),
    ("backlog: x", Refused("backlog: expected a whole number")),
    (
        "client_connections: x",
        Refused("client_connections: expected a whole number"),
    ),
    (
        "server_connections: x",
        Refused("server_connections: expected a whole number"),
    ),
    (
        "server_retry_timeout: x",
        Refused("server_retry_timeout: expected a whole number"),
    ),
    (
        "server_failure_limit: x",
        Refused("server_failure_limit: expected a whole number"),
    ),
    ("redis_db: x", Refused("redis_db: expected a whole number")),
    ("timeout: -1", Refused("timeout: expected a whole number")),
    ("timeout: 1.5", Refused("timeout: expected a whole number")),
    ("timeout: 0x10", Refused("timeout: expected a whole number")),
    ("timeout: ~", Refused("timeout: expected a whole number")),
    ("timeout: 007", Read(PLAIN)),
    ("timeout: 99999999999", Read(PLAIN)),
    ("timeout: 0", Read(PLAIN)),
    ("redis_db: 1", Read(PLAIN)),
    (
        "redis_db: 99999999999",
        Declined("expected the number of a database"),
    ),
    ("server_connections: 00", Refused("expected at least 1")),
    ("client_connections: 0", Read(PLAIN)),
    ("redis: yes", Refused("redis: expected true or false")),
    (
        "tcpkeepalive: yes",
        Refused("tcpkeepalive: expected true or false"),
    ),
    (
        "preconnect: yes",
        Refused("preconnect: expected true or false"),
    ),
    (
        "auto_eject_hosts: yes",
        Refused("auto_eject_hosts: expected true or false"),
    ),
    ("redis: True", Refused("redis: expected true or false")),
    (
        "preconnect: 1",
        Refused("preconnect: expected true or false"),
    ),
    ("preconnect: \"false\"", Read(PLAIN)),
    ("timeout: ''", Refused("expected a value")),
    ("timeout:", Refused("expected a value")),
    ("redis_auth: ''", Refused("expected a value")),
    ("redis_auth:", Refused("expected a value")),
    ("redis: true\n  redis_auth: ''", Refused("expected a value")),
    ("redis_auth: x", Refused("expected redis: true next to it")),
    (
        "redis: false\n  redis_auth: x",
        Refused("expected redis: true next to it"),
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

/// Whole files, or texts around a pool.
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
        Refused("expected only the proxy configuration"),
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
        Refused("listen: expected HOST:PORT or /PATH"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:65536\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: expected HOST:PORT or /PATH"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: expected HOST:PORT or /PATH"),
    ),
    (
        "alpha:\n  listen: :6400\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: expected HOST:PORT or /PATH"),
    ),
    (
        "alpha:\n  listen: \n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("expected a value"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400 x\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: expected HOST:PORT or /PATH"),
    ),
    (
        "alpha:\n  listen: foo\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("listen: expected HOST:PORT or /PATH"),
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
        Refused("listen: expected HOST:PORT or /PATH"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400\n",
        Refused("not a description of a cluster"),
    ),
    (
        "alpha:\n  listen: 127.0.0.1:6400\n  servers:\n",
        Refused("servers: expected a list"),
    ),
    (
        "'':\n  listen: 127.0.0.1:6400\n  servers:\n  - 10.0.0.1:6379:1\n",
        Refused("expected a name"),
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
