//! A shard: some of the peers with everything that is theirs alone, so that shards can be run side by side.
//!
//! A [`Turn`] is a shard at work, with what all shards look at meanwhile. What it has for another shard goes into the mail,
//! at the earliest for the time at which the window ends: see [`window`](crate::window).

use crate::config::Config;
use crate::directory::Directory;
use crate::event::Event;
use crate::fault::Faults;
use crate::link::{End, Handle, Phase};
use crate::mail::{Mail, Word};
use crate::peers::Peers;
use crate::queue::Queue;
use crate::rule::Rules;
use crate::slab::Key;
use crate::stats::Stats;
use crate::trace::{Occurrence, Trace};
use lasp_overlay::{Outbox, PeerId, Protocol, Rng, Time, Wire};
use std::collections::BTreeMap;

/// How many events ahead it looks. A guess: about as many walks to memory as a processor has under way at a time.
const LOOK_AHEAD: usize = 16;

/// What all shards look at, and what does not change while they are at work.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) directory: Directory,
    pub(crate) faults: Faults,
    /// Whether any peer was ever slowed down.
    pub(crate) some_are_slow: bool,
    /// Bytes per second of each link towards some peers.
    pub(crate) readers: BTreeMap<PeerId, u64>,
    /// The binary logarithm of the number of shards.
    pub(crate) bits: u32,
}

impl World {
    /// Bytes per second of a link towards a peer.
    pub(crate) fn bandwidth(&self, to: PeerId) -> Option<u64> {
        let slow = if self.readers.is_empty() { None } else { self.readers.get(&to).copied() };
        slow.map(|slow| self.config.bandwidth.map_or(slow, |all| all.min(slow))).or(self.config.bandwidth)
    }

    /// The shard that looks after a life.
    pub(crate) const fn shard_of(&self, life: Key) -> usize {
        life.place() & ((1 << self.bits) - 1)
    }
}

/// Some of the peers.
pub(crate) struct Shard<P: Protocol> {
    pub(crate) number: usize,
    pub(crate) now: Time,
    /// Nothing reaches another shard earlier.
    pub(crate) border: Time,
    pub(crate) rng: Rng,
    pub(crate) queue: Queue<Event<P>>,
    pub(crate) peers: Peers<P>,
    pub(crate) stats: Stats,
    pub(crate) trace: Trace,
    pub(crate) emitted: Vec<(Time, PeerId, P::Event)>,
    /// Mail to the other shards, and from them, by their numbers.
    pub(crate) outgoing: Vec<Mail<P>>,
    pub(crate) incoming: Vec<Mail<P>>,
    /// Buffers, kept between inputs.
    pub(crate) outbox: Outbox<P>,
    pub(crate) drained: Vec<(PeerId, usize)>,
    pub(crate) scratch: Vec<u8>,
}

