//! COMMAND and its subcommands: what the proxy supports, in the shape of Redis 7.

use super::{unsupported, wrong_arity};
use crate::command::{COMMANDS, Row, find};
use crate::resp::{put_array, put_bulk, put_integer};

/// Answers COMMAND with these arguments.
pub(super) fn answer<'a>(mut args: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    let supported = || COMMANDS.iter().filter(|row| row.is_supported());
    let Some(subcommand) = args.next() else {
        put_array(out, supported().count());
        supported().for_each(|row| put_row(row, out));
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
        // Documentation is optional, and Redis leaves unknown names out.
        b"DOCS" => put_array(out, 0),
        b"INFO" => {
            let names: Vec<&[u8]> = args.collect();
            if names.is_empty() {
                put_array(out, supported().count());
                return supported().for_each(|row| put_row(row, out));
            }
            put_array(out, names.len());
            for name in names {
                match find(name).filter(|row| row.is_supported()) {
                    Some(row) => put_row(row, out),
                    None => out.extend_from_slice(b"*-1\r\n"),
                }
            }
        }
        _ => unsupported("COMMAND", subcommand, out),
    }
}

/// Name, arity, flags, key positions, and four lists that the proxy has nothing to say about.
fn put_row(row: &Row, out: &mut Vec<u8>) {
    put_array(out, 10);
    put_bulk(out, row.name.to_ascii_lowercase().as_bytes());
    put_integer(out, i64::from(row.arity));
    put_array(out, 0);
    put_integer(out, i64::from(row.keys.first));
    put_integer(out, i64::from(row.keys.last));
    put_integer(out, i64::from(row.keys.step));
    (0..4).for_each(|_| put_array(out, 0));
}
