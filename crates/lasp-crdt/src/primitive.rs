//! Encodings of the standard types that elements, keys and digests are made of.
//!
//! Each takes at least one byte, also the types of a single value, so that a count of items which the input could not
//! hold is refused before anything is read.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One byte.
impl Encode for u8 {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(*self);
    }
}

impl Decode for u8 {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.u8("byte")
    }
}

/// One byte, in two's complement.
impl Encode for i8 {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.cast_unsigned());
    }
}

impl Decode for i8 {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.u8("byte").map(u8::cast_signed)
    }
}

macro_rules! unsigned {
    ($($number:ty)+) => {$(
        /// A varint.
        impl Encode for $number {
            fn encode(&self, w: &mut Writer<'_>) {
                w.varint(u64::from(*self));
            }
        }

        impl Decode for $number {
            fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = r.at();
                Self::try_from(r.varint("number")?).map_err(|_| DecodeError::BadVarint { at })
            }
        }
    )+};
}

macro_rules! signed {
    ($($number:ty)+) => {$(
        /// A zigzagged varint.
        impl Encode for $number {
            fn encode(&self, w: &mut Writer<'_>) {
                w.signed(i64::from(*self));
            }
        }

        impl Decode for $number {
            fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = r.at();
                Self::try_from(r.signed("number")?).map_err(|_| DecodeError::BadVarint { at })
            }
        }
    )+};
}

unsigned!(u16 u32 u64);
signed!(i16 i32 i64);

/// A varint of up to 19 bytes.
impl Encode for u128 {
    fn encode(&self, w: &mut Writer<'_>) {
        let mut rest = *self;
        while rest >= 0x80 {
            w.u8(rest as u8 | 0x80);
            rest >>= 7;
        }
        w.u8(rest as u8);
    }
}

impl Decode for u128 {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let mut value = 0;
        for shift in (0..Self::BITS).step_by(7) {
            let byte = r.u8("number")?;
            let bits = Self::from(byte & 0x7f);
            let overflows = bits << shift >> shift != bits;
            let padded = byte == 0 && shift > 0;
            if overflows || padded {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::BadVarint { at })
    }
}

/// A zigzagged varint of up to 19 bytes.
impl Encode for i128 {
    fn encode(&self, w: &mut Writer<'_>) {
        ((self << 1) ^ (self >> 127)).cast_unsigned().encode(w);
    }
}

impl Decode for i128 {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let raw = u128::decode(r)?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
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

/// One byte, 0: a type of one value has one encoding, which still takes room.
impl Encode for () {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(0);
    }
}

impl Decode for () {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("unit")? {
            0 => Ok(()),
            tag => Err(DecodeError::BadTag { what: "unit", tag: tag.into(), at }),
        }
    }
}

/// The scalar value, a varint.
impl Encode for char {
    fn encode(&self, w: &mut Writer<'_>) {
        u32::from(*self).encode(w);
    }
}

impl Decode for char {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let scalar = r.varint("character")?;
        let known = u32::try_from(scalar).ok().and_then(Self::from_u32);
        known.ok_or(DecodeError::BadTag { what: "character", tag: scalar, at })
    }
}

macro_rules! text {
    ($($text:ty)+) => {$(
        /// Text behind its length.
        impl Encode for $text {
            fn encode(&self, w: &mut Writer<'_>) {
                w.text(self);
            }
        }

        impl Decode for $text {
            fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                r.text("text").map(Self::from)
            }
        }
    )+};
}

text!(String Box<str> Arc<str>);

/// What is in the box.
impl<T: Encode> Encode for Box<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        T::encode(self, w);
    }
}

/// Nests, since a type may contain itself in a box.
impl<T: Decode> Decode for Box<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.nested(T::decode).map(Self::new)
    }
}

/// What is reversed.
impl<T: Encode> Encode for Reverse<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.0.encode(w);
    }
}

impl<T: Decode> Decode for Reverse<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::decode(r).map(Self)
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

macro_rules! tuple {
    ($($side:ident $at:tt),+) => {
        /// Each, in order.
        impl<$($side: Encode),+> Encode for ($($side,)+) {
            fn encode(&self, w: &mut Writer<'_>) {
                $(self.$at.encode(w);)+
            }
        }

        impl<$($side: Decode),+> Decode for ($($side,)+) {
            fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(($($side::decode(r)?,)+))
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

/// The bytes; one byte, 0, if there is none.
impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, w: &mut Writer<'_>) {
        self.iter().for_each(|&byte| w.u8(byte));
        if N == 0 {
            ().encode(w);
        }
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = r.u8("bytes")?;
        }
        if N == 0 {
            <()>::decode(r)?;
        }
        Ok(bytes)
    }
}

/// The number of items, then each.
impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.len());
        for item in self {
            item.encode(w);
        }
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        // Grows as items arrive: a large item in memory may be a small one on the wire.
        let len = r.len("items")?;
        (0..len).map(|_| T::decode(r)).collect()
    }
}

/// The number of elements, then each, ascending.
impl<T: Encode> Encode for BTreeSet<T> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.len());
        for element in self {
            element.encode(w);
        }
    }
}

impl<T: Decode + Ord> Decode for BTreeSet<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut set = Self::new();
        for _ in 0..r.len("elements")? {
            let bad = r.not_canonical("elements");
            let element = T::decode(r)?;
            if set.last().is_some_and(|last| *last >= element) {
                return Err(bad);
            }
            set.insert(element);
        }
        Ok(set)
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
