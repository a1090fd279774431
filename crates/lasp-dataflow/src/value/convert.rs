//! Conversions between Rust types and values.

use super::{F64, Value};
use thiserror::Error;

/// A value of another kind than the one asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected {expected}, found {found}")]
pub struct NotThatKind {
    /// What was asked for.
    pub expected: &'static str,
    /// What was there.
    pub found: Box<str>,
}

impl NotThatKind {
    /// `found` where `expected` was wanted.
    pub fn new(expected: &'static str, found: &Value) -> Self {
        Self { expected, found: format!("{} {found}", found.kind()).into() }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<i32> for Value {
    fn from(n: i32) -> Self {
        Self::Int(n.into())
    }
}

impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Self::Int(n.into())
    }
}

/// Values have 64-bit signed integers: greater ones become the greatest.
impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<F64> for Value {
    fn from(f: F64) -> Self {
        Self::Float(f)
    }
}

/// Text.
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// Text.
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// A list.
impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::list(items)
    }
}

/// A tuple of two.
impl<A: Into<Self>, B: Into<Self>> From<(A, B)> for Value {
    fn from((a, b): (A, B)) -> Self {
        Self::tuple([a.into(), b.into()])
    }
}

/// A tuple of three.
impl<A: Into<Self>, B: Into<Self>, C: Into<Self>> From<(A, B, C)> for Value {
    fn from((a, b, c): (A, B, C)) -> Self {
        Self::tuple([a.into(), b.into(), c.into()])
    }
}

impl TryFrom<&Value> for bool {
    type Error = NotThatKind;

    fn try_from(value: &Value) -> Result<Self, NotThatKind> {
        match value {
            Value::Bool(b) => Ok(*b),
            other => Err(NotThatKind::new("a boolean", other)),
        }
    }
}

impl TryFrom<&Value> for i64 {
    type Error = NotThatKind;

    fn try_from(value: &Value) -> Result<Self, NotThatKind> {
        match value {
            Value::Int(n) => Ok(*n),
            other => Err(NotThatKind::new("an integer", other)),
        }
    }
}

impl TryFrom<&Value> for u64 {
    type Error = NotThatKind;

    fn try_from(value: &Value) -> Result<Self, NotThatKind> {
        const EXPECTED: &str = "an integer that is not negative";
        match value {
            Value::Int(n) => Self::try_from(*n).map_err(|_| NotThatKind::new(EXPECTED, value)),
            other => Err(NotThatKind::new(EXPECTED, other)),
        }
    }
}

/// Atoms and texts.
impl<'a> TryFrom<&'a Value> for &'a str {
    type Error = NotThatKind;

    fn try_from(value: &'a Value) -> Result<Self, NotThatKind> {
        match value {
            Value::Atom(text) | Value::Text(text) => Ok(text),
            other => Err(NotThatKind::new("an atom or a text", other)),
        }
    }
}

/// The elements of a list.
impl<'a> TryFrom<&'a Value> for &'a [Value] {
    type Error = NotThatKind;

    fn try_from(value: &'a Value) -> Result<Self, NotThatKind> {
        match value {
            Value::List(items) => Ok(items),
            other => Err(NotThatKind::new("a list", other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_values_convert_both_ways() {
        assert_eq!(i64::try_from(&Value::from(-3)), Ok(-3));
        assert_eq!(bool::try_from(&Value::from(true)), Ok(true));
        assert_eq!(<&str>::try_from(&Value::from("x")), Ok("x"));
        assert_eq!(Value::from((1, "x")), Value::tuple([Value::Int(1), Value::text("x")]));
        assert_eq!(Value::from(vec![1, 2]), Value::list([1, 2]));
        assert_eq!(Value::from(u64::MAX), Value::Int(i64::MAX));
    }

    #[test]
    fn another_kind_is_named() {
        let error = u64::try_from(&Value::from(-3)).expect_err("negative");
        assert_eq!(error.to_string(), "expected an integer that is not negative, found an integer -3");
    }
}
