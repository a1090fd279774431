//! The map of members: a lattice, one statement per peer, the newest wins.
//!
//! Statements about a peer are totally ordered: first by the life of the peer, then by how often it has come back within
//! that life, then by what is said: that it is in (and how often it has refuted a suspicion, and whether it is
//! suspected), that it has left, that it was evicted. Merging takes the greater statement, so it is commutative,
//! associative and idempotent. Within one stay a departure outweighs everything; only the peer itself begins another
//! stay or life. So no stale news brings a leaver back, and none takes back a refutation.

use crate::membership::Standing;
use crate::peer::{Contact, PeerId};
use lasp_crdt::fingerprint::mix;
use std::collections::{BTreeMap, BTreeSet};

/// What is said about a peer within one stay; ordered by what outweighs what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It is a member.
    In {
        /// How often it has refuted that it had failed: SWIM's incarnation number.
        refutation: u64,
        /// Whether it is suspected to have failed since.
        suspect: bool,
    },
    /// It has left, as it said itself.
    Left,
    /// An operator, or a policy, has removed it.
    Evicted,
}

impl Status {
    /// A member that is not suspected.
    pub const IN: Self = Self::In { refutation: 0, suspect: false };
}

/// How new a statement about a peer is, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Which life of the peer.
    pub incarnation: u64,
    /// Which stay: how often it has come back in that life.
    pub stay: u64,
    /// What is said.
    pub status: Status,
}

/// A statement about a peer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Who, in which life, and where.
    pub contact: Contact,
    /// Which stay: how often it has come back in that life.
    pub stay: u64,
    /// What is said.
    pub status: Status,
}

impl Member {
    /// A member that has just come to life.
    pub const fn new(contact: Contact) -> Self {
        Self { contact, stay: 0, status: Status::IN }
    }

    /// How new this is.
    pub const fn version(&self) -> Version {
        Version { incarnation: self.contact.incarnation, stay: self.stay, status: self.status }
    }

    /// The same peer with something else said about it.
    pub fn with(&self, status: Status) -> Self {
        Self { status, ..self.clone() }
    }

    /// Whether the peer is a member.
    pub const fn is_in(&self) -> bool {
        matches!(self.status, Status::In { .. })
    }

    /// Whether the peer is suspected.
    pub const fn is_suspect(&self) -> bool {
        matches!(self.status, Status::In { suspect: true, .. })
    }

    /// How it stands with the peer.
    pub const fn standing(&self) -> Standing {
        match self.status {
            Status::In { suspect: false, .. } => Standing::Alive,
            Status::In { suspect: true, .. } => Standing::Suspect,
            Status::Left => Standing::Left,
            Status::Evicted => Standing::Evicted,
        }
    }

    fn fingerprint(&self) -> u64 {
        let status = match self.status {
            Status::In { refutation, suspect } => mix(refutation, 1 + u64::from(suspect)),
            Status::Left => 3,
            Status::Evicted => 4,
        };
        let words = [self.contact.id.0, self.contact.incarnation, self.stay, status];
        words.into_iter().fold(0, mix)
    }
}

/// What became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    /// It was known, or older than what was.
    Old,
    /// It was news.
    News,
    /// It is about a peer that is not known, and there is no room for one more.
    Refused,
}

/// What is known of every peer. Holds `capacity` statements at most: further peers are refused, nobody is forgotten for
/// them.
#[derive(Clone, Debug)]
pub struct Members {
    map: BTreeMap<PeerId, Member>,
    capacity: usize,
    /// How many of them are in.
    present: usize,
    /// Of the statements that count, which are all but those set aside.
    fingerprint: u64,
    count: u64,
    aside: BTreeSet<PeerId>,
}

