//! A line to tokens: bare or quoted words, with escapes and variables.

use super::error::Problem;
use crate::cases::case::{NODES, NODES_MAX};
use crate::cases::word::{Piece, Variable, Word};

/// One word of a line as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// The text, without the quotes.
    pub(super) text: &'a str,
    /// Whether it was quoted.
    pub(super) quoted: bool,
    /// `*3` after the quotes.
    pub(super) times: usize,
}

/// Longest key that the runner chooses.
const KEY_BYTES_MAX: usize = 32;
/// Longest word that a case can build.
const BYTES_MAX: usize = 256 * 1024 * 1024;

/// The tokens of a line.
pub(crate) fn tokens(line: &str) -> Result<Vec<Token<'_>>, Problem> {
    let mut tokens = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (token, behind) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => bare(rest)?,
        };
        tokens.push(token);
        rest = behind.trim_start();
    }
    Ok(tokens)
}

fn bare(text: &str) -> Result<(Token<'_>, &str), Problem> {
    let mut in_braces = false;
    let mut before = ' ';
    let mut end = text.len();
    for (at, char) in text.char_indices() {
        match char {
            '{' if before == '$' => in_braces = true,
            '}' => in_braces = false,
            ' ' | '\t' if !in_braces => {
                end = at;
                break;
            }
            '"' => return Err(Problem::new("a quote inside a word", "a space before it")),
            _ => {}
        }
        before = char;
    }
    let token = Token {
        text: &text[..end],
        quoted: false,
        times: 1,
    };
    Ok((token, &text[end..]))
}

fn quoted(inside: &str) -> Result<(Token<'_>, &str), Problem> {
    let mut escaped = false;
    for (at, char) in inside.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let (times, behind) = repeat(&inside[at + 1..])?;
                if times.saturating_mul(at) > BYTES_MAX {
                    return Err(Problem::new("a word beyond 256 MiB", "a shorter one"));
                }
                let token = Token {
                    text: &inside[..at],
                    quoted: true,
                    times,
                };
                return Ok((token, behind));
            }
            _ => {}
        }
    }
    Err(Problem::new("an open quote", "`\"` at its end"))
}

fn repeat(behind: &str) -> Result<(usize, &str), Problem> {
    let end = behind.find([' ', '\t']).unwrap_or(behind.len());
    match (&behind[..end], behind[..end].strip_prefix('*')) {
        ("", _) => Ok((1, behind)),
        (_, Some(digits)) if !digits.is_empty() => Ok((number(digits)?, &behind[end..])),
        (other, _) => Err(Problem::new(
            format!("`{other}` after a quote"),
            "a space, or `*N`",
        )),
    }
}

/// A decimal number, digits only.
pub(super) fn number(digits: &str) -> Result<usize, Problem> {
    let wrong = || Problem::new(format!("`{digits}`"), "a number");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    digits.parse().map_err(|_| wrong())
}

impl Token<'_> {
    /// Whether it is this keyword. A quoted token is not a keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }

    /// N if it is `)*N`, which ends a group.
    pub(super) fn repeats(&self) -> Result<Option<usize>, Problem> {
        let digits = self.text.strip_prefix(")*").filter(|_| !self.quoted);
        digits.map(number).transpose()
    }

    /// The token as a word.
    pub(crate) fn word(&self) -> Result<Word, Problem> {
        self.word_after(0)
    }

    /// The token as a word, without its first `skip` bytes.
    pub(super) fn word_after(&self, skip: usize) -> Result<Word, Problem> {
        Ok(Word {
            pieces: pieces(&self.text[skip..], self.quoted)?,
            times: self.times,
        })
    }
}

fn pieces(text: &str, escapes: bool) -> Result<Vec<Piece>, Problem> {
    let mut pieces = Vec::new();
    let mut plain = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let special = match first {
            '$' => interpolation(rest)?,
            '\\' if escapes => Some(escape(rest)?),
            _ => None,
        };
        match special {
            Some((Piece::Bytes(bytes), length)) => {
                plain.extend(bytes);
                rest = &rest[length..];
            }
            Some((piece, length)) => {
                flush(&mut plain, &mut pieces);
                pieces.push(piece);
                rest = &rest[length..];
            }
            None => {
                let length = first.len_utf8();
                plain.extend_from_slice(&rest.as_bytes()[..length]);
                rest = &rest[length..];
            }
        }
    }
    flush(&mut plain, &mut pieces);
    Ok(pieces)
}

