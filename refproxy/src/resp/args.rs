//! The arguments of a complete request.

use std::ops::Range;

use super::number::{Line, line};

/// Walks over the arguments of one complete request in array form, as [`super::RequestScan`] has found it.
/// Stops at the first byte that is not as that scanner would have it.
#[derive(Debug, Clone)]
pub struct Args<'a> {
    frame: &'a [u8],
    at: usize,
}

impl<'a> Args<'a> {
    /// The arguments of `frame`, name first.
    #[must_use]
    pub fn of(frame: &'a [u8]) -> Self {
        let at = match line(frame, 1, frame.len()) {
            Line::Number(_, at) => at,
            _ => frame.len(),
        };
        Self { frame, at }
    }

    /// Where the next argument is; `None` after the last.
    pub fn next_range(&mut self) -> Option<Range<usize>> {
        if self.frame.get(self.at) != Some(&b'$') {
            return None;
        }
        let Line::Number(len, start) = line(self.frame, self.at + 1, self.frame.len()) else {
            return None;
        };
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        if end > self.frame.len() {
            return None;
        }
        self.at = end + 2;
        Some(start..end)
    }
}

impl<'a> Iterator for Args<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.next_range().map(|range| &self.frame[range])
    }
}
