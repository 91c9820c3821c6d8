//! COMMAND GETKEYS: the keys by which the proxy routes a request. Descriptions of commands, COMMAND INFO, come from a
//! node.

use crate::command::{Refusal, Route, Row, flags};
use crate::resp::{put_array, put_bulk, put_error};
use crate::route::resolve;

/// The keys of the request in `args`, or Redis' error if there are none; `own` is the row of GETKEYS itself. Source:
/// Redis 7.0 `getKeysSubcommandImpl`.
pub(super) fn get_keys(
    own: &'static Row,
    args: &[&[u8]],
    out: &mut Vec<u8>,
) -> Result<(), Refusal<'static>> {
    let [name, next, ..] = args else {
        return Err(Refusal::WrongArity(own));
    };
    match resolve(name, Some(next)) {
        Ok(row) => match row.route {
            Route::Refuse(why) => return Err(Refusal::Unsupported(row, why)),
            _ => put_keys(row, args, out),
        },
        Err(_) => put_error(out, b"ERR Invalid command specified"),
    }
    Ok(())
}

fn put_keys(row: &Row, args: &[&[u8]], out: &mut Vec<u8>) {
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
