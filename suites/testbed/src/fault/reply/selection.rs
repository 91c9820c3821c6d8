//! Which replies a toxic acts on: by the request that they answer, by their number, by chance.

use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::fault::row::{Parameter, Unit};

/// Longer arguments of a request are values, not keys.
const KEY_BYTES_MAX: usize = 1024;

/// The parameters that every toxic of replies has.
pub const SELECTION: &[Parameter] = &[
    Parameter::optional("command", Unit::Command),
    Parameter::optional("key", Unit::Glob),
    Parameter::optional("nth", Unit::Count),
    Parameter::optional("every", Unit::Count),
    Parameter::optional("times", Unit::Count),
    Parameter::optional("percent", Unit::Percent).or(100),
];

/// The replies that a toxic acts on; all of them unless something is given.
///
/// `nth` and `every` count the replies that fit `command`, `key` and `percent`, over all connections of the link and from
/// the start of the toxic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// The command of the request, in any case; empty is any.
    pub command: String,
    /// A key of the request: any argument but the first, in which `*` matches anything; empty matches any.
    pub key: String,
    /// Only the reply with this number, from 1; 0 or less is any.
    pub nth: i64,
    /// Only each reply whose number is a multiple of this; 1 or less is each.
    pub every: i64,
    /// The most replies that are selected; 0 or less is no limit.
    pub times: i64,
    /// The percentage of replies that are selected, drawn for each reply.
    pub percent: i64,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            command: String::new(),
            key: String::new(),
            nth: 0,
            every: 0,
            times: 0,
            percent: 100,
        }
    }
}

impl Selection {
    /// Why the API of the fault server refuses it, if it does.
    pub(in crate::fault) fn refused(&self) -> Option<&'static str> {
        let is_part = (0..=100).contains(&self.percent);
        (!is_part).then_some("percent of replies: expected 0 to 100")
    }

    /// Whether a reply to `request` is counted. `chance` is that of the reply.
    #[must_use]
    pub fn fits(&self, request: Option<&Request>, chance: Chance) -> bool {
        let asks = |request: &Request| request.is(&self.command) && request.has_key(&self.key);
        let any = self.command.is_empty() && self.key.is_empty();
        // 100 is all of them; a fraction is less than 1.
        (any || request.is_some_and(asks)) && chance.fraction() * 100.0 < self.percent as f64
    }

    /// Whether the toxic acts on the reply that was counted last.
    #[must_use]
    pub fn picks(&self, counts: Counts) -> bool {
        positive(self.nth).is_none_or(|nth| counts.fitting == nth)
            && positive(self.every).is_none_or(|every| counts.fitting.is_multiple_of(every))
            && positive(self.times).is_none_or(|times| counts.picked < times)
    }
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}

/// What a toxic has counted over all connections of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Replies that fit its selection.
    pub fitting: u64,
    /// Replies that it acted on.
    pub picked: u64,
}

/// A request, as far as replies to it are selected by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    command: Vec<u8>,
    keys: Vec<Vec<u8>>,
}

impl Request {
    /// The request of these words.
    #[must_use]
    pub fn new<A: AsRef<[u8]>>(words: &[A]) -> Self {
        let mut words = words.iter().map(AsRef::as_ref);
        Self {
            command: words.next().unwrap_or_default().to_vec(),
            keys: words
                .filter(|word| word.len() <= KEY_BYTES_MAX)
                .map(<[u8]>::to_vec)
                .collect(),
        }
    }

    /// The first key-like word after the command.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.keys.first().map(Vec::as_slice)
    }

    fn is(&self, command: &str) -> bool {
        command.is_empty() || self.command.eq_ignore_ascii_case(command.as_bytes())
    }

    fn has_key(&self, glob: &str) -> bool {
        glob.is_empty() || self.keys.iter().any(|key| matches(glob.as_bytes(), key))
    }
}

/// Whether a key matches `glob`, in which `*` matches any bytes.
fn matches(glob: &[u8], key: &[u8]) -> bool {
    let Some(star) = glob.iter().position(|byte| *byte == b'*') else {
        return glob == key;
    };
    let (before, behind) = (&glob[..star], &glob[star + 1..]);
    let Some(rest) = key.strip_prefix(before) else {
        return false;
    };
    // Before another star, the first match leaves the most bytes to the rest of the pattern.
    match behind.iter().position(|byte| *byte == b'*') {
        None => rest.ends_with(behind),
        Some(0) => matches(behind, rest),
        Some(next) => rest
            .windows(next)
            .position(|window| window == &behind[..next])
            .is_some_and(|at| matches(&behind[next..], &rest[at + next..])),
    }
}
