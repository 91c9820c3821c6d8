//! An operation on one register: what it does to the value, and which operations it must follow.

/// An operation. `V` is a value: bytes at first, then a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operation<V> {
    /// The index of its record in the history.
    pub(super) record: u32,
    /// The session, numbered densely.
    pub(super) session: u32,
    /// Its place in the session.
    pub(super) sequence: u64,
    /// Takes effect at or after this time.
    pub(super) sent: u64,
    /// Takes effect at or before this time.
    pub(super) end: u64,
    /// Its effect.
    pub(super) act: Act<V>,
    /// Whether it took effect.
    pub(super) effect: Effect,
    /// Its place in the order of the one node that saw it once.
    pub(super) place: Option<(u16, u64)>,
}

/// Whether an operation took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It did before its client read the reply: before all later operations of its session.
    Acknowledged,
    /// It did, but its client was not answered: later operations of its session may have come first.
    Unacknowledged,
    /// It may have, at any time after it was sent.
    Possible,
}

/// The effect of an operation on the value of a key, and what its reply shows about the value before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act<V> {
    /// The value is this one; `None` is an absent key.
    Read(Option<V>),
    /// The key has some value: SET NX was refused.
    Exists,
    /// The value becomes this one.
    Write(V),
    /// The value was `old` and becomes `new`: GETSET, or SET NX that was executed.
    Swap {
        /// The value before.
        old: Option<V>,
        /// The value after.
        new: V,
    },
    /// The key had some value and becomes absent.
    Delete,
    /// The value becomes this one if the key is absent: SET NX without a reply.
    Create(V),
    /// The key becomes absent: DEL without a reply.
    Clear,
}

impl<V: Copy + PartialEq> Act<V> {
    /// The value afterwards, or `None` if the reply contradicts the value before.
    pub(super) fn apply(self, before: Option<V>) -> Option<Option<V>> {
        match self {
            Self::Read(value) => (before == value).then_some(before),
            Self::Exists => before.is_some().then_some(before),
            Self::Write(value) => Some(Some(value)),
            Self::Swap { old, new } => (before == old).then_some(Some(new)),
            Self::Delete => before.is_some().then_some(None),
            Self::Create(value) => Some(before.or(Some(value))),
            Self::Clear => Some(None),
        }
    }

    /// Whether it changes no value.
    pub(super) fn is_read(self) -> bool {
        matches!(self, Self::Read(_) | Self::Exists)
    }

    /// The value that it needs before, if it needs a certain one.
    pub(super) fn needs(self) -> Option<Option<V>> {
        match self {
            Self::Read(value) | Self::Swap { old: value, .. } => Some(value),
            _ => None,
        }
    }

    /// Whether it needs some value before, no matter which.
    pub(super) fn needs_any(self) -> bool {
        matches!(self, Self::Exists | Self::Delete)
    }

    /// The value that it may leave behind, if it changes the value.
    pub(super) fn gives(self) -> Option<Option<V>> {
        match self {
            Self::Read(_) | Self::Exists => None,
            Self::Write(value) | Self::Swap { new: value, .. } | Self::Create(value) => {
                Some(Some(value))
            }
            Self::Delete | Self::Clear => Some(None),
        }
    }
}

impl<V> Operation<V> {
    /// Whether it took effect for certain.
    pub(super) fn is_certain(&self) -> bool {
        self.effect != Effect::Possible
    }

    /// Whether later operations of its session come after it.
    pub(super) fn binds_session(&self) -> bool {
        self.effect == Effect::Acknowledged
    }
}
