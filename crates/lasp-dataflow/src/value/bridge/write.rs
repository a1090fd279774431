//! From Rust types to values.

use super::{MAX_WRAPPERS, NONE, SOME, ToValueError, VALUE, needs_some};
use crate::value::{F64, MAX_VALUE_DEPTH, Value};
use lasp_crdt::codec::from_bytes;
use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::collections::BTreeMap;

/// Writes one value.
#[derive(Clone, Copy)]
pub(super) struct Writer {
    /// How deep the value may nest.
    depth: usize,
    /// How many newtypes and options may still be around it, which leave no trace in the value.
    wrappers: usize,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { depth: MAX_VALUE_DEPTH, wrappers: MAX_WRAPPERS }
    }

    /// For what is inside of a collection.
    fn inner(self) -> Result<Self, ToValueError> {
        let depth = self.depth.checked_sub(1).ok_or(ToValueError::TooDeep)?;
        Ok(Self { depth, wrappers: MAX_WRAPPERS })
    }

    /// For what is inside of a newtype or an option.
    fn unwrapped(self) -> Result<Self, ToValueError> {
        let wrappers = self.wrappers.checked_sub(1).ok_or(ToValueError::TooDeep)?;
        Ok(Self { wrappers, ..self })
    }

    fn items(self, make: fn(Vec<Value>) -> Value, len: usize) -> Result<Items, ToValueError> {
        // A length that the type only claims must not allocate much.
        Ok(Items { inner: self.inner()?, make, items: Vec::with_capacity(len.min(1024)) })
    }

    fn entries(self) -> Result<Entries, ToValueError> {
        Ok(Entries { inner: self.inner()?, key: None, entries: BTreeMap::new() })
    }
}

/// The map that a variant with fields is.
fn variant(name: &'static str, fields: Value) -> Value {
    Value::map([(Value::atom(name), fields)])
}

impl Serializer for Writer {
    type Ok = Value;
    type Error = ToValueError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Variant<Items>;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Variant<Entries>;

    fn serialize_bool(self, b: bool) -> Result<Value, ToValueError> {
        Ok(Value::Bool(b))
    }

    fn serialize_i8(self, n: i8) -> Result<Value, ToValueError> {
        Ok(Value::Int(n.into()))
    }

    fn serialize_i16(self, n: i16) -> Result<Value, ToValueError> {
        Ok(Value::Int(n.into()))
    }

    fn serialize_i32(self, n: i32) -> Result<Value, ToValueError> {
        Ok(Value::Int(n.into()))
    }

    fn serialize_i64(self, n: i64) -> Result<Value, ToValueError> {
        Ok(Value::Int(n))
    }

    fn serialize_i128(self, n: i128) -> Result<Value, ToValueError> {
        Ok(i64::try_from(n).map_or_else(|_| Value::bytes(n.to_be_bytes()), Value::Int))
    }

    fn serialize_u8(self, n: u8) -> Result<Value, ToValueError> {
        Ok(Value::Int(n.into()))
    }

    fn serialize_u16(self, n: u16) -> Result<Value, ToValueError> {
        Ok(Value::Int(n.into()))
    }

    fn serialize_u32(self, n: u32) -> Result<Value, ToValueError> {
        Ok(Value::Int(n.into()))
    }

    fn serialize_u64(self, n: u64) -> Result<Value, ToValueError> {
        Ok(i64::try_from(n).map_or_else(|_| Value::bytes(n.to_be_bytes()), Value::Int))
    }

    fn serialize_u128(self, n: u128) -> Result<Value, ToValueError> {
        Ok(i64::try_from(n).map_or_else(|_| Value::bytes(n.to_be_bytes()), Value::Int))
    }

    fn serialize_f32(self, x: f32) -> Result<Value, ToValueError> {
        self.serialize_f64(x.into())
    }

    fn serialize_f64(self, x: f64) -> Result<Value, ToValueError> {
        F64::new(x).map(Value::Float).ok_or_else(|| ToValueError::NotFinite(x.to_string().into()))
    }

