//! Sums of floats without rounding, so that they do not depend on the order of additions and every one can be undone.
//!
//! A fixed-point number wide enough for any float: 32-bit digits in 64-bit limbs, the least worth 2^-1074. Carries are
//! deferred until a limb might overflow, and the sum is rounded once, when it is read. The idea is Kulisch's long
//! accumulator ("Computer Arithmetic and Validity", 2008).

/// Digits: floats span bits -1074..1024, and sums of 2^64 of them 64 bits more.
const LIMBS: usize = (1074 + 1024 + 64_usize).div_ceil(32) + 1;
/// A limb takes this many 32-bit digits of either sign before carries are due.
const DEFERRED_MAX: u32 = 1 << 30;

/// An exact sum of floats and integers.
#[derive(Clone)]
pub(super) struct ExactSum {
    /// Least first; each in units of 2^(32·index - 1074).
    limbs: Box<[i64; LIMBS]>,
    /// Additions since the last carry.
    deferred: u32,
}

impl Default for ExactSum {
    fn default() -> Self {
        Self { limbs: Box::new([0; LIMBS]), deferred: 0 }
    }
}

impl ExactSum {
    /// Adds a finite float.
    pub(super) fn add(&mut self, x: f64) {
        let bits = x.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as usize;
        let fraction = bits & ((1 << 52) - 1);
        // The mantissa's last bit is worth 2^(shift - 1074).
        let (mantissa, shift) = if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) };
        self.add_shifted(u128::from(mantissa), shift, x < 0.0);
    }

    /// Adds an integer.
    pub(super) fn add_integer(&mut self, n: i128) {
        let magnitude = n.unsigned_abs();
        self.add_shifted(magnitude & u128::from(u64::MAX), 1074, n < 0);
        self.add_shifted(magnitude >> 64, 1074 + 64, n < 0);
    }

    /// Adds `magnitude` (below 2^64) times 2^(shift - 1074).
    fn add_shifted(&mut self, magnitude: u128, shift: usize, negative: bool) {
        let mut rest = magnitude << (shift % 32);
        let mut at = shift / 32;
        while rest > 0 {
            let digit = (rest & 0xffff_ffff) as i64;
            self.limbs[at] += if negative { -digit } else { digit };
            rest >>= 32;
            at += 1;
        }
        self.deferred += 1;
        if self.deferred == DEFERRED_MAX {
            self.carry();
        }
    }

    /// Brings every limb but the last into 0..2^32.
    fn carry(&mut self) {
        let mut carry = 0;
        for limb in &mut self.limbs[..LIMBS - 1] {
            let sum = *limb + carry;
            *limb = sum & 0xffff_ffff;
            carry = sum >> 32;
        }
        self.limbs[LIMBS - 1] += carry;
        self.deferred = 1;
    }

    /// The nearest float, ties to even; infinite where the sum is beyond the greatest.
    pub(super) fn round(mut self) -> f64 {
        self.carry();
        let negative = self.limbs[LIMBS - 1] < 0;
        if negative {
            self.limbs.iter_mut().for_each(|limb| *limb = -*limb);
            self.carry();
        }
        let magnitude = self.magnitude();
        if negative { -magnitude } else { magnitude }
    }

    /// Of a carried sum that is not negative.
    fn magnitude(&self) -> f64 {
        let Some(top) = self.limbs.iter().rposition(|&limb| limb != 0) else { return 0.0 };
        // The four highest digits hold at least 97 significant bits; what lies below only breaks ties.
        let low = top.saturating_sub(3);
        let head = (low..=top).rev().fold(0u128, |head, at| head << 32 | self.limbs[at] as u128);
        let is_inexact = self.limbs[..low].iter().any(|&limb| limb != 0);
        scale(head | u128::from(is_inexact), low * 32)
    }
}

/// `head` times 2^(shift - 1074), rounded once. The last bit of a `head` that fills its digits is sticky.
fn scale(head: u128, shift: usize) -> f64 {
    let width = 128 - head.leading_zeros() as usize;
    // A float's last bit is worth at least 2^-1074, and there are 53 of them.
    let dropped = width.saturating_sub(53);
    let half = 1u128 << dropped >> 1;
    let kept = head >> dropped;
    let rest = head & ((1 << dropped) - 1);
    let round_up = dropped > 0 && (rest > half || rest == half && kept & 1 == 1);
    let mantissa = kept as u64 + u64::from(round_up);
    from_parts(mantissa, shift + dropped)
}

/// `mantissa` (at most 2^53) times 2^(shift - 1074), which is exact or infinite. Below 2^52 nothing was dropped, and
/// `shift` is 0.
fn from_parts(mantissa: u64, shift: usize) -> f64 {
    let (mantissa, shift) = if mantissa == 1 << 53 { (1 << 52, shift + 1) } else { (mantissa, shift) };
    if mantissa < 1 << 52 {
        // Subnormal: the bits are the mantissa.
        return f64::from_bits(mantissa);
    }
    match shift + 1 {
        exponent @ 1..0x7ff => f64::from_bits((exponent as u64) << 52 | mantissa & ((1 << 52) - 1)),
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(floats: impl IntoIterator<Item = f64>) -> f64 {
        let mut sum = ExactSum::default();
        floats.into_iter().for_each(|x| sum.add(x));
        sum.round()
    }

    #[test]
    fn nothing_is_lost_between_great_and_small() {
        assert_eq!(sum([1e300, 1.0, -1e300]), 1.0);
        assert_eq!(sum([0.1; 10]), 1.0);
        assert_eq!(sum([f64::MIN_POSITIVE, -f64::MIN_POSITIVE]).to_bits(), 0);
        assert_eq!(sum([f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum([f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum([5e-324, 5e-324]), 1e-323);
    }

    #[test]
    fn ties_go_to_even_unless_something_lies_below() {
        let tie = (1u64 << 53) as f64;
        assert_eq!(sum([tie, 1.0]), tie);
        assert_eq!(sum([tie, 1.0, 1e-300]), tie + 2.0);
        assert_eq!(sum([tie + 2.0, 1.0]), tie + 4.0);
    }

    #[test]
    fn integers_are_exact_too() {
        let mut total = ExactSum::default();
        total.add_integer(i128::from(i64::MAX) * 4 + 1);
        total.add_integer(-i128::from(i64::MAX) * 4);
        total.add(0.5);
        assert_eq!(total.round(), 1.5);
    }

    proptest! {
        #[test]
        fn one_float_and_its_opposite(x in any::<f64>().prop_filter("finite", |x| x.is_finite())) {
            prop_assert_eq!(sum([x]), x);
            prop_assert_eq!(sum([x, -x]), 0.0);
        }

        #[test]
        fn two_floats_round_as_the_processor_does(x in any::<f64>(), y in any::<f64>()) {
            prop_assume!(x.is_finite() && y.is_finite());
            prop_assert_eq!(sum([x, y]), x + y);
        }

        #[test]
        fn the_order_does_not_show(mut xs in proptest::collection::vec(-1e20..1e20, 0..20)) {
            let forth = sum(xs.iter().copied());
            xs.reverse();
            prop_assert_eq!(forth.to_bits(), sum(xs).to_bits());
        }
    }
}
