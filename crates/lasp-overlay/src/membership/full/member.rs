//! The map of members: a lattice, one entry per peer, the newest version wins.
//!
//! A peer's version is its incarnation and, within it, how often it has left or come back: even is in, odd is out.
//! Only the peer itself raises its version, so news of a departure can never be undone by older news of presence.

use crate::peer::{Contact, PeerId};
use std::collections::BTreeMap;

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
        Version {
            incarnation: self.contact.incarnation,
            change: self.change,
        }
    }

    /// Whether the peer has left.
    pub const fn has_left(&self) -> bool {
        self.change % 2 == 1
    }

    fn fingerprint(&self) -> u64 {
        let words = [self.contact.id.0, self.contact.incarnation, self.change];
        let addr = self
            .contact
            .addr
            .as_str()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3) // FNV-1a
            });
        words
            .into_iter()
            .fold(addr, |hash, word| mix(hash ^ mix(word)))
    }
}

/// Spreads every input bit over all output bits (the finalizer of SplitMix64).
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30))
        .wrapping_add(0x9e37_79b9_7f4a_7c15)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What is known of every peer. Merging is associative, commutative and idempotent as long as no more than
/// `left_capacity` peers have left.
#[derive(Debug)]
pub struct Members {
    map: BTreeMap<PeerId, Member>,
    /// Those in `map` that have left, in the order in which that became known here.
    left: Vec<PeerId>,
    left_capacity: usize,
    fingerprint: u64,
}

impl Members {
    /// An empty map that remembers `left_capacity` departures.
    pub const fn new(left_capacity: usize) -> Self {
        Self {
            map: BTreeMap::new(),
            left: Vec::new(),
            left_capacity,
            fingerprint: 0,
        }
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

    /// Merges one statement; `true` if it was news. Of two addresses for one version the greater wins, so that all
    /// peers come to agree.
    pub fn merge(&mut self, member: &Member) -> bool {
        let id = member.contact.id;
        let old = self.map.get(&id);
        if old.is_some_and(|old| {
            (old.version(), &old.contact.addr) >= (member.version(), &member.contact.addr)
        }) {
            return false;
        }
        if let Some(old) = self.map.insert(id, member.clone()) {
            self.fingerprint = self.fingerprint.wrapping_sub(old.fingerprint());
        }
        self.fingerprint = self.fingerprint.wrapping_add(member.fingerprint());
        self.left.retain(|left| *left != id);
        if member.has_left() {
            self.left.push(id);
            self.forget_surplus();
        }
        true
    }

    fn forget_surplus(&mut self) {
        if self.left.len() <= self.left_capacity {
            return;
        }
        let first = self.left.remove(0);
        if let Some(old) = self.map.remove(&first) {
            self.fingerprint = self.fingerprint.wrapping_sub(old.fingerprint());
        }
    }
}
