//! COMMAND GETKEYS: the keys that the proxy routes a request by. What commands are, COMMAND INFO, a node says.

use super::wrong_arity;
use crate::command::{self, Route, below, find, flags};
use crate::resp::{put_array, put_bulk, put_error};

/// The keys of the request in `args`, in Redis' words where there are none. Source: Redis 7.0 `getKeysSubcommandImpl`.
pub(super) fn get_keys(args: &[&[u8]], out: &mut Vec<u8>) {
    let [name, next, ..] = args else {
        return wrong_arity("command", b"getkeys", out);
    };
    let named = find(name).and_then(|row| match row.route {
        Route::Below => below(row, next),
        _ => Some(row),
    });
    let Some(row) = named else {
        return put_error(out, b"ERR Invalid command specified");
    };
    if let Route::Refuse(why) = row.route {
        return put_error(out, command::unsupported(row, why).as_bytes());
    }
    if row.keys.first == 0 && row.specs.is_empty() {
        return put_error(out, b"ERR The command has no key arguments");
    }
    let wanted = usize::from(row.arity.unsigned_abs());
    if args.len() < wanted || (row.arity > 0 && args.len() > wanted) {
        return put_error(
            out,
            b"ERR Invalid number of arguments specified for command",
        );
    }
    let positions = row.key_positions(args).unwrap_or_default();
    if positions.is_empty() && row.flags & flags::NO_MANDATORY_KEYS == 0 {
        return put_error(out, b"ERR Invalid arguments specified for command");
    }
    put_array(out, positions.len());
    positions
        .into_iter()
        .for_each(|position| put_bulk(out, args[position]));
}
