//! The encoding of values: one byte for small integers, one byte more than the text for short atoms and texts.
//!
//! The first byte: `0..=9` a tag whose contents follow, `0x40 | len` a text and `0x60 | len` an atom of fewer than 32 bytes,
//! `0x80 | n` the integer `n < 128`. Each value has exactly one encoding.

use super::{F64, Value};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::collections::BTreeMap;
use std::sync::Arc;

const FALSE: u8 = 0;
const TRUE: u8 = 1;
const INT: u8 = 2;
const FLOAT: u8 = 3;
const ATOM: u8 = 4;
const TEXT: u8 = 5;
const BYTES: u8 = 6;
const TUPLE: u8 = 7;
const LIST: u8 = 8;
const MAP: u8 = 9;
const SHORT_TEXT: u8 = 0x40;
const SHORT_ATOM: u8 = 0x60;
const SMALL_INT: u8 = 0x80;
/// Texts and atoms below this many bytes carry their length in the first byte.
const SHORT: usize = 32;

impl Encode for Value {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Bool(b) => w.u8(if *b { TRUE } else { FALSE }),
            Self::Int(n @ 0..128) => w.u8(SMALL_INT | *n as u8),
            Self::Int(n) => {
                w.u8(INT);
                w.signed(*n);
            }
            Self::Float(x) => {
                w.u8(FLOAT);
                w.fixed_u64(x.bits());
            }
            Self::Atom(name) => encode_text(w, name, SHORT_ATOM, ATOM),
            Self::Text(text) => encode_text(w, text, SHORT_TEXT, TEXT),
            Self::Bytes(bytes) => {
                w.u8(BYTES);
                w.bytes(bytes);
            }
            Self::Tuple(items) => encode_items(w, TUPLE, items),
            Self::List(items) => encode_items(w, LIST, items),
            Self::Map(entries) => {
                w.u8(MAP);
                w.len(entries.len());
                for (key, value) in entries.iter() {
                    key.encode(w);
                    value.encode(w);
                }
            }
        }
    }
}

fn encode_text(w: &mut Writer<'_>, text: &str, short: u8, long: u8) {
    if text.len() >= SHORT {
        w.u8(long);
        return w.text(text);
    }
    w.u8(short | text.len() as u8);
    text.bytes().for_each(|byte| w.u8(byte));
}

fn encode_items(w: &mut Writer<'_>, tag: u8, items: &[Value]) {
    w.u8(tag);
    w.len(items.len());
    items.iter().for_each(|item| item.encode(w));
}

impl Decode for Value {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("value")? {
            FALSE => Ok(Self::Bool(false)),
            TRUE => Ok(Self::Bool(true)),
            INT => decode_int(r, at),
            FLOAT => decode_float(r, at),
            ATOM => decode_long(r, at).map(Self::Atom),
            TEXT => decode_long(r, at).map(Self::Text),
            BYTES => Ok(Self::Bytes(r.bytes("bytes")?.into())),
            TUPLE => r.nested(decode_items).map(Self::Tuple),
            LIST => r.nested(decode_items).map(Self::List),
            MAP => r.nested(|r| decode_map(r, at)),
            first @ SHORT_TEXT..SHORT_ATOM => decode_short(r, first - SHORT_TEXT, at).map(Self::Text),
            first @ SHORT_ATOM..SMALL_INT => decode_short(r, first - SHORT_ATOM, at).map(Self::Atom),
            first @ SMALL_INT.. => Ok(Self::Int(i64::from(first - SMALL_INT))),
            tag => Err(DecodeError::BadTag { what: "value", tag: tag.into(), at }),
        }
    }
}

fn decode_int(r: &mut Reader<'_>, at: usize) -> Result<Value, DecodeError> {
    match r.signed("integer")? {
        0..128 => Err(DecodeError::NotCanonical { what: "integer", at }),
        n => Ok(Value::Int(n)),
    }
}

fn decode_float(r: &mut Reader<'_>, at: usize) -> Result<Value, DecodeError> {
    let bits = r.fixed_u64("float")?;
    let float = F64::new(f64::from_bits(bits)).filter(|float| float.bits() == bits);
    float.map(Value::Float).ok_or(DecodeError::NotCanonical { what: "float", at })
}

fn decode_long(r: &mut Reader<'_>, at: usize) -> Result<Arc<str>, DecodeError> {
    let text = r.text("text")?;
    if text.len() < SHORT {
        return Err(DecodeError::NotCanonical { what: "text", at });
    }
    Ok(text.into())
}

fn decode_short(r: &mut Reader<'_>, len: u8, at: usize) -> Result<Arc<str>, DecodeError> {
    let mut buffer = [0; SHORT];
    let bytes = &mut buffer[..usize::from(len)];
    for byte in bytes.iter_mut() {
        *byte = r.u8("text")?;
    }
    std::str::from_utf8(bytes).map(Arc::from).map_err(|_| DecodeError::BadUtf8 { at })
}

fn decode_items(r: &mut Reader<'_>) -> Result<Arc<[Value]>, DecodeError> {
    let len = r.len("items")?;
    let mut items = Vec::new();
    for _ in 0..len {
        items.push(Value::decode(r)?);
    }
    Ok(items.into())
}

fn decode_map(r: &mut Reader<'_>, at: usize) -> Result<Value, DecodeError> {
    let mut entries = BTreeMap::new();
    for _ in 0..r.len("map entries")? {
        let key = Value::decode(r)?;
        if entries.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(DecodeError::NotCanonical { what: "map", at });
        }
        entries.insert(key, Value::decode(r)?);
    }
    Ok(Value::Map(Arc::new(entries)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::arb_value;
    use lasp_crdt::codec::{from_bytes, to_bytes};
    use proptest::prelude::*;

    #[test]
    fn small_values_take_few_bytes() {
        assert_eq!(to_bytes(&Value::Int(5)).len(), 1);
        assert_eq!(to_bytes(&Value::Int(-1)).len(), 2);
        assert_eq!(to_bytes(&Value::text("ad/1")).len(), 5);
        assert_eq!(to_bytes(&Value::tuple([1, 2])).len(), 4);
    }

    #[test]
    fn second_encodings_are_refused() {
        for bytes in
            [&[INT, 10][..], &[TEXT, 1, b'a'], &[FLOAT, 0, 0, 0, 0, 0, 0, 0, 0x80], &[MAP, 2, 0x82, 0, 0x81, 0]]
        {
            assert!(matches!(from_bytes::<Value>(bytes), Err(DecodeError::NotCanonical { .. })), "{bytes:?}");
        }
    }

    #[test]
    fn bottomless_nesting_is_refused() {
        let bytes: Vec<u8> = std::iter::repeat_n([LIST, 1], 100_000).flatten().collect();
        assert!(matches!(from_bytes::<Value>(&bytes), Err(DecodeError::TooDeep { .. })));
    }

    proptest! {
        #[test]
        fn values_survive_the_wire(value in arb_value()) {
            prop_assert_eq!(from_bytes::<Value>(&to_bytes(&value)), Ok(value));
        }

        #[test]
        fn what_decodes_was_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(value) = from_bytes::<Value>(&bytes) {
                prop_assert_eq!(to_bytes(&value), bytes);
            }
        }
    }
}
