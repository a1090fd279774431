//! The two views: neighbours, and others to fall back on.
//!
//! Invariants: the views are disjoint, neither holds this peer (in whatever incarnation), none exceeds its
//! capacity, and no statement about an older incarnation replaces one about a newer.

use super::message::LinkId;
use crate::peer::{Contact, PeerId};
use crate::peer_map::PeerMap;
use crate::rng::Rng;
use crate::time::Time;
use std::collections::VecDeque;

/// How many departures are remembered, so that peers which left are not learned of again. Beyond it the first is
/// forgotten; its peer then costs a failed dial.
const DEPARTED: usize = 64;

/// A peer in the active view.
#[derive(Clone, Debug)]
pub(super) struct Neighbor {
    pub(super) contact: Contact,
    /// The relation, as agreed with the other side.
    pub(super) link: LinkId,
    /// When anything last came from it.
    pub(super) heard: Time,
    /// When it last said that this peer is its neighbour.
    pub(super) confirmed: Time,
    /// When it was last probed.
    pub(super) probed: Time,
    /// Probes since anything came from it.
    pub(super) unanswered: u32,
}

/// What one peer knows of others.
#[derive(Clone, Debug)]
pub(super) struct View {
    me: PeerId,
    active: PeerMap<Neighbor>,
    passive: PeerMap<Contact>,
    passive_capacity: usize,
    departed: VecDeque<(PeerId, u64)>,
}

impl View {
    pub(super) const fn new(me: PeerId, passive_capacity: usize) -> Self {
        Self { me, active: PeerMap::new(), passive: PeerMap::new(), passive_capacity, departed: VecDeque::new() }
    }

    /// See [`Protocol::look_ahead`](crate::Protocol::look_ahead).
    pub(super) fn look_ahead(&self) -> u64 {
        self.active.look_ahead()
    }

    /// How many neighbours there are.
    pub(super) fn degree(&self) -> usize {
        self.active.len()
    }

    pub(super) fn neighbors(&self) -> impl Iterator<Item = &Neighbor> {
        self.active.values()
    }

    pub(super) fn neighbor(&self, peer: PeerId) -> Option<&Neighbor> {
        self.active.get(&peer)
    }

    pub(super) fn neighbor_mut(&mut self, peer: PeerId) -> Option<&mut Neighbor> {
        self.active.get_mut(&peer)
    }

    pub(super) fn is_active(&self, peer: PeerId) -> bool {
        self.active.contains_key(&peer)
    }

    /// The passive peers, ascending.
    pub(super) fn passive(&self) -> impl Iterator<Item = &Contact> {
        self.passive.values()
    }

    /// What is known of a peer in either view.
    pub(super) fn contact_of(&self, peer: PeerId) -> Option<&Contact> {
        let active = self.active.get(&peer).map(|neighbor| &neighbor.contact);
        active.or_else(|| self.passive.get(&peer))
    }

    /// Makes a peer a neighbour. The caller has made room.
    pub(super) fn activate(&mut self, now: Time, contact: Contact, link: LinkId) {
        self.passive.remove(&contact.id);
        self.departed.retain(|(id, _)| *id != contact.id);
        let neighbor = Neighbor { contact, link, heard: now, confirmed: now, probed: now, unanswered: 0 };
        self.active.insert(neighbor.contact.id, neighbor);
    }

    /// Makes a neighbour a stranger.
    pub(super) fn deactivate(&mut self, peer: PeerId) -> Option<Neighbor> {
        self.active.remove(&peer)
    }

    /// Hears of a peer: it becomes passive, or what is known of it is brought up to date. A full view gives up one of
    /// the peers in `sacrifice`, else any. `true` if the peer was unknown.
    pub(super) fn learn(&mut self, contact: &Contact, sacrifice: &[PeerId], rng: &mut Rng) -> bool {
        if contact.id == self.me || self.is_active(contact.id) || self.has_departed(contact) {
            return false;
        }
        if let Some(known) = self.passive.get_mut(&contact.id) {
            if known.incarnation < contact.incarnation {
                *known = contact.clone();
            }
            return false;
        }
        if self.passive_capacity == 0 {
            return false;
        }
        if self.passive.len() >= self.passive_capacity {
            self.make_room(sacrifice, rng);
        }
        self.passive.insert(contact.id, contact.clone());
        true
    }

    /// Keeps a peer that was known otherwise, if there is room.
    pub(super) fn keep(&mut self, contact: Contact) {
        let room = self.passive.len() < self.passive_capacity && contact.id != self.me;
        if room && !self.is_active(contact.id) && !self.has_departed(&contact) {
            self.passive.get_or_insert_with(contact.id, || contact);
        }
    }

    fn make_room(&mut self, sacrifice: &[PeerId], rng: &mut Rng) {
        let offered = || sacrifice.iter().filter(|id| self.passive.contains_key(id));
        let victim = match offered().count() {
            0 => self.passive.keys().nth(rng.index(self.passive.len())).copied(),
            count => offered().nth(rng.index(count)).copied(),
        };
        if let Some(victim) = victim {
            self.passive.remove(&victim);
        }
    }

    /// Brings what is known of a peer up to date from first hand, without making it known.
    pub(super) fn refresh(&mut self, contact: &Contact) {
        if let Some(known) = self.passive.get_mut(&contact.id) {
            *known = contact.clone();
        }
        if let Some(neighbor) = self.active.get_mut(&contact.id) {
            neighbor.contact = contact.clone();
        }
    }