impl Members {
    /// An empty map for `capacity` statements.
    pub const fn new(capacity: usize) -> Self {
        Self { map: BTreeMap::new(), capacity, present: 0, fingerprint: 0, count: 0, aside: BTreeSet::new() }
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
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Member> {
        self.map.values()
    }

    /// Those that are members, ascending by id.
    pub fn present(&self) -> impl Iterator<Item = &Member> {
        self.iter().filter(|member| member.is_in())
    }

    /// How many are members. O(1).
    pub const fn present_count(&self) -> usize {
        self.present
    }

    /// How many statements count.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How many statements there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Equal for equal maps, and with overwhelming probability only for those; what was set aside is not counted. O(1).
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Merges one statement. O(log n).
    pub fn merge(&mut self, member: &Member) -> Merged {
        let id = member.contact.id;
        match self.get(id) {
            None if self.map.len() >= self.capacity => return Merged::Refused,
            None => {}
            // Two addresses in one life: somebody copied an identity. Everybody keeps the same one.
            Some(old) if (old.version(), &old.contact.addr) >= (member.version(), &member.contact.addr) => {
                return Merged::Old;
            }
            Some(_) => self.forget(id),
        }
        self.fingerprint = self.fingerprint.wrapping_add(member.fingerprint());
        self.count += 1;
        self.present += usize::from(member.is_in());
        self.map.insert(id, member.clone());
        Merged::News
    }

    /// Forgets what is known of a peer.
    pub fn forget(&mut self, id: PeerId) {
        self.set_aside(id);
        self.aside.remove(&id);
        let gone = self.map.remove(&id);
        self.present -= usize::from(gone.is_some_and(|member| member.is_in()));
    }

    /// Leaves a statement out of fingerprint and count from now on, until it is replaced.
    pub fn set_aside(&mut self, id: PeerId) {
        if let Some(member) = self.map.get(&id)
            && self.aside.insert(id)
        {
            self.fingerprint = self.fingerprint.wrapping_sub(member.fingerprint());
            self.count -= 1;
        }
    }

    /// Whether a statement is left out of fingerprint and count.
    pub fn is_aside(&self, id: PeerId) -> bool {
        self.aside.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Addr;
    use proptest::prelude::*;

    fn status() -> impl Strategy<Value = Status> {
        let is_in = (0..3u64, any::<bool>()).prop_map(|(refutation, suspect)| Status::In { refutation, suspect });
        prop_oneof![3 => is_in, 1 => Just(Status::Left), 1 => Just(Status::Evicted)]
    }

    fn member() -> impl Strategy<Value = Member> {
        (0..6u64, 0..3u64, 0..3u64, status(), 0..2u8).prop_map(|(id, incarnation, stay, status, addr)| Member {
            contact: Contact { id: PeerId(id), incarnation, addr: Addr::new(&format!("p{addr}")).expect("short") },
            stay,
            status,
        })
    }

    fn map(members: &[Member]) -> Members {
        let mut map = Members::new(100);
        for member in members {
            map.merge(member);
        }
        map
    }

    fn all(map: &Members) -> Vec<Member> {
        map.iter().cloned().collect()
    }

    proptest! {
        #[test]
        fn merging_is_idempotent_commutative_and_associative(
            a in prop::collection::vec(member(), 0..12),
            b in prop::collection::vec(member(), 0..12),
            c in prop::collection::vec(member(), 0..12),
        ) {
            let join = |x: &[Member], y: &[Member]| all(&map(&[x, y].concat()));
            prop_assert_eq!(join(&a, &a), all(&map(&a)));
            prop_assert_eq!(join(&a, &b), join(&b, &a));
            prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        }

        #[test]
        fn merging_only_grows_and_says_whether_it_did(a in prop::collection::vec(member(), 0..12), b in member()) {
            let mut merged = map(&a);
            let before = merged.get(b.contact.id).map(|m| (m.version(), m.contact.addr.clone()));
            let outcome = merged.merge(&b);
            let after = merged.get(b.contact.id).map(|m| (m.version(), m.contact.addr.clone()));
            prop_assert!(after >= before);
            prop_assert_eq!(outcome == Merged::News, after != before);
        }

        #[test]
        fn a_departure_outweighs_all_else_that_is_said_of_the_stay(departed in member(), other in member()) {
            prop_assume!(!departed.is_in() && other.is_in());
            let other = Member { contact: departed.contact.clone(), stay: departed.stay, ..other };
            prop_assert!(!map(&[other.clone(), departed.clone()]).iter().any(Member::is_in));
            let back = Member { stay: departed.stay + 1, ..other };
            prop_assert!(map(&[back, departed]).iter().all(Member::is_in));
        }

        #[test]
        fn equal_fingerprints_mean_equal_versions(
            a in prop::collection::vec(member(), 0..8),
            b in prop::collection::vec(member(), 0..8),
        ) {
            let versions = |map: &Members| map.iter().map(|m| (m.contact.id, m.version())).collect::<Vec<_>>();
            let (a, b) = (map(&a), map(&b));
            prop_assert_eq!(versions(&a) == versions(&b), a.fingerprint() == b.fingerprint());
        }

        #[test]
        fn what_is_set_aside_or_forgotten_does_not_count(a in prop::collection::vec(member(), 0..12), one in 0..6u64) {
            let mut some = map(&a);
            some.set_aside(PeerId(one));
            some.set_aside(PeerId(one));
            let rest: Vec<Member> = a.iter().filter(|m| m.contact.id.0 != one).cloned().collect();
            prop_assert_eq!((some.fingerprint(), some.count()), (map(&rest).fingerprint(), map(&rest).count()));
            some.forget(PeerId(one));
            prop_assert_eq!((some.fingerprint(), some.len()), (map(&rest).fingerprint(), map(&rest).len()));
            prop_assert_eq!(some.present_count(), some.present().count());
        }
    }

    #[test]
    fn a_full_map_refuses_strangers_and_keeps_its_own() {
        let at = |id, stay| Member {
            contact: Contact { id: PeerId(id), incarnation: 1, addr: Addr::new("p").expect("short") },
            stay,
            status: Status::IN,
        };
        let mut map = Members::new(2);
        assert_eq!([1, 2, 3].map(|id| map.merge(&at(id, 0))), [Merged::News, Merged::News, Merged::Refused]);
        assert_eq!([map.merge(&at(1, 1)), map.merge(&at(1, 0))], [Merged::News, Merged::Old]);
        assert_eq!(map.len(), 2);
    }
}