fn flush(plain: &mut Vec<u8>, pieces: &mut Vec<Piece>) {
    if !plain.is_empty() {
        pieces.push(Piece::Bytes(std::mem::take(plain)));
    }
}

fn escape(text: &str) -> Result<(Piece, usize), Problem> {
    let wrong = || {
        let shown: String = text.chars().take(4).collect();
        Problem::new(
            format!("`{shown}`"),
            r#"one of \r \n \t \\ \" \xHH (two hex digits)"#,
        )
    };
    let byte = match text.as_bytes().get(1).ok_or_else(wrong)? {
        b'r' => b'\r',
        b'n' => b'\n',
        b't' => b'\t',
        b'\\' => b'\\',
        b'"' => b'"',
        b'x' => {
            let digits = text.get(2..4).ok_or_else(wrong)?;
            let byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
            return Ok((Piece::Bytes(vec![byte]), 4));
        }
        _ => return Err(wrong()),
    };
    Ok((Piece::Bytes(vec![byte]), 2))
}

/// The variable that `$` begins, and its length; `None` if it is a dollar sign, as in RESP's `$3`.
fn interpolation(text: &str) -> Result<Option<(Piece, usize)>, Problem> {
    let behind = &text[1..];
    let Some(braced) = behind.strip_prefix('{') else {
        return Ok(variable(behind)?.map(|(variable, length)| (Piece::Key(variable), 1 + length)));
    };
    let wrong = || {
        Problem::new(
            format!("`{}`", text.split('}').next().unwrap_or(text)),
            "`${n}`, `${run}`, `${a1}`, `${len $a1}` or `${pad $a1 100}`",
        )
    };
    let inside = braced.split_once('}').ok_or_else(wrong)?.0;
    let length = "${}".len() + inside.len();
    let whole = |name: &str| match variable(name)? {
        Some((variable, used)) if used == name.len() => Ok(variable),
        _ => Err(wrong()),
    };
    let piece = match inside.split_once('$') {
        _ if inside == "n" => Piece::Repetition,
        _ if inside == "run" => Piece::Run,
        Some(("len ", name)) => Piece::Length(whole(name)?),
        Some(("pad ", rest)) => {
            let (name, length) = rest.split_once(' ').ok_or_else(wrong)?;
            Piece::Padded(whole(name)?, padded(length)?)
        }
        Some(_) => return Err(wrong()),
        None => Piece::Key(whole(inside)?),
    };
    Ok(Some((piece, length)))
}

/// The length of a padded key, of which the key itself is a part.
fn padded(length: &str) -> Result<usize, Problem> {
    match number(length)? {
        length @ KEY_BYTES_MAX..=BYTES_MAX => Ok(length),
        length => Err(Problem::new(
            format!("a key of {length} bytes"),
            format!("at least {KEY_BYTES_MAX}, as a key alone may have"),
        )),
    }
}

/// The variable that `text` begins with: a letter or the letters of two nodes, and digits.
fn variable(text: &str) -> Result<Option<(Variable, usize)>, Problem> {
    let is_lower = |byte: &u8| byte.is_ascii_lowercase();
    let letters = text.bytes().take_while(is_lower).count();
    let of_nodes = |byte: u8| node_of(byte, NODES_MAX).is_some();
    // Two other letters are no variable, as in `$ab`.
    let is_known = letters == 1 || letters == 2 && text.bytes().take(2).all(of_nodes);
    let after = text.bytes().skip(letters);
    let digits = after.take_while(u8::is_ascii_digit).count();
    if !is_known || digits == 0 {
        return Ok(None);
    }
    let (letters, digits) = text[..letters + digits].split_at(letters);
    let unknown = || {
        let expected = "a key of node a, b or c, or `$k1` for any node";
        Problem::new(format!("`${letters}{digits}`"), expected)
    };
    let node = match letters.as_bytes() {
        [b'k'] => None,
        [first, ..] => Some(node_of(*first, NODES).ok_or_else(unknown)?),
        [] => return Ok(None),
    };
    let moved = letters.as_bytes().get(1);
    let moved = moved.and_then(|letter| node_of(*letter, NODES_MAX));
    let number = u32::try_from(number(digits)?)
        .map_err(|_| Problem::new(format!("`{digits}`"), "a smaller number"))?;
    let variable = Variable {
        node,
        moved,
        number,
    };
    Ok(Some((variable, letters.len() + digits.len())))
}

/// The place of a node among the first `count`, by its letter in lower case.
fn node_of(letter: u8, count: usize) -> Option<usize> {
    let place = usize::from(letter.checked_sub(b'a')?);
    (place < count).then_some(place)
}
