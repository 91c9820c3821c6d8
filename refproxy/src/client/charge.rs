//! What a reply that is still to come may take of what a node may owe.

/// How much a reply that a node owes may take, as the power of two that it does not exceed: a byte a request. None for
/// small replies, which are bounded by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charge(u8);

impl Charge {
    /// Of a small reply.
    pub(crate) const NONE: Self = Self(0);

    #[inline]
    pub(super) fn of(bytes: usize) -> Self {
        if bytes == 0 {
            return Self::NONE;
        }
        let power = usize::BITS - (bytes - 1).leading_zeros();
        // At most 64.
        Self(u8::try_from(power.clamp(1, 40)).unwrap_or(40))
    }

    #[inline]
    pub(crate) fn bytes(self) -> u64 {
        if self == Self::NONE { 0 } else { 1 << self.0 }
    }
}
