//! How much two sets of hashes differ, told from a few hundred bytes.
//!
//! Tug of war (Alon, Matias, Szegedy, "The Space Complexity of Approximating the Frequency Moments", STOC 1996; for sets
//! to be reconciled: Gong et al., "Space- and Computationally-Efficient Set Reconciliation via Parity Bitmap Sketch", VLDB
//! 2020): each hash pulls each of some ropes to one of two sides. The square of how far apart two sets have pulled a rope is
//! the size of their difference on average, with a relative error of the square root of 2 over the number of ropes.

use lasp_crdt::fingerprint::mix;
use lasp_crdt::{DecodeError, Reader, Writer};

/// How many ropes: an error of an eighth in two of three cases. A guess: they take some 250 bytes of a set of 100,000.
const ROPES: usize = 128;

/// How far a set has pulled each rope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gauge(Box<[i32; ROPES]>);

impl Gauge {
    /// Of a set. Cost: its size times the number of ropes.
    pub(crate) fn of(hashes: &[u64]) -> Self {
        let mut ropes = Box::new([0; ROPES]);
        for &hash in hashes {
            for (word, some) in ropes.chunks_mut(64).enumerate() {
                let sides = mix(hash, word as u64);
                some.iter_mut().enumerate().for_each(|(at, rope)| *rope += ((sides >> at & 1) as i32) * 2 - 1);
            }
        }
        Self(ropes)
    }

    /// In how many hashes two sets differ, about.
    pub(crate) fn apart(&self, other: &Self) -> usize {
        let squares = self.0.iter().zip(other.0.iter()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
        // At most 2^64 for whatever was sent; the cast saturates.
        (squares.sum::<f64>() / ROPES as f64).ceil() as usize
    }

    /// Each rope, in two bytes mostly.
    pub(crate) fn encode(&self, w: &mut Writer<'_>) {
        self.0.iter().for_each(|&rope| w.signed(rope.into()));
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// [`DecodeError`]; a rope that no set could have pulled so far is refused.
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut ropes = Box::new([0; ROPES]);
        for rope in ropes.iter_mut() {
            let at = r.at();
            let far = r.signed("rope")?;
            let refused = DecodeError::TooLong { what: "rope", len: far.unsigned_abs(), at };
            *rope = i32::try_from(far).map_err(|_| refused)?;
        }
        Ok(Self(ropes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::Plain;
    use lasp_crdt::fingerprint::mix3;

    fn hashes(range: std::ops::Range<u64>, seed: u64) -> Vec<u64> {
        range.map(|n| mix3(n, seed, 7)).collect()
    }

    #[test]
    fn the_difference_is_told_within_a_third_whatever_the_sets_are() {
        for (size, differ) in [(1000, 100), (1000, 1000), (20_000, 100), (20_000, 40_000)] {
            for seed in 0..10 {
                let (left, right) = (hashes(0..size, seed), hashes(differ / 2..size + differ / 2, seed));
                let told = Gauge::of(&left).apart(&Gauge::of(&right)) as f64 / differ as f64;
                assert!((0.6..1.5).contains(&told), "{told} of {differ} differences of {size}, seed {seed}");
            }
        }
        assert_eq!(Gauge::of(&hashes(0..50, 1)).apart(&Gauge::of(&hashes(0..50, 1))), 0);
    }

    #[test]
    fn a_gauge_reads_back_and_what_none_could_say_is_refused() {
        let gauge = Gauge::of(&hashes(0..10_000, 2));
        let mut bytes = Vec::new();
        gauge.encode(&mut Writer::new(&mut bytes, &mut Plain));
        assert!(bytes.len() <= 2 * ROPES, "{}", bytes.len());
        assert_eq!(Gauge::decode(&mut Reader::new(&bytes, &mut Plain)), Ok(gauge));
        bytes.clear();
        Writer::new(&mut bytes, &mut Plain).signed(i64::MIN);
        assert!(Gauge::decode(&mut Reader::new(&bytes, &mut Plain)).is_err());
        let far = |rope| Gauge(Box::new([rope; ROPES]));
        assert!(far(i32::MIN).apart(&far(i32::MAX)) > 1 << 60, "what is said is not believed, and nothing overflows");
    }
}
