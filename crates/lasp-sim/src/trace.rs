//! The trace: one stable number for a whole run, and a line per occurrence for who wants to read it.

use crate::stats::Lost;
use lasp_crdt::fingerprint::mix;
use lasp_overlay::{PeerId, Time};
use std::fmt;

/// Something that happened in the simulated world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// A peer started.
    Spawned(PeerId),
    /// A peer crashed.
    Crashed(PeerId),
    /// The owner of a peer asked something.
    Commanded(PeerId),
    /// A timer ran out.
    Expired(PeerId),
    /// A message arrived.
    Delivered {
        /// The sender.
        from: PeerId,
        /// The receiver.
        to: PeerId,
        /// Its size.
        bytes: usize,
        /// Its hash.
        digest: u64,
    },
    /// A message was lost.
    Dropped {
        /// The sender.
        from: PeerId,
        /// The receiver.
        to: PeerId,
        /// Why.
        why: Lost,
    },
    /// One end of a link came up.
    LinkUp {
        /// Where.
        at: PeerId,
        /// The other end.
        peer: PeerId,
    },
    /// One end of a link went down.
    LinkDown {
        /// Where.
        at: PeerId,
        /// The other end.
        peer: PeerId,
    },
    /// A dial failed.
    DialFailed {
        /// Who dialled.
        at: PeerId,
    },
}

impl Occurrence {
    /// Kind and up to three numbers: what the hash covers.
    const fn parts(&self) -> [u64; 4] {
        match *self {
            Self::Spawned(at) => [1, at.0, 0, 0],
            Self::Crashed(at) => [2, at.0, 0, 0],
            Self::Commanded(at) => [3, at.0, 0, 0],
            Self::Expired(at) => [4, at.0, 0, 0],
            Self::Delivered { from, to, bytes, digest } => [5 + ((bytes as u64) << 8), from.0, to.0, digest],
            Self::Dropped { from, to, why } => [6, from.0, to.0, why as u64],
            Self::LinkUp { at, peer } => [7, at.0, peer.0, 0],
            Self::LinkDown { at, peer } => [8, at.0, peer.0, 0],
            Self::DialFailed { at } => [9, at.0, 0, 0],
        }
    }
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawned(at) => write!(f, "{at} spawned"),
            Self::Crashed(at) => write!(f, "{at} crashed"),
            Self::Commanded(at) => write!(f, "{at} commanded"),
            Self::Expired(at) => write!(f, "{at} timer"),
            Self::Delivered { from, to, bytes, digest } => write!(f, "{from} -> {to} {bytes} bytes {digest:016x}"),
            Self::Dropped { from, to, why } => write!(f, "{from} -> {to} lost: {why:?}"),
            Self::LinkUp { at, peer } => write!(f, "{at} link to {peer} up"),
            Self::LinkDown { at, peer } => write!(f, "{at} link to {peer} down"),
            Self::DialFailed { at } => write!(f, "{at} dial failed"),
        }
    }
}

/// Who is told of every occurrence.
pub(crate) type Listener = Box<dyn FnMut(Time, &Occurrence) + Send>;

/// The running hash, and what happened since the listener was told, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    hash: u64,
    heard: Option<Vec<(Time, Occurrence)>>,
}

impl Trace {
    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    /// The same hash, told to nobody.
    pub(crate) const fn fork(&self) -> Self {
        Self { hash: self.hash, heard: None }
    }

    /// Keeps what happens from now on until it is taken.
    pub(crate) fn keep(&mut self) {
        self.heard.get_or_insert_default();
    }

    /// Takes what happened, oldest first.
    pub(crate) fn take(&mut self) -> Vec<(Time, Occurrence)> {
        self.heard.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn record(&mut self, now: Time, occurrence: Occurrence) {
        let [kind, a, b, c] = occurrence.parts();
        self.hash = mix(mix(self.hash ^ now.as_micros(), kind ^ a.rotate_left(32)), mix(b, c));
        if let Some(heard) = &mut self.heard {
            heard.push((now, occurrence));
        }
    }
}
