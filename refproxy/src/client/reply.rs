//! A reply on its way to a client, in the form that is cheapest to pass on.

use bytes::Bytes;

use crate::buffer::SHARE_FROM;

/// A reply on its way to a client.
#[derive(Debug)]
pub(crate) enum Reply<'a> {
    /// To be copied.
    Small(&'a [u8]),
    /// Kept without a copy.
    Large(Bytes),
    /// Made by the proxy, to be copied. Not counted as evidence of the size of the client's replies.
    Own(&'a [u8]),
}

impl Reply<'_> {
    /// The first byte, which is its type.
    pub(crate) fn first_byte(&self) -> Option<u8> {
        match self {
            Self::Small(bytes) | Self::Own(bytes) => bytes.first().copied(),
            Self::Large(bytes) => bytes.first().copied(),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Small(bytes) | Self::Own(bytes) => bytes,
            Self::Large(bytes) => bytes,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Small(bytes) | Self::Own(bytes) => bytes.len(),
            Self::Large(bytes) => bytes.len(),
        }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Small(bytes) | Self::Own(bytes) => Bytes::copy_from_slice(bytes),
            Self::Large(bytes) => bytes,
        }
    }
}

/// Whether a reply of this length is shared rather than copied, if possible.
#[inline]
pub(crate) fn is_large(len: usize) -> bool {
    len >= SHARE_FROM
}
