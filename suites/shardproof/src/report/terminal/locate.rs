//! Places of keys as text: one line per key, its parts separated by tabs.

use crate::planner::locate::{Located, Seen};
use testbed::text::push_escaped;

/// The header above the lines.
#[must_use]
pub fn located_header(nodes: bool, proxy: bool) -> String {
    let mut header = "# key\thashed part\tdigest\tindex\tnode".to_owned();
    if nodes {
        header += "\tfound on";
    }
    if proxy {
        header += "\tproxy";
    }
    header + "\n"
}

/// Appends the line of a key.
pub fn located(text: &mut Vec<u8>, located: &Located<'_>, seen: &Seen<'_>) {
    push_escaped(text, located.key);
    text.push(b'\t');
    push_escaped(text, located.hashed);
    let index = located
        .index
        .map_or("-".to_owned(), |index| index.to_string());
    let node = located.node.unwrap_or("routed elsewhere");
    let place = format!("\t{:x}\t{index}\t{node}", located.digest);
    text.extend_from_slice(place.as_bytes());
    if let Some(on) = &seen.on {
        let on = if on.is_empty() {
            "no node".to_owned()
        } else {
            on.join(", ")
        };
        text.push(b'\t');
        text.extend_from_slice(on.as_bytes());
    }
    if let Some(found) = seen.by_proxy {
        let found: &[u8] = if found { b"\tfound" } else { b"\tmissing" };
        text.extend_from_slice(found);
    }
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::{located, located_header};
    use crate::planner::locate::{Located, Seen};

    #[test]
    fn a_line_has_a_part_for_each_word_of_the_header() {
        let key = Located {
            key: b"a\t{b}",
            hashed: b"b",
            digest: 255,
            index: Some(1),
            node: Some("n:1"),
        };
        let mut text = Vec::new();
        located(&mut text, &key, &Seen::default());
        assert_eq!(
            String::from_utf8(text.clone()).unwrap(),
            "a\\t{b}\tb\tff\t1\tn:1\n"
        );
        text.clear();
        let elsewhere = Located {
            index: None,
            node: None,
            ..key
        };
        located(&mut text, &elsewhere, &Seen::default());
        assert_eq!(
            String::from_utf8(text.clone()).unwrap(),
            "a\\t{b}\tb\tff\t-\trouted elsewhere\n"
        );
        text.clear();
        let seen = Seen {
            on: Some(vec!["m:1", "n:1"]),
            by_proxy: Some(true),
        };
        located(&mut text, &key, &seen);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, "a\\t{b}\tb\tff\t1\tn:1\tm:1, n:1\tfound\n");
        let header = located_header(true, true);
        assert_eq!(header.matches('\t').count(), text.matches('\t').count());
    }
}
