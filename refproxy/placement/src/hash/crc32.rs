//! CRC-32 (IEEE), whole and as the 15 bits that libmemcached keeps of it.
//!
//! Source: nutcracker 0.5.0 `src/hashkit/nc_crc32.c`.

use crc::{CRC_32_ISO_HDLC, Crc};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// `crc32`: bits 16 to 30, so at most 32767. A ketama ring has next to no point that low, so all keys meet one node.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    (crc32a(bytes) >> 16) & 0x7fff
}

/// `crc32a`: all 32 bits.
pub(super) fn crc32a(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}
