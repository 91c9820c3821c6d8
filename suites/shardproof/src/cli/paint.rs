//! Colours of verdicts in reports on a terminal.
//!
//! Reports are plain text, also in files. Only verdicts get a colour here.

use anstyle::{AnsiColor, Style};

/// Verdicts, wherever they are in a line.
const VERDICTS: [(&str, AnsiColor); 7] = [
    ("FAIL", AnsiColor::Red),
    ("FAILED", AnsiColor::Red),
    ("BROKEN", AnsiColor::Red),
    ("MENDED", AnsiColor::Yellow),
    ("UNKNOWN", AnsiColor::Yellow),
    ("NOT JUDGED", AnsiColor::Yellow),
    ("PASSED", AnsiColor::Green),
];
/// Verdicts that are everyday words: only at the beginning of an indented line.
const FIRST_WORDS: [(&str, AnsiColor); 5] = [
    ("unknown", AnsiColor::Yellow),
    ("known", AnsiColor::Yellow),
    ("pass", AnsiColor::Green),
    ("kept", AnsiColor::Green),
    ("skip", AnsiColor::BrightBlack),
];

/// The text with colours as escape sequences.
pub(crate) fn painted(text: &str) -> String {
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> String {
    let body = line.trim_start();
    let indent = &line[..line.len() - body.len()];
    let first = FIRST_WORDS.iter().filter(|_| !indent.is_empty());
    for (word, colour) in first.chain(&VERDICTS) {
        if let Some(rest) = body.strip_prefix(word).filter(|rest| ends(rest)) {
            return format!("{indent}{}{rest}", coloured(word, *colour));
        }
    }
    // The verdict on a proxy: `NAME: FAILED: 2 must`.
    for (word, colour) in VERDICTS {
        let Some((before, rest)) = line.split_once(&format!(": {word}")) else {
            continue;
        };
        if ends(rest) && !rest.starts_with(": 0") {
            return format!("{before}: {}{rest}", coloured(word, colour));
        }
    }
    line.to_owned()
}

/// Whether a word ends before this text.
fn ends(rest: &str) -> bool {
    !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-' || next == '_')
}

fn coloured(word: &str, colour: AnsiColor) -> String {
    let style = Style::new().fg_color(Some(colour.into()));
    let style = match colour {
        AnsiColor::Red => style.bold(),
        _ => style,
    };
    format!("{style}{word}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks coloured words with the name of the colour.
    fn marked(text: &str) -> String {
        let text = painted(text);
        let text = text.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "]");
        let text = text.replace("\u{1b}[31m", "[red ");
        let text = text.replace("\u{1b}[32m", "[green ");
        text.replace("\u{1b}[33m", "[yellow ")
    }

    #[test]
    fn verdicts_are_coloured() {
        for (text, expected) in [
            (
                "    FAIL    a-case  [wrong, must]\n",
                "    [red FAIL]    a-case  [wrong, must]\n",
            ),
            ("    known   2: a, b\n", "    [yellow known]   2: a, b\n"),
            ("envoy: FAILED: 2 must\n", "envoy: [red FAILED]: 2 must\n"),
            (
                "envoy: PASSED, 3 known\n",
                "envoy: [green PASSED], 3 known\n",
            ),
        ] {
            assert_eq!(marked(text), expected);
        }
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in [
            "envoy: FAILED: 0\n",
            "known keys are kept\n",
            "            got FAILURE: none\n",
            "    unknown-commands are refused\n",
            "",
        ] {
            assert_eq!(painted(text), text);
        }
    }
}
