//! Where the keys of a request are: Redis' key specifications, and how they are read.
//!
//! Source: Redis 7.0 `COMMAND INFO`, `src/db.c` (`getKeysUsingKeySpecs`, `sortGetKeys`).

use crate::resp::Args;

/// Key positions as in Redis' `COMMAND`: the name is argument 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRange {
    /// Position of the first key; 0 for none.
    pub first: i8,
    /// Position of the last key; negative counts from the end.
    pub last: i8,
    /// Distance between keys.
    pub step: i8,
}

/// One of the places where a request may have keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// Where to begin.
    pub begin: Begin,
    /// How the keys are found from there.
    pub find: Find,
}

/// Where the keys of a [`KeySpec`] begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At this argument.
    Index(usize),
    /// After this word, in any case, searched from this argument on.
    Keyword(&'static str, usize),
    /// Wherever GEORADIUS finds the last STORE or STOREDIST, past the arguments of its other options, which begin at this one.
    /// Redis' own specification finds the first, but the command heeds the last.
    GeoStore(usize),
    /// Wherever SORT finds the last STORE, past the arguments of its other options.
    SortStore,
}

/// How far the keys of a [`KeySpec`] go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find {
    /// This number of further arguments.
    More(usize),
    /// To the end except for this number of arguments, in steps.
    ToEnd {
        /// Arguments after the last key.
        but: usize,
        /// From one key to the next.
        step: usize,
    },
    /// The first half of the rest: the keys of XREAD, which their ids follow.
    Half,
    /// As many as the number there, after it, in steps.
    Counted {
        /// From one key to the next.
        step: usize,
    },
}

/// A request whose keys cannot be found: Redis answers with a syntax error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unclear;

impl KeyRange {
    /// The positions of the keys in a request of `argc` arguments, name included.
    pub fn positions(self, argc: usize) -> impl Iterator<Item = usize> {
        let first = usize::try_from(self.first).unwrap_or(0);
        let last = match usize::try_from(self.last) {
            Ok(last) => last,
            Err(_) => argc.saturating_sub(usize::from(self.last.unsigned_abs())),
        };
        let end = if first == 0 { 0 } else { (last + 1).min(argc) };
        (first..end).step_by(usize::try_from(self.step).unwrap_or(1).max(1))
    }

    /// The keys of a complete request in array form.
    pub fn keys(self, frame: &[u8]) -> impl Iterator<Item = &[u8]> {
        let argc = Args::of(frame).count();
        let mut args = Args::of(frame);
        let mut at = 0;
        self.positions(argc).filter_map(move |position| {
            let key = args.nth(position - at);
            at = position + 1;
            key
        })
    }
}

/// The positions of the keys among `args`, the name first, spec by spec.
///
/// # Errors
/// A spec points past the end, or a number of keys is invalid.
pub(super) fn positions(specs: &[KeySpec], args: &[&[u8]]) -> Result<Vec<usize>, Unclear> {
    let mut found = Vec::new();
    for spec in specs {
        if let Some(first) = spec.begin.among(args) {
            spec.find.from(first, args, &mut found)?;
        }
    }
    Ok(found)
}

impl Begin {
    /// The argument where keys begin; `None` when the word is missing.
    fn among(self, args: &[&[u8]]) -> Option<usize> {
        match self {
            Self::Index(index) => Some(index),
            Self::Keyword(word, from) => {
                let rest = args.get(from..)?;
                let place = rest
                    .iter()
                    .position(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))?;
                Some(from + place + 1)
            }
            Self::SortStore => last_store(args, 2, &["STORE"], &SORT_OPTIONS),
            Self::GeoStore(from) => last_store(args, from, &["STORE", "STOREDIST"], &GEO_OPTIONS),
        }
    }
}

/// The options of SORT that take arguments, and how many.
const SORT_OPTIONS: [(&str, usize); 3] = [("LIMIT", 2), ("GET", 1), ("BY", 1)];
/// The options of GEORADIUS that do.
const GEO_OPTIONS: [(&str, usize); 1] = [("COUNT", 1)];

/// The argument after the last of `words` that is an option, starting at an argument.
fn last_store(
    args: &[&[u8]],
    from: usize,
    words: &[&str],
    options: &[(&str, usize)],
) -> Option<usize> {
    let mut store = None;
    let mut at = from;
    while at < args.len() {
        let is = |word: &str| args[at].eq_ignore_ascii_case(word.as_bytes());
        if let Some((_, arguments)) = options.iter().find(|(option, _)| is(option)) {
            at += arguments;
        } else if words.iter().any(|word| is(word)) && at + 1 < args.len() {
            at += 1;
            store = Some(at);
        }
        at += 1;
    }
    store
}

impl Find {
    fn from(self, first: usize, args: &[&[u8]], found: &mut Vec<usize>) -> Result<(), Unclear> {
        let argc = args.len();
        let (first, last, step) = match self {
            Self::More(more) => (first, Some(first + more), 1),
            Self::ToEnd { but, step } => (first, argc.checked_sub(but + 1), step),
            Self::Half => {
                let half = argc.saturating_sub(first) / 2;
                (first, (first + half).checked_sub(1), 1)
            }
            Self::Counted { step } => {
                let count = args
                    .get(first)
                    .and_then(|text| number(text))
                    .ok_or(Unclear)?;
                if count == 0 {
                    return Ok(());
                }
                let more = (count - 1).checked_mul(step).ok_or(Unclear)?;
                (first + 1, more.checked_add(first + 1), step)
            }
        };
        match last {
            Some(last) if first <= last && last < argc => {
                found.extend((first..=last).step_by(step));
                Ok(())
            }
            _ => Err(Unclear),
        }
    }
}

/// Digits only, as Redis reads a number of keys; a sign or a leading zero is invalid.
fn number(text: &[u8]) -> Option<usize> {
    let canonical = text == b"0" || (text.first().is_some_and(|digit| *digit != b'0'));
    if !canonical || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
