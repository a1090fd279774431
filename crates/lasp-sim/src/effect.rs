//! What protocols ask for: messages put on links, timers, dials, closings.

use crate::dial::Dial;
use crate::event::Event;
use crate::link::{End, Handle, Remnant};
use crate::mail::Word;
use crate::rule::{Route, Verdict};
use crate::shard::Turn;
use crate::slab::Key;
use crate::stats::Lost;
use crate::trace::Occurrence;
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Time, Wire};
use std::time::Duration;

/// How a message travels.
struct Journey {
    latency: Duration,
    /// Whether it keeps its place in the order of its link.
    ordered: bool,
    /// Whether the line's bandwidth applies to it.
    metered: bool,
}

impl<P> Turn<'_, P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    /// Feeds one input to a peer and applies what follows. Nothing here feeds another peer: effects become events.
    pub(crate) fn handle(&mut self, life: Key, input: Input<P>) {
        let mut out = std::mem::take(&mut self.shard.outbox);
        let mut drained = std::mem::take(&mut self.shard.drained);
        self.feed(life, input, &mut out);
        self.apply_all(life, &mut out, &mut drained);
        while !drained.is_empty() {
            for (peer, bytes) in drained.drain(..) {
                self.feed(life, Input::Drained { peer, bytes }, &mut out);
            }
            self.apply_all(life, &mut out, &mut drained);
        }
        self.shard.outbox = out;
        self.shard.drained = drained;
    }

    fn feed(&mut self, life: Key, input: Input<P>, out: &mut Outbox<P>) {
        let now = self.shard.now;
        if let Some(peer) = self.shard.peers.get_mut(life) {
            peer.protocol.handle(peer.clock(now), input, out);
        }
    }

    fn apply_all(&mut self, life: Key, out: &mut Outbox<P>, drained: &mut Vec<(PeerId, usize)>) {
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.send(life, to, message, drained),
                Output::SetTimer { after, timer } => {
                    let after = self.shard.peers.get(life).map_or(after, |peer| peer.true_length(after));
                    self.shard.queue.push(self.shard.now + after, Event::Timer { life, timer });
                }
                Output::Dial(addr) => self.dial(life, addr, None),
                Output::Link(contact) => self.link(life, contact),
                Output::Close(peer) => self.close(life, peer),
                Output::Emit(event) => self.emit(life, event),
            }
        }
    }

    fn emit(&mut self, life: Key, event: P::Event) {
        if let Some(peer) = self.shard.peers.get(life) {
            self.shard.emitted.push((self.shard.now, peer.id, event));
        }
    }

    fn send(&mut self, life: Key, to: PeerId, message: P::Message, drained: &mut Vec<(PeerId, usize)>) {
        let Some(peer) = self.shard.peers.get(life) else {
            return;
        };
        let (from, end) = (peer.id, peer.ends.up(to).map(|end| end.number));
        let (bytes, digest) = message.measure_in(&mut self.shard.scratch);
        self.shard.stats.sent += 1;
        self.shard.stats.bytes_sent += bytes as u64;
        let Some(end) = end else {
            return self.lose(from, to, Lost::Unlinked);
        };
        if self.world.bandwidth(to).is_none() {
            match drained.iter_mut().find(|(peer, _)| *peer == to) {
                Some((_, sum)) => *sum += bytes,
                None => drained.push((to, bytes)),
            }
        }
        let near = Handle { life, end };
        match self.fate(Route { from, to, bytes }) {
            Ok(journey) => self.ship(near, (bytes, digest), &journey, message),
            Err(why) => {
                self.transmit(near, bytes);
                self.lose(from, to, why);
            }
        }
    }

    /// Decides whether and how a message travels.
    fn fate(&mut self, route: Route) -> Result<Journey, Lost> {
        if !self.world.faults.passes(route.from, route.to) {
            return Err(Lost::Partition);
        }
        let travel = match self.rules.judge(self.shard.now, route, &mut self.shard.rng) {
            Verdict::Drop => return Err(Lost::Rule),
            Verdict::Deliver(latency) => {
                return Ok(Journey { latency, ordered: true, metered: false });
            }
            Verdict::Travel(latency) => Some(latency),
            Verdict::Pass => None,
        };
        if self.strikes(self.world.config.loss) {
            return Err(Lost::Chance);
        }
        let mut latency = travel.unwrap_or_else(|| self.latency());
        let held_back = self.strikes(self.world.config.reorder);
        if held_back {
            self.shard.stats.reordered += 1;
            latency += self.shard.rng.duration(Duration::ZERO, self.world.config.reorder_delay);
        }
        Ok(Journey { latency, ordered: !held_back, metered: true })
    }

    fn strikes(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.shard.rng.chance(probability)
    }

    /// Draws how long something travels.
    pub(crate) fn latency(&mut self) -> Duration {
        self.world.config.latency.sample(&mut self.shard.rng)
    }

    /// Puts a message on its link, twice if the network is in the mood.
    fn ship(&mut self, near: Handle, (bytes, digest): (usize, u64), journey: &Journey, message: P::Message) {
        let transmitted = self.transmit(near, bytes);
        let left = if journey.metered { transmitted } else { self.shard.now };
        let bytes = bytes as u32;
        if journey.metered && self.strikes(self.world.config.duplicate) {
            self.shard.stats.duplicated += 1;
            let latency = self.latency();
            if let Some((to, at)) = self.arrival(near, left + latency, false) {
                self.post(to.life, at, Event::Deliver { to, bytes, digest, message: message.clone() });
            }
        }
        if let Some((to, at)) = self.arrival(near, left + journey.latency, journey.ordered) {
            self.post(to.life, at, Event::Deliver { to, bytes, digest, message });
        }
    }

    /// When the line has taken `bytes`; the sender hears of it then, if the line is limited.
    fn transmit(&mut self, near: Handle, bytes: usize) -> Time {
        let now = self.shard.now;
        let Some(end) = self.shard.peers.get_mut(near.life).and_then(|peer| peer.ends.get_mut(near.end)) else {
            return now;
        };
        let Some(bandwidth) = self.world.bandwidth(end.peer) else {
            return now;
        };
        let taken = Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / bandwidth.max(1));
        end.line_free = end.line_free.max(now) + taken;
        let left = end.line_free;
        self.shard.queue.push(left, Event::Drained { at: near, bytes });
        left
    }

    /// The far end, and when a message that would reach it at `earliest` does so.
    fn arrival(&mut self, near: Handle, earliest: Time, ordered: bool) -> Option<(Handle, Time)> {
        let end = self.shard.peers.get_mut(near.life)?.ends.get_mut(near.end)?;
        let at = earliest.max(if ordered { end.horizon } else { end.far_opened });
        if ordered {
            end.horizon = at;
        }
        Some((end.far, at))
    }

    pub(crate) fn lose(&mut self, from: PeerId, to: PeerId, why: Lost) {
        self.shard.stats.lost[why as usize] += 1;
        self.record(Occurrence::Dropped { from, to, why });
    }

    fn dial(&mut self, life: Key, addr: Addr, expected: Option<(PeerId, u64)>) {
        let Some(peer) = self.shard.peers.get_mut(life) else {
            return;
        };
        let (end, begun) = (peer.ends.number(), self.shard.now);
        let target = self.world.directory.listening_at(&addr);
        let dial = Dial { from: Handle { life, end }, addr, target, expected, begun };
        let at = begun + self.latency();
        self.post(target.unwrap_or(life), at, Event::Dialed(Box::new(dial)));
    }

    /// A link to a known peer: the one there is, or a new one.
    fn link(&mut self, life: Key, contact: Contact) {
        let Contact { id, incarnation, addr } = contact;
        let up = self.shard.peers.get(life).and_then(|peer| peer.ends.up(id));
        // A peer that crashed unnoticed is still linked, as far as this end knows.
        let linked = up.filter(|end| {
            let far = self.world.directory.get(end.far.life);
            far.is_none_or(|far| far.incarnation == incarnation)
        });
        match linked.map(|end| Handle { life, end: end.number }) {
            Some(at) => self.shard.queue.push(self.shard.now, Event::Accepted { at, dialed: Box::new(addr) }),
            None => self.dial(life, addr, Some((id, incarnation))),
        }
    }

    fn close(&mut self, life: Key, peer: PeerId) {
        let Some(near) = self.shard.peers.get_mut(life) else {
            return;
        };
        let (id, up) = (near.id, near.ends.up(peer).map(|end| end.number));
        let Some(end) = up.and_then(|number| near.ends.remove(number)) else {
            return;
        };
        let earliest = self.shard.now + self.latency();
        let remnant = self.abandon(id, &end, earliest);
        self.part(life, &end, remnant);
    }

    /// Lets go of the near end of a link, which was taken from the peer `id`; the far end hears of it at `earliest`, after what
    /// is on its way. A partition keeps it from hearing before it notices by itself: `true` then.
    pub(crate) fn abandon(&mut self, id: PeerId, end: &End, earliest: Time) -> bool {
        if end.far_gone {
            return false;
        }
        if self.world.faults.passes(id, end.peer) {
            self.post(end.far.life, earliest.max(end.horizon), Event::HungUp { at: end.far });
            return false;
        }
        self.schedule_cut(end.far);
        true
    }

    /// An end is gone: the other one learns so, and unless it is gone, too, something of this one remains.
    pub(crate) fn part(&mut self, life: Key, end: &End, half_open: bool) {
        if let Some((_, ends)) = self.shard.peers.ends_mut(life).filter(|_| !end.far_gone) {
            ends.remember(Remnant { number: end.number, peer: end.peer, far: end.far, half_open });
        }
        self.tell(end.far, Word::Parted { at: end.far });
    }

    /// Tells an end, a latency from now, that the other is gone.
    pub(crate) fn reset(&mut self, at: Handle) {
        let heard = self.shard.now + self.latency();
        self.post(at.life, heard, Event::HungUp { at });
    }

    /// Tells every end that was left in ignorance of the other's going.
    pub(crate) fn reset_half_open(&mut self) {
        let mut ignorant = Vec::new();
        for (_, ends) in self.shard.peers.all_ends_mut() {
            for remnant in ends.remnants_mut().filter(|remnant| remnant.half_open) {
                remnant.half_open = false;
                ignorant.push(remnant.far);
            }
        }
        ignorant.into_iter().for_each(|end| self.reset(end));
    }

    /// Schedules the moments at which this shard's ends of links across a partition notice.
    pub(crate) fn schedule_cuts(&mut self) {
        let faults = &self.world.faults;
        let cut = |id: PeerId, end: &End| !faults.connects(id, end.peer);
        let ends = self.shard.peers.iter().flat_map(|peer| {
            let across = peer.ends.iter().filter(|end| cut(peer.id, end));
            across.map(|end| Handle { life: peer.life, end: end.number })
        });
        let ends: Vec<Handle> = ends.collect();
        ends.into_iter().for_each(|end| self.schedule_cut(end));
    }

    fn schedule_cut(&mut self, at: Handle) {
        let Some((low, high)) = self.world.config.partition_detection else {
            return;
        };
        let noticed = self.shard.now + self.shard.rng.duration(low, high);
        self.post(at.life, noticed, Event::Severed { at });
    }
}
