//! Refusals: why a request is not executed, and the error text for it, in Redis' words if Redis has any.
//!
//! Every text of the request path that refuses a request is made here.

use super::{Route, Row, Transaction, Why};
use crate::resp::Args;
use placement::NodeId;

/// Why a request is not executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// Its name is in no row.
    UnknownCommand,
    /// Its subcommand is in no row.
    UnknownSubcommand(&'static Row),
    /// It has the wrong number of arguments.
    WrongArity(&'static Row),
    /// The client has to authenticate first.
    Unauthenticated,
    /// The proxy does not support it.
    Unsupported(&'static Row, Why),
    /// These two of its keys live on different nodes.
    CrossSlot(&'static Row, PlacedKey<'a>, PlacedKey<'a>),
    /// This key lives on another node than the transaction, whose node has this address.
    LeavesTransaction(&'a str, PlacedKey<'a>),
    /// MULTI after MULTI.
    NestedMulti,
    /// WATCH after MULTI.
    WatchInMulti,
    /// EXEC or DISCARD without MULTI.
    WithoutMulti(&'static Row),
    /// The transaction would occupy too much.
    TransactionTooLarge,
}

/// A key and the node where it lives.
pub type PlacedKey<'a> = (&'a [u8], NodeId);

impl Refusal<'_> {
    /// The text of the error reply to the complete request in `frame`, without `-`. `address` names a node.
    #[must_use]
    pub fn text(&self, frame: &[u8], address: impl Fn(NodeId) -> String) -> Vec<u8> {
        let argument = |index| Args::of(frame).nth(index).unwrap_or_default();
        match *self {
            Self::UnknownCommand => unknown_command(argument(0), Args::of(frame).skip(1)),
            Self::UnknownSubcommand(row) => unknown_subcommand(row, argument(1)),
            Self::WrongArity(row) => wrong_arity(row).into_bytes(),
            Self::Unauthenticated => b"NOAUTH Authentication required.".to_vec(),
            Self::Unsupported(row, why) => unsupported(row, why).into_bytes(),
            Self::CrossSlot(row, (one, here), (other, there)) => {
                cross_slot(row, (one, &address(here)), (other, &address(there)))
            }
            Self::LeavesTransaction(here, (key, there)) => {
                leaves_transaction(here, (key, &address(there)))
            }
            Self::NestedMulti => b"ERR MULTI calls can not be nested".to_vec(),
            Self::WatchInMulti => b"ERR WATCH inside MULTI is not allowed".to_vec(),
            Self::WithoutMulti(row) => format!("ERR {} without MULTI", row.name).into_bytes(),
            Self::TransactionTooLarge => b"ERR transaction too large".to_vec(),
        }
    }
}

/// Source: Redis 7.0 `processCommand`, with its limits of 128.
fn unknown_command<'a>(name: &[u8], args: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
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

/// EXEC then discards the transaction, and says so.
fn wrong_arity(row: &Row) -> String {
    let name = row.name.to_ascii_lowercase();
    let text = format!("wrong number of arguments for '{name}' command");
    match row.route {
        Route::Transaction(Transaction::Exec) => {
            format!("EXECABORT Transaction discarded because of: {text}")
        }
        _ => format!("ERR {text}"),
    }
}

/// Source: Redis 7.0 `processCommand`, with its limit of 128.
fn unknown_subcommand(row: &Row, subcommand: &[u8]) -> Vec<u8> {
    let mut text = b"ERR unknown subcommand '".to_vec();
    text.extend(c_string(subcommand, 128));
    text.extend(format!("'. Try {} HELP.", row.name).bytes());
    text
}

/// The reply, with its framing, to EXEC of a transaction that is certainly not executed.
pub const EXEC_ABORTED: &[u8] = b"-EXECABORT Transaction discarded because of previous errors.\r\n";

fn leaves_transaction(here: &str, (key, there): (&[u8], &str)) -> Vec<u8> {
    let mut text = b"CROSSSLOT keys of one transaction must live on one node: '".to_vec();
    text.extend(c_string(key, 128));
    text.extend(format!("' is on {there}, the transaction is on {here}; give the keys one hash tag, or use a pipeline without MULTI").bytes());
    text
}

/// Names both nodes. As Redis Cluster's, it begins with its code.
fn cross_slot(row: &Row, one: (&[u8], &str), other: (&[u8], &str)) -> Vec<u8> {
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

fn unsupported(row: &Row, why: Why) -> String {
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
    use super::Refusal;
    use crate::command::{Why, find};
    use crate::resp::request;
    use placement::NodeId;

    #[track_caller]
    fn check(refusal: Refusal<'_>, args: &[&[u8]], expected: &str) {
        let text = refusal.text(&request(args), |node| format!("node {}", node.0));
        let expected = expected.replace('\'', "\\'");
        assert_eq!(text.escape_ascii().to_string(), expected, "{refusal:?}");
    }

    #[test]
    fn an_unknown_command_has_the_error_of_redis() {
        let unknown = Refusal::UnknownCommand;
        check(
            unknown,
            &[b"foo"],
            "ERR unknown command 'foo', with args beginning with: ",
        );
        check(
            unknown,
            &[b"foo", b"a", b"b c"],
            "ERR unknown command 'foo', with args beginning with: 'a' 'b c' ",
        );
        check(
            unknown,
            &[b"f\r\no", b"a\0b", b"\x1b[2J"],
            "ERR unknown command 'f  o', with args beginning with: 'a' ' [2J' ",
        );
        let long = [b'x'; 300];
        let cut = "x".repeat(128);
        check(
            unknown,
            &[&long, &long, b"never"],
            &format!("ERR unknown command '{cut}', with args beginning with: '{cut}' "),
        );
    }

    #[test]
    fn refusals_name_the_command_and_the_reason() {
        let row = |name: &str| find(name.as_bytes()).unwrap();
        check(
            Refusal::Unsupported(row("subscribe"), Why::PubSub),
            &[b"subscribe", b"a"],
            "ERR command 'SUBSCRIBE' is not supported by this proxy: pub/sub has no single node",
        );
        check(
            Refusal::WrongArity(row("subscribe")),
            &[b"subscribe"],
            "ERR wrong number of arguments for 'subscribe' command",
        );
        check(
            Refusal::WrongArity(row("exec")),
            &[b"exec", b"a"],
            "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command",
        );
        check(
            Refusal::UnknownSubcommand(row("object")),
            &[b"object", b"color"],
            "ERR unknown subcommand 'color'. Try OBJECT HELP.",
        );
        check(
            Refusal::WithoutMulti(row("discard")),
            &[b"discard"],
            "ERR DISCARD without MULTI",
        );
    }

    #[test]
    fn keys_that_live_apart_are_named_with_their_nodes() {
        let (one, other) = ((&b"a"[..], NodeId(2)), (&b"b"[..], NodeId(0)));
        check(
            Refusal::CrossSlot(find(b"rename").unwrap(), one, other),
            &[b"rename", b"a", b"b"],
            "CROSSSLOT keys of one 'rename' must live on one node: 'a' is on node 2 and 'b' is on node 0",
        );
        check(
            Refusal::LeavesTransaction("127.0.0.1:1", other),
            &[b"get", b"b"],
            "CROSSSLOT keys of one transaction must live on one node: 'b' is on node 0, the transaction is on 127.0.0.1:1; \
give the keys one hash tag, or use a pipeline without MULTI",
        );
    }
}
