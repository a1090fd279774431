//! The peers with which there is anything: a link, an arc to them, an arc from them.
//!
//! An *arc* leads from a peer to one in its partial view. SCAMP's views are directed, links are not: over one link
//! there may be an arc in either direction, or two. A peer is a neighbour while it is linked and there is an arc that
//! both sides know.
//!
//! Every message of a subscription asks how large the view is and where to go on; so whoever is in which part of it is counted
//! and listed as it changes, which nothing but [`Peers::change`] does.

use crate::peer::{Contact, PeerId};
use crate::rng::Rng;
use crate::time::Time;
use std::collections::BTreeMap;

/// One other peer.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) contact: Contact,
    pub(super) link: Option<Link>,
    /// It is in the partial view here.
    pub(super) outgoing: Option<Outgoing>,
    /// This peer is in its partial view.
    pub(super) incoming: Option<Incoming>,
    /// Whether the owner was told that it is a neighbour.
    pub(super) up: bool,
    /// How many neighbours it has, as it last said; at least 1.
    pub(super) degree: u32,
    /// When it last subscribed here.
    pub(super) subscribed: Option<Time>,
}

/// A link that is up.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// Whether this side dialled, and so closes first.
    pub(super) dialed: bool,
    pub(super) used: Time,
}

/// An arc to a peer in the partial view.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// Whether the other side has said that it knows, since the link came up.
    pub(super) known: bool,
    /// Whether it ever has.
    pub(super) proven: bool,
    pub(super) expires: Time,
    /// When to say next that it is there, or to dial.
    pub(super) due: Time,
    /// How often that has been done in vain.
    pub(super) failures: u32,
    /// Steps that the subscription had left.
    pub(super) hops: u8,
}

/// An arc from a peer.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    /// When its heartbeat was last heard.
    pub(super) heard: Time,
    /// Whether it is of a subscription that has been renewed.
    pub(super) old: bool,
}

impl Peer {
    pub(super) const fn new(contact: Contact) -> Self {
        Self { contact, link: None, outgoing: None, incoming: None, up: false, degree: 1, subscribed: None }
    }

    /// Whether it is a neighbour.
    pub(super) fn is_active(&self) -> bool {
        let known = self.outgoing.as_ref().is_some_and(|arc| arc.known);
        self.link.is_some() && (known || self.incoming.is_some())
    }

    /// Whether a walk may go on there.
    pub(super) fn leads_on(&self) -> bool {
        self.link.is_some() && self.outgoing.as_ref().is_some_and(|arc| arc.known)
    }

    fn is_useless(&self) -> bool {
        self.link.is_none() && self.outgoing.is_none() && self.incoming.is_none()
    }

    fn parts(&self) -> Parts {
        Parts {
            out: self.outgoing.is_some(),
            unproven: self.outgoing.as_ref().is_some_and(|arc| !arc.proven),
            incoming: self.incoming.is_some(),
            leads_on: self.leads_on(),
            up: self.up,
        }
    }
}

/// In which parts of the views a peer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    out: bool,
    unproven: bool,
    incoming: bool,
    leads_on: bool,
    up: bool,
}

/// All of them, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers {
    all: BTreeMap<PeerId, Peer>,
    out: usize,
    unproven: usize,
    incoming: usize,
    /// Where walks may go on, ascending.
    steps: Vec<PeerId>,
    /// The neighbours, ascending.
    up: Vec<PeerId>,
}

impl Peers {
    pub(super) fn get(&self, peer: PeerId) -> Option<&Peer> {
        self.all.get(&peer)
    }

    /// Changes what is known of a peer, if anything is. O(log n), and O(n) moves of ids where it changes parts.
    pub(super) fn change<R>(&mut self, peer: PeerId, change: impl FnOnce(&mut Peer) -> R) -> Option<R> {
        let entry = self.all.get_mut(&peer)?;
        let before = entry.parts();
        let result = change(entry);
        let after = entry.parts();
        self.count(peer, before, after);
        Some(result)
    }

    /// The same of a peer that is new, if need be; its contact is brought up to date before.
    pub(super) fn change_or_add(&mut self, contact: &Contact, change: impl FnOnce(&mut Peer)) {
        let peer = self.all.entry(contact.id).or_insert_with(|| Peer::new(contact.clone()));
        if peer.contact.incarnation < contact.incarnation && peer.link.is_none() {
            peer.contact = contact.clone();
        }
        self.change(contact.id, change);
    }

    fn count(&mut self, peer: PeerId, before: Parts, after: Parts) {
        if before == after {
            return;
        }
        let counts = [
            (&mut self.out, before.out, after.out),
            (&mut self.unproven, before.unproven, after.unproven),
            (&mut self.incoming, before.incoming, after.incoming),
        ];
        for (count, was, is) in counts {
            *count = *count + usize::from(is) - usize::from(was);
        }
        list(&mut self.steps, peer, before.leads_on, after.leads_on);
        list(&mut self.up, peer, before.up, after.up);
    }

