//! A number of keys that is invalid, too large or written in another form: Redis' error, for every command.
//!
//! Keys that cannot be found name no node, so the request goes to any, and the node answers with the error. Keys that
//! are found are compared before the rest of the request is checked, as in Redis Cluster.

use testbed::client::Client;

use crate::support::{DEADLINE, Proxy, ask, nodes};

/// `N` is the number, `a` and `b` are keys of one node. The command and all that may follow its keys.
const REQUESTS: &[&str] = &[
    "EVAL return(1) N a b",
    "EVALSHA deadbeef N a b",
    "EVAL_RO return(1) N a b",
    "EVALSHA_RO deadbeef N a b",
    "FCALL f N a b",
    "FCALL_RO f N a b",
    "LMPOP N a b LEFT",
    "LMPOP N a b RIGHT COUNT 1",
    "ZMPOP N a b MIN",
    "ZMPOP N a b MAX COUNT 1",
    "SINTERCARD N a b",
    "SINTERCARD N a b LIMIT 1",
    "ZINTERCARD N a b",
    "ZINTERCARD N a b LIMIT 1",
    "ZUNION N a b",
    "ZUNION N a b WEIGHTS 1 2 AGGREGATE SUM WITHSCORES",
    "ZINTER N a b",
    "ZINTER N a b WITHSCORES",
    "ZDIFF N a b",
    "ZDIFF N a b WITHSCORES",
    "ZUNIONSTORE a N a b",
    "ZUNIONSTORE a N a b AGGREGATE MAX",
    "ZINTERSTORE a N a b",
    "ZINTERSTORE a N a b WEIGHTS 1 2",
    "ZDIFFSTORE a N a b",
    "MSETEX N a 1 b 2",
    "BLMPOP 0.01 N a b LEFT",
    "BZMPOP 0.01 N a b MIN",
];

const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "-2",
    "-0",
    "+1",
    "+2",
    "01",
    "02",
    "00",
    "1.0",
    "1e0",
    "0x1",
    "x",
    "",
    " 1",
    "1 ",
    "1\0",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "100",
    "2147483647",
    "2147483648",
    "4294967297",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551617",
    "-2147483648",
    "-9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999999999",
];

/// Errors of the proxy that may replace those of Redis.
fn is_own_refusal(command: &str, number: &str, told: &str) -> bool {
    match command {
        "BLMPOP" | "BZMPOP" => told.contains("would block a connection that all clients share"),
        "EVAL" | "EVALSHA" | "EVAL_RO" | "EVALSHA_RO" | "FCALL" | "FCALL_RO" if number == "0" => {
            told.contains("without keys is not supported by this proxy")
        }
        // The word that must follow the keys is missing.
        "LMPOP" | "ZMPOP" => false,
        // The argument after the keys is treated as a key, as in a valid request. Only the node knows whether the request is
        // valid, because it may support more options.
        _ => told.starts_with("-CROSSSLOT ") && number.parse::<u8>().is_ok_and(|count| count > 2),
    }
}

/// The reply of each request, which another one may have led up to.
async fn told(client: &mut Client, way: &[&[&str]]) -> Vec<String> {
    let mut told = Vec::new();
    for request in way {
        told.push(ask(client, request).await);
    }
    told
}

#[tokio::test]
async fn a_bad_number_of_keys_is_refused_in_the_words_of_redis() {
    let (_nodes, addrs) = nodes(4).await;
    let proxy = Proxy::start(&addrs[..3], "workers: 1").await;
    let keys: Vec<String> = proxy.keys_on(1).take(2).collect();
    let mut plain = Client::connect(addrs[3], DEADLINE).await.unwrap();
    let mut through = proxy.client().await;
    let mut differ = Vec::new();
    for (request, number) in REQUESTS
        .iter()
        .flat_map(|request| NUMBERS.iter().map(move |number| (request, *number)))
    {
        let words = request.split(' ').map(|word| match word {
            "N" => number,
            "a" => &keys[0],
            "b" => &keys[1],
            word => word,
        });
        let args: Vec<&str> = words.collect();
        let alone: &[&[&str]] = &[&args];
        let queued: &[&[&str]] = &[&["MULTI"], &["SET", &keys[0], "v"], &args, &["EXEC"]];
        for way in [alone, queued] {
            for client in [&mut plain, &mut through] {
                ask(client, &["DEL", &keys[0]]).await;
            }
            let expected = told(&mut plain, way).await;
            let seen = told(&mut through, way).await;
            let place = way.len().saturating_sub(2);
            if seen != expected && !is_own_refusal(args[0], number, &seen[place]) {
                differ.push(format!("{args:?}: {seen:?}, Redis: {expected:?}"));
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{}:\n{}",
        differ.len(),
        differ.join("\n")
    );
}
