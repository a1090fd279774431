//! Waves: they keep the tree shallow while links come and go.
//!
//! Duplicates show where the tree has a cycle, and cutting it there leaves a tree, but no shallow one: where the copies of a message
//! meet depends on its sender, so after a while the tree is twice as deep as it need be. Now and then one peer, the *root*, sends a
//! wave over every link, eager and lazy: some bytes with the number of hops from the root. Who hears it learns how deep its neighbours
//! are, takes the one that is nearest for its *parent*, the present one where that is hardly farther,
//! and gives up eager links to others that brought the wave too. What remains is a breadth-first tree, as deep as the overlay allows
//! (a distance-vector spanning tree: Perlman, "An algorithm for distributed computation of a spanning tree", SIGCOMM 1985; built by
//! a flood, as PIM and the paper's first message build theirs).
//!
//! - *Hops, not time*: every peer holds a wave for a moment before it passes it on, so that it comes by the shortest way first, not by
//!   the quickest, and the next wave finds the same tree.
//! - *No cycles*: a parent is nearer to the root than its child, in one and the same wave.
//! - *No gap*: new parents are asked first, and links are given up a while after.
//! - *Two at once*: peers go by the lower id.
//! - *Between waves* a link that is new is lazy where both ends have parents; who loses its parent takes another neighbour at once that
//!   is nearer to the root, or as near and thus not below it, or all of them if there is none: a cycle does less harm than a gap.
//!
//! Whoever broadcasts first becomes the root after a moment, and remains it; when nothing is heard of it for long, another steps in.

use super::Payload;
use super::config::Config;
use super::message::Message;
use super::plumtree::{Mode, Neighbor, Plumtree, Timer};
use crate::peer::PeerId;
use crate::protocol::Outbox;
use crate::rng::Rng;
use crate::time::Time;
use lasp_crdt::{Dot, DotSet};
use std::time::Duration;

/// How many origins of waves are remembered, with their last one each. 8: guess; mostly there is one root.
const ORIGINS: usize = 8;

/// How many waves that begin at the same time as another are preferred to it. 4: guess; roots are seldom two. Without a limit a
/// hostile peer could have a flood for every id below the present one.
const OVERRULED: u8 = 4;

/// How many intervals pass without a wave before another peer becomes the root, at least, and twice as many at most; and how many
/// times as many payloads must have arrived. The root is to stay who it is: where one sends, most ways start there.
const PATIENCE: u32 = 3;

/// How many hops shorter the way by another parent is to be. 1: guess.
const SLACK: u16 = 1;

/// No way to the root is known.
pub(super) const UNKNOWN: u16 = u16::MAX;

/// The last wave, as this peer took part in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Waves {
    /// Its id.
    id: Option<Dot>,
    /// Hops from the root to here.
    depth: u16,
    parent: Option<PeerId>,
    stage: Stage,
    /// The timer that counts.
    at: Option<Time>,
    /// Until when waves with higher ids are taken for others that began at the same time.
    alone_until: Time,
    /// How many others of the same time it was preferred to.
    overruled: u8,
    /// The last wave of every origin, the newest last.
    known: Vec<Dot>,
    /// How many this peer has begun.
    begun: u64,
    /// When this peer begins one, if enough has arrived by then.
    next: Option<Time>,
    /// Whether it is the root, or the first sender, which is about to be.
    leads: bool,
    /// Arrivals since the last one.
    arrivals: u32,
}

/// What is to follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Over,
    /// To pass it on.
    Holding,
    /// To choose the parent.
    Gathering,
    /// To give up other links.
    Trimming,
}

impl Waves {
    /// A payload was broadcast or arrived here: whether that makes a wave due.
    fn arrived(&mut self, now: Time, own: bool, config: &Config, rng: &mut Rng) -> bool {
        self.arrivals = self.arrivals.saturating_add(1);
        if self.next.is_none() {
            self.leads = own;
            let wait = if own { rng.unit() / f64::from(PATIENCE) } else { Self::patience(rng) };
            self.next = Some(now + config.wave_every.mul_f64(wait));
        }
        let enough = if self.leads { config.wave_arrivals } else { PATIENCE * config.wave_arrivals };
        self.next.is_some_and(|next| now >= next) && self.arrivals >= enough
    }

    /// How many intervals a peer waits that is not the root.
    fn patience(rng: &mut Rng) -> f64 {
        f64::from(PATIENCE) * (1.0 + rng.unit())
    }

    /// A neighbour was lost, and so perhaps were many others: a wave is worth its bytes sooner. By a quarter: guess.
    const fn disturbed(&mut self, config: &Config) {
        self.arrivals = self.arrivals.saturating_add(config.wave_arrivals / 4);
    }

    /// Whether a wave was not heard of before, and is the one to go by.
    fn accepts(&self, now: Time, id: Dot) -> bool {
        let known = self.known.iter().any(|last| last.replica == id.replica && last.counter >= id.counter);
        let lower = self.overruled < OVERRULED && self.id.is_none_or(|current| id < current);
        !known && (now >= self.alone_until || lower)
    }

