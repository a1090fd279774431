//! What each neighbour has acknowledged of each group, and what it is told.

use super::assembly::Assembly;
use super::message::{Group, Interval, Message};
use super::{CausalConfig, Timer};
use crate::exchange::pieces;
use crate::key::Key;
use crate::payload::Batch;
use crate::store::Store;
use crate::wire::CHUNK;
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{Encode, Writer};
use lasp_dataflow::StateDigest;
use lasp_overlay::PeerId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What follows from an input.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// What to say to whom.
    pub(crate) say: Vec<(PeerId, Message)>,
    /// What to be reminded of.
    pub(crate) timers: Vec<(Duration, Timer)>,
}

/// Who is there, and who hears which group.
pub(crate) struct Around<'a> {
    /// The neighbours.
    pub(crate) neighbours: &'a [PeerId],
    /// Whether a neighbour hears a group.
    pub(crate) hears: &'a dyn Fn(PeerId, &str) -> bool,
}

/// Something said that waits for an answer.
#[derive(Debug)]
struct Open<T> {
    number: u64,
    tries: u32,
    what: T,
}

/// An interval under way.
#[derive(Debug)]
struct Flight {
    answers: u64,
    batch: Batch,
}

/// One group at one neighbour.
#[derive(Debug, Default)]
struct Link {
    /// What does it have beyond this node? Whether with digests.
    question: Option<Open<bool>>,
    /// What it has acknowledged is known: it is told what changes.
    known: bool,
    flight: Option<Open<Flight>>,
    /// What has changed since what is under way.
    waiting: Batch,
}

/// The groups of one node.
#[derive(Debug)]
pub(crate) struct Groups {
    config: CausalConfig,
    numbers: u64,
    groups: BTreeMap<Group, BTreeSet<Key>>,
    links: BTreeMap<(PeerId, Group), Link>,
    assembly: Assembly,
}

/// A group's name.
fn text(group: &Group) -> &str {
    std::str::from_utf8(group).unwrap_or_default()
}

impl Groups {
    /// None yet.
    pub(crate) fn new(config: CausalConfig) -> Self {
        let assembly = Assembly::new(config.assembly);
        Self { config, numbers: 0, groups: BTreeMap::new(), links: BTreeMap::new(), assembly }
    }

    /// Whether every neighbour has acknowledged everything.
    pub(crate) fn is_idle(&self) -> bool {
        self.links.values().all(|link| link.question.is_none() && link.flight.is_none() && link.waiting.is_empty())
    }

