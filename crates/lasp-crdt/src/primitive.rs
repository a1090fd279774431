//! Encodings of the standard types that elements, keys and digests are made of.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use std::collections::BTreeMap;

/// A varint.
impl Encode for u64 {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(*self);
    }
}

impl Decode for u64 {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.varint("number")
    }
}

/// A zigzagged varint.
impl Encode for i64 {
    fn encode(&self, w: &mut Writer<'_>) {
        w.signed(*self);
    }
}

impl Decode for i64 {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.signed("number")
    }
}

/// One byte.
impl Encode for bool {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(u8::from(*self));
    }
}

impl Decode for bool {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("boolean")? {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(DecodeError::BadTag { what: "boolean", tag: tag.into(), at }),
        }
    }
}

/// Text behind its length.
impl Encode for String {
    fn encode(&self, w: &mut Writer<'_>) {
        w.text(self);
    }
}

impl Decode for String {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.text("text").map(Self::from)
    }
}

/// Presence, then the value.
impl<T: Encode> Encode for Option<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.is_some().encode(w);
        if let Some(value) = self {
            value.encode(w);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if bool::decode(r)? { T::decode(r).map(Some) } else { Ok(None) }
    }
}

/// The first, then the second.
impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, w: &mut Writer<'_>) {
        self.0.encode(w);
        self.1.encode(w);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::decode(r)?, B::decode(r)?))
    }
}

/// The number of keys, then each with its value, ascending.
impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.len());
        for (key, value) in self {
            key.encode(w);
            value.encode(w);
        }
    }
}

impl<K: Decode + Ord, V: Decode> Decode for BTreeMap<K, V> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut map = Self::new();
        for _ in 0..r.len("keys")? {
            let bad = r.not_canonical("keys");
            let key = K::decode(r)?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(bad);
            }
            map.insert(key, V::decode(r)?);
        }
        Ok(map)
    }
}
