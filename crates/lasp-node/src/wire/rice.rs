//! Numbers in fractions of bytes: Rice codes (Rice, "Some practical universal noiseless coding techniques", JPL 79-22, 1979).
//!
//! With parameter `k` a number is written as its quotient by 2^k in unary (so many zeros and a one), then its `k` low bits;
//! bits fill bytes from the lowest, and the last byte is padded with zeros. For gaps between members of a random subset this is
//! within a few percent of their entropy.

use lasp_crdt::DecodeError;
use lasp_crdt::codec::Bytes;

/// The greatest parameter: gaps within a table of 16,384 ids are worth no more.
pub(super) const MAX_PARAMETER: u32 = 13;

/// The parameter for numbers with this sum: the logarithm of their mean, at least 1, so that a number takes at least two bits.
pub(super) const fn parameter(sum: u64, count: usize) -> u32 {
    let mean = sum / if count == 0 { 1 } else { count as u64 };
    let k = if mean < 2 { 1 } else { mean.ilog2() };
    if k > MAX_PARAMETER { MAX_PARAMETER } else { k }
}

/// How many bytes the numbers take.
pub(super) fn len(numbers: &[u64], k: u32) -> usize {
    let bits: u64 = numbers.iter().map(|number| (number >> k) + 1 + u64::from(k)).sum();
    usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX)
}

/// Appends the numbers.
pub(super) fn write(numbers: &[u64], k: u32, out: &mut Vec<u8>) {
    let (mut bits, mut held) = (0u64, 0);
    let mut push = |value: u64, width: u32| {
        bits |= value << held;
        held += width;
        while held >= 8 {
            out.push(bits as u8);
            (bits, held) = (bits >> 8, held - 8);
        }
        (bits, held)
    };
    let mut rest = (0, 0);
    for number in numbers {
        let mut zeros = number >> k;
        while zeros >= 32 {
            push(0, 32);
            zeros -= 32;
        }
        push(1 << zeros, zeros as u32 + 1);
        rest = push(number & ((1 << k) - 1), k);
    }
    if rest.1 > 0 {
        out.push(rest.0 as u8);
    }
}

/// Reads numbers that [`write`] has written.
pub(super) struct Rice<'a, 'b> {
    bytes: &'a mut Bytes<'b>,
    k: u32,
    bits: u64,
    held: u32,
}

impl<'a, 'b> Rice<'a, 'b> {
    pub(super) const fn new(bytes: &'a mut Bytes<'b>, k: u32) -> Self {
        Self { bytes, k, bits: 0, held: 0 }
    }

    fn refill(&mut self) -> Result<(), DecodeError> {
        self.bits |= u64::from(self.bytes.u8("ranks")?) << self.held;
        self.held += 8;
        Ok(())
    }

    /// The next number; `None` if it is `limit` or more, after no more reading than that takes.
    pub(super) fn next(&mut self, limit: u64) -> Result<Option<u64>, DecodeError> {
        let mut quotient = 0u64;
        while self.bits == 0 {
            quotient += u64::from(self.held);
            self.held = 0;
            if quotient << self.k >= limit {
                return Ok(None);
            }
            self.refill()?;
        }
        let zeros = self.bits.trailing_zeros();
        quotient += u64::from(zeros);
        self.drop_bits(zeros + 1);
        while self.held < self.k {
            self.refill()?;
        }
        let low = self.bits & ((1 << self.k) - 1);
        self.drop_bits(self.k);
        let number = quotient << self.k | low;
        Ok((number < limit).then_some(number))
    }

    const fn drop_bits(&mut self, count: u32) {
        self.bits >>= count;
        self.held -= count;
    }

    /// Whether what is left of the last byte is padding.
    pub(super) const fn is_padded(&self) -> bool {
        self.bits == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_and_as_long_as_was_said(
            numbers in prop::collection::vec(0..20_000u64, 0..60), k in 1..=MAX_PARAMETER,
        ) {
            let mut out = Vec::new();
            write(&numbers, k, &mut out);
            prop_assert_eq!(out.len(), len(&numbers, k));
            let mut bytes = Bytes::new(&out);
            let mut rice = Rice::new(&mut bytes, k);
            for number in &numbers {
                prop_assert_eq!(rice.next(20_000), Ok(Some(*number)));
            }
            prop_assert!(rice.is_padded());
            prop_assert_eq!(bytes.remaining(), 0);
        }

        #[test]
        fn any_bytes_are_numbers_below_the_limit_or_refused(
            input in prop::collection::vec(any::<u8>(), 0..40), k in 1..=MAX_PARAMETER, limit in 1..20_000u64,
        ) {
            let mut bytes = Bytes::new(&input);
            let mut rice = Rice::new(&mut bytes, k);
            while let Ok(Some(number)) = rice.next(limit) {
                prop_assert!(number < limit);
            }
        }
    }

    #[test]
    fn members_of_a_random_subset_take_about_their_entropy() {
        // One of 16, drawn by a multiplicative hash: 5.4 bits each.
        let members: Vec<u64> = (0..16_384u64).filter(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60 == 3).collect();
        let gaps: Vec<u64> = members.windows(2).map(|pair| pair[1] - pair[0] - 1).collect();
        let bits = len(&gaps, parameter(gaps.iter().sum(), gaps.len())) * 8;
        assert!(bits < gaps.len() * 6, "{bits} bits for {}", gaps.len());
    }
}