    /// Drops a passive peer.
    pub(super) fn forget(&mut self, peer: PeerId) {
        self.passive.remove(&peer);
    }

    /// A peer has left: it is not learned of again in this life.
    pub(super) fn depart(&mut self, contact: &Contact) {
        self.forget(contact.id);
        self.departed.retain(|(id, _)| *id != contact.id);
        if self.departed.len() == DEPARTED {
            self.departed.pop_front();
        }
        self.departed.push_back((contact.id, contact.incarnation));
    }

    pub(super) fn has_departed(&self, contact: &Contact) -> bool {
        let of_it = |(id, life): &(PeerId, u64)| *id == contact.id && contact.incarnation <= *life;
        self.departed.iter().any(of_it)
    }

    /// A random neighbour that is none of `except`.
    pub(super) fn random_neighbor(&self, except: &[PeerId], rng: &mut Rng) -> Option<Contact> {
        let pool =
            || self.neighbors().map(|neighbor| &neighbor.contact).filter(|contact| !except.contains(&contact.id));
        let count = pool().count();
        if count == 0 { None } else { pool().nth(rng.index(count)).cloned() }
    }

    /// A random sample of up to `active` neighbours and `passive` others, passive or `linked`, without `except`.
    pub(super) fn sample<'a>(
        &'a self,
        active: usize,
        passive: usize,
        except: PeerId,
        linked: impl Iterator<Item = &'a Contact>,
        rng: &mut Rng,
    ) -> Vec<Contact> {
        let not_them = |contact: &&Contact| contact.id != except;
        let neighbors = self.active.values().map(|neighbor| &neighbor.contact);
        let neighbors: Vec<&Contact> = neighbors.filter(not_them).collect();
        let strangers = linked.filter(|contact| !self.is_active(contact.id) && !self.passive.contains_key(&contact.id));
        let others: Vec<&Contact> = self.passive.values().chain(strangers).filter(not_them).collect();
        let mut sample = rng.sample(&neighbors, active);
        sample.extend(rng.sample(&others, passive));
        sample.into_iter().cloned().collect()
    }

    /// Forgets everybody, but not who departed.
    pub(super) fn clear(&mut self) {
        self.active.clear();
        self.passive.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Addr;
    use crate::rng::Rng;
    use proptest::prelude::*;

    fn contact(id: u64, incarnation: u64) -> Contact {
        Contact { id: PeerId(id), incarnation, addr: Addr::new("p").expect("short") }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Learn(u64, u64, Vec<u64>),
        Activate(u64, u64),
        Deactivate(u64),
        Depart(u64, u64),
        Refresh(u64, u64),
        Forget(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let (id, life) = (0..12u64, 1..4u64);
        prop_oneof![
            4 => (id.clone(), life.clone(), prop::collection::vec(id.clone(), 0..4))
                .prop_map(|(id, life, offered)| Step::Learn(id, life, offered)),
            2 => (1..12u64, life.clone()).prop_map(|(id, life)| Step::Activate(id, life)),
            1 => id.clone().prop_map(Step::Deactivate),
            1 => (id.clone(), life.clone()).prop_map(|(id, life)| Step::Depart(id, life)),
            1 => (id.clone(), life).prop_map(|(id, life)| Step::Refresh(id, life)),
            1 => id.prop_map(Step::Forget),
        ]
    }

    fn take(view: &mut View, step: Step, rng: &mut Rng) {
        match step {
            Step::Learn(id, life, offered) => {
                let offered: Vec<PeerId> = offered.into_iter().map(PeerId).collect();
                view.learn(&contact(id, life), &offered, rng);
            }
            Step::Activate(id, life) => view.activate(Time::ZERO, contact(id, life), LinkId(1)),
            Step::Deactivate(id) => drop(view.deactivate(PeerId(id))),
            Step::Depart(id, life) => view.depart(&contact(id, life)),
            Step::Refresh(id, life) => view.refresh(&contact(id, life)),
            Step::Forget(id) => view.forget(PeerId(id)),
        }
    }

    proptest! {
        #[test]
        fn views_stay_disjoint_bounded_and_without_oneself(steps in prop::collection::vec(step(), 0..60)) {
            let mut rng = Rng::new(1);
            let mut view = View::new(PeerId(0), 4);
            for step in steps {
                take(&mut view, step, &mut rng);
                prop_assert!(view.passive().count() <= 4);
                prop_assert!(view.passive().all(|peer| !view.is_active(peer.id) && peer.id != PeerId(0)));
                prop_assert!(!view.is_active(PeerId(0)));
            }
        }
    }

    #[test]
    fn hearsay_of_an_older_life_is_ignored() {
        let (mut view, mut rng) = (View::new(PeerId(0), 4), Rng::new(1));
        assert!(view.learn(&contact(1, 2), &[], &mut rng));
        for life in [1, 3, 2] {
            assert!(!view.learn(&contact(1, life), &[], &mut rng));
        }
        assert_eq!(view.contact_of(PeerId(1)), Some(&contact(1, 3)));
    }

    #[test]
    fn who_departed_is_learned_of_only_in_a_new_life() {
        let (mut view, mut rng) = (View::new(PeerId(0), 4), Rng::new(1));
        view.depart(&contact(1, 2));
        assert!(!view.learn(&contact(1, 2), &[], &mut rng));
        assert!(view.learn(&contact(1, 3), &[], &mut rng));
    }
}
