//! Additive fingerprints: 64-bit summaries that are kept up to date in the time of a change.
//!
//! A state's fingerprint is the wrapping sum of the hashes of its parts, so that adding or removing a part is one
//! addition or subtraction. Two replicas compare whole stores by one number; unequal numbers prove unequal
//! states, equal ones make equality certain but for a chance of about 2⁻⁶⁴. Not a defence against an adversary
//! who chooses elements.

use std::hash::{Hash, Hasher};

/// A type that knows the fingerprint of its state in O(1).
pub trait Fingerprint {
    /// The fingerprint; 0 for bottom, equal for equal states on every platform.
    fn fingerprint(&self) -> u64;
}

/// Hashes one part. Stable across platforms and releases, since peers compare the results.
pub fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = StableHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Mixes two 64-bit values into one (order matters). For a given `a`, every `b` gives another result.
pub const fn mix(a: u64, b: u64) -> u64 {
    // Finalizer of splitmix64, a bijection, so that sums of mixes spread.
    let z = (fold(a) ^ b).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Multiply-fold as in wyhash: 64x64 -> 128 bits, halves xored.
const fn fold(a: u64) -> u64 {
    let product = ((a ^ 0xa076_1d64_78bd_642f) as u128) * 0xe703_7ed1_a0b4_28db;
    (product as u64) ^ ((product >> 64) as u64)
}

/// Mixes three 64-bit values into one (order matters), at less than the cost of two [`mix`]es.
pub const fn mix3(a: u64, b: u64, c: u64) -> u64 {
    mix(a, b.wrapping_mul(0x9fb2_1c65_1e98_df25) ^ c.wrapping_mul(0xd1b5_4a32_d192_ed03).rotate_left(32))
}

/// A `Hasher` whose result depends on the written bytes alone: integers are taken as little-endian 64-bit words.
#[derive(Debug, Default, Clone)]
pub struct StableHasher(u64);

impl Hasher for StableHasher {
    fn finish(&self) -> u64 {
        mix(self.0, 0x9e37_79b9_7f4a_7c15)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
        self.write_u64(bytes.len() as u64);
    }

    fn write_u8(&mut self, i: u8) {
        self.write_u64(u64::from(i));
    }

    fn write_u16(&mut self, i: u16) {
        self.write_u64(u64::from(i));
    }

    fn write_u32(&mut self, i: u32) {
        self.write_u64(u64::from(i));
    }

    fn write_u64(&mut self, i: u64) {
        // Cheaper than a mix, which the end makes up for.
        self.0 = fold(self.0.rotate_left(23) ^ i);
    }

    fn write_u128(&mut self, i: u128) {
        self.write_u64(i as u64);
        self.write_u64((i >> 64) as u64);
    }

    fn write_usize(&mut self, i: usize) {
        self.write_u64(i as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An earlier version lost the lowest bit of its second argument, so that the contexts `1..=2` and `1..=3` had
    /// one fingerprint.
    #[test]
    fn no_bit_of_either_argument_is_lost() {
        for bit in 0..64 {
            for value in [0, 1, 2, 0x9e37_79b9_7f4a_7c15, u64::MAX] {
                assert_ne!(mix(value, 5), mix(value ^ (1 << bit), 5), "bit {bit} of the first");
                assert_ne!(mix(5, value), mix(5, value ^ (1 << bit)), "bit {bit} of the second");
            }
        }
    }

    #[test]
    fn results_are_the_same_in_every_release() {
        assert_eq!(hash(&0u64), 0xc01d_b1c8_4fa9_35cd);
        assert_eq!(hash("lasp"), 0x7377_a57a_3353_f101);
        assert_eq!(hash(&(1u8, -1i64, true)), 0x0eba_7b74_ae2f_6224);
    }
}
