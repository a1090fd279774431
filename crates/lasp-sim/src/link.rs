//! Links: two ends, each with its own idea of whether the link is up, as with real connections.
//!
//! An end lives with the peer that holds it. It is *opening* between the moment its dial was accepted and the moment it
//! hears so, then *up*, and *gone* once it closed, crashed or heard of the other's end. An end that is gone leaves a
//! remnant until the other is gone, too. Ends know of each other's going by a [`Word`](crate::mail::Word), which is
//! bookkeeping: peers hear of it later, or never.

use crate::slab::Key;
use lasp_overlay::{PeerId, Time};

/// What one end that is not gone believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Opening,
    Up,
}

/// Names an end: the life that holds it, and a number that this life gives to no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    pub(crate) life: Key,
    pub(crate) end: u32,
}

/// One end of a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) number: u32,
    pub(crate) phase: Phase,
    /// Whether the other end is gone.
    pub(crate) far_gone: bool,
    /// The peer at the other end.
    pub(crate) peer: PeerId,
    pub(crate) far: Handle,
    /// Nothing arrives at the other end earlier: when it hears that the link is up.
    pub(crate) far_opened: Time,
    /// When the last message that keeps its place arrives at the other end.
    pub(crate) horizon: Time,
    /// When the line has transmitted all that was sent so far.
    pub(crate) line_free: Time,
}

/// What is left of an end that is gone while the other is not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remnant {
    pub(crate) number: u32,
    pub(crate) peer: PeerId,
    pub(crate) far: Handle,
    /// The other end was not told; it will be when a message comes from there or the partition heals.
    pub(crate) half_open: bool,
}

/// The ends that one life of a peer holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    /// Ascending by the peer at the other end; at most one to each peer is up.
    ends: Vec<End>,
    remnants: Vec<Remnant>,
    next: u32,
}

impl Ends {
    /// See [`Protocol::look_ahead`](lasp_overlay::Protocol::look_ahead).
    pub(crate) fn look_ahead(&self) -> u64 {
        self.ends.iter().fold(0, |sum, end| sum ^ end.peer.0)
    }

    /// A number for an end to come.
    pub(crate) const fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &End> {
        self.ends.iter()
    }

    /// Its ends of links to `peer`, oldest first.
    pub(crate) fn to(&self, peer: PeerId) -> impl Iterator<Item = &End> {
        let from = self.ends.partition_point(|end| end.peer < peer);
        self.ends[from..].iter().take_while(move |end| end.peer == peer)
    }

    /// Its end of the link to `peer` that is up.
    pub(crate) fn up(&self, peer: PeerId) -> Option<&End> {
        self.to(peer).find(|end| end.phase == Phase::Up)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&End> {
        self.ends.iter().find(|end| end.number == number)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut End> {
        self.ends.iter_mut().find(|end| end.number == number)
    }

    pub(crate) fn insert(&mut self, end: End) {
        let at = self.ends.partition_point(|other| other.peer <= end.peer);
        self.ends.insert(at, end);
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<End> {
        let at = self.ends.iter().position(|end| end.number == number)?;
        Some(self.ends.remove(at))
    }

    /// Takes every end.
    pub(crate) fn take(&mut self) -> Vec<End> {
        std::mem::take(&mut self.ends)
    }

    /// Keeps in mind that an end is gone.
    pub(crate) fn remember(&mut self, remnant: Remnant) {
        self.remnants.push(remnant);
    }

    pub(crate) fn remnant_mut(&mut self, number: u32) -> Option<&mut Remnant> {
        self.remnants.iter_mut().find(|remnant| remnant.number == number)
    }

    pub(crate) fn remnants_mut(&mut self) -> impl Iterator<Item = &mut Remnant> {
        self.remnants.iter_mut()
    }

    /// The far end of one of these is gone.
    pub(crate) fn far_gone(&mut self, number: u32) {
        match self.get_mut(number) {
            Some(end) => end.far_gone = true,
            None => self.remnants.retain(|remnant| remnant.number != number),
        }
    }

    /// Whether nothing is left of any.
    pub(crate) const fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.remnants.is_empty()
    }
}
