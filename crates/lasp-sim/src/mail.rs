//! What one shard has for another: events, and words about links. It is handed over between windows.

use crate::event::Event;
use crate::link::Handle;
use lasp_overlay::{PeerId, Protocol, Time};

/// What an end of a link learns of the other apart from time: bookkeeping that no peer sees.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    /// A dial of the addressee was accepted: its end is opening.
    Opened { at: Handle, far: Handle, peer: PeerId, when: Time },
    /// The other end is gone.
    Parted { at: Handle },
}

/// Mail from one shard to another, in the order of its writing.
pub(crate) struct Mail<P: Protocol> {
    words: Vec<Word>,
    events: Vec<(Time, Event<P>)>,
    /// When the first of the events is due.
    earliest: Option<Time>,
}

impl<P: Protocol> Mail<P> {
    pub(crate) const fn new() -> Self {
        Self { words: Vec::new(), events: Vec::new(), earliest: None }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.words.is_empty() && self.events.is_empty()
    }

    pub(crate) const fn earliest(&self) -> Option<Time> {
        self.earliest
    }

    pub(crate) fn say(&mut self, word: Word) {
        self.words.push(word);
    }

    pub(crate) fn send(&mut self, at: Time, event: Event<P>) {
        self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
        self.events.push((at, event));
    }

    /// Hands over everything, words first; the buffers are kept.
    pub(crate) fn open(&mut self) -> (impl Iterator<Item = Word>, impl Iterator<Item = (Time, Event<P>)>) {
        self.earliest = None;
        (self.words.drain(..), self.events.drain(..))
    }
}
