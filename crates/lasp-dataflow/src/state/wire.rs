//! The encoding of states and digests. The type is known from elsewhere and is not repeated.
//!
//! A set is one byte that says which halves follow, a register is presence and value, the rest is what the types inside
//! write. Every state has one encoding, and the decoder refuses all else.

use super::{Nested, SetState, Slot, State, StateDigest, lattices, with_lattice};
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{AwSet, Decode, DecodeError, Derived, Dotted, Encode, GMap, Keys, Lattice, Reader, Writer};
use std::collections::BTreeMap;

const OWN: u8 = 1;
const DERIVED: u8 = 2;

impl Encode for State {
    fn encode(&self, w: &mut Writer<'_>) {
        with_lattice!(State(self), (x, _ = State) => x.encode(w), pair => pair.encode(w));
    }
}

/// A map keeps no key without a state.
impl Encode for Slot {
    fn encode(&self, w: &mut Writer<'_>) {
        self.get().into_iter().for_each(|state| state.encode(w));
    }
}

/// Reads what is of type `$ty`: by the given arms where the type has parameters, else by the decoder of the lattice inside.
macro_rules! decode_as {
    ($ty:expr, $r:ident, { $($with_parameters:tt)* }) => {
        match $ty {
            $($with_parameters)*
            Type::GSet => Self::GSet(Decode::decode($r)?),
            Type::AwSet => Self::AwSet(Decode::decode($r)?),
            Type::TwoPSet => Self::TwoPSet(Decode::decode($r)?),
            Type::RwSet => Self::RwSet(Decode::decode($r)?),
            Type::GCounter => Self::GCounter(Decode::decode($r)?),
            Type::PnCounter => Self::PnCounter(Decode::decode($r)?),
            Type::LexCounter => Self::LexCounter(Decode::decode($r)?),
            Type::BCounter => Self::BCounter(Decode::decode($r)?),
            Type::Max => Self::Max(Decode::decode($r)?),
            Type::Min => Self::Min(Decode::decode($r)?),
            Type::Boolean => Self::Boolean(Decode::decode($r)?),
            Type::EwFlag => Self::EwFlag(Decode::decode($r)?),
            Type::DwFlag => Self::DwFlag(Decode::decode($r)?),
            Type::IVar => Self::IVar(Decode::decode($r)?),
            Type::LwwRegister => Self::LwwRegister(Decode::decode($r)?),
            Type::MvRegister => Self::MvRegister(Decode::decode($r)?),
            Type::Summary => Self::Summary(Decode::decode($r)?),
            Type::MvMap => Self::MvMap(Decode::decode($r)?),
            Type::GGraph => Self::GGraph(Decode::decode($r)?),
            Type::TwoPGraph => Self::TwoPGraph(Decode::decode($r)?),
            Type::AwGraph => Self::AwGraph(Decode::decode($r)?),
        }
    };
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
        Ok(decode_as!(ty, r, {
            Type::GMap(inner) => Self::GMap(GMap::decode_with(r, |r| Self::decode(inner, r).map(Slot::from))?),
            Type::AwMap(inner) => {
                let value = |r: &mut Reader<'_>, live: &mut _| Nested::decode_store(inner, r, live);
                Self::AwMap(Box::new(Dotted::decode_with(r, |r, live| Keys::decode_store_with(r, live, value))?))
            }
            Type::Pair(first, second) => {
                r.nested(|r| Ok(Self::Pair(Box::new((Self::decode(first, r)?, Self::decode(second, r)?)))))?
            }
        }))
    }
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

impl Encode for StateDigest {
    fn encode(&self, w: &mut Writer<'_>) {
        with_lattice!(StateDigest(self), (x, _ = StateDigest) => x.encode(w), pair => pair.encode(w));
    }
}

impl StateDigest {
    /// Appends the encoding; the reader must know the type.
    pub fn encode(&self, w: &mut Writer<'_>) {
        Encode::encode(self, w);
    }

    /// Reads the digest of a state of type `ty`.
    ///
    /// # Errors
    /// [`DecodeError`] on anything that [`encode`](Self::encode) would not have written.
    pub fn decode(ty: &Type, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(decode_as!(ty, r, {
            Type::GMap(inner) => r.nested(|r| decode_map_digest(inner, r)).map(Self::GMap)?,
            Type::AwMap(_) => Self::AwMap(Decode::decode(r)?),
            Type::Pair(first, second) => {
                r.nested(|r| Ok(Self::Pair(Box::new((Self::decode(first, r)?, Self::decode(second, r)?)))))?
            }
        }))
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