    fn begin(&mut self, now: Time, id: Dot, depth: u16, config: &Config, rng: &mut Rng) {
        self.known.retain(|last| last.replica != id.replica);
        if self.known.len() == ORIGINS {
            self.known.remove(0);
        }
        self.known.push(id);
        self.leads = depth == 0;
        let wait = if self.leads { 1.0 } else { Self::patience(rng) };
        self.next = Some(now + config.wave_every.mul_f64(wait));
        if now < self.alone_until {
            self.overruled += 1;
        } else {
            (self.alone_until, self.overruled) = (now + config.wave_every / 2, 0);
        }
        self.arrivals = 0;
        (self.id, self.depth) = (Some(id), depth);
    }

    /// Whether the parent is still to be chosen.
    const fn seeks(&self) -> bool {
        matches!(self.stage, Stage::Holding | Stage::Gathering)
    }

    /// The last wave.
    pub(super) const fn current(&self) -> Option<Dot> {
        self.id
    }
}

impl<P: Payload> Plumtree<P> {
    /// The way to the root of the last wave, if there is one and this peer is not it.
    pub fn parent(&self) -> Option<PeerId> {
        self.waves.parent.filter(|peer| self.is_eager(*peer))
    }

    /// Hops from the root of the last wave to this peer.
    pub fn depth(&self) -> Option<u16> {
        self.waves.id.map(|_| self.waves.depth)
    }

    /// Whether this peer has its place in the tree: it is the root, or has a parent, or is about to.
    fn is_placed(&self) -> bool {
        let placed = self.waves.depth == 0 || self.waves.seeks() || self.parent().is_some();
        self.waves.id.is_some() && placed
    }

    /// A payload was broadcast here or arrived.
    pub(super) fn count_towards_wave(&mut self, now: Time, own: bool, out: &mut Outbox<Self>) {
        if self.config.floods || !self.waves.arrived(now, own, &self.config, &mut self.rng) {
            return;
        }
        self.waves.begun += 1;
        let id = Dot::new(self.origin, self.waves.begun);
        self.take_part(now, id, 0);
        self.pass_wave_on(now, out);
    }

    pub(super) fn on_wave(&mut self, now: Time, from: PeerId, id: Dot, depth: u16, lazy: bool, out: &mut Outbox<Self>) {
        self.metrics.waves_received += 1;
        if self.config.floods || !self.neighbors.contains_key(&from) {
            return;
        }
        let lost = self.waves.id.is_some() && !self.is_placed();
        let news = self.waves.id != Some(id) && self.waves.accepts(now, id);
        if news {
            self.take_part(now, id, depth.saturating_add(1));
            self.await_stage(now, Stage::Holding, self.config.wave_hold, out);
        }
        let (settles_at, of_this) = (now + self.config.settle, self.waves.id == Some(id));
        let Some(neighbor) = self.neighbors.get_mut(&from) else { return };
        if of_this {
            neighbor.depth = depth;
            if self.waves.stage == Stage::Holding {
                self.waves.depth = self.waves.depth.min(depth.saturating_add(1));
            }
        }
        if lazy && !lost {
            neighbor.make_lazy(settles_at);
        } else if lost && of_this && !news && depth < self.waves.depth {
            self.waves.parent = Some(from);
            self.adopt(from, out);
        }
    }

    /// Goes by a wave from now on.
    fn take_part(&mut self, now: Time, id: Dot, depth: u16) {
        self.waves.begin(now, id, depth, &self.config, &mut self.rng);
        let lasts = self.config.wave_hold + self.config.wave_gather * 2;
        self.shape.give_way(now, lasts, &self.config, &mut self.rng);
        for neighbor in self.neighbors.values_mut() {
            (neighbor.depth, neighbor.kept, neighbor.told) = (UNKNOWN, false, false);
        }
    }

    /// Tells the neighbours how far the root is, but for those that are as near to it.
    fn pass_wave_on(&mut self, now: Time, out: &mut Outbox<Self>) {
        let (Some(id), depth) = (self.waves.id, self.waves.depth) else { return };
        for (&peer, neighbor) in self.neighbors.iter_mut().filter(|(_, neighbor)| neighbor.depth > depth) {
            neighbor.told = true;
            self.metrics.waves_sent += 1;
            out.send(peer, Message::Wave { id, depth, lazy: false });
        }
        self.await_stage(now, Stage::Gathering, self.config.wave_gather, out);
    }

    fn await_stage(&mut self, now: Time, stage: Stage, wait: Duration, out: &mut Outbox<Self>) {
        self.waves.stage = stage;
        self.waves.at = Some(now + wait);
        out.set_timer(wait, Timer::Wave(now + wait));
    }

