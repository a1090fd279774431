//! What is written here and not heard here, until somebody who keeps it has it.
//!
//! An update of a variable that its node does not hear is pushed as every other. But no comparison of its node would find it
//! missing elsewhere, so it is also handed over: to a neighbour beyond which the variable is wanted, which passes it on in the
//! same way, as far as a node that keeps it. That one acknowledges it, and compares it with the others who keep it. What is not
//! acknowledged is handed over again, by another way where there is one; until then it waits here, merged by variable: at most
//! the size of what was written.

use crate::key::Key;
use crate::payload::Batch;
use crate::wire::{CHUNK, entry_len};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_dataflow::State;
use lasp_overlay::{PeerId, Time};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long deltas are collected before they are handed over, and between two looks. A guess.
pub(crate) const EVERY: Duration = Duration::from_secs(1);

/// How long an acknowledgement may take. A guess: some hops there and back.
const PATIENCE: Duration = Duration::from_secs(5);

/// Over how many hops at most: ways by summaries that are out of date may go in circles. A guess.
const HOPS: u8 = 64;

/// How many of others' are remembered that are not acknowledged yet; beyond it the oldest are handed over again.
const PASSING: usize = 1024;

/// Deltas handed over, to be acknowledged by their number on the link that they came over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Handed {
    /// Names them on this link.
    pub(crate) number: u64,
    /// Hops so far.
    pub(crate) hops: u8,
    /// The deltas.
    pub(crate) batch: Batch,
}

impl Encode for Handed {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.number);
        w.u8(self.hops);
        self.batch.encode(w);
    }
}

impl Decode for Handed {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { number: r.varint("handed")?, hops: r.u8("hops")?, batch: Batch::decode(r)? })
    }
}

/// What was handed over and is not acknowledged.
#[derive(Debug)]
struct Sent {
    number: u64,
    to: PeerId,
    at: Time,
    batch: Batch,
}

/// What waits, and what is under way.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    waiting: Batch,
    sent: Option<Sent>,
    /// By the number under which it went on: from whom it came, and its number there.
    passing: BTreeMap<u64, (PeerId, u64)>,
    next: u64,
    /// Whom not to try next.
    failed: Option<PeerId>,
}

impl Handover {
    /// Something was written that is not heard here.
    pub(crate) fn add(&mut self, key: &Key, delta: &State) {
        self.waiting.absorb(key, delta);
    }

    /// Whether nothing waits for an acknowledgement.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.sent.is_none()
    }

    /// How many entries of deltas wait. Cost: the number of deltas.
    pub(crate) fn entries(&self) -> usize {
        self.waiting.entries() + self.sent.as_ref().map_or(0, |sent| sent.batch.entries())
    }

    /// What to hand over now, and to whom; `ways` has the neighbours beyond which a variable is wanted.
    pub(crate) fn due(&mut self, now: Time, ways: impl Fn(&Key) -> Vec<PeerId>) -> Option<(PeerId, Handed)> {
        if let Some(sent) = self.sent.take_if(|sent| now >= sent.at + PATIENCE) {
            self.failed = Some(sent.to);
            self.take_back(sent);
        }
        if self.sent.is_some() {
            return None;
        }
        let failed = self.failed.take();
        let preferred =
            |ways: &[PeerId]| ways.iter().find(|way| Some(**way) != failed).or_else(|| ways.first()).copied();
        let to = self.waiting.iter().find_map(|(key, _)| preferred(&ways(key)))?;
        let batch = self.load(|key| ways(key).contains(&to));
        self.next += 1;
        self.sent = Some(Sent { number: self.next, to, at: now, batch: batch.clone() });
        Some((to, Handed { number: self.next, hops: 1, batch }))
    }

    /// Takes out of what waits as much as one message carries.
    fn load(&mut self, takes: impl Fn(&Key) -> bool) -> Batch {
        let (mut load, mut size, mut rest) = (Batch::default(), 0, Batch::default());
        for (key, delta) in std::mem::take(&mut self.waiting).iter() {
            let bytes = entry_len(key, delta);
            if !takes(key) || (size > 0 && size + bytes > CHUNK) {
                rest.absorb(key, delta);
                continue;
            }
            size += bytes;
            let (piece, more) = if bytes > CHUNK { cut(key, delta) } else { (delta.clone(), None) };
            load.absorb(key, &piece);
            more.into_iter().for_each(|more| _ = rest.absorb(key, &more));
        }
        self.waiting = rest;
        load
    }

    fn take_back(&mut self, sent: Sent) {
        sent.batch.iter().for_each(|(key, delta)| _ = self.waiting.absorb(key, delta));
    }

    /// Passes on what came from a neighbour and is not kept here; `None` where there is no way for all of it: it is not
    /// acknowledged, and its node tries another.
    pub(crate) fn pass(
        &mut self,
        from: PeerId,
        handed: &Handed,
        rest: Batch,
        ways: impl Fn(&Key) -> Vec<PeerId>,
    ) -> Option<(PeerId, Handed)> {
        let all: Vec<Vec<PeerId>> = rest.iter().map(|(key, _)| ways(key)).collect();
        let on = |way: &&PeerId| **way != from && all.iter().all(|ways| ways.contains(way));
        let to = all.first()?.iter().find(on).copied().filter(|_| handed.hops < HOPS)?;
        self.next += 1;
        if self.passing.len() == PASSING {
            self.passing.pop_first();
        }
        self.passing.insert(self.next, (from, handed.number));
        Some((to, Handed { number: self.next, hops: handed.hops + 1, batch: rest }))
    }

    /// Something was acknowledged: whom to acknowledge what in turn.
    pub(crate) fn acknowledged(&mut self, from: PeerId, number: u64) -> Option<(PeerId, u64)> {
        self.sent.take_if(|sent| sent.number == number && sent.to == from);
        self.passing.remove(&number)
    }

    /// A neighbour is gone: what went there may be lost.
    pub(crate) fn peer_down(&mut self, peer: PeerId) {
        if let Some(sent) = self.sent.take_if(|sent| sent.to == peer) {
            self.take_back(sent);
        }
        self.passing.retain(|_, (from, _)| *from != peer);
    }
}

