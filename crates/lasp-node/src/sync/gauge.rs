//! How much two sets of hashes differ, told from some hundred bytes.
//!
//! Tug of war (Alon, Matias, Szegedy, "The Space Complexity of Approximating the Frequency Moments", STOC 1996; for sets
//! to be reconciled: Gong et al., "Space- and Computationally-Efficient Set Reconciliation via Parity Bitmap Sketch", VLDB
//! 2020): each hash pulls each of some ropes to one of two sides. The square of how far apart two sets have pulled a rope is
//! the size of their difference on average, with a relative error of the square root of 2 over the number of ropes.
//!
//! Only how far *apart* two ropes are counts, so of each only its lowest bits are sent: as many as tell positions apart that
//! differ as much as the sets are thought to, at most. They are six or seven for a hundred differences, whatever the size of
//! the sets, and one more where four times as much differs.

use lasp_crdt::fingerprint::mix;
use lasp_crdt::{DecodeError, Reader, Writer};

/// How many ropes: an error of an eighth in two of three cases. A guess.
const ROPES: usize = 128;

/// Ropes whose sides one number tells.
const WORD: usize = 64;

/// Bits of a rope that are sent, at least and at most: enough for a hundred million differences.
const NARROWEST: u32 = 4;
const WIDEST: u32 = 16;

/// How many standard deviations two ropes may be apart. A guess: what is beyond three of them is taken for about as far on the
/// other side, which does little harm, and how many differ is known to half only.
const DEVIATIONS: u64 = 6;

/// How far a set has pulled each rope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gauge {
    /// Half of how far, downwards; of what was received the lowest [`width`](Self::width) bits.
    halves: Box<[i32; ROPES]>,
    /// Whether every rope is one further than twice that: of an odd number of hashes.
    odd: bool,
    width: u32,
}

/// The bits of a rope that are needed where so many hashes differ, or nobody knows how many.
fn width_for(differ: Option<usize>) -> u32 {
    let squared = differ.map(|differ| (differ.max(1) as u64).saturating_mul(DEVIATIONS * DEVIATIONS));
    squared.map_or(WIDEST, |squared| squared.ilog2() / 2 + 1).clamp(NARROWEST, WIDEST)
}

/// The signed number that these lowest bits of one are.
const fn extend(number: i64, width: u32) -> i64 {
    number << (i64::BITS - width) >> (i64::BITS - width)
}

impl Gauge {
    /// Of a set, to be sent to whose set differs from it in about so many hashes. Cost: its size times some fifty steps.
    pub(crate) fn of(hashes: &[u64], differ: Option<usize>) -> Self {
        let mut halves = Box::new([0; ROPES]);
        for (word, some) in halves.chunks_mut(WORD).enumerate() {
            let ones = count(hashes.iter().map(|&hash| mix(hash, word as u64)));
            // So many pull to one side, the others to the other.
            some.iter_mut().zip(ones).for_each(|(half, ones)| *half = ones as i32 - hashes.len().div_ceil(2) as i32);
        }
        Self { halves, odd: hashes.len() % 2 == 1, width: width_for(differ) }
    }

    /// In how many hashes two sets differ, about.
    pub(crate) fn apart(&self, other: &Self) -> usize {
        let width = self.width.min(other.width);
        let odd = i64::from(self.odd) - i64::from(other.odd);
        let apart = |(a, b): (&i32, &i32)| 2 * extend(i64::from(*a) - i64::from(*b), width) + odd;
        let squares = self.halves.iter().zip(other.halves.iter()).map(|ropes| (apart(ropes) as f64).powi(2));
        (squares.sum::<f64>() / ROPES as f64).ceil() as usize
    }

