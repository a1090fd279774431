//! Within a variable: asks for what a neighbour has beyond a state, by the digest or, of a large one, by a sketch.
//!
//! A digest costs as much as the state has replicas, dots or keys; a sketch as much as the two states differ in. The first
//! sketch is short. If it does not tell, the neighbour answers with a gauge of how much differs, and what then takes fewest
//! bytes follows (`plan`): a sketch that is long enough, filters that leave little to a sketch, or the digest after all.

use super::filter::Filter;
use super::gauge::Gauge;
use super::message::{Filtered, Gauged, Message};
use super::plan::{Plan, rest, symbols_for};
use super::sketch::{self, MOST, Symbol, TooShort, short};
use super::tour::Sieve;
use super::{AntiEntropy, Outcome};
use crate::key::Key;
use crate::store::Store;
use lasp_crdt::codec::to_bytes;
use lasp_crdt::fingerprint::mix;
use lasp_dataflow::State;
use lasp_overlay::PeerId;

/// Fewest entries of a state that is sketched. A guess: below, a digest takes no more bytes than the shortest sketch.
const LARGE: usize = 64;

/// Symbols of the first sketch, where nothing is known of how much differs. A guess: enough for ten differences.
pub(super) const FIRST: usize = 16;

/// Most symbols of a first sketch of a neighbour that differed by more the last time. A guess: as many bytes as being told that a
/// sketch is too short, ten times over.
const FAR: usize = 256;

/// How many times as long the next sketch is at least when one was too short. A guess.
const GROWTH: usize = 2;

/// Whether a state may be hashed part by part.
fn has_parts(key: &Key) -> bool {
    key.ty().parts_follow_content()
}

/// The salted hashes of a state's parts, by their fingerprints.
fn hashes(parts: &[u64], salt: u64) -> Vec<u64> {
    parts.iter().map(|&part| mix(salt, part)).collect()
}

/// The same as sketches have them.
fn shortened(hashes: &[u64]) -> Vec<u64> {
    hashes.iter().copied().map(short).collect()
}

impl AntiEntropy {
    /// Asks for what differs in a variable.
    pub(super) fn inquire(&mut self, to: PeerId, key: Key, store: &Store, out: &mut Outcome) {
        let Some(state) = store.state(&key).filter(|state| !state.is_bottom()) else {
            return out.say(to, Message::Ask { key, since: None, back: false });
        };
        if !has_parts(&key) || state.entries() < LARGE {
            return out.say(to, Message::Ask { key, since: Some(state.digest()), back: true });
        }
        let len = self.first_len(to, &key);
        let salt = self.salt(state);
        Self::send_sketch(to, key, salt, &state.part_fingerprints(), len, out);
    }

    /// Symbols of the first sketch of a variable: what filters left, or half of what a neighbour needed the last time.
    fn first_len(&mut self, to: PeerId, key: &Key) -> usize {
        let Some(peer) = self.peers.get_mut(&to) else { return FIRST };
        if let Some((_, len)) = peer.rest.take_if(|(variable, _)| *variable == key.hash()) {
            return len;
        }
        let len = peer.reach;
        peer.reach = (len / 2).max(FIRST);
        len
    }

    /// A salt of its own for each sketch and filter.
    fn salt(&mut self, state: &State) -> u64 {
        self.generation = self.generation.wrapping_add(1);
        mix(state.fingerprint(), self.generation.into())
    }

    fn send_sketch(to: PeerId, key: Key, salt: u64, parts: &[u64], len: usize, out: &mut Outcome) {
        let symbols = sketch::sketch(&shortened(&hashes(parts, salt)), len);
        out.say(to, Message::Sketch { key, salt, symbols });
    }

