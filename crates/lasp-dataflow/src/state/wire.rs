//! The encoding of states and digests. The type is known from elsewhere and is not repeated.
//!
//! A set is one byte that says which halves follow, a register is presence and value, the rest is what the types inside
//! write. Every state has one encoding, and the decoder refuses all else.

use super::{SetState, Slot, State, StateDigest};
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{
    AwSet, Boolean, Causal, Decode, DecodeError, Derived, DerivedDigest, Encode, GCounter, GMap, GSet, Hashes, IVar,
    Lattice, LwwRegister, MaxRegister, PnCounter, Reader, Writer,
};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Written as the number it is compared by in the reverse order.
type Least = MaxRegister<Option<Reverse<Value>>>;

const OWN: u8 = 1;
const DERIVED: u8 = 2;

impl Encode for State {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Min(register) => encode_least(register, w),
            Self::GMap(map) => encode_map(map, w),
            Self::Pair(pair) => {
                pair.0.encode(w);
                pair.1.encode(w);
            }
            Self::GSet(x) => x.encode(w),
            Self::AwSet(x) => x.encode(w),
            Self::GCounter(x) => x.encode(w),
            Self::PnCounter(x) => x.encode(w),
            Self::Max(x) => x.encode(w),
            Self::Boolean(x) => x.encode(w),
            Self::IVar(x) => x.encode(w),
            Self::LwwRegister(x) => x.encode(w),
        }
    }
}

impl State {
    /// Appends the encoding; the reader must know the type.
    pub fn encode(&self, w: &mut Writer<'_>) {
        Encode::encode(self, w);
    }

    /// Reads a state of type `ty`.
    ///
    /// # Errors
    /// [`DecodeError`] on anything that [`encode`](Self::encode) would not have written.
    pub fn decode(ty: &Type, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match ty {
            Type::GSet => Self::GSet(GSet::decode(r)?),
            Type::AwSet => Self::AwSet(SetState::decode(r)?),
            Type::GCounter => Self::GCounter(GCounter::decode(r)?),
            Type::PnCounter => Self::PnCounter(PnCounter::decode(r)?),
            Type::Max => Self::Max(MaxRegister::decode(r)?),
            Type::Min => Self::Min(decode_least(r)?),
            Type::Boolean => Self::Boolean(Boolean::decode(r)?),
            Type::IVar => Self::IVar(IVar::decode(r)?),
            Type::LwwRegister => Self::LwwRegister(LwwRegister::decode(r)?),
            Type::GMap(inner) => Self::GMap(GMap::decode_with(r, |r| Self::decode(inner, r).map(Slot::from))?),
            Type::Pair(first, second) => {
                r.nested(|r| Ok(Self::Pair(Box::new((Self::decode(first, r)?, Self::decode(second, r)?)))))?
            }
        })
    }
}

fn encode_map(map: &GMap<Value, Slot>, w: &mut Writer<'_>) {
    w.len(map.len());
    for (key, slot) in map.iter() {
        key.encode(w);
        // A map keeps no key without a state.
        slot.get().into_iter().for_each(|state| state.encode(w));
    }
}

fn encode_least(register: &Least, w: &mut Writer<'_>) {
    let value = register.value().as_ref().map(|Reverse(value)| value);
    value.is_some().encode(w);
    value.into_iter().for_each(|value| value.encode(w));
}

fn decode_least(r: &mut Reader<'_>) -> Result<Least, DecodeError> {
    let value = Option::<Value>::decode(r)?;
    Ok(Least::new().write(value.map(Reverse)))
}

impl Encode for SetState {
    fn encode(&self, w: &mut Writer<'_>) {
        let own = if self.own().is_bottom() { 0 } else { OWN };
        let derived = if self.derived().is_bottom() { 0 } else { DERIVED };
        w.u8(own | derived);
        if own != 0 {
            self.own().encode(w);
        }
        if derived != 0 {
            self.derived().encode(w);
        }
    }
}

impl Decode for SetState {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let halves = r.u8("set")?;
        if halves > OWN | DERIVED {
            return Err(DecodeError::BadTag { what: "set", tag: halves.into(), at });
        }
        let bad = r.not_canonical("set");
        let own = if halves & OWN != 0 { AwSet::decode(r)? } else { AwSet::new() };
        let derived = if halves & DERIVED != 0 { Derived::decode(r)? } else { Derived::new() };
        let is_canonical = own.is_bottom() == (halves & OWN == 0) && derived.is_bottom() == (halves & DERIVED == 0);
        if is_canonical { Ok(Self::new(own, derived)) } else { Err(bad) }
    }
}

impl StateDigest {
    /// Appends the encoding; the reader must know the type.
    pub fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::GSet(x) => x.encode(w),
            Self::AwSet(x) => x.encode(w),
            Self::GCounter(x) => x.encode(w),
            Self::PnCounter(x) => x.encode(w),
            Self::Max(x) => x.encode(w),
            Self::Min(x) => encode_least(x, w),
            Self::Boolean(x) => x.encode(w),
            Self::IVar(x) => x.encode(w),
            Self::LwwRegister(x) => x.encode(w),
            Self::GMap(x) => {
                w.len(x.len());
                for (key, digest) in x {
                    key.encode(w);
                    digest.is_some().encode(w);
                    digest.iter().for_each(|digest| digest.encode(w));
                }
            }
            Self::Pair(x) => {
                x.0.encode(w);
                x.1.encode(w);
            }
        }
    }

    /// Reads the digest of a state of type `ty`.
    ///
    /// # Errors
    /// [`DecodeError`] on anything that [`encode`](Self::encode) would not have written.
    pub fn decode(ty: &Type, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match ty {
            Type::GSet => Self::GSet(Hashes::decode(r)?),
            Type::AwSet => Self::AwSet(Box::new(<(Causal, DerivedDigest)>::decode(r)?)),
            Type::GCounter => Self::GCounter(GCounter::decode(r)?),
            Type::PnCounter => Self::PnCounter(PnCounter::decode(r)?),
            Type::Max => Self::Max(MaxRegister::decode(r)?),
            Type::Min => Self::Min(decode_least(r)?),
            Type::Boolean => Self::Boolean(Boolean::decode(r)?),
            Type::IVar => Self::IVar(IVar::decode(r)?),
            Type::LwwRegister => Self::LwwRegister(Option::decode(r)?),
            Type::GMap(inner) => r.nested(|r| decode_map_digest(inner, r)).map(Self::GMap)?,
            Type::Pair(first, second) => {
                r.nested(|r| Ok(Self::Pair(Box::new((Self::decode(first, r)?, Self::decode(second, r)?)))))?
            }
        })
    }
}

type MapDigest = BTreeMap<Value, Option<StateDigest>>;

fn decode_map_digest(inner: &Type, r: &mut Reader<'_>) -> Result<MapDigest, DecodeError> {
    let mut digests = MapDigest::new();
    for _ in 0..r.len("map digest")? {
        let bad = r.not_canonical("map digest");
        let key = Value::decode(r)?;
        if digests.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(bad);
        }
        let digest = if bool::decode(r)? { Some(StateDigest::decode(inner, r)?) } else { None };
        digests.insert(key, digest);
    }
    Ok(digests)
}
