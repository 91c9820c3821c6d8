//! CRC-16/XMODEM: Redis Cluster's slots use it as it is, twemproxy's `crc16` computes it in a register that is too
//! wide.

/// Polynomial 0x1021, most significant bit first.
const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 0x8000 != 0;
            remainder <<= 1;
            if carry {
                remainder ^= 0x1021;
            }
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
}

/// CRC-16/XMODEM, as in Redis Cluster's specification: start 0, not reflected, no final xor.
#[must_use]
pub fn crc16_xmodem(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ *byte)]
    })
}

/// twemproxy's `crc16`: the register has 32 bits and is never cut, so bits that should be shifted out stay.
///
/// Source: nutcracker 0.5.0 `src/hashkit/nc_crc16.c`. The low half is the real CRC-16.
pub(super) fn crc16(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc: u32, byte| {
        (crc << 8) ^ u32::from(TABLE[usize::from((crc >> 8) as u8 ^ *byte)])
    })
}

#[cfg(test)]
mod tests {
    use super::crc16_xmodem;

    #[test]
    fn agrees_with_the_specification_of_redis_cluster() {
        for (key, crc) in [
            (&b""[..], 0),
            (b"123456789", 0x31c3),
            (b"foo", 44950),
            (b"bar", 37829),
            (b"user1000", 19827),
        ] {
            assert_eq!(crc16_xmodem(key), crc, "{}", key.escape_ascii());
        }
    }
}
