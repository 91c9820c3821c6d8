//! The number that a digest gives: the bytes that programs read as one, the most significant first.

/// The longest digest, SHA-1, in bytes.
const BYTES_MAX: usize = 20;

/// An unsigned number of up to 160 bits. Its width matters where a program reads it as a signed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    bytes: [u8; BYTES_MAX],
    width: usize,
}

/// How a program reads a number before it divides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// As it is.
    Unsigned,
    /// As a signed number without its sign: `Math.abs(hash) % n`.
    Absolute,
    /// Without its highest bit: `(hash & 0x7fffffff) % n`.
    Masked,
    /// As a signed number; the remainder has the sign of the divisor: `Math.floorMod(hash, n)`.
    Floor,
}

impl Sign {
    /// Each, the commonest first.
    pub(super) const ALL: [Self; 4] = [Self::Unsigned, Self::Absolute, Self::Masked, Self::Floor];

    /// Its description, after the name of the digest.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Unsigned => "",
            Self::Absolute => ", signed, its absolute value",
            Self::Masked => ", without its highest bit",
            Self::Floor => ", signed, floor modulo",
        }
    }
}

impl Number {
    /// Of bytes, the most significant first; at most 20.
    pub(super) fn big(digest: &[u8]) -> Self {
        let mut bytes = [0; BYTES_MAX];
        bytes[..digest.len()].copy_from_slice(digest);
        Self {
            bytes,
            width: digest.len(),
        }
    }

    pub(super) fn of16(number: u16) -> Self {
        Self::big(&number.to_be_bytes())
    }

    pub(super) fn of32(number: u32) -> Self {
        Self::big(&number.to_be_bytes())
    }

    pub(super) fn of64(number: u64) -> Self {
        Self::big(&number.to_be_bytes())
    }

    /// Whether programs read it as a signed number: of 32 or 64 bits.
    pub(super) fn may_be_signed(&self) -> bool {
        matches!(self.width, 4 | 8)
    }

    /// Its highest 64 bits, with zeros after a shorter number: the order of numbers of one digest.
    pub(super) fn top(&self) -> u64 {
        let (top, _) = self.bytes.split_at(8);
        top.iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Its lowest 64 bits.
    pub(super) fn low(&self) -> u64 {
        self.digits()
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// The remainder of a division by `divisor`, which is not 0.
    pub(super) fn remainder(&self, sign: Sign, divisor: u64) -> u64 {
        let negative = self.digits()[0] >= 0x80;
        let unsigned = self.digits().iter().fold(0, |rest: u128, byte| {
            (rest << 8 | u128::from(*byte)) % u128::from(divisor)
        }) as u64;
        // 2 to the power of the number's bits, and half of it.
        let power = |bits: usize| (0..bits).fold(1 % divisor, |rest, _| (rest * 2) % divisor);
        let minus = |one: u64, other: u64| (one + divisor - other) % divisor;
        let bits = 8 * self.width;
        match sign {
            Sign::Unsigned => unsigned,
            _ if !negative => unsigned,
            Sign::Absolute => minus(power(bits), unsigned),
            Sign::Masked => minus(unsigned, power(bits - 1)),
            Sign::Floor => minus(unsigned, power(bits)),
        }
    }

    fn digits(&self) -> &[u8] {
        &self.bytes[..self.width]
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, Sign};

    #[test]
    fn remainders_are_those_of_signed_numbers() {
        for number in [0_u32, 1, 7, 0x7fff_ffff, 0x8000_0001, 0xffff_fffe, u32::MAX] {
            for divisor in [1_u64, 2, 3, 7, 16_384] {
                let signed = i64::from(number as i32);
                let expected = [
                    (Sign::Unsigned, u64::from(number) % divisor),
                    (Sign::Absolute, signed.unsigned_abs() % divisor),
                    (Sign::Masked, u64::from(number & 0x7fff_ffff) % divisor),
                    (Sign::Floor, signed.rem_euclid(divisor as i64) as u64),
                ];
                for (sign, expected) in expected {
                    let got = Number::of32(number).remainder(sign, divisor);
                    assert_eq!(got, expected, "{number} {sign:?} {divisor}");
                }
            }
        }
    }

    #[test]
    fn long_numbers_are_divided_whole() {
        // 2^100 mod 7 is 2.
        let mut bytes = [0; 16];
        bytes[3] = 1 << 4;
        assert_eq!(Number::big(&bytes).remainder(Sign::Unsigned, 7), 2);
        assert_eq!(Number::of16(0x1234).top(), 0x1234 << 48);
        assert_eq!(Number::of16(0x1234).low(), 0x1234);
    }
}
