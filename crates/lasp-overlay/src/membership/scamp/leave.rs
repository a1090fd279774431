//! Leaving: what leads to a peer is led on to its neighbours, so that the others lose as few arcs as possible.
//!
//! In version 2 a peer that leaves tells all but c + 1 of those that have it in their view to have one of its own view
//! instead, each another, and the rest to forget it: the overlay has as many arcs per peer as if it had never been there.
//! In version 1 everybody forgets it.

use super::config::Version;
use super::message::Message;
use super::peers::Peer;
use super::{Out, Scamp};
use crate::membership::Event;
use crate::peer::{Contact, PeerId};
use crate::protocol::Output;
use crate::time::Time;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How many departures are remembered. Beyond it the first is forgotten; a stray copy of its subscription then costs a
/// few failed dials.
const REMEMBERED: usize = 64;

/// For how long. A copy is on its way for seconds.
const MEMORY: Duration = Duration::from_secs(60);

/// Peers that left lately, with the life in which they did.
#[derive(Clone, Debug, Default)]
pub(super) struct Departed(VecDeque<(PeerId, u64, Time)>);

impl Departed {
    /// Whether a peer has left in the life that is spoken of.
    pub(super) fn holds(&self, now: Time, contact: &Contact) -> bool {
        let left = |(id, life, at): &(PeerId, u64, Time)| {
            *id == contact.id && contact.incarnation <= *life && now - *at < MEMORY
        };
        self.0.iter().any(left)
    }

    /// A peer is there again, as it says itself.
    pub(super) fn forget(&mut self, peer: PeerId) {
        self.0.retain(|(id, ..)| *id != peer);
    }

    fn remember(&mut self, now: Time, contact: &Contact) {
        self.forget(contact.id);
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((contact.id, contact.incarnation, now));
    }
}

impl Scamp {
    /// Leaves: tells everybody linked and forgets them.
    pub(super) fn leave(&mut self, out: &mut Out) {
        if self.left {
            return;
        }
        self.left = true;
        self.term += 1;
        let heirs = self.heirs();
        for id in self.peers.ids(|peer| peer.link.is_some()) {
            let message = heirs.get(&id).map_or(Message::Leave, |by| Message::Replace { by: by.clone() });
            out.send(id, message);
            self.peers.change(id, |peer| (peer.incoming, peer.outgoing) = (None, None));
            self.settle(id, out);
            out.push(Output::Close(id));
        }
        self.peers.clear();
        self.heard.clear();
        self.joining.clear();
    }

    /// Whom those get instead of this peer that have it in their view.
    fn heirs(&self) -> BTreeMap<PeerId, Contact> {
        let view = self.peers.steps().iter().filter_map(|id| self.peers.get(*id));
        let view: Vec<&Contact> = view.map(|peer| &peer.contact).collect();
        let holders = self.peers.ids(|peer| peer.link.is_some() && peer.incoming.is_some());
        let replaced = match self.config.version {
            Version::V1 => 0,
            Version::V2 => holders.len().saturating_sub(self.config.copies + 1),
        };
        let other_than = |holder: PeerId, at: usize| {
            let around = view.iter().cycle().skip(at % view.len().max(1)).take(view.len());
            around.copied().find(|contact| contact.id != holder)
        };
        let heirs = holders.iter().take(replaced).enumerate();
        heirs.filter_map(|(at, holder)| Some((*holder, other_than(*holder, at)?.clone()))).collect()
    }

    /// A peer leaves; maybe another is to be kept instead.
    pub(super) fn on_leave(&mut self, now: Time, from: PeerId, by: Option<&Contact>, out: &mut Out) {
        let forget = |peer: &mut Peer| {
            peer.incoming = None;
            (peer.outgoing.take().is_some(), peer.contact.clone())
        };
        let Some((kept, contact)) = self.peers.change(from, forget) else {
            return;
        };
        self.heard.forget(&contact.addr);
        if !self.departed.holds(now, &contact) {
            out.emit(Event::Left(from));
        }
        self.departed.remember(now, &contact);
        if let Some(by) = by.filter(|by| kept && self.may_keep(now, by)) {
            self.keep(now, by, 0, out);
        }
        self.settle(from, out);
    }

    /// Answers whoever takes a peer that has left for a member.
    pub(super) fn answer_as_departed(from: PeerId, message: &Message, out: &mut Out) {
        if matches!(message, Message::Arc { .. } | Message::Known { .. }) {
            out.send(from, Message::Leave);
        }
    }
}
