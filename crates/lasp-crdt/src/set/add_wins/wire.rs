//! The encoding of the elements of an add-wins set.
//!
//! `head = elements << 2 | several << 1 | flag`, where `several` says that some element has several dots. Nothing more for
//! no element; replica, counter and element for a single one under a single dot. Otherwise the live dots, and then for
//! each of them, ascending, its element; if `several`, behind a number: 0 before an element that was not named yet,
//! or else which of the elements so far it is, from 1.
//!
//! Ordered by dots and not by elements, because dots make ranges, which cost next to nothing; so n elements of one
//! replica take their own bytes and some ten more.

use super::Elements;
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;
use crate::dot::Dot;
use crate::dotted::{DecodeStore, DotStore, EncodeStore, add_live};
use crate::fingerprint;
use std::hash::Hash;

const SEVERAL: u64 = 2;
const FLAG: u64 = 1;

impl<E: Encode + Clone + Ord + Hash> EncodeStore for Elements<E> {
    fn encode_store(&self, live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        let several = self.dot_count() > self.len();
        let bit = |is_set, bit| if is_set { bit } else { 0 };
        w.varint((self.len() as u64) << 2 | bit(several, SEVERAL) | bit(flag, FLAG));
        let mut places: Vec<(Dot, usize)> = self.positions().collect();
        if let [(dot, at)] = places[..] {
            w.dot(dot);
            self.element_at(at).encode(w);
            return;
        }
        if places.is_empty() {
            return;
        }
        live.encode(w);
        places.sort_unstable();
        if several {
            self.encode_named(&places, w);
        } else {
            places.iter().for_each(|&(_, at)| self.element_at(at).encode(w));
        }
    }
}

impl<E: Encode + Clone + Ord + Hash> Elements<E> {
    fn encode_named(&self, places: &[(Dot, usize)], w: &mut Writer<'_>) {
        let mut names = vec![0u64; self.len()];
        let mut named = 0;
        for &(_, at) in places {
            w.varint(names[at]);
            if names[at] == 0 {
                named += 1;
                names[at] = named;
                self.element_at(at).encode(w);
            }
        }
    }
}

impl<E: Decode + Clone + Ord + Hash> DecodeStore for Elements<E> {
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        let at = r.at();
        let head = r.varint("set")?;
        let (len, several, flag) = (head >> 2, head & SEVERAL != 0, head & FLAG != 0);
        if len > r.remaining() as u64 {
            return Err(DecodeError::TooLong { what: "elements", len, at });
        }
        let bad = DecodeError::NotCanonical { what: "set", at };
        let elements = match (len, several) {
            (0, true) => return Err(bad),
            (0, false) => Self::default(),
            (1, false) => decode_one(r, live)?,
            _ => decode_many(r, len as usize, several, live)?,
        };
        Ok((elements, flag))
    }
}

fn decode_one<E: Decode + Clone + Ord + Hash>(
    r: &mut Reader<'_>,
    live: &mut DotSet,
) -> Result<Elements<E>, DecodeError> {
    let bad = r.not_canonical("dots of a set");
    let dot = r.dot()?;
    let element = E::decode(r)?;
    let mut elements = Elements::default();
    let hash = fingerprint::hash(&element);
    elements.insert(element, hash, dot);
    if live.insert(dot) { Ok(elements) } else { Err(bad) }
}

fn decode_many<E: Decode + Clone + Ord + Hash>(
    r: &mut Reader<'_>,
    len: usize,
    several: bool,
    live: &mut DotSet,
) -> Result<Elements<E>, DecodeError> {
    let bad = r.not_canonical("dots of a set");
    let dots = DotSet::decode(r)?;
    // Before the elements are read, one by one: there may be far more dots than elements could follow.
    let is_enough = if several { dots.countable() > len as u64 } else { dots.countable() == len as u64 };
    if !is_enough || dots.retired().next().is_some() {
        return Err(bad);
    }
    add_live(live, &dots, bad)?;
    let mut elements = Elements::<E>::default();
    elements.reserve(len);
    for dot in dots.dots() {
        let bad = r.not_canonical("element of a set");
        let name = if several { r.varint("element of a set")? } else { 0 };
        let named = elements.len();
        let element = match name.checked_sub(1) {
            None => E::decode(r)?,
            Some(name) if name < named as u64 => elements.element_at(name as usize).clone(),
            Some(_) => return Err(bad),
        };
        let hash = fingerprint::hash(&element);
        elements.insert(element, hash, dot);
        let is_new = elements.len() > named;
        if is_new != (name == 0) || elements.len() > len {
            return Err(bad);
        }
    }
    if elements.len() == len { Ok(elements) } else { Err(r.not_canonical("elements of a set")) }
}