impl<P: Protocol> Shard<P> {
    pub(crate) fn new(number: usize, bits: u32, rng: Rng) -> Self {
        let mail = || (0..1 << bits).map(|_| Mail::new()).collect();
        Self {
            number,
            now: Time::ZERO,
            border: Time::ZERO,
            rng,
            queue: Queue::new(),
            peers: Peers::new(bits),
            stats: Stats::default(),
            trace: Trace::default(),
            emitted: Vec::new(),
            outgoing: mail(),
            incoming: mail(),
            outbox: Outbox::new(),
            drained: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The same once more. There is no mail between windows.
    pub(crate) fn fork(&self) -> Self
    where
        P: Clone,
        P::Message: Clone,
        P::Timer: Clone,
        P::Event: Clone,
    {
        let mail = || self.outgoing.iter().map(|_| Mail::new()).collect();
        Self {
            number: self.number,
            now: self.now,
            border: self.border,
            rng: self.rng.clone(),
            queue: self.queue.clone(),
            peers: self.peers.clone(),
            stats: self.stats.clone(),
            trace: self.trace.fork(),
            emitted: self.emitted.clone(),
            outgoing: mail(),
            incoming: mail(),
            outbox: Outbox::new(),
            drained: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// When its next event is due, mail included.
    pub(crate) fn next_time(&self) -> Option<Time> {
        let mail = self.incoming.iter().filter_map(Mail::earliest).min();
        match (self.queue.next_time(), mail) {
            (Some(queued), Some(mailed)) => Some(queued.min(mailed)),
            (queued, mailed) => queued.or(mailed),
        }
    }

    /// Reads the mail that has come, that of the first shard first.
    pub(crate) fn open_mail(&mut self) {
        for from in 0..self.incoming.len() {
            let mut mail = std::mem::replace(&mut self.incoming[from], Mail::new());
            self.read(&mut mail);
            self.incoming[from] = mail;
        }
    }

    /// Puts what a letter says where it belongs.
    pub(crate) fn read(&mut self, mail: &mut Mail<P>) {
        let (words, events) = mail.open();
        words.for_each(|word| self.hear(word));
        events.for_each(|(at, event)| self.queue.push(at, event));
    }

    /// Looks at the peers of the next events, all at once: the processor waits for memory once for all, and not for each
    /// one when its turn comes. First at the peers, then at where those point to.
    fn look_ahead(&self) {
        let peers = || self.queue.upcoming(LOOK_AHEAD).filter_map(Event::life).filter_map(|life| self.peers.get(life));
        let there = peers().count() as u64;
        let seen = peers().fold(there, |seen, peer| seen ^ peer.ends.look_ahead() ^ peer.protocol.look_ahead());
        std::hint::black_box(seen);
    }

    /// Takes note of how an end's other end fares.
    fn hear(&mut self, word: Word) {
        match word {
            Word::Parted { at } => self.peers.far_gone(at.life, at.end),
            Word::Opened { at, far, peer, when } => {
                let Some(holder) = self.peers.get_mut(at.life) else { return };
                holder.ends.insert(End {
                    number: at.end,
                    phase: Phase::Opening,
                    far_gone: false,
                    peer,
                    far,
                    far_opened: when,
                    horizon: when,
                    line_free: when,
                });
            }
        }
    }
}

/// A shard at work.
pub(crate) struct Turn<'a, P: Protocol> {
    pub(crate) shard: &'a mut Shard<P>,
    pub(crate) world: &'a World,
    pub(crate) rules: &'a mut Rules,
}

impl<P> Turn<'_, P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    /// Processes every event due by `limit`.
    pub(crate) fn run(&mut self, limit: Time) {
        while {
            self.shard.look_ahead();
            (0..LOOK_AHEAD).all(|_| self.step(limit))
        } {}
    }

    /// Processes the next event, if it is due by `limit`.
    pub(crate) fn step(&mut self, limit: Time) -> bool {
        if self.shard.queue.next_time().is_none_or(|next| next > limit) {
            return false;
        }
        let Some((time, event)) = self.shard.queue.pop() else { return false };
        self.shard.now = time;
        self.shard.stats.events += 1;
        self.process(event);
        true
    }

    /// Has an event happen where `life` is looked after.
    pub(crate) fn post(&mut self, life: Key, at: Time, event: Event<P>) {
        let shard = self.world.shard_of(life);
        if shard == self.shard.number {
            self.shard.queue.push(at, event);
        } else {
            self.shard.outgoing[shard].send(at.max(self.shard.border), event);
        }
    }

    /// Has an end learn of its other end.
    pub(crate) fn tell(&mut self, at: Handle, word: Word) {
        let shard = self.world.shard_of(at.life);
        if shard == self.shard.number {
            self.shard.hear(word);
        } else {
            self.shard.outgoing[shard].say(word);
        }
    }

    pub(crate) fn record(&mut self, occurrence: Occurrence) {
        let now = self.shard.now;
        self.shard.trace.record(now, occurrence);
    }
}
