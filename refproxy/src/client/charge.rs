//! How much of a node's debt limit a pending reply may take.

/// The size that a pending reply of a node may have, as the power of two that it does not exceed: one byte per request.
/// `NONE` for small replies, which are limited by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charge(u8);

impl Charge {
    /// Charge of a small reply.
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
