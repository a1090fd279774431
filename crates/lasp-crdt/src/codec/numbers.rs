//! A column of numbers that are close to each other, as counts of replicas in step are.
//!
//! Fewer than four numbers are varints. More are `least << 1 | packed` (up to 65 bits), and what each is above the least: packed, as a
//! byte, the width in bits (2 to 64), and so many bits for each, the first in the lowest, padded with zeros to a whole
//! byte; or as varints. The shorter form is the one that is written; packed where they are as long as each other.
//!
//! Frame of reference, after Zukowski et al., "Super-Scalar RAM-CPU Cache Compression", ICDE 2006. A width below 2 would let
//! a hostile byte stand for more than four numbers.

use super::{DecodeError, Reader, Writer, write_varint, write_wide};
use smallvec::SmallVec;

/// Fewer are not worth a head.
const FEW: usize = 4;

/// The least width. A reader may reserve four numbers for each byte that is left.
const LEAST_WIDTH: u32 = 2;

/// Some numbers.
pub type Numbers = SmallVec<[u64; 4]>;

/// How many bits it takes to say how far above the least they are.
fn width_of(numbers: &[u64], least: u64) -> u32 {
    let most = numbers.iter().copied().max().unwrap_or(least);
    (u64::BITS - (most - least).leading_zeros()).max(LEAST_WIDTH)
}

/// How many bytes so many numbers take at a width, the width itself included.
const fn packed_len(count: usize, width: u32) -> usize {
    1 + (count * width as usize).div_ceil(8)
}

/// How many bytes a varint takes.
const fn varint_len(value: u64) -> usize {
    (u64::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// Whether packing is no longer than varints.
fn packs(numbers: &[u64], least: u64) -> bool {
    let varints: usize = numbers.iter().map(|number| varint_len(number - least)).sum();
    packed_len(numbers.len(), width_of(numbers, least)) <= varints
}

impl Writer<'_> {
    /// A column of numbers; how many is told otherwise.
    pub fn numbers(&mut self, numbers: &[u64]) {
        let least = match *numbers {
            [first, ..] if numbers.len() >= FEW => numbers.iter().copied().fold(first, u64::min),
            _ => return numbers.iter().for_each(|number| write_varint(self.out, *number)),
        };
        let packed = packs(numbers, least);
        write_wide(self.out, u128::from(least) << 1 | u128::from(packed));
        if !packed {
            return numbers.iter().for_each(|number| write_varint(self.out, number - least));
        }
        let width = width_of(numbers, least);
        self.u8(width as u8);
        self.packed(numbers.iter().map(|number| number - least), width);
    }

    /// So many bits of each number, which has no more: the first in the lowest, padded with zeros to a whole byte.
    pub fn packed(&mut self, numbers: impl IntoIterator<Item = u64>, width: u32) {
        let (mut bits, mut held) = (0u128, 0);
        for number in numbers {
            bits |= u128::from(number) << held;
            held += width;
            while held >= 8 {
                self.out.push(bits as u8);
                bits >>= 8;
                held -= 8;
            }
        }
        if held > 0 {
            self.out.push(bits as u8);
        }
    }
}

impl Reader<'_> {
    /// A column of `len` numbers that [`Writer::numbers`] wrote.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`] where they cannot be in the input; any other on what no writer writes.
    pub fn numbers(&mut self, len: usize, what: &'static str) -> Result<Numbers, DecodeError> {
        if len < FEW {
            return (0..len).map(|_| self.varint(what)).collect();
        }
        let (at, bad) = (self.at(), self.not_canonical(what));
        if len / 4 > self.remaining() {
            return Err(DecodeError::TooLong { what, len: len as u64, at });
        }
        let head = self.bytes.wide(what)?;
        let Ok(least) = u64::try_from(head >> 1) else { return Err(bad) };
        let packed = head & 1 == 1;
        let above = if packed { self.fitted(len, what)? } else { self.varints(len, what)? };
        let numbers: Option<Numbers> = above.iter().map(|above| least.checked_add(*above)).collect();
        let canonical = |numbers: &Numbers| above.contains(&0) && packs(numbers, least) == packed;
        numbers.filter(canonical).ok_or(bad)
    }

    fn varints(&mut self, len: usize, what: &'static str) -> Result<Numbers, DecodeError> {
        if len > self.remaining() {
            return Err(DecodeError::TooLong { what, len: len as u64, at: self.at() });
        }
        (0..len).map(|_| self.varint(what)).collect()
    }

    /// Packed numbers behind their width, which is the least that they need.
    fn fitted(&mut self, len: usize, what: &'static str) -> Result<Numbers, DecodeError> {
        let bad = self.not_canonical(what);
        let width = u32::from(self.u8(what)?);
        if !(LEAST_WIDTH..=u64::BITS).contains(&width) {
            return Err(bad);
        }
        let numbers = self.packed(len, width, what)?;
        if width_of(&numbers, 0) == width { Ok(numbers) } else { Err(bad) }
    }

    /// The `len` numbers of `width` bits, 1 to 64, that [`Writer::packed`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] where the input ends before, or the padding is not zeros.
    pub fn packed(&mut self, len: usize, width: u32, what: &'static str) -> Result<Numbers, DecodeError> {
        let bad = self.not_canonical(what);
        let bytes = self.bytes.take(packed_len(len, width) - 1, what)?;
        let mask = u128::from(u64::MAX >> (u64::BITS - width));
        let (mut bits, mut held, mut rest) = (0u128, 0, bytes.iter());
        let mut numbers = Numbers::with_capacity(len);
        while numbers.len() < len {
            while held < width {
                bits |= u128::from(rest.next().copied().unwrap_or(0)) << held;
                held += 8;
            }
            numbers.push((bits & mask) as u64);
            bits >>= width;
            held -= width;
        }
        if bits == 0 { Ok(numbers) } else { Err(bad) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Plain;
    use proptest::prelude::*;

    fn write(numbers: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, &mut Plain).numbers(numbers);
        bytes
    }

    fn read(bytes: &[u8], len: usize) -> Result<Vec<u64>, DecodeError> {
        let mut plain = Plain;
        let mut r = Reader::new(bytes, &mut plain);
        let numbers = r.numbers(len, "numbers")?;
        r.finish()?;
        Ok(numbers.to_vec())
    }

    proptest! {
        #[test]
        fn columns_round_trip(numbers in prop::collection::vec(prop_oneof![0..5u64, 0..300u64, any::<u64>()], 0..40)) {
            prop_assert_eq!(read(&write(&numbers), numbers.len()), Ok(numbers));
        }

        #[test]
        fn numbers_in_step_take_a_few_bits_each(base in any::<u32>(), above in prop::collection::vec(0..8u64, 50)) {
            let numbers: Vec<u64> = above.iter().map(|above| u64::from(base) + above).collect();
            prop_assert!(write(&numbers).len() <= 5 + 1 + 50 * 3 / 8 + 1);
        }

        /// Whatever is read is what would have been written.
        #[test]
        fn every_column_has_one_encoding(bytes in prop::collection::vec(any::<u8>(), 0..12), len in 0..8usize) {
            if let Ok(numbers) = read(&bytes, len) {
                prop_assert_eq!(write(&numbers), bytes);
            }
        }
    }

    #[test]
    fn a_column_that_cannot_be_in_the_input_is_refused_before_anything_is_reserved() {
        let refused = read(&[1, 2, 0, 0], 1 << 40);
        assert_eq!(refused, Err(DecodeError::TooLong { what: "numbers", len: 1 << 40, at: 0 }));
    }
}
