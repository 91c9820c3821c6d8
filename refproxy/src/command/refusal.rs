//! What a client is told about a request that is not carried out: Redis' words where Redis has some.

use super::{Route, Row, Transaction, Why};

/// The text, without `-`, for a name that is in no row. Source: Redis 7.0 `processCommand`, with its limits of 128.
pub fn unknown<'a>(name: &[u8], args: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend(c_string(name, 128));
    text.extend_from_slice(b"', with args beginning with: ");
    let start = text.len();
    for arg in args {
        let room = 128_usize.saturating_sub(text.len() - start);
        if room == 0 {
            break;
        }
        text.push(b'\'');
        text.extend(c_string(arg, room));
        text.extend_from_slice(b"' ");
    }
    text
}

/// At most `max` bytes up to the first NUL, with control bytes as spaces: they end up on people's terminals.
fn c_string(bytes: &[u8], max: usize) -> impl Iterator<Item = u8> + '_ {
    bytes
        .iter()
        .take(max)
        .take_while(|byte| **byte != 0)
        .map(|byte| if byte.is_ascii_control() { b' ' } else { *byte })
}

/// The text for a client that has not said who it is.
pub const STRANGER: &str = "NOAUTH Authentication required.";

/// The text for a request with the wrong number of arguments. EXEC discards the transaction then, and says so.
#[must_use]
pub fn wrong_arity(row: &Row) -> String {
    let name = row.name.to_ascii_lowercase();
    let text = format!("wrong number of arguments for '{name}' command");
    match row.route {
        Route::Transaction(Transaction::Exec) => {
            format!("EXECABORT Transaction discarded because of: {text}")
        }
        _ => format!("ERR {text}"),
    }
}

/// The text for a subcommand that is in no row. Source: Redis 7.0 `processCommand`, with its limit of 128.
#[must_use]
pub fn unknown_below(row: &Row, subcommand: &[u8]) -> Vec<u8> {
    let mut text = b"ERR unknown subcommand '".to_vec();
    text.extend(c_string(subcommand, 128));
    text.extend(format!("'. Try {} HELP.", row.name).bytes());
    text
}

/// The reply, with its framing, to EXEC of a transaction that is certainly not carried out.
pub const EXEC_ABORTED: &[u8] = b"-EXECABORT Transaction discarded because of previous errors.\r\n";

/// The text for a key that lives elsewhere than the transaction, whose node is given first.
#[must_use]
pub fn leaves_transaction(here: &str, (key, there): (&[u8], &str)) -> Vec<u8> {
    let mut text = b"CROSSSLOT keys of one transaction must live on one node: '".to_vec();
    text.extend(c_string(key, 128));
    text.extend(format!("' is on {there}, the transaction is on {here}; give the keys one hash tag, or use a pipeline without MULTI").bytes());
    text
}

/// The text for keys on two nodes, which are named. As Redis Cluster's, it begins with its code.
#[must_use]
pub fn cross_slot(row: &Row, one: (&[u8], &str), other: (&[u8], &str)) -> Vec<u8> {
    let mut text = b"CROSSSLOT keys of one '".to_vec();
    text.extend(row.name.to_ascii_lowercase().bytes());
    text.extend(b"' must live on one node: ");
    for ((key, node), end) in [(one, " and "), (other, "")] {
        text.push(b'\'');
        text.extend(c_string(key, 128));
        text.extend(format!("' is on {node}{end}").bytes());
    }
    text
}

/// The text for a command that the proxy refuses.
#[must_use]
pub fn unsupported(row: &Row, why: Why) -> String {
    let what = match why {
        Why::NoKeys => " without keys",
        _ => "",
    };
    format!(
        "ERR command '{}'{what} is not supported by this proxy: {}",
        row.name,
        reason(why)
    )
}

fn reason(why: Why) -> &'static str {
    match why {
        Why::Auth => "its users are those of its configuration",
        Why::Blocking => "it would block a connection that all clients share",
        Why::ConnectionState => "connections to nodes are shared and have no state of one client",
        Why::OneDatabase => "there is only database 0",
        Why::OneConnection => "it is about one server or connection",
        Why::OneServer => "it is about one server, not about a cluster of nodes",
        Why::Patterns => "its patterns make keys that may live on other nodes",
        Why::PubSub => "pub/sub has no single node",
        Why::RedisCluster => "it belongs to the Redis Cluster protocol",
        Why::Replication => "replication is the business of each node",
        Why::Transaction => "in a transaction it would be about one node only",
        Why::ProtocolOfTransaction => {
            "a transaction ends in the protocol in which it began; call HELLO before WATCH and MULTI"
        }
        Why::Workers => "in a transaction it would wait for all workers of the proxy",
        Why::AdminFanOut => "it changes every node, and `admin_fan_out` is off",
        Why::ScriptsAdminister => {
            "a script can change or empty its node, and `admin_fan_out` is off; use the command's _RO variant"
        }
        Why::Secret => "it would show a password of the nodes",
        Why::ProxysOwn => {
            "it would change how the proxy reaches the nodes (requirepass, port, bind, maxclients, timeout and the like)"
        }
        Why::NoKeys => {
            "declare the keys that the script uses, or set `scripts_without_keys: any_node`"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{unknown, unsupported, wrong_arity};
    use crate::command::{Route, find};

    #[track_caller]
    fn check(name: &[u8], args: &[&[u8]], expected: &str) {
        let text = unknown(name, args.iter().copied());
        assert_eq!(
            text.escape_ascii().to_string(),
            expected.replace('\'', "\\'")
        );
    }

    #[test]
    fn an_unknown_command_is_told_in_redis_words() {
        check(
            b"foo",
            &[],
            "ERR unknown command 'foo', with args beginning with: ",
        );
        check(
            b"foo",
            &[b"a", b"b c"],
            "ERR unknown command 'foo', with args beginning with: 'a' 'b c' ",
        );
        check(
            b"f\r\no",
            &[b"a\0b", b"\x1b[2J"],
            "ERR unknown command 'f  o', with args beginning with: 'a' ' [2J' ",
        );
        let long = [b'x'; 300];
        let cut = "x".repeat(128);
        check(
            &long,
            &[&long, b"never"],
            &format!("ERR unknown command '{cut}', with args beginning with: '{cut}' "),
        );
    }

    #[test]
    fn refusals_name_the_command_and_the_reason() {
        let row = find(b"subscribe").unwrap();
        let Route::Refuse(why) = row.route else {
            panic!("{row:?}");
        };
        assert_eq!(
            unsupported(row, why),
            "ERR command 'SUBSCRIBE' is not supported by this proxy: pub/sub has no single node"
        );
        assert_eq!(
            wrong_arity(row),
            "ERR wrong number of arguments for 'subscribe' command"
        );
    }
}
