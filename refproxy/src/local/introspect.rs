//! COMMAND and its subcommands: what the proxy supports, in the shape of Redis 7.

use super::{unsupported, wrong_arity};
use crate::command::{self, COMMANDS, Route, Row, below, find, flags};
use crate::resp::{
    Protocol, put_array, put_bulk, put_error, put_integer, put_null, put_set, put_simple,
};

/// Answers COMMAND with these arguments.
pub(super) fn answer<'a>(
    mut args: impl Iterator<Item = &'a [u8]>,
    protocol: Protocol,
    out: &mut Vec<u8>,
) {
    let supported = || COMMANDS.iter().filter(|row| row.is_supported());
    let Some(subcommand) = args.next() else {
        put_array(out, supported().count());
        supported().for_each(|row| put_row(row, protocol, out));
        return;
    };
    match subcommand.to_ascii_uppercase().as_slice() {
        b"COUNT" if args.next().is_some() => wrong_arity("command", subcommand, out),
        b"COUNT" => put_integer(out, i64::try_from(supported().count()).unwrap_or(i64::MAX)),
        b"LIST" if args.next().is_some() => unsupported("COMMAND", b"LIST FILTERBY", out),
        b"LIST" => {
            put_array(out, supported().count());
            supported().for_each(|row| put_bulk(out, row.name.to_ascii_lowercase().as_bytes()));
        }
        b"INFO" => {
            let names: Vec<&[u8]> = args.collect();
            if names.is_empty() {
                put_array(out, supported().count());
                return supported().for_each(|row| put_row(row, protocol, out));
            }
            put_array(out, names.len());
            for name in names {
                match find(name).filter(|row| row.is_supported()) {
                    Some(row) => put_row(row, protocol, out),
                    None => put_null(out, protocol),
                }
            }
        }
        b"GETKEYS" => get_keys(&args.collect::<Vec<_>>(), out),
        _ => unsupported("COMMAND", subcommand, out),
    }
}

/// The keys of the request in `args`, in Redis' words where there are none. Source: Redis 7.0 `getKeysSubcommandImpl`.
fn get_keys(args: &[&[u8]], out: &mut Vec<u8>) {
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

/// Name, arity, flags, key positions, and four lists that the proxy has nothing to say about.
fn put_row(row: &Row, protocol: Protocol, out: &mut Vec<u8>) {
    put_array(out, 10);
    put_bulk(out, row.name.to_ascii_lowercase().as_bytes());
    put_integer(out, i64::from(row.arity));
    put_set(out, protocol, flags::words(row.flags).count());
    flags::words(row.flags).for_each(|flag| put_simple(out, flag));
    put_integer(out, i64::from(row.keys.first));
    put_integer(out, i64::from(row.keys.last));
    put_integer(out, i64::from(row.keys.step));
    (0..4).for_each(|_| put_set(out, protocol, 0));
}
