//! How a policy digests a key.

use crate::hash::{Digest, PredixyHash, crc16_xmodem, murmur2_64};

/// Number of slots of Redis Cluster.
pub(crate) const SLOTS: u16 = 16_384;

/// The digest of keys under a policy. An enum, because each lookup of a key computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyDigest {
    /// Envoy's: 64 bits.
    Murmur2,
    /// Redis Cluster's: the number of a slot.
    Slot,
    /// libketama's: 32 bits.
    Md5,
    /// twemproxy's: 32 bits. An empty key is not hashed.
    Twemproxy(Digest),
    /// Predixy's: a C `long`.
    Predixy(PredixyHash),
}

impl KeyDigest {
    #[inline]
    pub(crate) fn of(self, part: &[u8]) -> u64 {
        match self {
            Self::Murmur2 => murmur2_64(part),
            Self::Slot => u64::from(crc16_xmodem(part) % SLOTS),
            Self::Md5 => u64::from(Digest::Md5.of(part)),
            Self::Twemproxy(_) if part.is_empty() => 0,
            Self::Predixy(hash) => hash.of(part),
            Self::Twemproxy(digest) => u64::from(digest.of(part)),
        }
    }
}