    /// What a stage of the wave waited for has had its time.
    pub(super) fn wave_settles(&mut self, now: Time, at: Time, out: &mut Outbox<Self>) {
        if self.waves.at != Some(at) {
            return;
        }
        self.waves.at = None;
        match std::mem::take(&mut self.waves.stage) {
            Stage::Holding => self.pass_wave_on(now, out),
            Stage::Gathering => {
                self.choose_parent(out);
                // To tell a parent takes one hop.
                self.await_stage(now, Stage::Trimming, self.config.shape_wait / 2, out);
            }
            Stage::Trimming => self.trim(now, out),
            Stage::Over => {}
        }
    }

    fn choose_parent(&mut self, out: &mut Outbox<Self>) {
        self.waves.parent = self.nearest();
        let Some((parent, neighbor)) = self.waves.parent.and_then(|peer| Some((peer, self.neighbors.get(&peer)?)))
        else {
            return;
        };
        self.waves.depth = neighbor.depth.saturating_add(1);
        // Who pushes to this peer and was not told that the wave came by others too takes it for a child already.
        if neighbor.mode == Mode::Lazy || neighbor.told {
            self.adopt(parent, out);
        }
    }

    /// The neighbour that is nearest to the root, and nearer than this peer. A change of parents costs redundancy for a while,
    /// so the present one remains if it is hardly farther.
    fn nearest(&self) -> Option<PeerId> {
        let nearer = self.neighbors.iter().filter(|(_, neighbor)| neighbor.depth < self.waves.depth);
        let rank = |&(&peer, neighbor): &(&PeerId, &Neighbor)| {
            let lazy = neighbor.mode == Mode::Lazy;
            let handicap = if lazy || self.waves.parent != Some(peer) { SLACK } else { 0 };
            (neighbor.depth.saturating_add(handicap), lazy, peer)
        };
        nearer.min_by_key(rank).map(|(peer, _)| *peer)
    }

    /// Asks a neighbour to push to this peer.
    fn adopt(&mut self, peer: PeerId, out: &mut Outbox<Self>) {
        self.metrics.adoptions += 1;
        self.ask_to_push(peer, DotSet::new(), out);
    }

    /// Gives up the eager links by which the wave came too, but for the parent's and those of children.
    fn trim(&mut self, now: Time, out: &mut Outbox<Self>) {
        let parent = self.waves.parent;
        let spare = |peer: &PeerId| {
            let neighbor = self.neighbors.get(peer);
            Some(*peer) != parent && neighbor.is_some_and(|neighbor| neighbor.depth != UNKNOWN && !neighbor.kept)
        };
        let spares: Vec<PeerId> = self.eager().filter(spare).collect();
        spares.into_iter().for_each(|peer| self.prune(now, peer, out));
    }

    /// How a link to a new neighbour begins: lazy, if this peer has its place in the tree.
    pub(super) fn place_new_link(&mut self, now: Time, peer: PeerId, out: &mut Outbox<Self>) {
        let Some(id) = self.waves.id else { return };
        if !self.is_placed() {
            return self.adopt(peer, out);
        }
        if let Some(neighbor) = self.neighbors.get_mut(&peer) {
            neighbor.make_lazy(now + self.config.settle);
        }
        self.metrics.waves_sent += 1;
        out.send(peer, Message::Wave { id, depth: self.waves.depth, lazy: true });
    }

    /// A neighbour is gone. If it was the parent, another neighbour takes its place, or all of them until the next wave.
    pub(super) fn mend_tree(&mut self, gone: PeerId, out: &mut Outbox<Self>) {
        self.waves.disturbed(&self.config);
        if self.waves.parent != Some(gone) || self.waves.seeks() {
            return;
        }
        self.waves.parent = self.nearest().or_else(|| self.sibling());
        match self.waves.parent {
            Some(parent) if self.is_eager(parent) => {}
            Some(parent) => self.adopt(parent, out),
            None => self.adopt_all(out),
        }
    }

    /// A neighbour that is as near to the root as this peer was: those below it are farther away. Children push to it, so it is
    /// none of those either.
    fn sibling(&self) -> Option<PeerId> {
        let own = self.waves.depth;
        self.lazy().find(|peer| self.neighbors.get(peer).is_some_and(|neighbor| neighbor.depth == own))
    }

    fn adopt_all(&mut self, out: &mut Outbox<Self>) {
        let lazy: Vec<PeerId> = self.lazy().collect();
        lazy.into_iter().for_each(|peer| self.adopt(peer, out));
    }

    /// A neighbour wants payloads from this peer. If it is the one that this peer has just made its parent, both have lost the
    /// same one, and neither has a way to the root.
    pub(super) fn wanted_by(&mut self, peer: PeerId, out: &mut Outbox<Self>) {
        let mutual = self.waves.parent == Some(peer)
            && self.neighbors.get(&peer).is_some_and(|neighbor| neighbor.depth == self.waves.depth);
        if mutual {
            self.waves.parent = None;
            self.adopt_all(out);
        }
    }
}
