//! The encoding of an add-wins set.
//!
//! `head`, then (if there are elements) the table of replicas that their dots name, then per element, ascending: the
//! element and its dots, ascending; then (if there are any) the dots of the context that no element has.
//!
//! `head = elements << 3 | flags`, with [`REST`] if dots without an element follow, [`MANY_DOTS`] if some element has
//! several dots (each element then has the number of its dots in front of them), and [`MANY_REPLICAS`] if the table
//! has several entries (it then has its length in front, and each dot an index into it in front of its counter).
//! So a delta that adds one element costs one byte more than the element, its replica and its counter.

use super::AwSet;
use super::entries::Entry;
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;
use crate::dot::{Dot, ReplicaId};
use crate::fingerprint;
use smallvec::{SmallVec, smallvec};
use std::hash::Hash;

const REST: u64 = 1;
const MANY_DOTS: u64 = 2;
const MANY_REPLICAS: u64 = 4;

/// Ascending.
type Replicas = SmallVec<[ReplicaId; 4]>;
/// Ascending.
type Dots = SmallVec<[Dot; 1]>;

impl<E: Encode + Clone + Ord + Hash> Encode for AwSet<E> {
    fn encode(&self, w: &mut Writer<'_>) {
        let entries = self.sorted();
        let live = self.live();
        let rest = self.context.difference(&live);
        let replicas: Replicas = live.replicas().collect();
        let many_dots = self.entries.dot_count() > entries.len();
        let many_replicas = replicas.len() > 1;
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        let flags = flag(!rest.is_empty(), REST) | flag(many_dots, MANY_DOTS) | flag(many_replicas, MANY_REPLICAS);
        w.varint((entries.len() as u64) << 3 | flags);
        if many_replicas {
            w.len(replicas.len());
        }
        for &replica in &replicas {
            w.replica(replica);
        }
        for entry in entries {
            encode_entry(entry, many_dots, &replicas, w);
        }
        if !rest.is_empty() {
            rest.encode(w);
        }
    }
}

fn encode_entry<E: Encode>(entry: &Entry<E>, many_dots: bool, replicas: &Replicas, w: &mut Writer<'_>) {
    entry.element.encode(w);
    if many_dots {
        w.len(entry.dots.len());
    }
    for dot in &entry.dots {
        if replicas.len() > 1 {
            w.len(replicas.partition_point(|&replica| replica < dot.replica));
        }
        w.varint(dot.counter);
    }
}

impl<E: Decode + Clone + Ord + Hash> Decode for AwSet<E> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let head = r.varint("set")?;
        let (len, flags) = (head >> 3, head & 7);
        if len > r.remaining() as u64 {
            return Err(DecodeError::TooLong { what: "elements", len, at });
        }
        let mut set = Self::new();
        if len > 0 {
            decode_entries(r, len, flags, &mut set)?;
        } else if flags & (MANY_DOTS | MANY_REPLICAS) != 0 {
            return Err(DecodeError::NotCanonical { what: "set without elements", at });
        }
        if flags & REST != 0 {
            decode_rest(r, &mut set.context)?;
        }
        Ok(set)
    }
}

fn decode_entries<E>(r: &mut Reader<'_>, len: u64, flags: u64, set: &mut AwSet<E>) -> Result<(), DecodeError>
where
    E: Decode + Clone + Ord + Hash,
{
    let replicas = decode_replicas(r, flags & MANY_REPLICAS != 0)?;
    let mut elements: SmallVec<[(E, Dots); 1]> = SmallVec::new();
    for _ in 0..len {
        let bad = r.not_canonical("elements");
        let element = E::decode(r)?;
        if elements.last().is_some_and(|(last, _)| *last >= element) {
            return Err(bad);
        }
        elements.push((element, decode_dots(r, flags & MANY_DOTS != 0, &replicas)?));
    }
    let bad = r.not_canonical("dots");
    let count: u64 = elements.iter().map(|(_, dots)| dots.len() as u64).sum();
    set.context = elements.iter().flat_map(|(_, dots)| dots.iter().copied()).collect();
    let all_distinct = set.context.len() == count;
    let all_replicas = set.context.replicas().eq(replicas.iter().copied());
    if !all_distinct || !all_replicas || (count > len) != (flags & MANY_DOTS != 0) {
        return Err(bad);
    }
    for (element, dots) in elements {
        let hash = fingerprint::hash(&element);
        set.entries.insert(element, hash, dots, |_, _| ());
    }
    Ok(())
}

fn decode_replicas(r: &mut Reader<'_>, many: bool) -> Result<Replicas, DecodeError> {
    if !many {
        return Ok(smallvec![r.replica()?]);
    }
    let bad = r.not_canonical("replicas");
    let mut replicas = Replicas::new();
    for _ in 0..r.len("replicas")? {
        let replica = r.replica()?;
        if replicas.last().is_some_and(|&last| last >= replica) {
            return Err(bad);
        }
        replicas.push(replica);
    }
    if replicas.len() > 1 { Ok(replicas) } else { Err(bad) }
}

/// One element's dots.
fn decode_dots(r: &mut Reader<'_>, many: bool, replicas: &Replicas) -> Result<Dots, DecodeError> {
    let bad = r.not_canonical("dots of an element");
    let mut dots = Dots::new();
    let count = if many { r.len("dots")? } else { 1 };
    for _ in 0..count {
        let index = if replicas.len() > 1 { r.varint("replica index")? } else { 0 };
        let Some(&replica) = usize::try_from(index).ok().and_then(|index| replicas.get(index)) else {
            return Err(bad);
        };
        let dot = Dot::new(replica, r.counter()?);
        if dots.last().is_some_and(|&last| last >= dot) {
            return Err(bad);
        }
        dots.push(dot);
    }
    if dots.is_empty() { Err(bad) } else { Ok(dots) }
}

/// Adds the dots without an element to the context of the others.
fn decode_rest(r: &mut Reader<'_>, context: &mut DotSet) -> Result<(), DecodeError> {
    let bad = r.not_canonical("dots without an element");
    let rest = DotSet::decode(r)?;
    if rest.is_empty() || !rest.intersection(context).is_empty() {
        return Err(bad);
    }
    context.union_with(&rest);
    Ok(())
}