/// Cuts a delta along its join decomposition: a piece of about [`CHUNK`] bytes, and the rest.
fn cut(key: &Key, delta: &State) -> (State, Option<State>) {
    let (mut piece, mut rest, mut size) = (State::bottom(key.ty()), State::bottom(key.ty()), 0);
    for part in delta.decompose() {
        let bytes = entry_len(key, &part);
        let fits = size == 0 || size + bytes <= CHUNK;
        size += if fits { bytes } else { 0 };
        if fits {
            piece.merge(part)
        } else {
            rest.merge(part)
        };
    }
    (piece, (!rest.is_bottom()).then_some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::{GCounter, ReplicaId};
    use lasp_dataflow::{Name, Type};

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);

    fn key(name: &str) -> Key {
        Key::new(Name::new(name).unwrap(), Type::GCounter)
    }

    fn count(n: u64) -> State {
        State::GCounter(GCounter::default().increment(ReplicaId(7), n))
    }

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1_000)
    }

    fn handed(number: u64, name: &str, n: u64) -> Handed {
        Handed { number, hops: 1, batch: Batch::single(key(name), count(n)) }
    }

    #[test]
    fn what_is_not_acknowledged_goes_again_another_way() {
        let mut handover = Handover::default();
        let ways = |_: &Key| vec![A, B];
        handover.add(&key("x"), &count(1));
        assert_eq!(handover.due(at(1), ways), Some((A, handed(1, "x", 1))));
        handover.add(&key("x"), &count(2));
        assert_eq!(handover.due(at(2), ways), None, "one at a time");
        assert_eq!(handover.due(at(6), ways), Some((B, handed(2, "x", 2))));
        assert_eq!((handover.acknowledged(A, 2), handover.is_idle()), (None, false), "it did not go there");
        assert_eq!((handover.acknowledged(B, 2), handover.is_idle()), (None, true));
    }

    #[test]
    fn what_nobody_wants_waits_and_what_went_to_who_is_gone_goes_again() {
        let mut handover = Handover::default();
        handover.add(&key("x"), &count(1));
        assert_eq!(handover.due(at(1), |_| vec![]), None);
        assert_eq!(handover.entries(), 1);
        assert_eq!(handover.due(at(2), |_| vec![A]), Some((A, handed(1, "x", 1))));
        handover.peer_down(A);
        assert_eq!(handover.due(at(3), |_| vec![B]), Some((B, handed(2, "x", 1))));
    }

    #[test]
    fn what_comes_from_others_is_passed_on_and_acknowledged_when_it_is() {
        let mut handover = Handover::default();
        let came = handed(9, "x", 1);
        let on = |handover: &mut Handover, came: &Handed, ways: Vec<PeerId>| {
            handover.pass(A, came, came.batch.clone(), move |_| ways.clone())
        };
        assert_eq!(on(&mut handover, &came, vec![A]), None, "not back");
        let passed = Handed { number: 1, hops: 2, batch: came.batch.clone() };
        assert_eq!(on(&mut handover, &came, vec![A, B]), Some((B, passed)));
        assert_eq!((handover.acknowledged(B, 1), handover.acknowledged(B, 1)), (Some((A, 9)), None));
        let far = Handed { hops: HOPS, ..came };
        assert_eq!(on(&mut handover, &far, vec![B]), None);
    }
}
