//! Bloom filters of sets of hashes: where two sets differ much, they tell most of the difference at a few bits for each hash,
//! before a sketch tells the rest (Gomes et al., "ConflictSync", 2025).

use lasp_crdt::fingerprint::mix;
use lasp_crdt::{DecodeError, Reader, Writer};

/// Most bytes of a filter: half a frame.
const MOST_BYTES: usize = crate::frame::MAX_FRAME / 2;

/// Most bits that a hash sets. One in 256 that is not in the set is then taken to be; fewer would hardly cost less.
pub(crate) const MOST_PROBES: u8 = 8;

/// Bits that say which hashes may be in a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    probes: u8,
    bits: Vec<u8>,
}

/// How many bytes a filter takes for so many hashes and probes: half of its bits are then set, which tells most.
pub(crate) fn bytes_for(hashes: usize, probes: u8) -> usize {
    let bits = hashes as f64 * f64::from(probes) * std::f64::consts::LOG2_E;
    ((bits / 8.0).ceil() as usize).clamp(1, MOST_BYTES)
}

/// Which share of hashes that are not in a set of so many is taken to be.
pub(crate) fn mistaken(hashes: usize, probes: u8, bytes: usize) -> f64 {
    let filled = 1.0 - (-(hashes as f64) * f64::from(probes) / (8.0 * bytes as f64)).exp();
    filled.powi(probes.into())
}

impl Filter {
    /// Of a set, with so many probes. Cost: their product.
    pub(crate) fn of(hashes: &[u64], probes: u8) -> Self {
        let mut filter = Self { probes, bits: vec![0; bytes_for(hashes.len(), probes)] };
        for &hash in hashes {
            for at in filter.places(hash) {
                filter.bits[at / 8] |= 1 << (at % 8);
            }
        }
        filter
    }

    /// The bits of a hash (Kirsch, Mitzenmacher, "Less Hashing, Same Performance", ESA 2006).
    fn places(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let (first, step, bits) = (mix(hash, 0xb100), mix(hash, 0xf117) | 1, self.bits.len() as u64 * 8);
        (0..u64::from(self.probes)).map(move |probe| (first.wrapping_add(step.wrapping_mul(probe)) % bits) as usize)
    }

    /// Whether a hash may be in the set; if not, it is not.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        self.places(hash).all(|at| self.bits[at / 8] >> (at % 8) & 1 == 1)
    }

    /// How many bits each hash sets.
    pub(crate) const fn probes(&self) -> u8 {
        self.probes
    }

    /// Which share of hashes that are not in its set, of so many, is taken to be.
    pub(crate) fn mistakes(&self, hashes: usize) -> f64 {
        mistaken(hashes, self.probes, self.bits.len())
    }

    /// The probes, the length, the bits.
    pub(crate) fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.probes);
        w.bytes(&self.bits);
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// [`DecodeError`]; a filter without bits, of more than half a frame, or with other than 1 to [`MOST_PROBES`] probes.
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let probes = r.u8("probes")?;
        if !(1..=MOST_PROBES).contains(&probes) {
            return Err(DecodeError::BadTag { what: "probes", tag: probes.into(), at });
        }
        let at = r.at();
        let bits = r.bytes("filter")?;
        if bits.is_empty() || bits.len() > MOST_BYTES {
            return Err(DecodeError::TooLong { what: "filter", len: bits.len() as u64, at });
        }
        Ok(Self { probes, bits: bits.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::Plain;

    fn hashes(range: std::ops::Range<u64>) -> Vec<u64> {
        range.map(|n| mix(n, 5)).collect()
    }

    #[test]
    fn what_is_in_is_never_missed_and_what_is_not_is_mistaken_as_rarely_as_said() {
        for probes in 1..=MOST_PROBES {
            let filter = Filter::of(&hashes(0..10_000), probes);
            assert!(hashes(0..10_000).into_iter().all(|hash| filter.may_hold(hash)));
            let mistakes = hashes(10_000..60_000).into_iter().filter(|&hash| filter.may_hold(hash)).count();
            let (share, said) = (mistakes as f64 / 50_000.0, filter.mistakes(10_000));
            assert!((share / said - 1.0).abs() < 0.2, "{probes} probes: {share}, not {said}");
            assert!((said * f64::from(1 << probes) - 1.0).abs() < 0.05, "half for each probe");
        }
    }

    #[test]
    fn a_filter_of_many_stays_within_half_a_frame() {
        assert_eq!(bytes_for(10_000_000, 8), MOST_BYTES);
        assert_eq!(bytes_for(0, 1), 1);
    }

    #[test]
    fn a_filter_reads_back_and_what_none_could_be_is_refused() {
        let filter = Filter::of(&hashes(0..1000), 3);
        let encoded = |filter: &Filter| {
            let mut bytes = Vec::new();
            filter.encode(&mut Writer::new(&mut bytes, &mut Plain));
            bytes
        };
        let decoded = |bytes: &[u8]| Filter::decode(&mut Reader::new(bytes, &mut Plain));
        assert_eq!(decoded(&encoded(&filter)), Ok(filter));
        for (probes, len) in [(0, 8), (MOST_PROBES + 1, 8), (1, 0), (1, MOST_BYTES + 1)] {
            assert!(decoded(&encoded(&Filter { probes, bits: vec![0; len] })).is_err(), "{probes} probes, {len} bytes");
        }
    }
}
