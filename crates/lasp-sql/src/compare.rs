//! When two values are equal or ordered in SQL: numbers by number, texts and atoms by spelling.

use lasp_dataflow::{F64, Value};
use std::cmp::Ordering;
use std::sync::Arc;

/// The one value that stands for all that equal `value`: no atoms, no floats that an integer equals.
pub(crate) fn normal(value: &Value) -> Value {
    match value {
        Value::Atom(name) => Value::Text(name.clone()),
        Value::Float(float) => integral(*float).map_or_else(|| value.clone(), Value::Int),
        Value::Tuple(items) => Value::Tuple(items.iter().map(normal).collect()),
        Value::List(items) => Value::List(items.iter().map(normal).collect()),
        Value::Map(entries) => {
            Value::Map(Arc::new(entries.iter().map(|(key, value)| (normal(key), normal(value))).collect()))
        }
        Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::Bytes(_) => value.clone(),
    }
}

/// The integer that this float equals.
fn integral(float: F64) -> Option<i64> {
    let int = float.get() as i64;
    float.cmp_int(int).is_eq().then_some(int)
}

pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    order(left, right) == Some(Ordering::Equal)
}

/// `None` between values of different kinds.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    use Value as V;
    Some(match (left, right) {
        (V::Int(left), V::Int(right)) => left.cmp(right),
        (V::Float(left), V::Float(right)) => left.cmp(right),
        (V::Int(left), V::Float(right)) => right.cmp_int(*left).reverse(),
        (V::Float(left), V::Int(right)) => left.cmp_int(*right),
        (V::Text(left) | V::Atom(left), V::Text(right) | V::Atom(right)) => left.cmp(right),
        (V::Bool(left), V::Bool(right)) => left.cmp(right),
        (V::Bytes(left), V::Bytes(right)) => left.cmp(right),
        (V::Tuple(_), V::Tuple(_)) | (V::List(_), V::List(_)) | (V::Map(_), V::Map(_)) => {
            normal(left).cmp(&normal(right))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(f: f64) -> Value {
        Value::Float(F64::new(f).expect("finite"))
    }

    #[test]
    fn numbers_and_spellings_are_equal_across_kinds_and_nothing_else_is() {
        let open = (Value::atom("open"), Value::text("open"));
        for (a, b) in [(Value::Int(1), float(1.0)), open, (Value::tuple([Value::Int(2)]), Value::tuple([float(2.0)]))] {
            assert!(equal(&a, &b), "{a} = {b}");
            assert_eq!(normal(&a), normal(&b));
        }
        assert!(!equal(&Value::Int(1), &Value::text("1")));
        assert_eq!(order(&Value::Int(1), &Value::text("1")), None);
        assert_eq!(order(&Value::Int(i64::MAX), &float(9.3e18)), Some(Ordering::Less));
        assert_eq!(normal(&float(1.5)), float(1.5));
        // 2^63 is no 64-bit integer, though casting to one saturates.
        assert_eq!(normal(&float(9_223_372_036_854_775_808.0)), float(9_223_372_036_854_775_808.0));
    }
}
