//! What protocols ask for: messages put on links, timers, dials, closings.

use crate::event::{Dial, Event};
use crate::link::{Handle, Phase};
use crate::rule::{Route, Verdict};
use crate::simulator::Simulator;
use crate::slab::Key;
use crate::stats::Lost;
use crate::trace::Occurrence;
use lasp_overlay::{Contact, Input, Outbox, Output, PeerId, Protocol, Time, Wire};
use std::time::Duration;

/// How a message travels.
struct Journey {
    latency: Duration,
    /// Whether it keeps its place in the order of its link.
    ordered: bool,
    /// Whether the line's bandwidth applies to it.
    metered: bool,
}

impl<P> Simulator<P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    /// Feeds one input to a peer and applies what follows. Nothing here feeds another peer: effects become events.
    pub(crate) fn handle(&mut self, life: Key, input: Input<P>) {
        let mut out = std::mem::take(&mut self.outbox);
        let mut drained = std::mem::take(&mut self.drained);
        if let Some(peer) = self.peers.get_mut(life) {
            peer.protocol.handle(peer.clock.shows(self.now), input, &mut out);
        }
        self.apply_all(life, &mut out, &mut drained);
        while !drained.is_empty() {
            for (to, bytes) in drained.drain(..) {
                let Some(peer) = self.peers.get_mut(life) else {
                    break;
                };
                peer.protocol.handle(peer.clock.shows(self.now), Input::Drained { peer: to, bytes }, &mut out);
            }
            self.apply_all(life, &mut out, &mut drained);
        }
        self.outbox = out;
        self.drained = drained;
    }

    fn apply_all(&mut self, life: Key, out: &mut Outbox<P>, drained: &mut Vec<(PeerId, usize)>) {
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.send(life, to, message, drained),
                Output::SetTimer { after, timer } => {
                    let after = self.peers.get(life).map_or(after, |peer| peer.clock.true_length(after));
                    self.queue.push(self.now + after, Event::Timer { life, timer });
                }
                Output::Dial(addr) => self.dial(life, Dial { dialer: life, addr, expected: None, begun: self.now }),
                Output::Link(contact) => self.link(life, contact),
                Output::Close(peer) => self.close(life, peer),
                Output::Emit(event) => self.emit(life, event),
            }
        }
    }

    fn emit(&mut self, life: Key, event: P::Event) {
        let Some(peer) = self.peers.get(life) else {
            return;
        };
        self.emitted.push((self.now, peer.contact.id, event));
    }

    /// The end of `life`'s link to `peer` that is up.
    pub(crate) fn up_link(&self, life: Key, peer: PeerId) -> Option<Handle> {
        let is_up = |handle: &Handle| {
            self.links.get(handle.link).is_some_and(|link| link.ends[handle.near()].phase == Phase::Up)
        };
        self.peers.get(life)?.links_to(peer).find(is_up)
    }

    fn send(&mut self, life: Key, to: PeerId, message: P::Message, drained: &mut Vec<(PeerId, usize)>) {
        let Some(from) = self.peers.get(life).map(|peer| peer.contact.id) else {
            return;
        };
        let (bytes, digest) = message.measure();
        self.stats.sent += 1;
        self.stats.bytes_sent += bytes as u64;
        let Some(handle) = self.up_link(life, to) else {
            return self.lose(from, to, Lost::Unlinked);
        };
        if self.config.bandwidth.is_none() {
            match drained.iter_mut().find(|(peer, _)| *peer == to) {
                Some((_, sum)) => *sum += bytes,
                None => drained.push((to, bytes)),
            }
        }
        let journey = match self.fate(Route { from, to, bytes }) {
            Ok(journey) => journey,
            Err(why) => {
                self.transmit(handle, bytes);
                return self.lose(from, to, why);
            }
        };
        self.ship(handle, (bytes, digest), &journey, message);
    }

    /// Decides whether and how a message travels.
    fn fate(&mut self, route: Route) -> Result<Journey, Lost> {
        if !self.faults.passes(route.from, route.to) {
            return Err(Lost::Partition);
        }
        let travel = match self.rules.judge(self.now, route, &mut self.rng) {
            Verdict::Drop => return Err(Lost::Rule),
            Verdict::Deliver(latency) => {
                return Ok(Journey { latency, ordered: true, metered: false });
            }
            Verdict::Travel(latency) => Some(latency),
            Verdict::Pass => None,
        };
        if self.strikes(self.config.loss) {
            return Err(Lost::Chance);
        }
        let mut latency = travel.unwrap_or_else(|| self.config.latency.sample(&mut self.rng));
        let held_back = self.strikes(self.config.reorder);
        if held_back {
            self.stats.reordered += 1;
            latency += self.rng.duration(Duration::ZERO, self.config.reorder_delay);
        }
        Ok(Journey { latency, ordered: !held_back, metered: true })
    }

    fn strikes(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.chance(probability)
    }

    /// Puts a message on its link, twice if the network is in the mood.
    fn ship(&mut self, handle: Handle, (bytes, digest): (usize, u64), journey: &Journey, message: P::Message) {
        let to = handle.flipped();
        let transmitted = self.transmit(handle, bytes);
        let left = if journey.metered { transmitted } else { self.now };
        if journey.metered && self.strikes(self.config.duplicate) {
            self.stats.duplicated += 1;
            let latency = self.config.latency.sample(&mut self.rng);
            let at = self.arrival(handle, left + latency, false);
            let message = message.clone();
            self.queue.push(at, Event::Deliver { to, bytes: bytes as u32, digest, message });
        }
        let at = self.arrival(handle, left + journey.latency, journey.ordered);
        self.queue.push(at, Event::Deliver { to, bytes: bytes as u32, digest, message });
    }

    /// When the line has taken `bytes`; the sender hears of it then, if the line is limited.
    fn transmit(&mut self, handle: Handle, bytes: usize) -> Time {
        let Some(bandwidth) = self.config.bandwidth else {
            return self.now;
        };
        let Some(link) = self.links.get_mut(handle.link) else {
            return self.now;
        };
        let taken = Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / bandwidth.max(1));
        let far = &mut link.ends[handle.far()];
        far.line_free = far.line_free.max(self.now) + taken;
        let left = far.line_free;
        self.queue.push(left, Event::Drained { at: handle, bytes });
        left
    }

    /// When a message that would reach the far end at `earliest` does so.
    fn arrival(&mut self, handle: Handle, earliest: Time, ordered: bool) -> Time {
        let Some(link) = self.links.get_mut(handle.link) else {
            return earliest;
        };
        let far = &mut link.ends[handle.far()];
        let mut at = earliest.max(if ordered { far.horizon } else { far.opened });
        // The receiver is looked at only where some are slow: it is elsewhere in memory.
        let slow = if self.some_are_slow { self.peers.get_mut(far.life) } else { None };
        if let Some(peer) = slow.filter(|peer| !peer.slowness.is_zero()) {
            at = at.max(peer.busy_until) + peer.slowness;
            peer.busy_until = at;
        }
        if ordered {
            far.horizon = at;
        }
        at
    }

    pub(crate) fn lose(&mut self, from: PeerId, to: PeerId, why: Lost) {
        self.stats.lost[why as usize] += 1;
        self.trace.record(self.now, Occurrence::Dropped { from, to, why });
    }

    fn dial(&mut self, life: Key, dial: Dial) {
        debug_assert_eq!(life, dial.dialer);
        let at = self.now + self.config.latency.sample(&mut self.rng);
        self.queue.push(at, Event::Dialed(Box::new(dial)));
    }

    /// A link to a known peer: the one there is, or a new one.
    fn link(&mut self, life: Key, contact: Contact) {
        let linked = self.up_link(life, contact.id).filter(|handle| {
            let far = self.links.get(handle.link).map(|link| link.ends[handle.far()].life);
            // A peer that crashed unnoticed is still linked, as far as this end knows.
            far.is_some_and(|far| self.peers.get(far).is_none_or(|p| p.contact.incarnation == contact.incarnation))
        });
        let Contact { id, incarnation, addr } = contact;
        let dial = Dial { dialer: life, addr, expected: Some((id, incarnation)), begun: self.now };
        match linked {
            Some(handle) => self.queue.push(self.now, Event::Accepted { at: handle, dial: Box::new(dial) }),
            None => self.dial(life, dial),
        }
    }

    fn close(&mut self, life: Key, peer: PeerId) {
        let Some(handle) = self.up_link(life, peer) else {
            return;
        };
        if let Some(near) = self.peers.get_mut(life) {
            near.remove_link(handle);
        }
        let earliest = self.now + self.config.latency.sample(&mut self.rng);
        self.abandon(handle, earliest);
    }

    /// Lets go of the near end of a link; the far end hears of it at `earliest`, after what is on its way. A
    /// partition keeps it from hearing before it notices by itself.
    pub(crate) fn abandon(&mut self, handle: Handle, earliest: Time) {
        let Some(link) = self.links.get_mut(handle.link) else {
            return;
        };
        link.ends[handle.near()].phase = Phase::Gone;
        let (near, far) = (link.ends[handle.near()], link.ends[handle.far()]);
        if far.phase == Phase::Gone {
            self.links.remove(handle.link);
        } else if self.faults.passes(near.id, far.id) {
            self.queue.push(earliest.max(far.horizon), Event::HungUp { at: handle.flipped() });
        } else {
            link.half_open = true;
            self.schedule_cut(handle.flipped());
        }
    }

    /// Lets go of the near end of a link without a word: the far end finds out when it sends.
    pub(crate) fn vanish(&mut self, handle: Handle) {
        let Some(link) = self.links.get_mut(handle.link) else {
            return;
        };
        link.ends[handle.near()].phase = Phase::Gone;
        link.half_open = true;
        if link.ends[handle.far()].phase == Phase::Gone {
            self.links.remove(handle.link);
        }
    }

    /// Tells one end of a half-open link, a latency from now, that the other is gone.
    pub(crate) fn reset(&mut self, handle: Handle) {
        let Some(link) = self.links.get_mut(handle.link) else {
            return;
        };
        if link.ends[handle.near()].phase == Phase::Gone || link.ends[handle.far()].phase != Phase::Gone {
            return;
        }
        link.half_open = false;
        let at = self.now + self.config.latency.sample(&mut self.rng);
        self.queue.push(at, Event::HungUp { at: handle });
    }

    /// Schedules the moments at which the ends of links across a partition notice.
    pub(crate) fn schedule_cuts(&mut self) {
        let faults = &self.faults;
        let cut = |link: &crate::link::Link| !faults.connects(link.ends[0].id, link.ends[1].id);
        let keys: Vec<Key> = self.links.iter().filter(|(_, link)| cut(link)).map(|(key, _)| key).collect();
        for link in keys {
            for side in [0, 1] {
                self.schedule_cut(Handle { link, side });
            }
        }
    }

    fn schedule_cut(&mut self, handle: Handle) {
        let Some((low, high)) = self.config.partition_detection else {
            return;
        };
        let at = self.now + self.rng.duration(low, high);
        self.queue.push(at, Event::Severed { at: handle });
    }
}
