//! The commands that are operations on registers, and what each does to its keys.

/// A request, as far as registers are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request<'a> {
    /// One operation per key.
    Register(Register<'a>),
    /// A command that changes every key.
    AllKeys,
    /// Any other command.
    Foreign,
}

/// A request to registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Register<'a> {
    /// The operation on each key.
    pub(super) ask: Ask,
    /// The keys, or keys and values in turn.
    words: &'a [Vec<u8>],
}

/// The operation of a request on each of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Get,
    MGet,
    Set,
    MSet,
    GetSet,
    /// SET with NX: answered with OK or nil.
    SetNx,
    /// SETNX: answered with a number.
    Setnx,
    Del,
}

/// A command: its name, its operation, and whether it takes several keys.
type Row = (&'static str, Ask, Keys);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    One,
    Several,
}

const COMMANDS: &[Row] = &[
    ("GET", Ask::Get, Keys::One),
    ("SET", Ask::Set, Keys::One),
    ("GETSET", Ask::GetSet, Keys::One),
    ("SETNX", Ask::Setnx, Keys::One),
    ("DEL", Ask::Del, Keys::Several),
    ("UNLINK", Ask::Del, Keys::Several),
    ("MGET", Ask::MGet, Keys::Several),
    ("MSET", Ask::MSet, Keys::Several),
];

const ALL_KEYS: &[&str] = &["FLUSHALL", "FLUSHDB", "SWAPDB"];

/// Classifies a request. Options that set a time to live, or conditions other than NX, are foreign.
pub(super) fn request(words: &[Vec<u8>]) -> Request<'_> {
    let Some((name, words)) = words.split_first() else {
        return Request::Foreign;
    };
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    if ALL_KEYS.iter().any(|name| is(name)) {
        return Request::AllKeys;
    }
    let row = COMMANDS.iter().find(|(name, ..)| is(name));
    let register = row.and_then(|row| register(row, words));
    register.map_or(Request::Foreign, Request::Register)
}

fn register<'a>(row: &Row, words: &'a [Vec<u8>]) -> Option<Register<'a>> {
    let (_, ask, keys) = *row;
    let register = Register { ask, words };
    let (count, stride) = (words.len(), register.stride());
    match (ask, keys) {
        (Ask::Set, _) if count == 3 && words[2].eq_ignore_ascii_case(b"NX") => Some(Register {
            ask: Ask::SetNx,
            words: &words[..2],
        }),
        (_, Keys::One) => (count == stride).then_some(register),
        (_, Keys::Several) => (count > 0 && count % stride == 0).then_some(register),
    }
}

impl<'a> Register<'a> {
    /// Words per key.
    fn stride(&self) -> usize {
        match self.ask {
            Ask::Get | Ask::MGet | Ask::Del => 1,
            Ask::Set | Ask::MSet | Ask::GetSet | Ask::SetNx | Ask::Setnx => 2,
        }
    }

    /// The number of keys.
    pub(super) fn len(&self) -> usize {
        self.words.len() / self.stride()
    }

    /// Each key with the value that follows it; an empty value if the command takes none.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let part = |words: &'a [Vec<u8>]| match words {
            [key, value] => (&key[..], &value[..]),
            words => (&words[0][..], &[][..]),
        };
        self.words.chunks_exact(self.stride()).map(part)
    }
}
