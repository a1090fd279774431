//! Between variables: from a digest to what each of two neighbours lacks.
//!
//! A comparison brings both up, so one of a pair is enough. Of two that were begun at once, that of the neighbour with the
//! smaller id goes on; who answers puts off its own. A node that holds nothing yet lets one neighbour fill it, and compares
//! with the others when that is done. While a neighbour is being given much (`tour`), comparing with it would find what is
//! under way.

use super::message::{Message, Scope};
use super::tour::{LARGE, Sieve};
use super::tree::{BUCKETS, bucket_of};
use super::{AntiEntropy, Filler, NEVER, Outcome, SMALL};
use crate::key::Key;
use crate::routes::Common;
use crate::store::Store;
use crate::wire::CHUNK;
use lasp_dataflow::{State, StateDigest, VarId};
use lasp_overlay::{PeerId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// For how long a digest may be answered after it was sent: one that comes from the neighbour meanwhile has crossed it. A
/// guess: a round trip around the world. On slower links both comparisons go on, which costs bytes alone.
pub(super) const CROSSING: Duration = Duration::from_millis(300);

/// For how long nothing may come from a neighbour that fills this node before others may. A guess: what one frame takes over
/// a link of a megabit a second, and some.
const FILLING: Duration = Duration::from_secs(1);

/// Bytes of a frame that fills. A guess: changes have fewer.
const FILL: usize = CHUNK / 4;

/// Bytes of a variable in a summary, its key aside.
const LISTED: usize = 10;

/// Most bytes of the variables of a summary, or a few more: one bucket's at least; less where the link takes less. Twice what
/// pieces are cut to.
const SUMMARY: usize = 2 * CHUNK;

impl AntiEntropy {
    /// Equal: silence. Unequal: the own sums, by variable for a small store, by bucket for a large one.
    pub(super) fn on_digest(
        &mut self,
        now: Time,
        from: PeerId,
        [root, mine, yours]: [u64; 3],
        store: &mut Store,
        out: &mut Outcome,
    ) {
        let Some(peer) = self.peers.get(&from) else { return };
        if (yours, mine) != peer.common.hashes() {
            // One side has not heard what the other wants: it is said again, and compared.
            (out.differs, out.disagrees, out.equal) = (true, Some(from), Some(false));
            return;
        }
        let common = peer.common.clone();
        let tree = store.forest_mut().tree(&common);
        out.equal = Some(tree.root() == root);
        if tree.root() == root {
            return;
        }
        out.differs = true;
        let (count, sums) = (tree.count(), tree.buckets());
        let crossed = peer.asked.is_some_and(|asked| now < asked + CROSSING) && self.me < from;
        if crossed || peer.is_behind() || self.is_filled_by_another(now, from) {
            return;
        }
        self.give_way(from);
        if root == 0 {
            // It holds nothing.
            self.peers.entry(from).and_modify(|peer| peer.tour.give_variables(Scope::ALL, BTreeSet::new()));
            return;
        }
        if count == 0 && common.is_all() {
            self.filler = Some(Filler { peer: from, until: now + CROSSING });
        }
        if count > SMALL {
            return out.say(from, Message::Buckets(Box::new(*sums)));
        }
        self.summarise(from, Scope::ALL, &common, store, out);
    }

    /// The neighbour's comparison takes the place of the own.
    fn give_way(&mut self, to: PeerId) {
        if let Some(peer) = self.peers.get_mut(&to) {
            peer.due = NEVER;
        }
    }

    /// A frame came: from who fills this node, others are not asked for the same.
    pub(crate) fn given(&mut self, now: Time, from: PeerId, bytes: usize) {
        if let Some(filler) = self.filler.as_mut().filter(|filler| bytes >= FILL && filler.peer == from) {
            filler.until = now + FILLING;
        }
    }

    /// Whether a neighbour fills this node, and it is not this one.
    fn is_filled_by_another(&self, now: Time, peer: PeerId) -> bool {
        self.filled_by_another_until(now, peer).is_some()
    }

    /// Until when a neighbour that is not this one fills this node, as far as can be said.
    pub(super) fn filled_by_another_until(&self, now: Time, peer: PeerId) -> Option<Time> {
        let by = self.filler.as_ref().filter(|filler| now < filler.until && self.peers.contains_key(&filler.peer));
        by.filter(|filler| filler.peer != peer).map(|filler| filler.until)
    }

    /// Lists what differs, as far as one message goes. What the neighbour has nothing of it is given; what this node has
    /// nothing of takes no room.
    pub(super) fn on_buckets(
        &mut self,
        now: Time,
        from: PeerId,
        theirs: &[u64; BUCKETS],
        store: &mut Store,
        out: &mut Outcome,
    ) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        peer.asked = None;
        let (behind, common) = (peer.is_behind(), peer.common.clone());
        let most = SUMMARY.min(2 * peer.link.budget);
        if behind || self.is_filled_by_another(now, from) {
            return;
        }
        let ours = *store.forest_mut().tree(&common).buckets();
        let (mut listed, mut lacked, mut room) = (Scope::NONE, Scope::NONE, most as isize);
        let mut beyond = false;
        for bucket in (0..=u8::MAX).filter(|&b| ours[b as usize] != theirs[b as usize]) {
            if theirs[bucket as usize] == 0 {
                lacked.insert(bucket);
            } else if room > 0 {
                listed.insert(bucket);
                room -= Self::list_len(bucket, &common, store) as isize;
            } else {
                beyond = true;
            }
        }
        out.differs |= listed != Scope::NONE || lacked != Scope::NONE;
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.hurried = beyond;
            if lacked != Scope::NONE {
                peer.tour.give_variables(lacked, BTreeSet::new());
            }
        }
        if listed != Scope::NONE {
            if common.is_all() && store.forest_mut().tree(&common).count() == 0 {
                self.filler = Some(Filler { peer: from, until: now + CROSSING });
            }
            self.summarise(from, listed, &common, store, out);
        }
    }

    fn list_len(bucket: u8, common: &Common, store: &Store) -> usize {
        let vars = store.forest().bucket(bucket, common);
        vars.filter_map(|(_, _, var)| Some(store.key(var)?.len() + LISTED)).sum()
    }

    fn summarise(&self, to: PeerId, scope: Scope, common: &Common, store: &Store, out: &mut Outcome) {
        let mut entries = Vec::new();
        for (_, fingerprint, var) in scope.iter().flat_map(|bucket| store.forest().bucket(bucket, common)) {
            entries.extend(store.key(var).map(|key| (key.clone(), fingerprint)));
        }
        out.say(to, Message::Summary { scope, entries });
    }

    /// Gives what the sender lacks whole, asks for what this node lacks or what differs.
    pub(super) fn on_summary(
        &mut self,
        from: PeerId,
        scope: Scope,
        entries: Vec<(Key, u64)>,
        store: &mut Store,
        out: &mut Outcome,
    ) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        peer.asked = None;
        let theirs: BTreeMap<u64, u64> = entries.iter().map(|(key, fingerprint)| (key.hash(), *fingerprint)).collect();
        let lacks = |(hash, ..): (u64, u64, VarId)| !theirs.contains_key(&hash);
        if scope.iter().flat_map(|bucket| store.forest().bucket(bucket, &peer.common)).any(lacks) {
            out.differs = true;
            peer.tour.give_variables(scope, theirs.into_keys().collect());
        }
        for (key, fingerprint) in entries {
            let ours = store.forest().fingerprint(key.hash());
            let wanted = scope.contains(bucket_of(key.hash())) && store.wants(&key);
            if ours == fingerprint || !wanted {
                continue;
            }
            out.differs = true;
            self.inquire(from, key, store, out);
        }
    }

    /// Gives the least delta that suffices; asks back if told to, unless the sender's digest tells that it has nothing more.
    pub(super) fn on_ask(
        &mut self,
        from: PeerId,
        key: Key,
        since: Option<&StateDigest>,
        back: bool,
        store: &Store,
        out: &mut Outcome,
    ) {
        let Some(state) = store.state(&key).filter(|_| self.wants(from, &key)) else { return };
        if back {
            let ours = state.digest();
            if since.is_none_or(|since| !since.adds_nothing_to(&ours)) {
                out.say(from, Message::Ask { key: key.clone(), since: Some(ours), back: false });
            }
        }
        self.give(from, key, state, since, Sieve::Everything, out);
    }

    /// Gives parts of a state: at once, or of a large one in stretches.
    pub(super) fn give(
        &mut self,
        to: PeerId,
        key: Key,
        state: &State,
        since: Option<&StateDigest>,
        sieve: Sieve,
        out: &mut Outcome,
    ) {
        if state.entries() >= LARGE && key.ty().comes_in_stretches() {
            if let Some(peer) = self.peers.get_mut(&to) {
                peer.tour.give(key, state.rest(since), sieve);
            }
            return;
        }
        let delta = sieve.sift(since.map_or_else(|| state.clone(), |since| state.delta(since)));
        if !delta.is_bottom() {
            out.give(to, key, delta);
        }
    }
}
