//! The map of members: a lattice, one entry per peer, the newest version wins.
//!
//! A peer's version is its incarnation and, within it, how often it has left or come back: even is in, odd is out.
//! Only the peer itself raises its version, so news of a departure can never be undone by older news of presence.

use crate::peer::{Contact, PeerId};
use lasp_crdt::fingerprint::mix;
use std::collections::{BTreeMap, VecDeque};

/// How new a statement about a peer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Which life of the peer.
    pub incarnation: u64,
    /// How often it left or came back in that life: odd while it is out.
    pub change: u64,
}

/// A statement about a peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// Who, in which life, and where.
    pub contact: Contact,
    /// How often it left or came back in that life: odd while it is out.
    pub change: u64,
}

impl Member {
    /// A member that has just come to life.
    pub const fn new(contact: Contact) -> Self {
        Self { contact, change: 0 }
    }

    /// How new this is.
    pub const fn version(&self) -> Version {
        Version { incarnation: self.contact.incarnation, change: self.change }
    }

    /// Whether the peer has left.
    pub const fn has_left(&self) -> bool {
        self.change % 2 == 1
    }

    fn fingerprint(&self) -> u64 {
        let words = [self.contact.id.0, self.contact.incarnation, self.change];
        words.into_iter().fold(0, mix)
    }
}

/// What is known of every peer. Merging is associative, commutative and idempotent as long as no more than
/// `left_capacity` peers have left.
#[derive(Debug)]
pub struct Members {
    map: BTreeMap<PeerId, Member>,
    /// Those in `map` that have left, in the order in which that became known here.
    left: VecDeque<PeerId>,
    left_capacity: usize,
    fingerprint: u64,
}

impl Members {
    /// An empty map that remembers `left_capacity` departures.
    pub const fn new(left_capacity: usize) -> Self {
        Self { map: BTreeMap::new(), left: VecDeque::new(), left_capacity, fingerprint: 0 }
    }

    /// What is known of a peer.
    pub fn get(&self, id: PeerId) -> Option<&Member> {
        self.map.get(&id)
    }

    /// The version known of a peer.
    pub fn version(&self, id: PeerId) -> Option<Version> {
        self.get(id).map(Member::version)
    }

    /// Every statement, ascending by id.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.map.values()
    }

    /// How many statements there are.
    pub fn count(&self) -> u64 {
        self.map.len() as u64
    }

    /// Equal for equal maps, and with overwhelming probability only for those. O(1).
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Merges one statement; `true` if it was news. O(log n) unless a peer leaves or comes back.
    pub fn merge(&mut self, member: &Member) -> bool {
        let id = member.contact.id;
        if self.version(id) >= Some(member.version()) {
            return false;
        }
        self.fingerprint = self.fingerprint.wrapping_add(member.fingerprint());
        if let Some(old) = self.map.insert(id, member.clone()) {
            self.fingerprint = self.fingerprint.wrapping_sub(old.fingerprint());
            if old.has_left() {
                self.left.retain(|left| *left != id);
            }
        }
        if member.has_left() {
            self.left.push_back(id);
            self.forget_surplus();
        }
        true
    }

    fn forget_surplus(&mut self) {
        if self.left.len() <= self.left_capacity {
            return;
        }
        let first = self.left.pop_front().and_then(|id| self.map.remove(&id));
        if let Some(first) = first {
            self.fingerprint = self.fingerprint.wrapping_sub(first.fingerprint());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Addr;
    use proptest::prelude::*;

    fn member() -> impl Strategy<Value = Member> {
        (0..6u64, 0..3u64, 0..4u64).prop_map(|(id, incarnation, change)| Member {
            contact: Contact { id: PeerId(id), incarnation, addr: Addr::new("p").expect("short") },
            change,
        })
    }

    fn merged(members: &[Member]) -> (Vec<Member>, u64) {
        let mut map = Members::new(100);
        for member in members {
            map.merge(member);
        }
        (map.iter().cloned().collect(), map.fingerprint())
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(members in prop::collection::vec(member(), 0..20), seed: u64) {
            let mut shuffled: Vec<Member> = members.iter().chain(&members).cloned().collect();
            crate::rng::Rng::new(seed).shuffle(&mut shuffled);
            prop_assert_eq!(merged(&members), merged(&shuffled));
        }

        #[test]
        fn equal_fingerprints_mean_equal_maps(
            a in prop::collection::vec(member(), 0..8),
            b in prop::collection::vec(member(), 0..8),
        ) {
            let ((a, fingerprint_a), (b, fingerprint_b)) = (merged(&a), merged(&b));
            prop_assert_eq!(a == b, fingerprint_a == fingerprint_b);
        }
    }

    #[test]
    fn the_first_departure_is_forgotten_at_the_limit() {
        let at = |id, change| Member {
            contact: Contact { id: PeerId(id), incarnation: 1, addr: Addr::new("p").expect("short") },
            change,
        };
        let mut map = Members::new(2);
        for id in 1..=3 {
            map.merge(&at(id, 1));
        }
        map.merge(&at(2, 2));
        map.merge(&at(4, 1));
        let ids: Vec<u64> = map.iter().map(|member| member.contact.id.0).collect();
        assert_eq!(ids, [2, 3, 4], "2 has come back, so 3 and 4 are the departures");
        let ids_and_changes = [at(2, 2), at(3, 1), at(4, 1)];
        assert_eq!(map.fingerprint(), merged(&ids_and_changes).1);
    }
}
