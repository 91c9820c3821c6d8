//! The patterns of a `want` line.

use super::error::Problem;
use super::token::{Token, number};
use crate::cases::pattern::{Pattern, count};

/// Pairing elements that come in any order tries everything; more than this is a mistake.
const UNORDERED_MAX: usize = 16;
/// The letters that give the format of a verbatim string.
const FORMAT_LETTERS: usize = 3;

/// All patterns of a line, one for each reply.
pub(super) fn patterns(tokens: &[Token<'_>]) -> Result<Vec<Pattern>, Problem> {
    let mut reader = Reader { tokens, at: 0 };
    let mut patterns = vec![reader.alternatives()?];
    while reader.peek().is_some() {
        patterns.push(reader.alternatives()?);
    }
    if patterns.len() > 1 && patterns.iter().any(|one| matches!(one, Pattern::Close)) {
        return Err(Problem::new(
            "`close` next to other replies",
            "it on a separate line",
        ));
    }
    Ok(patterns)
}

/// The alternatives of one reply, which are all of a line.
pub(super) fn alternatives(tokens: &[Token<'_>]) -> Result<Vec<Pattern>, Problem> {
    let mut reader = Reader { tokens, at: 0 };
    let alternatives = reader.several()?;
    match reader.peek() {
        None => Ok(alternatives),
        Some(token) => Err(Problem::new(
            format!("`{}`", token.text),
            "`|`, or the end of the line",
        )),
    }
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn take_bare(&mut self, text: &str) -> bool {
        let found = self
            .peek()
            .is_some_and(|token| !token.quoted && token.text == text);
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Result<Token<'a>, Problem> {
        let token = self
            .peek()
            .ok_or_else(|| Problem::new("the end of the line", "a pattern"))?;
        self.at += 1;
        Ok(token)
    }

    fn several(&mut self) -> Result<Vec<Pattern>, Problem> {
        let mut all = vec![self.one()?];
        while self.take_bare("|") {
            all.push(self.one()?);
        }
        Ok(all)
    }

    fn alternatives(&mut self) -> Result<Pattern, Problem> {
        Ok(match <[Pattern; 1]>::try_from(self.several()?) {
            Ok([only]) => only,
            Err(all) => Pattern::Either(all),
        })
    }

    fn one(&mut self) -> Result<Pattern, Problem> {
        let token = self.next()?;
        if token.quoted {
            return Ok(Pattern::Bulk(token.word()?));
        }
        Ok(match token.text {
            "any" => Pattern::Any,
            "int" => Pattern::AnyInteger,
            "bulk" => Pattern::AnyBulk,
            "cursor" => Pattern::Cursor,
            "array" => Pattern::AnyArray,
            "nil" => Pattern::NullBulk,
            "nil-array" => Pattern::NullArray,
            "_" => Pattern::Null,
            "#t" => Pattern::Boolean(true),
            "#f" => Pattern::Boolean(false),
            "double" => Pattern::AnyDouble,
            "verbatim" => Pattern::AnyVerbatim,
            "map" => Pattern::AnyMap,
            "set" => Pattern::AnySet,
            "close" => Pattern::Close,
            "error" => self.error()?,
            "error-or-close" => Pattern::ErrorOrClose,
            "error-or-cut" => Pattern::ErrorOrCut,
            "bulk-length" => Pattern::BulkLength(number(self.next()?.text)?),
            "raw" => Pattern::Raw(self.next()?.word()?),
            "(" => self.group()?,
            "unordered" => match self.one()? {
                Pattern::Array(elements) if elements.len() <= UNORDERED_MAX => {
                    Pattern::Unordered(elements)
                }
                _ => {
                    return Err(Problem::new("`unordered`", "an array of up to 16 after it"));
                }
            },
            text if text.starts_with('+') => Pattern::Simple(token.word_after(1)?),
            text if text.starts_with(':') => Pattern::Integer(token.word_after(1)?),
            text if text.starts_with(',') => Pattern::Double(token.word_after(1)?),
            text if text.starts_with('(') => Pattern::BigNumber(token.word_after(1)?),
            text if text.starts_with('=') => self.verbatim(&text[1..])?,
            text if text.starts_with('*') => {
                Pattern::Array(self.in_order("an array", number(&text[1..])?)?)
            }
            text if text.starts_with('>') => {
                Pattern::Push(self.in_order("a push", number(&text[1..])?)?)
            }
            text if text.starts_with('~') => {
                Pattern::Set(self.elements("a set", few(&text[1..])?)?)
            }
            text if text.starts_with('%') => self.map(few(&text[1..])?)?,
            text => {
                return Err(Problem::new(
                    format!("`{text}`"),
                    "a pattern: +OK :1 \"bulk\" nil nil-array *N _ #t ,1.5 (1 =txt %N ~N >N error any int bulk array double verbatim map set bulk-length cursor unordered raw close error-or-close error-or-cut",
                ));
            }
        })
    }

    fn group(&mut self) -> Result<Pattern, Problem> {
        let inside = self.alternatives()?;
        if self.take_bare(")") {
            Ok(inside)
        } else {
            Err(Problem::new("an open `(`", "`)`"))
        }
    }

    /// Parses the patterns of `expected` elements of `what`, which may be in repeated groups.
    fn in_order(&mut self, what: &str, expected: usize) -> Result<Vec<Pattern>, Problem> {
        let mut patterns = Vec::new();
        loop {
            let found = count(&patterns);
            match self.repeated()? {
                Some(repeated) => patterns.push(repeated),
                None if found > expected => {
                    let wanted = format!("{expected} of them");
                    return Err(Problem::new(format!("{what} of {found} patterns"), wanted));
                }
                None if found == expected => return Ok(patterns),
                None => patterns.push(self.element(what, found, expected)?),
            }
        }
    }

    /// `( PATTERN... )*N`; `None` if no such group begins here.
    fn repeated(&mut self) -> Result<Option<Pattern>, Problem> {
        let Some((length, times)) = group(&self.tokens[self.at..])? else {
            return Ok(None);
        };
        let end = self.at + length - 1;
        let mut inside = Reader {
            tokens: &self.tokens[..end],
            at: self.at + 1,
        };
        let mut elements = Vec::new();
        while inside.at < end {
            elements.push(inside.one()?);
        }
        self.at = end + 1;
        Ok(Some(Pattern::Repeated { elements, times }))
    }

    /// Parses `count` patterns, the elements of `what`.
    fn elements(&mut self, what: &str, count: usize) -> Result<Vec<Pattern>, Problem> {
        (0..count)
            .map(|element| self.element(what, element, count))
            .collect()
    }

    /// The pattern after the first `found` of `expected` elements.
    fn element(&mut self, what: &str, found: usize, expected: usize) -> Result<Pattern, Problem> {
        self.one().map_err(|complaint| {
            if self.at < self.tokens.len() || complaint.what != "the end of the line" {
                complaint
            } else {
                let wanted = format!("{expected} of them");
                Problem::new(format!("{what} of {found} patterns"), wanted)
            }
        })
    }

    fn map(&mut self, entries: usize) -> Result<Pattern, Problem> {
        let patterns = self.elements("a map", 2 * entries)?;
        let (entries, _) = patterns.as_chunks();
        let entry = |[key, value]: &[Pattern; 2]| (key.clone(), value.clone());
        Ok(Pattern::Map(entries.iter().map(entry).collect()))
    }

    fn verbatim(&mut self, format: &str) -> Result<Pattern, Problem> {
        if format.len() != FORMAT_LETTERS {
            return Err(Problem::new(
                format!("`={format}`"),
                "three letters after `=`, and the text as the next word",
            ));
        }
        Ok(Pattern::Verbatim {
            format: format.to_owned(),
            text: self.next()?.word()?,
        })
    }

    fn error(&mut self) -> Result<Pattern, Problem> {
        let upper = |token: &Token<'_>| {
            !token.quoted && token.text.bytes().all(|byte| byte.is_ascii_uppercase())
        };
        let prefix = self.peek().filter(upper).map(|token| token.text.to_owned());
        self.at += usize::from(prefix.is_some());
        let containing = if self.take_bare("containing") {
            Some(self.next()?.word()?)
        } else {
            None
        };
        Ok(Pattern::Error { prefix, containing })
    }
}

/// The number of tokens in the group that `tokens` begin with, and N in the `)*N` at its end.
fn group(tokens: &[Token<'_>]) -> Result<Option<(usize, usize)>, Problem> {
    let mut depth = 0_usize;
    for (length, token) in (1..).zip(tokens) {
        let times = token.repeats()?;
        if token.is("(") {
            depth += 1;
        } else if token.is(")") || times.is_some() {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return Ok(times.map(|times| (length, times)));
        }
    }
    Ok(None)
}

/// The number of elements that come in any order.
fn few(digits: &str) -> Result<usize, Problem> {
    match number(digits)? {
        count if count > UNORDERED_MAX => Err(Problem::new(
            format!("{count} elements in any order"),
            "up to 16, or `map` or `set`",
        )),
        count => Ok(count),
    }
}
