//! From values to Rust types.

use super::{FromValueError, MAX_WRAPPERS, NONE, VALUE, under_some};
use crate::value::Value;
use lasp_crdt::codec::to_bytes;
use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use std::collections::btree_map;

/// Reads one value.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    value: &'a Value,
    /// How many newtypes and options may still be around it: a type that holds itself in nothing else has no end.
    wrappers: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(value: &'a Value) -> Self {
        Self { value, wrappers: MAX_WRAPPERS }
    }

    /// For what is inside of a newtype or an option.
    fn unwrapped(self) -> Result<Self, FromValueError> {
        match self.wrappers.checked_sub(1) {
            Some(wrappers) => Ok(Self { wrappers, ..self }),
            None => Err(FromValueError::new("too many newtypes and options around one value")),
        }
    }

    fn expected<T>(self, what: &str) -> Result<T, FromValueError> {
        Err(FromValueError::expected(what, self.value))
    }

    fn text(self) -> Option<&'a str> {
        match self.value {
            Value::Atom(text) | Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number, however large.
    fn integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Int(n) => visitor.visit_i64(*n),
            _ => self.expected("an integer"),
        }
    }

    fn float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Float(x) => visitor.visit_f64(x.get()),
            // Exact up to 53 bits.
            Value::Int(n) if n.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS => visitor.visit_f64(*n as f64),
            _ => self.expected("a float"),
        }
    }

    fn string<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.text() {
            Some(text) => visitor.visit_str(text),
            None => self.expected("a text"),
        }
    }

    fn tuple<'de, V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Tuple(items) if items.len() == len => items_of(items, visitor),
            _ => self.expected(&format!("a tuple of {len}")),
        }
    }
}

fn items_of<'de, V: Visitor<'de>>(items: &[Value], visitor: V) -> Result<V::Value, FromValueError> {
    let mut rest = Items { items: items.iter(), at: 0 };
    let value = visitor.visit_seq(&mut rest)?;
    match rest.items.len() {
        0 => Ok(value),
        left => Err(FromValueError::new(format_args!("{left} items too many"))),
    }
}

