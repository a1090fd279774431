//! Deltas that wait for a link by variable, to be cut to frames: what is small first, what is large by turns.

use crate::key::Key;
use crate::lane::Taken;
use crate::payload::Batch;
use crate::pieces::Pieces;
use crate::wire::{Builder, PIECE};
use lasp_dataflow::State;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Entries that are worth a frame of their own: they do not wait for company. A guess: a frame's header is a hundredth of
/// them.
const CROWD: usize = 512;

/// Deltas by variable: as many as there are variables, and twice as many where one is large.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    deltas: BTreeMap<Key, State>,
    /// Those that turned out to be too large for a frame: they go after what is small.
    large: BTreeMap<Key, State>,
    /// One of these that is partly gone; what is added meanwhile waits among the others.
    going: Option<Pieces>,
    /// How many entries that one had.
    leaving: usize,
    /// How many entries were added since it was last empty.
    entries: usize,
    /// How many entries it has; what is partly gone counts whole.
    held: usize,
}

impl Bulk {
    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.deltas.is_empty() && self.large.is_empty() && self.going.is_none()
    }

    /// How many deltas wait.
    pub(crate) fn len(&self) -> usize {
        self.deltas.len() + self.large.len() + usize::from(self.going.is_some())
    }

    /// Everything that waits, and the one that is partly gone as a whole.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Key, &State)> {
        self.deltas.iter().chain(&self.large).chain(self.going.iter().flat_map(Pieces::left))
    }

    /// Whether more waits than is small.
    pub(crate) fn is_large(&self) -> bool {
        self.deltas.is_empty() || self.is_crowd()
    }

    /// Whether more waits than goes with other things.
    pub(crate) fn is_crowd(&self) -> bool {
        self.entries > CROWD
    }

    /// How many entries wait; of what is partly gone, all that it had. O(1).
    pub(crate) const fn held(&self) -> usize {
        self.held
    }

    /// Adds a delta; `true` if it was merged with one that waited.
    pub(crate) fn absorb(&mut self, key: Key, delta: State) -> bool {
        self.entries += delta.entries();
        Self::merge(&mut self.deltas, &mut self.held, key, delta)
    }

    /// Adds a delta to some; `true` if it was merged with one of them.
    fn merge(deltas: &mut BTreeMap<Key, State>, held: &mut usize, key: Key, delta: State) -> bool {
        match deltas.entry(key) {
            Entry::Occupied(mut waiting) => {
                let before = waiting.get().entries();
                waiting.get_mut().merge(delta);
                *held = (*held + waiting.get().entries()).saturating_sub(before);
                true
            }
            Entry::Vacant(gap) => {
                *held += gap.insert(delta).entries();
                false
            }
        }
    }

    /// Adds deltas.
    pub(crate) fn absorb_all(&mut self, batch: Batch) -> Taken {
        let coalesced = batch.into_entries().map(|(key, delta)| u64::from(self.absorb(key, delta))).sum();
        Taken { coalesced, dropped: 0 }
    }

    /// What is small goes first; of what is large something goes each time.
    pub(crate) fn fill(&mut self, frame: &mut Builder<'_>, budget: usize, put: Put) {
        let most = budget.min(PIECE);
        while frame.len() < most
            && let Some((key, delta)) = self.deltas.pop_first()
        {
            self.put(key, delta, frame, most, put);
        }
        let mut turn = true;
        while (turn || frame.len() < most)
            && let Some((key, piece)) = self.piece(most)
        {
            put(frame, &key, &piece);
            turn = false;
        }
        if self.is_empty() {
            (self.entries, self.held) = (0, 0);
        }
    }

    /// The next piece of what is large.
    fn piece(&mut self, most: usize) -> Option<(Key, State)> {
        loop {
            if let Some(pieces) = &mut self.going {
                match pieces.next(most) {
                    Some(piece) => return Some((pieces.key().clone(), piece)),
                    None => self.going = None,
                }
                self.held = self.held.saturating_sub(std::mem::take(&mut self.leaving));
            }
            let (key, delta) = self.large.pop_first()?;
            self.leaving = delta.entries();
            self.going = Some(Pieces::of(key, delta));
        }
    }

    /// A delta that fits goes as it is; a larger one waits for its turn.
    fn put(&mut self, key: Key, delta: State, frame: &mut Builder<'_>, most: usize, put: Put) {
        let start = frame.mark();
        put(frame, &key, &delta);
        self.held = self.held.saturating_sub(delta.entries());
        if frame.grown_since(&start) <= 2 * most {
            return;
        }
        frame.rewind(start);
        Self::merge(&mut self.large, &mut self.held, key, delta);
    }
}

/// How a delta goes into a frame: as data, or to be relayed.
pub(crate) type Put = fn(&mut Builder<'_>, &Key, &State);
