//! From the name in a request to its row, in any case, in a few nanoseconds.

use std::sync::OnceLock;

use super::{COMMANDS, Route, Row, SUBCOMMANDS};

/// Slots of the index: several per command, so that the first probe is almost always the last.
const SLOTS: usize = 2048;
const EMPTY: u16 = u16::MAX;

/// The row of `name`, in any case.
#[must_use]
#[inline]
pub fn find(name: &[u8]) -> Option<&'static Row> {
    let index = index();
    let mut slot = slot_of(name);
    loop {
        let row = COMMANDS.get(usize::from(index[slot]))?;
        if row.name.len() == name.len() && row.name.as_bytes().eq_ignore_ascii_case(name) {
            return Some(row);
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// Whether the unknown `name` is a word that begins a line of an HTTP request. A web page can make a browser send one,
/// with commands in its body, so Redis closes the connection. Source: Redis 7.0 `processCommand`,
/// `securityWarningCommand`.
#[must_use]
pub fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"POST") || name.eq_ignore_ascii_case(b"Host:")
}

/// The row of a subcommand of `row`, in any case. Frequent commands do not need it.
#[must_use]
pub fn below(row: &Row, subcommand: &[u8]) -> Option<&'static Row> {
    let name = [row.name.as_bytes(), b"|", &subcommand.to_ascii_uppercase()].concat();
    let place = SUBCOMMANDS.binary_search_by(|known| known.name.as_bytes().cmp(&name));
    place.ok().map(|place| &SUBCOMMANDS[place])
}

/// Whether the command of this name, `config|get` for example, is sent to every node, so that each node counts one call
/// of a client once.
#[must_use]
pub fn goes_to_every_node(name: &str) -> bool {
    let row = match name.split_once('|') {
        None => find(name.as_bytes()),
        Some((name, subcommand)) => {
            let row = find(name.as_bytes());
            row.and_then(|row| below(row, subcommand.as_bytes()))
        }
    };
    row.is_some_and(|row| matches!(row.route, Route::AllNodes(_) | Route::Administer(_)))
}

/// Open addressing over [`COMMANDS`]; `EMPTY` marks a free slot.
fn index() -> &'static [u16; SLOTS] {
    static INDEX: OnceLock<[u16; SLOTS]> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = [EMPTY; SLOTS];
        for (place, row) in (0_u16..).zip(COMMANDS) {
            let mut slot = slot_of(row.name.as_bytes());
            while index[slot] != EMPTY {
                slot = (slot + 1) % SLOTS;
            }
            index[slot] = place;
        }
        index
    })
}

/// Clearing bit 5 maps letters of both cases to one; the comparison distinguishes other bytes that it maps to one.
#[inline]
fn slot_of(name: &[u8]) -> usize {
    let mut hash = name.len() as u64;
    for byte in name.iter().take(24) {
        hash = (hash.rotate_left(5) ^ u64::from(byte & 0xdf)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    // The top bits are the best mixed; 11 of them count the slots.
    usize::try_from(hash >> (64 - SLOTS.trailing_zeros())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::command::COMMANDS;

    #[test]
    fn every_row_is_found_in_any_case() {
        for row in COMMANDS {
            assert_eq!(find(row.name.as_bytes()), Some(row));
            assert_eq!(find(row.name.to_lowercase().as_bytes()), Some(row));
        }
    }

    #[test]
    fn similar_names_are_unknown() {
        for name in [
            "",
            "GETT",
            "GE",
            "G\x05T",
            "GET ",
            "get\0",
            "RESTORE\rASKING",
            "a-name-longer-than-any-command-has",
        ] {
            assert_eq!(find(name.as_bytes()), None, "`{}`", name.escape_debug());
        }
    }
}
