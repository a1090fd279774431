//! Links: two ends, each with its own idea of whether the link is up, as with real connections.
//!
//! An end is *opening* between the moment its dial was accepted and the moment it hears so, then *up*, and *gone*
//! once it closed, crashed or heard of the other's end. A link is forgotten when both ends are gone.

use crate::slab::Key;
use lasp_overlay::{PeerId, Time};

/// What one end believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Opening,
    Up,
    Gone,
}

/// One end of a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// The life of the peer at this end.
    pub(crate) life: Key,
    pub(crate) id: PeerId,
    pub(crate) phase: Phase,
    /// Nothing arrives at this end earlier: when it hears that the link is up.
    pub(crate) opened: Time,
    /// When the last message that keeps its place arrives at this end.
    pub(crate) horizon: Time,
    /// When the line towards this end has transmitted all that was sent so far.
    pub(crate) line_free: Time,
}

/// A connection between two lives of peers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) ends: [End; 2],
    /// An end went without the other hearing of it; it will when a message comes back or the partition heals.
    pub(crate) half_open: bool,
}

/// One end of a link, seen from the peer that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    pub(crate) link: Key,
    /// Which of the two ends is the holder's.
    pub(crate) side: u8,
}

impl Handle {
    pub(crate) const fn near(self) -> usize {
        self.side as usize
    }

    pub(crate) const fn far(self) -> usize {
        1 - self.side as usize
    }

    /// The same link from the other end.
    pub(crate) const fn flipped(self) -> Self {
        Self { link: self.link, side: 1 - self.side }
    }
}