    fn serialize_char(self, c: char) -> Result<Value, ToValueError> {
        Ok(Value::text(&*c.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, text: &str) -> Result<Value, ToValueError> {
        Ok(Value::text(text))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, ToValueError> {
        Ok(Value::bytes(bytes))
    }

    fn serialize_none(self) -> Result<Value, ToValueError> {
        Ok(Value::atom(NONE))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, inner: &T) -> Result<Value, ToValueError> {
        let value = inner.serialize(self.unwrapped()?)?;
        if !needs_some(&value) {
            return Ok(value);
        }
        if !value.nests_within(self.inner()?.depth) {
            return Err(ToValueError::TooDeep);
        }
        Ok(Value::pair(Value::atom(SOME), value))
    }

    fn serialize_unit(self) -> Result<Value, ToValueError> {
        Ok(Value::tuple(Vec::<Value>::new()))
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Value, ToValueError> {
        Ok(Value::atom(name))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, ToValueError> {
        Ok(Value::atom(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        inner: &T,
    ) -> Result<Value, ToValueError> {
        match inner.serialize(self.unwrapped()?)? {
            Value::Bytes(encoded) if name == VALUE => from_bytes(&encoded).map_err(ToValueError::custom),
            value => Ok(value),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        field: &T,
    ) -> Result<Value, ToValueError> {
        Ok(variant(name, field.serialize(self.inner()?)?))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items, ToValueError> {
        self.items(|items| Value::List(items.into()), len.unwrap_or(0))
    }

    fn serialize_tuple(self, len: usize) -> Result<Items, ToValueError> {
        self.items(|items| Value::Tuple(items.into()), len)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items, ToValueError> {
        self.serialize_tuple(len)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Variant<Items>, ToValueError> {
        Ok(Variant { name, fields: self.inner()?.serialize_tuple(len)? })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, ToValueError> {
        self.entries()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, ToValueError> {
        self.entries()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Variant<Entries>, ToValueError> {
        Ok(Variant { name, fields: self.inner()?.entries()? })
    }
}

/// A list or tuple in the making.
pub(super) struct Items {
    inner: Writer,
    make: fn(Vec<Value>) -> Value,
    items: Vec<Value>,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ToValueError> {
        self.items.push(item.serialize(self.inner)?);
        Ok(())
    }

    fn finish(self) -> Value {
        (self.make)(self.items)
    }
}

/// A map in the making.
pub(super) struct Entries {
    inner: Writer,
    key: Option<Value>,
    entries: BTreeMap<Value, Value>,
}

impl Entries {
    /// Two entries of one key would be one when they are read.
    fn insert(&mut self, key: Value, value: Value) -> Result<(), ToValueError> {
        match self.entries.insert(key.clone(), value) {
            None => Ok(()),
            Some(_) => Err(ToValueError::custom(format_args!("two entries of a map have the key {key}"))),
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), ToValueError> {
        let value = value.serialize(self.inner)?;
        self.insert(Value::atom(name), value)
    }

    fn finish(self) -> Value {
        Value::map(self.entries)
    }
}

/// A variant with fields in the making.
pub(super) struct Variant<F> {
    name: &'static str,
    fields: F,
}

impl SerializeSeq for Items {
    type Ok = Value;
    type Error = ToValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ToValueError> {
        self.push(item)
    }

    fn end(self) -> Result<Value, ToValueError> {
        Ok(self.finish())
    }
}

impl SerializeTuple for Items {
    type Ok = Value;
    type Error = ToValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ToValueError> {
        self.push(item)
    }

    fn end(self) -> Result<Value, ToValueError> {
        Ok(self.finish())
    }
}

impl SerializeTupleStruct for Items {
    type Ok = Value;
    type Error = ToValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ToValueError> {
        self.push(item)
    }

    fn end(self) -> Result<Value, ToValueError> {
        Ok(self.finish())
    }
}

impl SerializeTupleVariant for Variant<Items> {
    type Ok = Value;
    type Error = ToValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ToValueError> {
        self.fields.push(item)
    }

    fn end(self) -> Result<Value, ToValueError> {
        Ok(variant(self.name, self.fields.finish()))
    }
}

impl SerializeMap for Entries {
    type Ok = Value;
    type Error = ToValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ToValueError> {
        self.key = Some(key.serialize(self.inner)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
        let key = self.key.take().ok_or_else(|| ToValueError::custom("a map's value came before its key"))?;
        let value = value.serialize(self.inner)?;
        self.insert(key, value)
    }

    fn end(self) -> Result<Value, ToValueError> {
        Ok(self.finish())
    }
}

impl SerializeStruct for Entries {
    type Ok = Value;
    type Error = ToValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), ToValueError> {
        self.field(name, value)
    }

    fn end(self) -> Result<Value, ToValueError> {
        Ok(self.finish())
    }
}

impl SerializeStructVariant for Variant<Entries> {
    type Ok = Value;
    type Error = ToValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), ToValueError> {
        self.fields.field(name, value)
    }

    fn end(self) -> Result<Value, ToValueError> {
        Ok(variant(self.name, self.fields.finish()))
    }
}
