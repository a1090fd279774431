//! What waits for one link: a lattice, not a queue.
//!
//! Deltas of one variable that wait merge into one; several broadcasts that wait become one with all their ids.
//! So a slow peer costs at most the size of the state, whatever the history. Control messages wait in order,
//! boundedly; the oldest are dropped at the limit, which their protocols' retries and anti-entropy cover.

use crate::key::Key;
use crate::payload::{Batch, Payload};
use crate::wire::{Builder, CHUNK, Control, Item, entry_len};
use lasp_dataflow::State;
use lasp_overlay::broadcast::Ids;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most control messages that wait for one link. A guess: far above what a healthy link ever holds.
const MAX_CONTROL: usize = 1024;

/// Broadcasts that wait, merged.
#[derive(Debug)]
struct Gossip {
    ids: Ids,
    round: u16,
    payload: Arc<Batch>,
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Deltas merged with ones that waited.
    pub(crate) coalesced: u64,
    /// Messages dropped at the limit.
    pub(crate) dropped: u64,
}

/// Deltas that anti-entropy found missing, by variable: as many as there are variables.
#[derive(Debug, Default)]
struct Bulk(BTreeMap<Key, State>);

impl Bulk {
    /// Adds a delta; `true` if it was merged with one that waited.
    fn absorb(&mut self, key: &Key, delta: &State) -> bool {
        if let Some(waiting) = self.0.get_mut(key) {
            waiting.merge(delta.clone());
            return true;
        }
        self.0.insert(key.clone(), delta.clone());
        false
    }
}

/// What waits for one link.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    control: VecDeque<Control>,
    gossip: Option<Gossip>,
    bulk: Bulk,
}

impl Lane {
    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.control.is_empty() && self.gossip.is_none() && self.bulk.0.is_empty()
    }

    /// Whether broadcasts are all that waits: they may wait a little longer for company.
    pub(crate) fn only_gossip(&self) -> bool {
        self.control.is_empty() && self.bulk.0.is_empty()
    }

    /// How many messages wait; a merged broadcast counts by its variables.
    pub(crate) fn len(&self) -> usize {
        self.control.len() + self.bulk.0.len() + self.gossip.as_ref().map_or(0, |g| g.payload.len())
    }

    /// Takes an item in.
    pub(crate) fn push(&mut self, item: Item) -> Taken {
        match item {
            Item::Gossip { ids, round, payload } => self.push_gossip(ids, round, payload),
            Item::Data(batch) => {
                let coalesced = batch.iter().map(|(key, delta)| u64::from(self.bulk.absorb(key, delta))).sum();
                Taken { coalesced, dropped: 0 }
            }
            Item::Control(control) => self.push_control(control),
        }
    }

    fn push_control(&mut self, item: Control) -> Taken {
        let full = self.control.len() == MAX_CONTROL;
        if full {
            self.control.pop_front();
        }
        self.control.push_back(item);
        Taken { coalesced: 0, dropped: u64::from(full) }
    }

    fn push_gossip(&mut self, ids: Ids, round: u16, payload: Payload) -> Taken {
        let Some(waiting) = &mut self.gossip else {
            self.gossip = Some(Gossip { ids, round, payload: payload.batch() });
            return Taken::default();
        };
        waiting.ids.merge(&ids);
        waiting.round = waiting.round.max(round);
        let batch = Arc::make_mut(&mut waiting.payload);
        let coalesced = payload.batch().iter().map(|(key, delta)| u64::from(batch.absorb(key, delta))).sum();
        Taken { coalesced, dropped: 0 }
    }

    /// Fills a frame with what waits, the most urgent first, up to about [`CHUNK`] bytes.
    pub(crate) fn fill(&mut self, frame: &mut Builder<'_>) {
        while frame.len() < CHUNK
            && let Some(item) = self.control.pop_front()
        {
            frame.control(&item);
        }
        if frame.len() < CHUNK
            && let Some(gossip) = self.gossip.take()
        {
            self.put_gossip(gossip, frame);
        }
        while frame.len() < CHUNK
            && let Some((key, delta)) = self.bulk.0.pop_first()
        {
            self.put_delta(key, delta, frame);
        }
    }

    /// A broadcast that fits goes as one; otherwise its deltas wait as bulk, and its ids go ahead of them: what is
    /// lost on the way then is left to anti-entropy.
    fn put_gossip(&mut self, gossip: Gossip, frame: &mut Builder<'_>) {
        let start = frame.mark();
        frame.gossip(gossip.ids.clone(), gossip.round, &gossip.payload);
        if frame.grown_since(&start) <= CHUNK {
            return;
        }
        frame.rewind(start);
        for (key, delta) in gossip.payload.iter() {
            self.bulk.absorb(key, delta);
        }
        frame.gossip(gossip.ids, gossip.round, &Batch::default());
    }

    /// A delta that fits goes as it is; a larger one is cut along its join decomposition, a piece goes and the
    /// rest waits on.
    fn put_delta(&mut self, key: Key, delta: State, frame: &mut Builder<'_>) {
        let start = frame.mark();
        frame.data(&key, &delta);
        if frame.grown_since(&start) <= CHUNK {
            return;
        }
        frame.rewind(start);
        let (piece, rest) = cut(&key, delta);
        if let Some(rest) = rest {
            self.bulk.absorb(&key, &rest);
        }
        frame.data(&key, &piece);
    }
}

/// Cuts a delta in two: a piece of about [`CHUNK`] bytes, and the rest. A single part is never cut.
fn cut(key: &Key, delta: State) -> (State, Option<State>) {
    let (mut piece, mut rest, mut size) = (State::bottom(key.ty()), State::bottom(key.ty()), 0);
    for part in delta.decompose() {
        let part_size = entry_len(key, &part);
        if size == 0 || size + part_size <= CHUNK {
            size += part_size;
            piece.merge(part);
        } else {
            rest.merge(part);
        }
    }
    (piece, (!rest.is_bottom()).then_some(rest))
}
