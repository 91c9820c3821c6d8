//! The greatest value that had ended before a time, in O(log n).

/// Values by the time at which they ended.
pub(super) struct Before<T> {
    /// Times, ascending, each with the greatest value up to it.
    greatest: Vec<(u64, T)>,
}

impl<T: Copy + Ord> Before<T> {
    /// Orders values by their times.
    pub(super) fn new(values: impl IntoIterator<Item = (u64, T)>) -> Self {
        let mut greatest: Vec<(u64, T)> = values.into_iter().collect();
        greatest.sort_unstable();
        let mut so_far = None;
        for (_, value) in &mut greatest {
            *value = so_far.map_or(*value, |so_far: T| so_far.max(*value));
            so_far = Some(*value);
        }
        Self { greatest }
    }

    /// The greatest value whose time is before `at`.
    pub(super) fn greatest(&self, at: u64) -> Option<T> {
        let until = self.greatest.partition_point(|(time, _)| *time < at);
        Some(self.greatest[until.checked_sub(1)?].1)
    }
}