    /// How many entries of deltas are kept for neighbours. Cost: the number of deltas kept.
    pub(crate) fn entries(&self) -> usize {
        let of =
            |link: &Link| link.waiting.entries() + link.flight.as_ref().map_or(0, |flight| flight.what.batch.entries());
        self.links.values().map(of).sum()
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// What all variables of a group come to. Cost: their number.
    fn fingerprint(&self, group: &Group, store: &Store) -> u64 {
        let keys = self.groups.get(group).into_iter().flatten();
        let states = keys.filter_map(|key| Some((key, store.state(key)?)));
        states.fold(0, |sum: u64, (key, state)| sum.wrapping_add(mix(key.hash(), state.fingerprint())))
    }

    // ---- neighbours ----

    /// A neighbour is there, or hears something else than before; or this node does.
    pub(crate) fn look_around(&mut self, store: &Store, around: &Around<'_>) -> Outcome {
        let mut out = Outcome::default();
        self.groups.retain(|group, _| store.interests().covers(text(group)));
        let groups = &self.groups;
        let is_heard = |peer, group: &Group| {
            groups.contains_key(group) && around.neighbours.contains(&peer) && (around.hears)(peer, text(group))
        };
        self.links.retain(|(peer, group), _| is_heard(*peer, group));
        self.assembly.retain(is_heard);
        for group in self.groups.keys().cloned().collect::<Vec<_>>() {
            self.meet(&group, store, around, &mut out);
        }
        out
    }

    /// The variables of a group, of which this node may have had some before it heard all of it.
    fn know(&mut self, group: &Group, store: &Store) -> &mut BTreeSet<Key> {
        let of_group = || store.of_group(text(group)).cloned().collect();
        self.groups.entry(group.clone()).or_insert_with(of_group)
    }

    /// A neighbour is gone.
    pub(crate) fn peer_down(&mut self, peer: PeerId) {
        self.links.retain(|(other, _), _| *other != peer);
        self.assembly.retain(|from, _| from != peer);
    }

    /// Asks every neighbour that hears a group what it has, unless it was asked.
    fn meet(&mut self, group: &Group, store: &Store, around: &Around<'_>, out: &mut Outcome) {
        for &peer in around.neighbours {
            let at = (peer, group.clone());
            if (around.hears)(peer, text(group)) && !self.links.contains_key(&at) {
                let number = self.number();
                let question = Some(Open { number, tries: 0, what: false });
                self.links.insert(at.clone(), Link { question, ..Link::default() });
                self.ask(&at, store, out);
            }
        }
    }

    /// Says a question, again perhaps.
    fn ask(&mut self, at: &(PeerId, Group), store: &Store, out: &mut Outcome) {
        let fingerprint = self.fingerprint(&at.1, store);
        let Some(question) = self.links.get(at).and_then(|link| link.question.as_ref()) else { return };
        let digests = question.what.then(|| self.digests(&at.1, store));
        let (number, tries) = (question.number, question.tries);
        out.say.push((at.0, Message::Compare { number, group: at.1.clone(), fingerprint, digests }));
        self.remind(at.0, number, tries, out);
    }

    /// What this node has of a group; nothing, which asks for everything, where that is too long to say.
    fn digests(&self, group: &Group, store: &Store) -> Vec<(Key, StateDigest)> {
        let keys = self.groups.get(group).into_iter().flatten();
        let digests: Vec<_> = keys.filter_map(|key| Some((key.clone(), store.state(key)?.digest()))).collect();
        let (mut bytes, mut plain) = (Vec::new(), lasp_crdt::codec::Plain);
        let mut w = Writer::new(&mut bytes, &mut plain);
        for (key, digest) in &digests {
            key.encode(&mut w);
            digest.encode(&mut w);
        }
        if bytes.len() > CHUNK { Vec::new() } else { digests }
    }

    fn remind(&self, peer: PeerId, number: u64, tries: u32, out: &mut Outcome) {
        let after = self.config.patience.saturating_mul(1 << tries.min(16)).min(self.config.patience_most);
        out.timers.push((after, Timer { peer, number, left: true }));
    }

    // ---- what is said ----

    /// A neighbour asks what this node has beyond it.
    pub(crate) fn compared(
        &mut self,
        from: PeerId,
        (number, group, fingerprint): (u64, Group, u64),
        digests: Option<Vec<(Key, StateDigest)>>,
        store: &Store,
        around: &Around<'_>,
    ) -> Outcome {
        let mut out = Outcome::default();
        let named = super::group_of(&format!("{}x", text(&group))) == Some(text(&group));
        if !named || !store.interests().covers(text(&group)) {
            return out;
        }
        self.know(&group, store);
        self.meet(&group, store, around, &mut out);
        let link = self.links.get(&(from, group.clone()));
        if link.and_then(|link| link.flight.as_ref()).is_some_and(|flight| flight.what.answers == number) {
            return out; // the answer is under way
        }
        let equal = self.fingerprint(&group, store) == fingerprint;
        let batch = match digests {
            _ if equal => Batch::default(),
            None => {
                out.say.push((from, Message::More(number)));
                return out;
            }
            Some(digests) => self.beyond(&group, &digests, store),
        };
        let at = (from, group);
        if let Some(link) = self.links.get_mut(&at) {
            (link.known, link.waiting) = (true, Batch::default());
            self.send(&at, Flight { answers: number, batch }, 0, &mut out);
        }
        out
    }

    /// What this node has of a group beyond some digests.
    fn beyond(&self, group: &Group, digests: &[(Key, StateDigest)], store: &Store) -> Batch {
        let digests: BTreeMap<&Key, &StateDigest> = digests.iter().map(|(key, digest)| (key, digest)).collect();
        let mut batch = Batch::default();
        for key in self.groups.get(group).into_iter().flatten() {
            let Some(state) = store.state(key) else { continue };
            let delta = digests.get(key).map_or_else(|| state.clone(), |digest| state.delta(digest));
            if !delta.is_bottom() {
                batch.absorb(key, &delta);
            }
        }
        batch
    }

    /// A neighbour cannot tell by the fingerprint.
    pub(crate) fn more(&mut self, from: PeerId, number: u64, store: &Store) -> Outcome {
        let mut out = Outcome::default();
        let asked = |link: &Link| link.question.as_ref().is_some_and(|question| question.number == number);
        let found = self.links.iter_mut().find(|((peer, _), link)| *peer == from && asked(link));
        if let Some((at, link)) = found {
            link.question.as_mut().expect("asked").what = true;
            let at = at.clone();
            self.ask(&at, store, &mut out);
        }
        out
    }

    /// Whether an interval can be put together here at all.
    pub(crate) const fn fits(&self, interval: &Interval) -> bool {
        self.assembly.fits(interval)
    }

    /// A piece of an interval has come: all of it, if that was the last.
    pub(crate) fn assemble(&mut self, from: PeerId, interval: Interval) -> Option<Batch> {
        self.assembly.add(from, interval)
    }

    /// An interval of a neighbour has been merged.
    pub(crate) fn merged(&mut self, from: PeerId, group: &Group, answers: u64) {
        if let Some(link) = self.links.get_mut(&(from, group.clone())) {
            link.question.take_if(|question| question.number == answers);
        }
    }

    /// Variables of groups have changed, by what was made here or by what a neighbour has said, who need not be told of that.
    pub(crate) fn changed(
        &mut self,
        said: Option<(PeerId, &Batch)>,
        news: &Batch,
        store: &Store,
        around: &Around<'_>,
    ) -> Outcome {
        let mut out = Outcome::default();
        for (key, delta) in news.iter() {
            let Some(group) = key.group() else { continue };
            self.know(&group, store).insert(key.clone());
            self.meet(&group, store, around, &mut out);
            let told = self.links.iter_mut().filter(|((_, of), link)| link.known && *of == group);
            told.for_each(|(_, link)| _ = link.waiting.absorb(key, delta));
        }
        if let Some((from, batch)) = said {
            for (_, link) in self.links.iter_mut().filter(|((peer, _), _)| *peer == from) {
                batch.iter().for_each(|(key, delta)| link.waiting.subtract(key, delta));
            }
        }
        let ready = |link: &Link| link.flight.is_none() && !link.waiting.is_empty();
        for at in self.links.iter().filter(|(_, link)| ready(link)).map(|(at, _)| at.clone()).collect::<Vec<_>>() {
            self.go_on(&at, &mut out);
        }
        out
    }

    /// Says what waits.
    fn go_on(&mut self, at: &(PeerId, Group), out: &mut Outcome) {
        let Some(link) = self.links.get_mut(at).filter(|link| !link.waiting.is_empty()) else { return };
        let batch = std::mem::take(&mut link.waiting);
        self.send(at, Flight { answers: 0, batch }, 0, out);
    }

    fn send(&mut self, at: &(PeerId, Group), flight: Flight, tries: u32, out: &mut Outcome) {
        let number = self.number();
        self.send_as(number, at, flight, tries, out);
    }

    fn send_as(&mut self, number: u64, at: &(PeerId, Group), flight: Flight, tries: u32, out: &mut Outcome) {
        let Some(link) = self.links.get_mut(at) else { return };
        let mut batches = pieces(flight.batch.iter().map(|(key, delta)| (key.clone(), delta.clone())).collect());
        if batches.is_empty() {
            batches.push(Batch::default());
        }
        let (answers, pieces) = (flight.answers, batches.len());
        for (piece, batch) in batches.into_iter().enumerate() {
            let group = at.1.clone();
            out.say.push((at.0, Message::Interval(Interval { number, answers, group, piece, pieces, batch })));
        }
        link.flight = Some(Open { number, tries, what: flight });
        self.remind(at.0, number, tries, out);
    }

    /// A neighbour has merged an interval.
    pub(crate) fn acknowledged(&mut self, from: PeerId, number: u64) -> Outcome {
        let mut out = Outcome::default();
        let flies = |link: &Link| link.flight.as_ref().is_some_and(|flight| flight.number == number);
        let found = self.links.iter_mut().find(|((peer, _), link)| *peer == from && flies(link));
        if let Some((at, link)) = found {
            link.flight = None;
            let at = at.clone();
            self.go_on(&at, &mut out);
        }
        out
    }

    /// A neighbour has not answered in time: it is asked again, or told again, with what has changed meanwhile.
    pub(crate) fn expired(&mut self, timer: &Timer, store: &Store) -> Outcome {
        let mut out = Outcome::default();
        let of_peer = self.links.iter_mut().filter(|((peer, _), _)| *peer == timer.peer);
        for (at, link) in of_peer {
            if let Some(question) = link.question.as_mut().filter(|question| question.number == timer.number) {
                question.tries += 1;
                let at = at.clone();
                self.ask(&at, store, &mut out);
                return out;
            }
            if let Some(Open { tries, what: mut flight, .. }) =
                link.flight.take_if(|flight| flight.number == timer.number)
            {
                let waiting = std::mem::take(&mut link.waiting);
                let at = at.clone();
                if waiting.is_empty() {
                    // The same again: pieces of it that have come count.
                    self.send_as(timer.number, &at, flight, tries + 1, &mut out);
                    return out;
                }
                for (key, delta) in waiting.iter() {
                    flight.batch.absorb(key, delta);
                }
                self.send(&at, flight, tries + 1, &mut out);
                return out;
            }
        }
        out
    }
}