    /// A byte with the width and whether ropes are odd, then the lowest bits of each rope, filling bytes from the lowest.
    pub(crate) fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.width as u8 | u8::from(self.odd) << 7);
        let lowest = (1 << self.width) - 1;
        w.packed(self.halves.iter().map(|half| u64::from(half.cast_unsigned() & lowest)), self.width);
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// [`DecodeError`]; a width that nobody chooses is refused.
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let tag = r.u8("gauge")?;
        let (width, odd) = (u32::from(tag & 0x7f), tag >> 7 == 1);
        if !(NARROWEST..=WIDEST).contains(&width) {
            return Err(DecodeError::BadTag { what: "gauge", tag: tag.into(), at });
        }
        let mut halves = Box::new([0; ROPES]);
        for (half, bits) in halves.iter_mut().zip(r.packed(ROPES, width, "rope")?) {
            *half = extend(bits.cast_signed(), width) as i32;
        }
        Ok(Self { halves, odd, width })
    }
}

/// How often each bit is set. Digits of the same place of all counts are in one number, so that a number is added to all at once.
fn count(words: impl Iterator<Item = u64>) -> [u32; WORD] {
    let mut digits = [0u64; u32::BITS as usize];
    for word in words {
        let mut carry = word;
        for digit in &mut digits {
            (*digit, carry) = (*digit ^ carry, *digit & carry);
            if carry == 0 {
                break;
            }
        }
    }
    std::array::from_fn(|at| digits.iter().rev().fold(0, |count, digit| count << 1 | (digit >> at & 1) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::Plain;
    use lasp_crdt::fingerprint::mix3;

    fn hashes(range: std::ops::Range<u64>, seed: u64) -> Vec<u64> {
        range.map(|n| mix3(n, seed, 7)).collect()
    }

    fn sent(gauge: &Gauge) -> (Gauge, usize) {
        let mut bytes = Vec::new();
        gauge.encode(&mut Writer::new(&mut bytes, &mut Plain));
        (Gauge::decode(&mut Reader::new(&bytes, &mut Plain)).unwrap(), bytes.len())
    }

    #[test]
    fn the_difference_is_told_within_a_third_whatever_the_sets_are_and_though_it_was_thought_to_be_a_third() {
        for (size, differ) in [(1000, 100), (1000, 1001), (20_000, 10), (20_000, 101), (20_000, 40_000)] {
            for seed in 0..10 {
                let (left, right) = (hashes(0..size, seed), hashes(differ / 2..size + differ.div_ceil(2), seed));
                for thought in [None, Some(differ as usize), Some(differ as usize / 3)] {
                    let (heard, len) = sent(&Gauge::of(&left, thought));
                    let told = Gauge::of(&right, None).apart(&heard) as f64 / differ as f64;
                    assert!((0.6..1.5).contains(&told), "{told} of {differ} differences of {size}, seed {seed}");
                    assert!(thought.is_none() || differ > 101 || len <= 1 + ROPES * 6 / 8, "{len}");
                }
            }
        }
        assert_eq!(Gauge::of(&hashes(0..50, 1), None).apart(&Gauge::of(&hashes(0..50, 1), Some(1))), 0);
    }

    #[test]
    fn bits_are_counted_at_once_as_one_by_one() {
        let words = hashes(0..1_000, 3);
        let one_by_one: [u32; WORD] = std::array::from_fn(|at| words.iter().map(|word| (word >> at & 1) as u32).sum());
        assert_eq!(count(words.into_iter()), one_by_one);
    }

    #[test]
    fn a_gauge_reads_back_in_its_width_and_what_none_could_say_is_refused() {
        for (differ, len) in [(Some(0), 65), (Some(100), 97), (Some(20_000), 161), (None, 257), (Some(usize::MAX), 257)]
        {
            let gauge = Gauge::of(&hashes(0..10_001, 2), differ);
            let (heard, bytes) = sent(&gauge);
            assert_eq!((heard.apart(&gauge), sent(&heard), bytes), (0, (heard.clone(), len), len));
        }
        for width in [0, NARROWEST as u8 - 1, WIDEST as u8 + 1, 127, 255] {
            let mut bytes = vec![0; 2_000];
            bytes[0] = width;
            assert!(Gauge::decode(&mut Reader::new(&bytes, &mut Plain)).is_err());
        }
        let far = |half| Gauge { halves: Box::new([half; ROPES]), odd: half > 0, width: WIDEST };
        assert!(far(i32::MIN).apart(&far(i32::MAX)) <= 1 << 40, "what is said is not believed, and nothing overflows");
    }
}
