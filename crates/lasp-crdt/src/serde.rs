//! Serialization by serde, behind the feature `serde`, for those who keep states in documents of their own.
//!
//! A state is its canonical encoding: bytes in compact formats, lower-case hexadecimal text in human-readable ones. On the
//! way in it passes the very decoder that guards the wire, so that a state that contradicts itself cannot come in by
//! another door, and a state has one form in every format. Why not fields: each would be checked in a second place against
//! what the decoder checks in one (that contexts cover dots, that nothing is bottom, that fingerprints fit), and the form
//! would change with the representation. Whoever wants to show people a state shows its value.
//!
//! Tuples and `Option` are serde's own, of parts that are canonical. Types made by `product!` and `choice!` get nothing
//! here: their code is expanded in another crate, where this feature does not exist. They have an encoding, so
//! [`to_bytes`](codec::to_bytes) and [`from_bytes`](codec::from_bytes) are two lines for whoever needs them in a document.
//!
//! Identities are simpler: a [`ReplicaId`] is its number, a [`Dot`] a pair of numbers; as text they are what they
//! display as, which also serves as the key of a map.

use crate::codec::{self, Decode, Encode};
use crate::{
    Boolean, BoundedCounter, Causal, Derived, DerivedDigest, Dot, DotSet, Dotted, GCounter, GGraph, GMap, GSet, Hashes,
    IVar, LexCounter, LexPair, LwwDigest, LwwRegister, MaxRegister, MinRegister, Pair, PnCounter, ReplicaId, Stamp,
    Sum, Summary, TwoPGraph, TwoPSet,
};
use ::serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use ::serde::ser::{Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// One line per type.
macro_rules! canonical {
    ($($name:ident $(<$($of:ident),+>)?),+ $(,)?) => {
        $(
            /// The canonical encoding, as text where people read it.
            impl$(<$($of),+>)? Serialize for $name$(<$($of),+> where Self: Encode)? {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serialize(self, serializer)
                }
            }

            /// By the decoder.
            impl<'de, $($($of),+)?> Deserialize<'de> for $name$(<$($of),+> where Self: Decode)? {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserialize(deserializer)
                }
            }
        )+
    };
}

canonical! {
    Boolean,
    BoundedCounter,
    Causal,
    Derived<E>,
    DerivedDigest,
    DotSet,
    Dotted<T>,
    GCounter,
    GGraph<V>,
    GMap<K, V>,
    GSet<E>,
    Hashes,
    IVar<V>,
    LexCounter,
    LexPair<A, B>,
    LwwDigest<V>,
    LwwRegister<V>,
    MaxRegister<T>,
    MinRegister<T>,
    Pair<A, B>,
    PnCounter,
    Stamp,
    Sum<A, B>,
    Summary<V>,
    TwoPGraph<V>,
    TwoPSet<E>,
}

fn serialize<T: Encode, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let bytes = codec::to_bytes(value);
    if serializer.is_human_readable() {
        serializer.collect_str(&Hex(&bytes))
    } else {
        serializer.serialize_bytes(&bytes)
    }
}

fn deserialize<'de, T: Decode, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let visitor = Canonical(PhantomData);
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(visitor)
    } else {
        deserializer.deserialize_bytes(visitor)
    }
}

/// Takes either form, because buffered input forgets which format it came from.
struct Canonical<T>(PhantomData<T>);

impl<T: Decode> Visitor<'_> for Canonical<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a canonical encoding, as bytes or in lower-case hexadecimal")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let bytes = from_hex(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))?;
        self.visit_bytes(&bytes)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        codec::from_bytes(bytes).map_err(E::custom)
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The bytes of lower-case hexadecimal text; none of any other text.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |ascii: u8| match ascii {
        b'0'..=b'9' => Some(ascii - b'0'),
        b'a'..=b'f' => Some(ascii - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// The number; as text, what it displays as.
impl Serialize for ReplicaId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for ReplicaId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_str(Displayed("a replica id in hexadecimal", replica));
        }
        u64::deserialize(deserializer).map(Self)
    }
}

/// Replica and counter; as text, what it displays as.
impl Serialize for Dot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        (self.replica.0, self.counter).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Dot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_str(Displayed("a dot: replica id in hexadecimal, `.`, counter", dot));
        }
        let (replica, counter) = <(u64, u64)>::deserialize(deserializer)?;
        let is_one = is_counter(counter);
        let error = || D::Error::invalid_value(Unexpected::Unsigned(counter), &"the counter of a dot");
        is_one.then_some(Self::new(ReplicaId(replica), counter)).ok_or_else(error)
    }
}

fn replica(text: &str) -> Option<ReplicaId> {
    u64::from_str_radix(text, 16).ok().map(ReplicaId)
}

fn dot(text: &str) -> Option<Dot> {
    let (id, counter) = text.split_once('.')?;
    let counter = counter.parse().ok().filter(|&counter| is_counter(counter))?;
    Some(Dot::new(replica(id)?, counter))
}

fn is_counter(n: u64) -> bool {
    (1..=Dot::MAX_COUNTER).contains(&n)
}

/// What it expects, and how to read it; only the very text that the value displays as is taken.
struct Displayed<T>(&'static str, fn(&str) -> Option<T>);

impl<T: fmt::Display> Visitor<'_> for Displayed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let value = (self.1)(text).filter(|value| value.to_string() == text);
        value.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}
