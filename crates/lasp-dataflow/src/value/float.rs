//! Finite floats with a total order.

use std::cmp::Ordering;
use std::fmt;

/// A finite float; negative zero is zero, so equal numbers have equal bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct F64(f64);

impl F64 {
    /// `None` for NaN and the infinities, which have no place in a total order of numbers.
    pub fn new(float: f64) -> Option<Self> {
        // Adding zero turns -0.0 into 0.0 and changes nothing else.
        float.is_finite().then_some(Self(float + 0.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Its IEEE 754 bits.
    pub const fn bits(self) -> u64 {
        self.0.to_bits()
    }

    /// Compares with an integer, exactly.
    pub fn cmp_int(self, int: i64) -> Ordering {
        const TWO_63: f64 = 9_223_372_036_854_775_808.0;
        if self.0 >= TWO_63 {
            return Ordering::Greater;
        }
        if self.0 < -TWO_63 {
            return Ordering::Less;
        }
        let whole = self.0.trunc();
        (whole as i64).cmp(&int).then_with(|| self.0.total_cmp(&whole))
    }
}

impl Eq for F64 {}

impl Ord for F64 {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for F64 {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The shortest digits that read back as this number, always with a decimal point.
impl fmt::Display for F64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:?}", self.0);
        match digits.split_once('e') {
            Some((mantissa, exponent)) if !mantissa.contains('.') => {
                write!(f, "{mantissa}.0e{exponent}")
            }
            _ => f.write_str(&digits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_are_taken() {
        assert_eq!(F64::new(f64::NAN), None);
        assert_eq!(F64::new(f64::INFINITY), None);
        assert_eq!(F64::new(-0.0), F64::new(0.0));
        assert_eq!(F64::new(-0.0).map(F64::bits), Some(0));
    }

    #[test]
    fn every_float_prints_with_a_point() {
        let shown = |f: f64| F64::new(f).expect("finite").to_string();
        assert_eq!(shown(2.0), "2.0");
        assert_eq!(shown(1e300), "1.0e300");
        assert_eq!(shown(1.5e-9), "1.5e-9");
        assert_eq!(shown(-0.25), "-0.25");
    }

    #[test]
    fn a_negative_fraction_lies_below_its_whole_part() {
        let float = F64::new(-1.5).expect("finite");
        assert_eq!(float.cmp_int(-1), Ordering::Less);
        assert_eq!(float.cmp_int(-2), Ordering::Greater);
    }
}
