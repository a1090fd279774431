//! Values: what sets hold, registers store and functions compute, with one total order.
//!
//! The order decides how sets print and how ties break, so every replica must compute it alike: numbers (integers and
//! floats together, by number, an integer before the equal float), then booleans, atoms, texts, bytes, tuples, lists and
//! maps; collections compare element by element, then by length. It is this project's choice, close to Erlang's. Knows no
//! lattice and no variable.

#[cfg(feature = "serde")]
mod bridge;
mod codec;
mod convert;
mod display;
mod float;

#[cfg(feature = "serde")]
pub use bridge::{FromValueError, ToValueError, from_value, to_value};
pub use convert::NotThatKind;
pub(crate) use display::{write_list, write_map};
pub use float::F64;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// How deeply a value may nest where it enters a variable: what a decoder accepts, with room for the types around it.
pub const MAX_VALUE_DEPTH: usize = 40;

/// An immutable value; cloning is O(1).
#[derive(Clone, Debug)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A finite float.
    Float(F64),
    /// A symbolic constant, such as `red`.
    Atom(Arc<str>),
    /// UTF-8 text.
    Text(Arc<str>),
    /// Raw bytes.
    Bytes(Arc<[u8]>),
    /// A fixed number of values, `{a, 1}`.
    Tuple(Arc<[Self]>),
    /// Any number of values, `[1, 2]`.
    List(Arc<[Self]>),
    /// Keys to values, `#{k => v}`.
    Map(Arc<BTreeMap<Self, Self>>),
}

impl Value {
    /// The atom `name`.
    pub fn atom(name: impl Into<Arc<str>>) -> Self {
        Self::Atom(name.into())
    }

    /// The text `text`.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// These bytes.
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// The tuple of these values.
    pub fn tuple(items: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        Self::Tuple(items.into_iter().map(Into::into).collect())
    }

    /// The list of these values.
    pub fn list(items: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// The map of these entries; of two entries with one key the later counts.
    pub fn map(entries: impl IntoIterator<Item = (Self, Self)>) -> Self {
        Self::Map(Arc::new(entries.into_iter().collect()))
    }

    /// A pair, as [`product`](crate::Operator::Product) and [`join`](crate::Operator::Join) make them.
    pub fn pair(left: Self, right: Self) -> Self {
        Self::Tuple(Arc::new([left, right]))
    }

    /// The name of this value's kind, with its article: "an integer".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Atom(_) => "an atom",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Whether no part of this value is nested more than `levels` deep. Cost: the parts above that depth.
    pub fn nests_within(&self, levels: usize) -> bool {
        match self {
            Self::Tuple(items) | Self::List(items) => levels > 0 && items.iter().all(|v| v.nests_within(levels - 1)),
            Self::Map(entries) => {
                levels > 0 && entries.iter().all(|(k, v)| k.nests_within(levels - 1) && v.nests_within(levels - 1))
            }
            _ => true,
        }
    }

    /// Where this kind stands in the order and how it is told apart in hashes.
    fn rank(&self) -> u8 {
        match self {
            Self::Int(_) | Self::Float(_) => 0,
            Self::Bool(_) => 1,
            Self::Atom(_) => 2,
            Self::Text(_) => 3,
            Self::Bytes(_) => 4,
            Self::Tuple(_) => 5,
            Self::List(_) => 6,
            Self::Map(_) => 7,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.cmp(b),
            (Self::Int(a), Self::Float(b)) => b.cmp_int(*a).reverse().then(Ordering::Less),
            (Self::Float(a), Self::Int(b)) => a.cmp_int(*b).then(Ordering::Greater),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Atom(a), Self::Atom(b)) | (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Tuple(a), Self::Tuple(b)) | (Self::List(a), Self::List(b)) => a.cmp(b),
            (Self::Map(a), Self::Map(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Equal where the order says so; said apart, as tables ask it at every look-up.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Atom(a), Self::Atom(b)) | (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Tuple(a), Self::Tuple(b)) | (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Map(a), Self::Map(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

/// Written by hand, so that it is the same on every platform and release: peers compare fingerprints made of it.
impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Bool(b) => state.write_u64(u64::from(*b)),
            Self::Int(n) => state.write_u64(*n as u64),
            Self::Float(f) => state.write_u64(f.bits()),
            Self::Atom(text) | Self::Text(text) => hash_bytes(text.as_bytes(), state),
            Self::Bytes(bytes) => hash_bytes(bytes, state),
            Self::Tuple(items) | Self::List(items) => {
                state.write_u64(items.len() as u64);
                items.iter().for_each(|item| item.hash(state));
            }
            Self::Map(entries) => {
                state.write_u64(entries.len() as u64);
                entries.iter().for_each(|(k, v)| {
                    k.hash(state);
                    v.hash(state);
                });
            }
        }
        // The kind last: it tells apart what the contents alone would not.
        state.write_u64(u64::from(self.rank()) << 1 | u64::from(matches!(self, Self::Float(_))));
    }
}

fn hash_bytes<H: Hasher>(bytes: &[u8], state: &mut H) {
    state.write_u64(bytes.len() as u64);
    state.write(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::arb_value;
    use lasp_crdt::fingerprint::hash;
    use proptest::prelude::*;

    #[test]
    fn values_order_by_number_then_kind() {
        let float = |f: f64| Value::Float(F64::new(f).expect("finite"));
        let ascending = [
            float(-1e300),
            Value::Int(i64::MIN),
            float(-1.5),
            Value::Int(-1),
            Value::Int(1),
            float(1.0),
            float(1.5),
            Value::Int(2),
            Value::Int(i64::MAX),
            float(9_223_372_036_854_775_808.0),
            Value::Bool(false),
            Value::Bool(true),
            Value::atom("a"),
            Value::atom("ab"),
            Value::text("a"),
            Value::bytes(*b"a"),
            Value::tuple([1]),
            Value::tuple([1, 2]),
            Value::list([1]),
            Value::map([]),
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a} against {b}");
            }
        }
    }

    #[test]
    fn a_great_integer_is_compared_exactly_with_a_float() {
        let float = Value::Float(F64::new(9_007_199_254_740_992.0).expect("finite"));
        assert!(Value::Int(9_007_199_254_740_993) > float);
        assert!(Value::Int(9_007_199_254_740_992) < float);
    }

    #[test]
    fn hashes_are_the_same_in_every_release() {
        // Peers of different releases compare these; a change here needs a new wire version.
        assert_eq!(hash(&Value::Int(1)), 0x64ca_71a7_6c64_77a2);
        assert_eq!(hash(&Value::tuple([Value::atom("ad"), Value::text("x")])), 0x6818_1061_3961_573b);
    }

    #[test]
    fn nesting_is_measured() {
        let nested = Value::list([Value::tuple([1, 2])]);
        assert!(nested.nests_within(2));
        assert!(!nested.nests_within(1));
        assert!(Value::Int(1).nests_within(0));
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in arb_value(), b in arb_value(), c in arb_value()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a == b, a.cmp(&b).is_eq());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }

        #[test]
        fn equal_values_hash_alike_and_others_do_not(a in arb_value(), b in arb_value()) {
            prop_assert_eq!(a == b, hash(&a) == hash(&b));
        }
    }
}
