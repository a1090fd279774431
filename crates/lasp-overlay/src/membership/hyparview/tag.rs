//! Tags, and places in the active view that are kept for peers which bear one.
//!
//! A peer may bear a tag, such as `server`, and keep places for neighbours with some tag. A place is not tied to a peer:
//! which are filled follows from the neighbours alone, so that a place is free again at the moment at which its holder
//! goes, for whatever reason. Whoever bears a tag says so before everything else that concerns a relation, and with its probes, in case that
//! was lost. A place that
//! stays open is advertised on a random walk, which ends at a peer with the tag and with room.

use super::message::Message;
use super::neighbor::Purpose;
use super::{HyParView, Out};
use crate::membership::backoff::backoff;
use crate::peer::{Contact, PeerId};
use crate::peer_map::PeerMap;
use crate::time::Time;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Longest tag, in bytes.
pub const MAX_TAG_LEN: usize = 32;

/// What a peer is in the eyes of others, such as `server`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// A tag; an empty one, or one beyond [`MAX_TAG_LEN`] bytes, is refused.
    pub fn new(text: &str) -> Option<Self> {
        (1..=MAX_TAG_LEN).contains(&text.len()).then(|| Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text).ok_or_else(|| format!("{text:?} is not a tag: one has 1 to {MAX_TAG_LEN} bytes"))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Encode for Tag {
    fn encode(&self, w: &mut Writer<'_>) {
        w.text(&self.0);
    }
}

impl Decode for Tag {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let text = r.text("tag")?;
        Self::new(text).ok_or(DecodeError::TooLong { what: "tag", len: text.len() as u64, at })
    }
}

/// The tags of linked peers for which places are kept, and when an open place is advertised next.
#[derive(Clone, Debug, Default)]
pub(super) struct Tags {
    of: PeerMap<Tag>,
    due: Time,
    /// Advertisements in a row that filled no place.
    fruitless: u32,
}

impl Tags {
    /// What is known of a peer's tag is no longer true.
    pub(super) fn forget(&mut self, peer: PeerId) {
        self.of.remove(&peer);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.of.clear();
    }
}

impl HyParView {
    /// The neighbours with a tag for which places are kept, ascending by id.
    pub fn tagged(&self, tag: &Tag) -> Vec<Contact> {
        let bears_it = |peer: PeerId| self.tags.of.get(&peer) == Some(tag);
        let neighbors = self.view.neighbors().map(|neighbor| &neighbor.contact);
        neighbors.filter(|contact| bears_it(contact.id)).cloned().collect()
    }

    fn holders(&self, tag: &Tag) -> usize {
        let bears_it = |peer: PeerId| self.tags.of.get(&peer) == Some(tag);
        self.view.neighbors().filter(|neighbor| bears_it(neighbor.contact.id)).count()
    }

    /// How many places kept for `tag` nobody holds.
    fn open_for(&self, tag: &Tag) -> usize {
        let kept = self.config.reserved.get(tag).copied().unwrap_or_default();
        kept.saturating_sub(self.holders(tag))
    }

    fn open_places(&self) -> usize {
        self.config.reserved.keys().map(|tag| self.open_for(tag)).sum()
    }

    /// How many neighbours there may be while nobody holds the places that are kept.
    pub(super) fn places(&self) -> usize {
        self.config.active_capacity.saturating_sub(self.open_places())
    }

    /// The same, from where a certain peer stands: a place may be kept for it.
    pub(super) fn places_for(&self, peer: PeerId) -> usize {
        let its_own = self.tags.of.get(&peer).is_some_and(|tag| self.open_for(tag) > 0);
        self.places() + usize::from(its_own)
    }

    /// Whether a neighbour holds a place that is kept for its tag.
    pub(super) fn holds_place(&self, peer: PeerId) -> bool {
        let Some(tag) = self.tags.of.get(&peer) else {
            return false;
        };
        let kept = self.config.reserved.get(tag).copied().unwrap_or_default();
        self.view.is_active(peer) && self.holders(tag) <= kept
    }

    /// What is said before anything that concerns a relation.
    pub(super) fn own_tag(&self) -> Option<Message> {
        self.config.tag.clone().map(|tag| Message::Tag { tag })
    }

    pub(super) fn on_tag(&mut self, from: PeerId, tag: Tag) {
        if self.config.reserved.contains_key(&tag) {
            self.tags.of.insert(from, tag);
        } else {
            self.tags.forget(from);
        }
    }

    /// Advertises an open place if it is time, and forgets the tags of peers that are not linked.
    pub(super) fn seek(&mut self, now: Time, out: &mut Out) {
        let links = &self.links;
        self.tags.of.retain(|peer, _| links.contact(*peer).is_some());
        if now < self.tags.due {
            return;
        }
        let open: Vec<Tag> = self.config.reserved.keys().filter(|tag| self.open_for(tag) > 0).cloned().collect();
        self.tags.fruitless = if open.is_empty() { 0 } else { self.tags.fruitless.saturating_add(1) };
        let (base, max) = (self.config.refill_relaxed, self.config.refill_backoff_max);
        self.tags.due = now + backoff(&mut self.rng, base, max, self.tags.fruitless);
        for tag in open {
            let ttl = self.config.seek_walk;
            let origin = self.me.clone();
            if let Some(next) = self.view.random_neighbor(&[], &mut self.rng) {
                out.send(next.id, Message::Seek { ttl, tag, origin });
            }
        }
    }

    /// A peer looks for a neighbour with a tag: whoever bears it and has room asks that peer.
    pub(super) fn on_seek(&mut self, now: Time, from: PeerId, ttl: u8, tag: Tag, origin: Contact, out: &mut Out) {
        if origin.id == self.me.id {
            return;
        }
        let ttl = ttl.min(self.config.seek_walk);
        if self.config.tag.as_ref() == Some(&tag)
            && let Some(purpose) = self.readiness(now, ttl, origin.id)
        {
            return self.request(now, &origin, purpose, out);
        }
        let next = self.view.random_neighbor(&[from, origin.id], &mut self.rng);
        if let (1.., Some(next)) = (ttl, next) {
            out.send(next.id, Message::Seek { ttl: ttl - 1, tag, origin });
        }
    }

    /// Whether this peer becomes a neighbour of one that looks for its tag. In the first half of the walk it leaves that to
    /// those with room; then it makes room, but as rarely as for strangers that mend, so that too few peers with a tag are
    /// not passed around for ever.
    fn readiness(&mut self, now: Time, ttl: u8, origin: PeerId) -> Option<Purpose> {
        if self.view.is_active(origin) {
            return None;
        }
        if self.view.degree() < self.places_for(origin) {
            return Some(Purpose::Walk);
        }
        let late = ttl <= self.config.seek_walk / 2;
        (late && self.mending.grants(now, origin, self.config.mend_pause)).then_some(Purpose::Mend)
    }
}
