//! The encodings of a derived set and of its digest.
//!
//! A set: the table of bases, ascending, each with the dots that no support here names: dead ones and live ones (one
//! byte says which of the two follow); then per element, ascending, its supports, ascending, each a list of events,
//! ascending. An event is `base << 1 | live`, with an index into the table, then replica and counter; `live` says that
//! the dot is among the base's live ones (else it was never seen). Ids of bases take the form that the link has for
//! replica ids, so that a base costs one byte where it was named before.

use super::store::Store;
use super::{BaseId, Derived, Event, Support};
use crate::causal::Causal;
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;
use crate::dot::{Dot, ReplicaId};
use crate::hashes::Hashes;
use crate::lattice::Lattice;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::hash::Hash;

const DEAD: u8 = 1;
const LIVE: u8 = 2;

/// What a replica knows of a derived set, without its elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DerivedDigest {
    pub(super) bases: BTreeMap<BaseId, Causal>,
    /// A hash of element and support each.
    pub(super) supports: Hashes,
}

fn encode_base(id: BaseId, w: &mut Writer<'_>) {
    w.replica(ReplicaId(id.0));
}

fn decode_base(r: &mut Reader<'_>) -> Result<BaseId, DecodeError> {
    r.replica().map(|id| BaseId(id.0))
}

impl<E: Encode + Clone + Ord + Hash> Encode for Derived<E> {
    fn encode(&self, w: &mut Writer<'_>) {
        let entries: SmallVec<[(&E, &Support); 4]> = self.entries().collect();
        let events = || entries.iter().flat_map(|(_, support)| support.events());
        let mut ids: Vec<BaseId> = events().map(|event| event.base).chain(self.bases.keys().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut named: BTreeMap<BaseId, Vec<Dot>> = BTreeMap::new();
        for event in events() {
            named.entry(event.base).or_default().push(event.dot);
        }
        w.len(ids.len());
        for &id in &ids {
            encode_base(id, w);
            let dots = named.remove(&id).unwrap_or_default().into_iter().collect();
            encode_unnamed(self.bases.get(&id), &dots, w);
        }
        w.len(self.store.element_count());
        for of_element in entries.chunk_by(|(a, _), (b, _)| a == b) {
            of_element[0].0.encode(w);
            w.len(of_element.len());
            for (_, support) in of_element {
                self.encode_support(support, &ids, w);
            }
        }
    }
}

/// What is known of a base's dots that no support names.
fn encode_unnamed(base: Option<&Causal>, named: &DotSet, w: &mut Writer<'_>) {
    let nothing = Causal::new();
    let base = base.unwrap_or(&nothing);
    let parts = [(DEAD, base.dead()), (LIVE, base.live().difference(named))];
    w.u8(parts.iter().filter(|(_, dots)| !dots.is_empty()).map(|(flag, _)| flag).sum());
    for (_, dots) in parts.iter().filter(|(_, dots)| !dots.is_empty()) {
        dots.encode(w);
    }
}

impl<E> Derived<E> {
    fn encode_support(&self, support: &Support, ids: &[BaseId], w: &mut Writer<'_>) {
        w.len(support.events().len());
        for event in support.events() {
            let index = ids.partition_point(|&id| id < event.base) as u64;
            let is_live = self.bases.get(&event.base).is_some_and(|base| base.live().contains(event.dot));
            w.varint(index << 1 | u64::from(is_live));
            w.dot(event.dot);
        }
    }
}

/// A base as it comes in.
struct Incoming {
    id: BaseId,
    /// No support names them.
    dead: DotSet,
    /// No support names them.
    live: DotSet,
    /// Dots that supports name, with what they say of them.
    named: Vec<(Dot, bool)>,
}

impl<E: Decode + Clone + Ord + Hash> Decode for Derived<E> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut bases: Vec<Incoming> = Vec::new();
        for _ in 0..r.len("bases")? {
            let bad = r.not_canonical("bases");
            let base = decode_unnamed(r)?;
            if bases.last().is_some_and(|last| last.id >= base.id) {
                return Err(bad);
            }
            bases.push(base);
        }
        let store = decode_elements(r, &mut bases)?;
        let bad = r.not_canonical("dots of a base");
        let mut set = Self { store, ..Self::new() };
        for base in bases {
            let id = base.id;
            let Some(base) = base.finish() else {
                return Err(bad);
            };
            set.change_base(id, |known| known.merge(base));
        }
        Ok(set)
    }
}

