//! Links on which both sides say hello before they are neighbours, and are asked when they fall silent.
//!
//! Each side repeats its hello until it knows that the other has the relation too, and answers every hello of one that does
//! not know that yet; so both have it, or neither does for long, and who is not willing can say so instead. Shared by
//! the strategies that have no protocol of their own for that.

use crate::peer::{Contact, PeerId};
use crate::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the upkeep of links runs; give or take a quarter.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// Most hellos without an answer before a link is given up. A guess: enough where every third message is lost.
const HELLOS: u32 = 10;

/// When a silent neighbour is given up.
#[derive(Clone, Debug, PartialEq)]
pub struct Patience {
    /// A neighbour from which nothing was heard for this long is probed. 5 s: guess, as in HyParView.
    pub probe_interval: Duration,
    /// How many probes in a row, one a second, may remain unanswered. 5: as in HyParView.
    pub probe_attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { probe_interval: Duration::from_secs(5), probe_attempts: 5 }
    }
}

/// A hello: how far its sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hail {
    /// Let us be neighbours.
    Ask,
    /// The receiver is the sender's neighbour.
    Accept,
    /// And the sender knows that it is the receiver's.
    Agree,
}

impl Hail {
    /// Every kind, by its number in encodings.
    pub(crate) const ALL: [Self; 3] = [Self::Ask, Self::Accept, Self::Agree];
}

/// A link and how far its two ends are.
#[derive(Debug)]
pub(crate) struct Greeted {
    pub(crate) contact: Contact,
    /// Whether the other is a neighbour here.
    pub(crate) active: bool,
    /// Whether the other has said that this peer is its neighbour.
    pub(crate) known: bool,
    heard: Time,
    /// Hellos and probes without an answer.
    unanswered: u32,
}

/// All links.
#[derive(Debug, Default)]
pub(crate) struct Greetings {
    links: BTreeMap<PeerId, Greeted>,
}

/// What a link is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Another hello.
    Hello,
    /// A probe.
    Probe,
    /// Its end.
    GivenUp,
}

impl Greetings {
    /// A link is up. `None`: nothing changed, of an older life. Else whether the peer was a neighbour in an earlier life.
    pub(crate) fn linked(&mut self, now: Time, contact: &Contact) -> Option<bool> {
        let before = self.links.get(&contact.id).map(|link| (link.contact.incarnation, link.active));
        match before {
            Some((life, _)) if life >= contact.incarnation => return None,
            _ => {}
        }
        let link = Greeted { contact: contact.clone(), active: false, known: false, heard: now, unanswered: 0 };
        self.links.insert(contact.id, link);
        Some(before.is_some_and(|(_, active)| active))
    }

    /// What to say to a linked peer.
    pub(crate) fn hail(&self, peer: PeerId) -> Hail {
        match self.links.get(&peer) {
            Some(Greeted { active: true, known: true, .. }) => Hail::Agree,
            Some(Greeted { active: true, .. }) => Hail::Accept,
            _ => Hail::Ask,
        }
    }

    /// A linked peer has said hello and becomes a neighbour: its contact if it was none.
    pub(crate) fn accept(&mut self, peer: PeerId, hail: Hail) -> Option<Contact> {
        let link = self.links.get_mut(&peer)?;
        link.known |= hail != Hail::Ask;
        let is_new = !std::mem::replace(&mut link.active, true);
        is_new.then(|| link.contact.clone())
    }

    pub(crate) fn remove(&mut self, peer: PeerId) -> Option<Greeted> {
        self.links.remove(&peer)
    }

    pub(crate) fn get(&self, peer: PeerId) -> Option<&Greeted> {
        self.links.get(&peer)
    }

    pub(crate) fn ids(&self) -> Vec<PeerId> {
        self.links.keys().copied().collect()
    }

    /// The neighbours, ascending by id.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Contact> {
        self.links.values().filter(|link| link.active).map(|link| &link.contact)
    }

    pub(crate) fn is_active(&self, peer: PeerId) -> bool {
        self.links.get(&peer).is_some_and(|link| link.active)
    }

    pub(crate) fn heard(&mut self, now: Time, from: PeerId) {
        if let Some(link) = self.links.get_mut(&from) {
            link.heard = now;
            if link.known {
                link.unanswered = 0;
            }
        }
    }

    /// What the links are due, once a tick; neighbours that others look after are not probed.
    pub(crate) fn tick(
        &mut self,
        now: Time,
        patience: &Patience,
        looked_after: impl Fn(PeerId) -> bool,
    ) -> Vec<(PeerId, Due)> {
        let mut due = Vec::new();
        for (peer, link) in &mut self.links {
            let greeting = !(link.active && link.known);
            if !greeting && (now - link.heard < patience.probe_interval || looked_after(*peer)) {
                continue;
            }
            let most = if greeting { HELLOS } else { patience.probe_attempts };
            link.unanswered += 1;
            due.push((
                *peer,
                match greeting {
                    _ if link.unanswered > most => Due::GivenUp,
                    true => Due::Hello,
                    false => Due::Probe,
                },
            ));
        }
        due
    }
}
