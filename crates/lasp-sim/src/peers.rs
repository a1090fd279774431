//! The peers that one shard looks after, and what is left of those that crashed.

use crate::clock::Clock;
use crate::link::Ends;
use crate::slab::Key;
use lasp_overlay::{PeerId, Time};
use std::collections::BTreeMap;
use std::time::Duration;

/// One life of one peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer<P> {
    pub(crate) life: Key,
    pub(crate) id: PeerId,
    pub(crate) ends: Ends,
    pub(crate) oddity: Option<Box<Oddity>>,
    pub(crate) protocol: P,
}

/// What makes a peer unlike most.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oddity {
    /// What it takes for the time.
    pub(crate) clock: Clock,
    /// How long it takes to deal with one message.
    pub(crate) slowness: Duration,
    /// When it will have dealt with all that has reached it.
    pub(crate) busy_until: Time,
}

impl<P> Peer<P> {
    /// What its clock shows.
    pub(crate) fn clock(&self, now: Time) -> Time {
        self.oddity.as_ref().map_or(now, |odd| odd.clock.shows(now))
    }

    /// How long a stretch of its clock is.
    pub(crate) fn true_length(&self, after: Duration) -> Duration {
        self.oddity.as_ref().map_or(after, |odd| odd.clock.true_length(after))
    }

    pub(crate) fn oddity(&mut self) -> &mut Oddity {
        self.oddity.get_or_insert_default()
    }
}

/// A crashed peer, for as long as an end of a link believes in it.
#[derive(Clone, Debug)]
pub(crate) struct Ghost {
    pub(crate) id: PeerId,
    pub(crate) ends: Ends,
}

/// The peers of a shard. Places of lives are dealt out to shards in turn.
#[derive(Clone, Debug)]
pub(crate) struct Peers<P> {
    alive: Vec<Option<Box<Peer<P>>>>,
    ghosts: BTreeMap<Key, Ghost>,
    /// The binary logarithm of the number of shards.
    bits: u32,
}

impl<P> Peers<P> {
    pub(crate) const fn new(bits: u32) -> Self {
        Self { alive: Vec::new(), ghosts: BTreeMap::new(), bits }
    }

    pub(crate) fn insert(&mut self, life: Key, id: PeerId, protocol: P) {
        let at = life.place() >> self.bits;
        if at >= self.alive.len() {
            self.alive.resize_with(at + 1, || None);
        }
        self.alive[at] = Some(Box::new(Peer { life, id, ends: Ends::default(), oddity: None, protocol }));
    }

    pub(crate) fn remove(&mut self, life: Key) -> Option<Box<Peer<P>>> {
        self.get(life)?;
        self.alive[life.place() >> self.bits].take()
    }

    pub(crate) fn get(&self, life: Key) -> Option<&Peer<P>> {
        self.alive.get(life.place() >> self.bits)?.as_deref().filter(|peer| peer.life == life)
    }

    pub(crate) fn get_mut(&mut self, life: Key) -> Option<&mut Peer<P>> {
        self.alive.get_mut(life.place() >> self.bits)?.as_deref_mut().filter(|peer| peer.life == life)
    }

    /// Everyone alive, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Peer<P>> {
        self.alive.iter().filter_map(Option::as_deref)
    }

    /// Keeps what is left of a crashed peer's ends.
    pub(crate) fn haunt(&mut self, life: Key, ghost: Ghost) {
        self.ghosts.insert(life, ghost);
    }

    /// Forgets a crashed peer of which nothing is left.
    pub(crate) fn rest(&mut self, life: Key) {
        if self.ghosts.get(&life).is_some_and(|ghost| ghost.ends.is_empty()) {
            self.ghosts.remove(&life);
        }
    }

    /// Identity and ends of a life, or of what is left of it.
    pub(crate) fn ends_mut(&mut self, life: Key) -> Option<(PeerId, &mut Ends)> {
        // Asked twice, because a borrow that is returned lasts.
        if self.get(life).is_some() {
            return self.get_mut(life).map(|peer| (peer.id, &mut peer.ends));
        }
        self.ghosts.get_mut(&life).map(|ghost| (ghost.id, &mut ghost.ends))
    }

    /// The far end of a link is gone.
    pub(crate) fn far_gone(&mut self, life: Key, end: u32) {
        if let Some((_, ends)) = self.ends_mut(life) {
            ends.far_gone(end);
        }
        self.rest(life);
    }

    /// Everybody's ends, those of crashed peers last.
    pub(crate) fn all_ends_mut(&mut self) -> impl Iterator<Item = (PeerId, &mut Ends)> {
        let alive = self.alive.iter_mut().filter_map(Option::as_deref_mut).map(|peer| (peer.id, &mut peer.ends));
        alive.chain(self.ghosts.values_mut().map(|ghost| (ghost.id, &mut ghost.ends)))
    }
}
