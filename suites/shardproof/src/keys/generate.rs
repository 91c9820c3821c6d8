//! Keys by a pattern in which `{n}` counts from 0.

use std::ops::Range;

use super::{Block, Error, Held, Source};

/// Keys that a block is made of: small enough to share them out evenly, large enough not to meet often.
const BLOCK: u64 = 1 << 16;

/// The text around the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    head: Vec<u8>,
    /// The text after each number.
    tails: Vec<Vec<u8>>,
}

impl Pattern {
    /// Parses a pattern. `None` without an `{n}` in it, because all keys would be the same.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut parts = text.split("{n}").map(Vec::from);
        let head = parts.next()?;
        let tails: Vec<Vec<u8>> = parts.collect();
        (!tails.is_empty()).then_some(Self { head, tails })
    }

    /// The first `count` keys.
    #[must_use]
    pub fn generate(self, count: u64) -> Generated {
        Generated {
            pattern: self,
            next: 0,
            count,
        }
    }

    /// The keys of these numbers, each built in the same memory.
    pub(super) fn each(&self, numbers: Range<u64>, mut take: impl FnMut(&[u8])) {
        let mut digits = Decimal::from(numbers.start);
        let mut key = Vec::new();
        for _ in numbers {
            key.clear();
            key.extend_from_slice(&self.head);
            for tail in &self.tails {
                key.extend_from_slice(digits.as_bytes());
                key.extend_from_slice(tail);
            }
            take(&key);
            digits.add_one();
        }
    }
}

/// A number as its digits, because most numbers differ from the one before by the last digit.
struct Decimal {
    /// Right-aligned; no number has more digits.
    digits: [u8; 20],
    start: usize,
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        let text = number.to_string();
        let mut digits = [b'0'; 20];
        let start = digits.len() - text.len();
        digits[start..].copy_from_slice(text.as_bytes());
        Self { digits, start }
    }
}

impl Decimal {
    fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }

    /// Counts on; the number after the greatest one is never asked for.
    fn add_one(&mut self) {
        for place in (0..self.digits.len()).rev() {
            self.start = self.start.min(place);
            if self.digits[place] < b'9' {
                self.digits[place] += 1;
                return;
            }
            self.digits[place] = b'0';
        }
    }
}

/// The source of such keys.
#[derive(Debug, Clone)]
pub struct Generated {
    pattern: Pattern,
    next: u64,
    count: u64,
}

impl Source for Generated {
    fn fill(&mut self, block: &mut Block) -> Result<bool, Error> {
        let end = self.next.saturating_add(BLOCK).min(self.count);
        if self.next == end {
            return Ok(false);
        }
        block.number = self.next / BLOCK;
        block.held = Held::Numbers(self.pattern.clone(), self.next..end);
        self.next = end;
        Ok(true)
    }
}