    /// Drops the entry of a peer with which there is nothing.
    pub(super) fn tidy(&mut self, peer: PeerId) {
        if self.all.get(&peer).is_some_and(Peer::is_useless)
            && let Some(gone) = self.all.remove(&peer)
        {
            self.count(peer, gone.parts(), Parts::default());
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.all.values()
    }

    /// Says of every arc to here whether it is of a subscription that has been renewed.
    pub(super) fn mark_incoming(&mut self, old: bool) {
        self.all.values_mut().filter_map(|peer| peer.incoming.as_mut()).for_each(|arc| arc.old = old);
    }

    pub(super) fn ids(&self, which: impl Fn(&Peer) -> bool) -> Vec<PeerId> {
        self.iter().filter(|peer| which(peer)).map(|peer| peer.contact.id).collect()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The size of the partial view. O(1).
    pub(super) const fn out_degree(&self) -> usize {
        self.out
    }

    /// How many in the partial view have never confirmed it. O(1).
    pub(super) const fn unproven(&self) -> usize {
        self.unproven
    }

    /// In how many partial views this peer is. O(1).
    pub(super) const fn in_degree(&self) -> usize {
        self.incoming
    }

    /// How many neighbours there are. O(1).
    pub(super) const fn degree(&self) -> usize {
        self.up.len()
    }

    /// The neighbours, ascending by id.
    pub(super) fn neighbors(&self) -> &[PeerId] {
        &self.up
    }

    /// Where walks may go on, ascending by id.
    pub(super) fn steps(&self) -> &[PeerId] {
        &self.steps
    }

    /// Where a copy of the subscription of `except` goes next: anywhere in the view. O(log n).
    pub(super) fn any_step(&self, except: PeerId, rng: &mut Rng) -> Option<PeerId> {
        other_than(&self.steps, except, rng)
    }

    /// Where a walk to a random peer goes next, if it does not stay: to any neighbour, but to one with more neighbours than this
    /// peer more rarely, so that the walk may end anywhere with the same probability (Metropolis and Hastings). O(log n).
    pub(super) fn fair_step(&self, except: PeerId, rng: &mut Rng) -> Option<PeerId> {
        let next = other_than(&self.up, except, rng).and_then(|next| self.get(next));
        let degree = self.degree() as f64;
        next.filter(|next| rng.chance(degree / f64::from(next.degree))).map(|next| next.contact.id)
    }
}

/// Keeps an ascending list in line with whether `peer` was and is in it.
fn list(list: &mut Vec<PeerId>, peer: PeerId, was: bool, is: bool) {
    match list.binary_search(&peer) {
        Err(at) if is && !was => list.insert(at, peer),
        Ok(at) if was && !is => drop(list.remove(at)),
        Ok(_) | Err(_) => {}
    }
}

/// Any of an ascending list but one.
fn other_than(list: &[PeerId], except: PeerId, rng: &mut Rng) -> Option<PeerId> {
    let Ok(hole) = list.binary_search(&except) else {
        return rng.choose(list).copied();
    };
    if list.len() == 1 {
        return None;
    }
    let at = rng.index(list.len() - 1);
    Some(list[at + usize::from(at >= hole)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Addr;
    use crate::rng::Rng;
    use proptest::prelude::*;

    fn contact(id: u64) -> Contact {
        Contact { id: PeerId(id), incarnation: 1, addr: Addr::new("p").expect("short") }
    }

    fn outgoing(known: bool, proven: bool) -> Outgoing {
        Outgoing { known, proven, expires: Time::ZERO, due: Time::ZERO, failures: 0, hops: 0 }
    }

    proptest! {
        #[test]
        fn counts_and_lists_are_those_of_the_entries(
            steps in prop::collection::vec((0..8u64, prop::bits::u8::ANY), 0..60),
        ) {
            let mut peers = Peers::default();
            for (id, bits) in steps {
                let bit = |at: u8| bits >> at & 1 == 1;
                peers.change_or_add(&contact(id), |peer| {
                    peer.link = bit(0).then_some(Link { dialed: false, used: Time::ZERO });
                    peer.outgoing = bit(1).then(|| outgoing(bit(2), bit(3)));
                    peer.incoming = bit(4).then_some(Incoming { heard: Time::ZERO, old: false });
                    peer.up = bit(5);
                });
                peers.tidy(PeerId(id));
                prop_assert_eq!(peers.out_degree(), peers.ids(|peer| peer.outgoing.is_some()).len());
                prop_assert_eq!(peers.unproven(), peers.ids(|peer| peer.outgoing.as_ref().is_some_and(|arc| !arc.proven)).len());
                prop_assert_eq!(peers.in_degree(), peers.ids(|peer| peer.incoming.is_some()).len());
                prop_assert_eq!(peers.steps(), peers.ids(Peer::leads_on));
                prop_assert_eq!(peers.neighbors(), peers.ids(|peer| peer.up));
            }
        }
    }

    #[test]
    fn a_step_leads_anywhere_but_to_one_with_the_same_probability() {
        let mut rng = Rng::new(1);
        let all: Vec<PeerId> = (0..4).map(PeerId).collect();
        for except in 0..5 {
            let mut drawn = [0; 4];
            for _ in 0..4000 {
                drawn[other_than(&all, PeerId(except), &mut rng).expect("one is left").0 as usize] += 1;
            }
            let others = if except < 4 { 3 } else { 4 };
            let fair = |(id, count): (usize, &i32)| {
                let expected = if id as u64 == except { 0 } else { 4000 / others };
                (count - expected).abs() <= expected / 8
            };
            assert!(drawn.iter().enumerate().all(fair), "all but {except}: {drawn:?}");
        }
        assert_eq!(other_than(&all[..1], PeerId(0), &mut rng), None);
        assert_eq!(other_than(&[], PeerId(0), &mut rng), None);
    }
}
