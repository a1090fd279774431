//! Sums and means: exact, so that the order of additions and removals does not show.

use super::exact_sum::ExactSum;
use crate::operator::FunctionError;
use crate::value::{F64, Value};

/// The numbers of a set, summed up.
#[derive(Default)]
pub(crate) struct Numbers {
    integers: i128,
    floats: ExactSum,
    count: usize,
    float_count: usize,
}

impl Numbers {
    /// Adds a number once more or once less; `false` if it is none.
    pub(super) fn add(&mut self, element: &Value, sign: i8) -> bool {
        match element {
            // 2^64 integers of 2^63 at most cannot overflow 128 bits.
            Value::Int(n) => self.integers += i128::from(*n) * i128::from(sign),
            Value::Float(x) => {
                self.floats.add(x.get() * f64::from(sign));
                self.float_count = self.float_count.wrapping_add_signed(sign.into());
            }
            _ => return false,
        }
        self.count = self.count.wrapping_add_signed(sign.into());
        true
    }

    /// An integer where there are only integers.
    pub(super) fn sum(&self) -> Result<Value, FunctionError> {
        if self.float_count > 0 {
            return self.float_sum().map(Value::Float);
        }
        let sum = i64::try_from(self.integers);
        sum.map(Value::Int).map_err(|_| FunctionError::new("the sum exceeds a 64-bit integer"))
    }

    /// `None` without numbers.
    pub(super) fn mean(&self) -> Result<Option<Value>, FunctionError> {
        if self.count == 0 {
            return Ok(None);
        }
        let mean = F64::new(self.float_sum()?.get() / self.count as f64);
        Ok(mean.map(Value::Float))
    }

    fn float_sum(&self) -> Result<F64, FunctionError> {
        let mut sum = self.floats.clone();
        sum.add_integer(self.integers);
        F64::new(sum.round()).ok_or_else(|| FunctionError::new("the sum exceeds the greatest float"))
    }
}