fn decode_unnamed(r: &mut Reader<'_>) -> Result<Incoming, DecodeError> {
    let id = decode_base(r)?;
    let bad = r.not_canonical("base");
    let flags = r.u8("base")?;
    let mut set = |flag| {
        if flags & flag != 0 { DotSet::decode(r) } else { Ok(DotSet::new()) }
    };
    let (dead, live) = (set(DEAD)?, set(LIVE)?);
    let read: u8 =
        [(DEAD, &dead), (LIVE, &live)].iter().filter(|(_, dots)| !dots.is_empty()).map(|(flag, _)| flag).sum();
    if flags == read { Ok(Incoming { id, dead, live, named: Vec::new() }) } else { Err(bad) }
}

fn decode_elements<E>(r: &mut Reader<'_>, bases: &mut [Incoming]) -> Result<Store<E>, DecodeError>
where
    E: Decode + Clone + Ord + Hash,
{
    let mut store = Store::default();
    let mut last: Option<E> = None;
    for _ in 0..r.len("elements")? {
        let bad = r.not_canonical("elements");
        let element = E::decode(r)?;
        if last.as_ref().is_some_and(|last| *last >= element) {
            return Err(bad);
        }
        let mut previous: Option<Support> = None;
        for _ in 0..r.len("supports")? {
            let bad = r.not_canonical("supports");
            let support = decode_support(r, bases)?;
            if previous.as_ref().is_some_and(|previous| *previous >= support) {
                return Err(bad);
            }
            previous = Some(support.clone());
            store.insert(element.clone(), support, |_, _, _| ());
        }
        if previous.is_none() {
            return Err(bad);
        }
        last = Some(element);
    }
    Ok(store)
}

fn decode_support(r: &mut Reader<'_>, bases: &mut [Incoming]) -> Result<Support, DecodeError> {
    let mut events: SmallVec<[Event; 2]> = SmallVec::new();
    for _ in 0..r.len("events")? {
        let bad = r.not_canonical("events");
        let head = r.varint("event")?;
        let dot = r.dot()?;
        let base = usize::try_from(head >> 1).ok().and_then(|index| bases.get_mut(index));
        let Some(base) = base else { return Err(bad) };
        base.named.push((dot, head & 1 == 1));
        let event = Event::new(base.id, dot);
        if events.last().is_some_and(|&last| last >= event) {
            return Err(bad);
        }
        events.push(event);
    }
    Ok(events.into_iter().collect())
}

impl Incoming {
    /// What is known of the base, unless the pieces contradict each other or there are none.
    fn finish(mut self) -> Option<Causal> {
        self.named.sort_unstable();
        self.named.dedup();
        let agrees = self.named.windows(2).all(|pair| pair[0].0 != pair[1].0);
        let all_named: DotSet = self.named.iter().map(|&(dot, _)| dot).collect();
        let clashes = |a: &DotSet, b: &DotSet| !a.intersection(b).is_empty();
        let disjoint =
            !clashes(&all_named, &self.dead) && !clashes(&all_named, &self.live) && !clashes(&self.dead, &self.live);
        let says_something = !(all_named.is_empty() && self.dead.is_empty() && self.live.is_empty());
        if !agrees || !disjoint || !says_something {
            return None;
        }
        let mut live: DotSet = self.named.iter().filter(|(_, is_live)| *is_live).map(|&(dot, _)| dot).collect();
        live.union_with(&self.live);
        Some(Causal::from_parts(self.dead, live))
    }
}

impl Encode for DerivedDigest {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.bases.len());
        for (&id, base) in &self.bases {
            encode_base(id, w);
            base.encode(w);
        }
        self.supports.encode(w);
    }
}

impl Decode for DerivedDigest {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut digest = Self::default();
        for _ in 0..r.len("bases")? {
            let bad = r.not_canonical("bases");
            let id = decode_base(r)?;
            let base = Causal::decode(r)?;
            if base.is_bottom() || digest.bases.last_key_value().is_some_and(|(&last, _)| last >= id) {
                return Err(bad);
            }
            digest.bases.insert(id, base);
        }
        digest.supports = Hashes::decode(r)?;
        Ok(digest)
    }
}