fn entries_of<'de, V: Visitor<'de>>(
    entries: btree_map::Iter<'_, Value, Value>,
    visitor: V,
) -> Result<V::Value, FromValueError> {
    visitor.visit_map(Entries { entries, pending: None })
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = FromValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Int(n) => visitor.visit_i64(*n),
            Value::Float(x) => visitor.visit_f64(x.get()),
            Value::Atom(name) if &**name == NONE => visitor.visit_unit(),
            Value::Atom(text) | Value::Text(text) => visitor.visit_str(text),
            Value::Bytes(bytes) => visitor.visit_bytes(bytes),
            Value::Tuple(items) if items.is_empty() => visitor.visit_unit(),
            Value::Tuple(items) | Value::List(items) => items_of(items, visitor),
            Value::Map(entries) => entries_of(entries.iter(), visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Bool(b) => visitor.visit_bool(*b),
            _ => self.expected("a boolean"),
        }
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.integer(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.integer(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.integer(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.integer(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.integer(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.integer(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.integer(visitor)
    }

    /// Beyond 63 bits: the number's bytes. Another encoding of a number that fits is none of ours.
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Bytes(bytes) => match <[u8; 8]>::try_from(&**bytes).map(u64::from_be_bytes) {
                Ok(n) if i64::try_from(n).is_err() => visitor.visit_u64(n),
                _ => self.expected("an integer of 64 bits"),
            },
            _ => self.integer(visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Bytes(bytes) => match <[u8; 16]>::try_from(&**bytes).map(i128::from_be_bytes) {
                Ok(n) if i64::try_from(n).is_err() => visitor.visit_i128(n),
                _ => self.expected("an integer of 128 bits"),
            },
            Value::Int(n) => visitor.visit_i128((*n).into()),
            _ => self.expected("an integer"),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Bytes(bytes) => match <[u8; 16]>::try_from(&**bytes).map(u128::from_be_bytes) {
                Ok(n) if i64::try_from(n).is_err() => visitor.visit_u128(n),
                _ => self.expected("an integer of 128 bits"),
            },
            Value::Int(n) => match u128::try_from(*n) {
                Ok(n) => visitor.visit_u128(n),
                Err(_) => self.expected("an integer that is not negative"),
            },
            _ => self.expected("an integer"),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.float(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.float(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.string(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.string(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Bytes(bytes) => visitor.visit_bytes(bytes),
            _ => self.expected("bytes"),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match (self.value, under_some(self.value)) {
            (Value::Atom(name), _) if &**name == NONE => visitor.visit_none(),
            (_, Some(inner)) => visitor.visit_some(Self::new(inner)),
            (_, None) => visitor.visit_some(self.unwrapped()?),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Tuple(items) if items.is_empty() => visitor.visit_unit(),
            _ => self.expected("an empty tuple"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        if self.text() == Some(name) { visitor.visit_unit() } else { self.expected(&format!("the atom '{name}'")) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        if name == VALUE {
            return visitor.visit_bytes(&to_bytes(self.value));
        }
        visitor.visit_newtype_struct(self.unwrapped()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::List(items) => items_of(items, visitor),
            Value::Map(entries) => {
                let pairs: Vec<Value> = entries.iter().map(|(k, v)| Value::pair(k.clone(), v.clone())).collect();
                items_of(&pairs, visitor)
            }
            _ => self.expected("a list"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, FromValueError> {
        self.tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        self.tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Map(entries) => entries_of(entries.iter(), visitor),
            _ => self.expected("a map"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Map(entries) => entries_of(entries.iter(), visitor),
            _ => self.expected(&format!("a map, the fields of {name}")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        if let Some(variant) = self.text() {
            return visitor.visit_enum(Variant { name: variant, fields: None });
        }
        match self.value {
            Value::Map(entries) if entries.len() == 1 => {
                let (variant, fields) = entries.iter().next().expect("one entry");
                match Reader::new(variant).text() {
                    Some(name) => visitor.visit_enum(Variant { name, fields: Some(fields) }),
                    None => self.expected(&format!("a variant of {name}")),
                }
            }
            _ => self.expected(&format!("a variant of {name}")),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.string(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        visitor.visit_unit()
    }
}

struct Items<'a> {
    items: std::slice::Iter<'a, Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for &mut Items<'_> {
    type Error = FromValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, FromValueError> {
        let Some(value) = self.items.next() else { return Ok(None) };
        self.at += 1;
        seed.deserialize(Reader::new(value)).map(Some).map_err(|error| error.under(self.at))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'a> {
    entries: btree_map::Iter<'a, Value, Value>,
    pending: Option<(&'a Value, &'a Value)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = FromValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FromValueError> {
        self.pending = self.entries.next();
        let Some((key, _)) = self.pending else { return Ok(None) };
        seed.deserialize(Reader::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FromValueError> {
        let Some((key, value)) = self.pending.take() else {
            return Err(FromValueError::new("a map's value was asked for before its key"));
        };
        seed.deserialize(Reader::new(value)).map_err(|error| error.under(key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

struct Variant<'a> {
    name: &'a str,
    fields: Option<&'a Value>,
}

/// What a variant holds.
struct Fields<'a> {
    name: &'a str,
    fields: Option<&'a Value>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = FromValueError;
    type Variant = Fields<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Fields<'a>), FromValueError> {
        let variant = seed.deserialize(StrDeserializer::<FromValueError>::new(self.name))?;
        Ok((variant, Fields { name: self.name, fields: self.fields }))
    }
}

impl<'a> Fields<'a> {
    fn reader(&self) -> Result<Reader<'a>, FromValueError> {
        match self.fields {
            Some(value) => Ok(Reader::new(value)),
            None => Err(FromValueError::new(format_args!("expected fields of '{}', found only its name", self.name))),
        }
    }
}

impl<'de> VariantAccess<'de> for Fields<'_> {
    type Error = FromValueError;

    fn unit_variant(self) -> Result<(), FromValueError> {
        match self.fields {
            None => Ok(()),
            Some(found) => Err(FromValueError::expected("no fields", found).under(self.name)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, FromValueError> {
        seed.deserialize(self.reader()?).map_err(|error| error.under(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, FromValueError> {
        self.reader()?.tuple(len, visitor).map_err(|error| error.under(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        self.reader()?.deserialize_struct("its variant", fields, visitor).map_err(|error| error.under(self.name))
    }
}
