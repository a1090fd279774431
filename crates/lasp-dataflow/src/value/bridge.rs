//! Rust types as values, by way of serde: [`to_value`] and [`from_value`] are each other's inverse for every type whose
//! own `Serialize` and `Deserialize` are.
//!
//! | Rust | value |
//! |---|---|
//! | `bool` | boolean |
//! | integers | an integer; beyond 64 bits with sign, bytes: the number's own, most significant first |
//! | floats | a float; NaN and the infinities are refused, negative zero is zero |
//! | `char`, `str` | text |
//! | bytes (`serde_bytes`) | bytes |
//! | `()` | the empty tuple |
//! | unit structs, variants without fields | the atom of their name |
//! | tuples, tuple structs | a tuple |
//! | sequences (`Vec`, `BTreeSet`) | a list |
//! | maps | a map |
//! | structs | a map from the atoms of their fields' names |
//! | newtype structs | what they hold |
//! | variants with fields | a map of one entry: from the atom of the variant's name to its field, tuple or struct |
//! | `None` | the atom `undefined` |
//! | `Some(x)` | `x`; where that alone would read as `None` or as such a tuple, `{some, x}` |
//! | [`Value`] | itself |
//!
//! Structs are maps rather than tuples, so that fields may be added and moved, and programs in the language can name
//! them. Equal Rust values give equal values wherever their serde form is the same: a `HashSet` is a sequence in an order
//! that is nobody's, so take a `BTreeSet` (maps have no order here, so a `HashMap` will do). The format is human-readable
//! in serde's sense: types that have two forms, such as addresses, are texts.
//!
//! Reading is a little wider than writing: an atom is read as text, a text as a variant's name, an integer as a float
//! where that is exact, a map as a sequence of pairs.

mod read;
mod write;

use super::{F64, Value};
use crate::operator::FunctionError;
use lasp_crdt::codec::{from_bytes, to_bytes};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// A Rust value as a value.
///
/// # Errors
/// [`ToValueError`]: a float that is no number, too deep nesting, or what the type's own `Serialize` refuses.
pub fn to_value<T: Serialize + ?Sized>(rust: &T) -> Result<Value, ToValueError> {
    rust.serialize(write::Writer::new())
}

/// A value as a Rust value.
///
/// # Errors
/// [`FromValueError`], where the value is none of this type's.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, FromValueError> {
    T::deserialize(read::Reader::new(value))
}

/// Why a Rust value has no counterpart.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ToValueError {
    /// NaN or an infinity.
    #[error("{0} is no finite number: floats have a total order here, in which it has no place")]
    NotFinite(Box<str>),
    /// It nests deeper than messages can carry.
    #[error("the value nests more than {} levels deep", super::MAX_VALUE_DEPTH)]
    TooDeep,
    /// Its type's own `Serialize` refuses.
    #[error("{0}")]
    Custom(Box<str>),
}

/// Why a value is none of the wanted Rust type: what was expected, what was found, and where within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromValueError {
    problem: Box<str>,
    /// Of fields, entries and positions, from the innermost out.
    path: Vec<Box<str>>,
}

impl FromValueError {
    fn new(problem: impl fmt::Display) -> Self {
        Self { problem: problem.to_string().into(), path: Vec::new() }
    }

    fn expected(what: &str, found: &Value) -> Self {
        Self::new(format_args!("expected {what}, found {} {found}", found.kind()))
    }

    /// The same, found under this field, key or position.
    fn under(mut self, place: impl fmt::Display) -> Self {
        self.path.push(place.to_string().into());
        self
    }
}

impl fmt::Display for FromValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        for (at, place) in self.path.iter().rev().enumerate() {
            write!(f, "{}{place}", if at == 0 { " in " } else { "." })?;
        }
        Ok(())
    }
}

impl std::error::Error for FromValueError {}

impl From<super::NotThatKind> for FromValueError {
    fn from(error: super::NotThatKind) -> Self {
        Self::new(error)
    }
}

impl From<ToValueError> for FunctionError {
    fn from(error: ToValueError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<FromValueError> for FunctionError {
    fn from(error: FromValueError) -> Self {
        Self::new(error.to_string())
    }
}

impl serde::ser::Error for ToValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string().into())
    }
}

impl de::Error for FromValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message)
    }
}

/// Under this name of a newtype struct, the bridge passes a value on as it is, in its own encoding.
const VALUE: &str = "lasp::Value";

/// As the bytes of its encoding; the bridge takes it as it is.
impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(VALUE, &Content(self))
    }
}

/// What is inside of the newtype struct.
struct Content<'a>(&'a Value);

impl Serialize for Content<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&to_bytes(self.0))
    }
}

/// From what [`Serialize`] wrote.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(VALUE, ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an encoded value")
    }

    fn visit_newtype_struct<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_byte_buf(self)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Value, E> {
        from_bytes(bytes).map_err(E::custom)
    }

    /// What formats without bytes make of them.
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}

impl Serialize for F64 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.get())
    }
}

impl<'de> Deserialize<'de> for F64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let float = f64::deserialize(deserializer)?;
        Self::new(float).ok_or_else(|| de::Error::custom(format_args!("{float} is no finite number")))
    }
}

/// How many newtypes and options may be around one value. A guess: far beyond what types have that do not hold themselves.
const MAX_WRAPPERS: usize = 64;

/// The atom that stands for `None`.
const NONE: &str = "undefined";
/// The atom before what `Some` holds, where that must be said.
const SOME: &str = "some";

/// Whether an option that holds what is written so would be read as another one without [`SOME`].
fn needs_some(inner: &Value) -> bool {
    match inner {
        Value::Atom(name) => &**name == NONE,
        _ => under_some(inner).is_some(),
    }
}

/// What stands after [`SOME`].
fn under_some(value: &Value) -> Option<&Value> {
    match value {
        Value::Tuple(items) => match &**items {
            [Value::Atom(name), inner] if &**name == SOME => Some(inner),
            _ => None,
        },
        _ => None,
    }
}