    /// Gives what the sender lacks and wants what it has, or a longer sketch.
    pub(super) fn on_sketch(
        &mut self,
        from: PeerId,
        key: Key,
        salt: u64,
        symbols: &[Symbol],
        store: &Store,
        out: &mut Outcome,
    ) {
        if !self.wants(from, &key) || !store.wants(&key) {
            return;
        }
        let Some(state) = store.state(&key).filter(|state| !state.is_bottom()) else {
            return out.say(from, Message::Ask { key, since: None, back: false });
        };
        if !has_parts(&key) {
            return out.say(from, Message::Ask { key, since: Some(state.digest()), back: true });
        }
        let ours = hashes(&state.part_fingerprints(), salt);
        let told = match sketch::difference(symbols, &shortened(&ours)) {
            Ok(told) => told,
            Err(TooShort { differ }) => {
                out.differs = true;
                let least = (GROWTH * symbols.len()).clamp(FIRST, MOST);
                let gauged = Gauged { least, salt, gauge: Gauge::of(&ours, differ) };
                return out.say(from, Message::More { key, gauged });
            }
        };
        out.differs |= !told.left.is_empty() || !told.right.is_empty();
        if !told.right.is_empty() {
            let wanted = told.right.into_iter().collect();
            self.give(from, key.clone(), state, None, Sieve::In(wanted, salt), out);
        }
        if !told.left.is_empty() {
            out.say(from, Message::Want { key, salt, hashes: told.left });
        }
    }

    /// Says more, of the state as it is now: what is cheapest by how much differs.
    pub(super) fn on_more(&mut self, from: PeerId, key: Key, gauged: &Gauged, store: &Store, out: &mut Outcome) {
        let Some(state) = store.state(&key).filter(|_| self.wants(from, &key)) else { return };
        if !has_parts(&key) {
            return out.say(from, Message::Ask { key, since: Some(state.digest()), back: true });
        }
        let parts = state.part_fingerprints();
        let differ = Gauge::of(&hashes(&parts, gauged.salt), None).apart(&gauged.gauge);
        let digest = state.digest();
        match Plan::choose(parts.len(), to_bytes(&digest).len(), differ, gauged.least) {
            Plan::Digest => out.say(from, Message::Ask { key, since: Some(digest), back: true }),
            Plan::Sketch(len) => {
                if let Some(peer) = self.peers.get_mut(&from) {
                    peer.reach = len.clamp(FIRST, FAR);
                }
                let salt = self.salt(state);
                Self::send_sketch(from, key, salt, &parts, len, out);
            }
            Plan::Filter(probes) => {
                let salt = self.salt(state);
                let filter = Filter::of(&hashes(&parts, salt), probes);
                let filtered = Filtered { salt, parts: parts.len(), filter };
                out.say(from, Message::Filter { key, filtered, back: true });
            }
        }
    }

    /// Gives what is not in the filter; answers with one if it is to. What both filters leave is for the next comparison.
    pub(super) fn on_filter(
        &mut self,
        from: PeerId,
        key: Key,
        filtered: &Filtered,
        back: bool,
        store: &Store,
        out: &mut Outcome,
    ) {
        let Some(state) = store.state(&key).filter(|_| self.wants(from, &key) && has_parts(&key)) else { return };
        out.differs = true;
        let Filtered { salt, parts: theirs, filter } = filtered;
        let ours = hashes(&state.part_fingerprints(), *salt);
        let given = ours.iter().filter(|&&hash| !filter.may_hold(hash)).count();
        if let Some(peer) = self.peers.get_mut(&from) {
            let rest = symbols_for(rest(ours.len(), given, *theirs, filter.mistakes(*theirs)));
            peer.rest = Some((key.hash(), rest.clamp(FIRST, MOST)));
        }
        if back {
            let filter = Filter::of(&ours, filter.probes());
            let filtered = Filtered { salt: *salt, parts: ours.len(), filter };
            out.say(from, Message::Filter { key: key.clone(), filtered, back: false });
        }
        self.give(from, key, state, None, Sieve::NotIn(filter.clone(), *salt), out);
    }

    /// Gives parts. One that is there no longer has grown since, and is on its way.
    pub(super) fn on_want(
        &mut self,
        from: PeerId,
        key: Key,
        salt: u64,
        hashes: Vec<u64>,
        store: &Store,
        out: &mut Outcome,
    ) {
        let Some(state) = store.state(&key).filter(|_| self.wants(from, &key) && has_parts(&key)) else {
            return;
        };
        self.give(from, key, state, None, Sieve::In(hashes.into_iter().collect(), salt), out);
    }
}
