//! Generators that the property tests of this crate share.

use crate::value::{F64, Value};
use proptest::prelude::*;

/// Any value, a few levels deep.
pub(crate) fn arb_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-3i64..200).prop_map(Value::Int),
        any::<f64>().prop_filter_map("finite", |f| F64::new(f).map(Value::Float)),
        (-3i32..4).prop_filter_map("finite", |n| F64::new(f64::from(n) / 2.0).map(Value::Float)),
        "[a-z]{0,3}".prop_map(Value::atom),
        "\\PC{0,40}".prop_map(Value::text),
        proptest::collection::vec(any::<u8>(), 0..4).prop_map(Value::bytes),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            proptest::collection::vec((inner.clone(), inner), 0..3).prop_map(Value::map),
        ]
    })
}
