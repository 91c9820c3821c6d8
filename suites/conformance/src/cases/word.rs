//! Words of a case: bytes with variables, and the values of the variables in one run.

use std::collections::BTreeMap;
use std::fmt;

/// The byte that padded keys end with.
const PADDING: u8 = b'x';

/// A key that the runner chooses: `$a1` lives on node A, `$k1` anywhere, and `$ad1` on node A, but on D after the first
/// `rescale` of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable {
    /// The node that the key lives on, by its place in the cluster; `None` if it does not matter.
    pub node: Option<usize>,
    /// Its node after the first `rescale`; `None` if it does not matter.
    pub moved: Option<usize>,
    /// Distinguishes the keys of one node.
    pub number: u32,
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lower = |node| letter(node).to_ascii_lowercase();
        let before = self.node.map_or('k', lower);
        let after = self.moved.map(lower).map_or(String::new(), String::from);
        write!(f, "${before}{after}{}", self.number)
    }
}

/// The letter of a node: A is the first.
#[must_use]
pub fn letter(node: usize) -> char {
    u8::try_from(node)
        .ok()
        .and_then(|node| b'A'.checked_add(node))
        .map_or('?', char::from)
}

/// Bytes with variables in them, possibly repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Consecutive parts.
    pub pieces: Vec<Piece>,
    /// How often it all comes: `"x"*3`.
    pub times: usize,
}

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// The key: `$a1`.
    Key(Variable),
    /// The number of bytes of the key: `${len $a1}`.
    Length(Variable),
    /// The key, with bytes after it up to a length: `${pad $a1 100}`.
    Padded(Variable, usize),
    /// The prefix of every key of the run: `${run}`.
    Run,
    /// Which repetition of a `times` step or of a group this is, from 1: `${n}`.
    Repetition,
}

/// Words that are repeated: `( f${n} v )*1000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The words.
    pub words: Vec<Word>,
    /// How often they come.
    pub times: usize,
}

impl Word {
    /// A word without variables.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self {
            pieces: vec![Piece::Bytes(text.as_bytes().to_vec())],
            times: 1,
        }
    }

    /// The bytes of this word in one run.
    #[must_use]
    pub fn bytes(&self, scope: &Scope) -> Vec<u8> {
        match self.times {
            1 => self.once(scope),
            times => self.once(scope).repeat(times),
        }
    }

    /// The bytes that are repeated.
    pub(crate) fn once(&self, scope: &Scope) -> Vec<u8> {
        self.pieces
            .iter()
            .flat_map(|piece| match piece {
                Piece::Bytes(bytes) => bytes.clone(),
                Piece::Key(variable) => scope.key(*variable).to_vec(),
                Piece::Length(variable) => scope.key(*variable).len().to_string().into_bytes(),
                Piece::Padded(variable, length) => scope.padded(*variable, *length),
                Piece::Run => scope.run.clone().into_bytes(),
                Piece::Repetition => scope.repetition.to_string().into_bytes(),
            })
            .collect()
    }
}

impl Group {
    /// The bytes of all words, in order.
    pub(crate) fn bytes(&self, scope: &Scope) -> Vec<Vec<u8>> {
        let mut scope = scope.clone();
        let mut bytes = Vec::with_capacity(self.words.len().saturating_mul(self.times));
        for repetition in 1..=self.times {
            scope.repetition = repetition;
            bytes.extend(self.words.iter().map(|word| word.bytes(&scope)));
        }
        bytes
    }
}

/// Values of the variables in one run of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The keys.
    pub keys: BTreeMap<Variable, Vec<u8>>,
    /// The prefix of every key of the run.
    pub run: String,
    /// The repetition of the current step, from 1.
    pub repetition: usize,
}

impl Scope {
    fn key(&self, variable: Variable) -> &[u8] {
        self.keys.get(&variable).map_or(b"", Vec::as_slice)
    }

    fn padded(&self, variable: Variable, length: usize) -> Vec<u8> {
        let mut key = self.key(variable).to_vec();
        key.resize(length.max(key.len()), PADDING);
        key
    }
}
