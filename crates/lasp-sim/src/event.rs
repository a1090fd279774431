//! What comes of effects: messages that arrive, timers that run out, links that come up and go down.

use crate::link::{End, Handle, Link, Phase};
use crate::simulator::Simulator;
use crate::slab::Key;
use crate::stats::Lost;
use crate::trace::Occurrence;
use lasp_overlay::{Addr, Input, PeerId, Protocol, Time, Wire};

/// A dial under way. Every one is answered once, by a link or by a failure, unless the dialler crashes first.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    pub(crate) dialer: Key,
    pub(crate) addr: Addr,
    /// Who is to answer, if it matters: identity and incarnation.
    pub(crate) expected: Option<(PeerId, u64)>,
    pub(crate) begun: Time,
}

/// Something due at a time.
pub(crate) enum Event<P: Protocol> {
    /// A message reaches an end of a link.
    Deliver { to: Handle, bytes: u32, digest: u64, message: P::Message },
    /// A timer runs out.
    Timer { life: Key, timer: P::Timer },
    /// A dial reaches the address.
    Dialed(Box<Dial>),
    /// The dialler hears that its dial was accepted.
    Accepted { at: Handle, dial: Box<Dial> },
    /// The dialler hears, or concludes, that its dial failed.
    Refused(Box<Dial>),
    /// An end hears that the other is gone.
    HungUp { at: Handle },
    /// An end notices a partition, if there still is one.
    Severed { at: Handle },
    /// The line has taken bytes that this end sent.
    Drained { at: Handle, bytes: usize },
}

impl<P: Protocol> Clone for Event<P>
where
    P::Message: Clone,
    P::Timer: Clone,
{
    fn clone(&self) -> Self {
        match self {
            Self::Deliver { to, bytes, digest, message } => {
                Self::Deliver { to: *to, bytes: *bytes, digest: *digest, message: message.clone() }
            }
            Self::Timer { life, timer } => Self::Timer { life: *life, timer: timer.clone() },
            Self::Dialed(dial) => Self::Dialed(dial.clone()),
            Self::Accepted { at, dial } => Self::Accepted { at: *at, dial: dial.clone() },
            Self::Refused(dial) => Self::Refused(dial.clone()),
            Self::HungUp { at } => Self::HungUp { at: *at },
            Self::Severed { at } => Self::Severed { at: *at },
            Self::Drained { at, bytes } => Self::Drained { at: *at, bytes: *bytes },
        }
    }
}

impl<P> Simulator<P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    pub(crate) fn process(&mut self, event: Event<P>) {
        match event {
            Event::Deliver { to, bytes, digest, message } => self.deliver(to, bytes as usize, digest, message),
            Event::Timer { life, timer } => self.expire(life, timer),
            Event::Dialed(dial) => self.dialed(dial),
            Event::Accepted { at, dial } => self.accepted(at, *dial),
            Event::Refused(dial) => self.refused(*dial),
            Event::HungUp { at } => self.hung_up(at),
            Event::Severed { at } => self.severed(at),
            Event::Drained { at, bytes } => self.line_drained(at, bytes),
        }
    }

    fn deliver(&mut self, to: Handle, bytes: usize, digest: u64, message: P::Message) {
        let Some(link) = self.links.get(to.link) else {
            self.stats.lost[Lost::Gone as usize] += 1;
            return;
        };
        let (near, far) = (link.ends[to.near()], link.ends[to.far()]);
        if near.phase != Phase::Up {
            if link.half_open && self.faults.passes(near.id, far.id) {
                self.reset(to.flipped());
            }
            return self.lose(far.id, near.id, Lost::Gone);
        }
        self.stats.delivered += 1;
        self.stats.bytes_delivered += bytes as u64;
        self.trace.record(self.now, Occurrence::Delivered { from: far.id, to: near.id, bytes, digest });
        self.handle(near.life, Input::Received { from: far.id, message });
    }

    fn expire(&mut self, life: Key, timer: P::Timer) {
        let Some(peer) = self.peers.get(life) else {
            return;
        };
        self.stats.expired += 1;
        self.trace.record(self.now, Occurrence::Expired(peer.contact.id));
        self.handle(life, Input::Expired(timer));
    }

    /// A dial reaches its address, or what is there instead.
    fn dialed(&mut self, dial: Box<Dial>) {
        let Some(dialer) = self.peers.get(dial.dialer).map(|peer| peer.contact.id) else {
            return;
        };
        let target = self.peers.listening_at(&dial.addr);
        let Some((life, contact)) = target.and_then(|life| Some((life, &self.peers.get(life)?.contact))) else {
            return self.refuse(dial);
        };
        if !self.faults.connects(dialer, contact.id) {
            let at = self.now.max(dial.begun + self.config.dial_timeout);
            return self.queue.push(at, Event::Refused(dial));
        }
        let unexpected = dial.expected.is_some_and(|expected| expected != (contact.id, contact.incarnation));
        if unexpected || life == dial.dialer {
            return self.refuse(dial);
        }
        self.accept(dial, dialer, life);
    }

    fn refuse(&mut self, dial: Box<Dial>) {
        let at = self.now + self.config.latency.sample(&mut self.rng);
        self.queue.push(at, Event::Refused(dial));
    }

    /// The listener takes a dial: on the link there is, or on a new one.
    fn accept(&mut self, dial: Box<Dial>, dialer: PeerId, listener: Key) {
        let there = self.link_between(listener, dialer, dial.dialer);
        let phases = there.map(|(at, link)| (at, link.ends[at.near()].phase, link.ends[at.far()].phase));
        let at = match phases {
            // Both believe in it, or are about to: a second dial, or one from each side.
            Some((at, _, Phase::Up | Phase::Opening)) => at,
            // The dialler gave this one up: the new dial says so earlier than the farewell under way.
            Some((at, Phase::Up, Phase::Gone)) => {
                self.drop_end(at);
                self.open(&dial, dialer, listener)
            }
            Some((_, _, Phase::Gone)) | None => self.open(&dial, dialer, listener),
        };
        let earliest = self.now + self.config.latency.sample(&mut self.rng);
        let Some(link) = self.links.get_mut(at.link) else {
            return;
        };
        let far = &mut link.ends[at.far()];
        let heard = earliest.max(far.horizon);
        far.horizon = heard;
        if far.phase == Phase::Opening {
            far.opened = far.opened.max(heard);
        }
        self.queue.push(heard, Event::Accepted { at: at.flipped(), dial });
    }

    /// The link that `listener` holds to the life `dialer_life` of `dialer`.
    fn link_between(&self, listener: Key, dialer: PeerId, dialer_life: Key) -> Option<(Handle, &Link)> {
        let held = self.peers.get(listener)?.links_to(dialer);
        held.filter_map(|at| Some((at, self.links.get(at.link)?)))
            .find(|(at, link)| link.ends[at.far()].life == dialer_life)
    }

    /// Makes a link that is up at the listener and opening at the dialler; returns the listener's end.
    fn open(&mut self, dial: &Dial, dialer: PeerId, listener: Key) -> Handle {
        let Some(listener_id) = self.peers.get(listener).map(|peer| peer.contact.id) else {
            unreachable!("the listener was just found alive")
        };
        let end = |life, id, phase| End { life, id, phase, opened: self.now, horizon: self.now, line_free: self.now };
        let ends = [end(dial.dialer, dialer, Phase::Opening), end(listener, listener_id, Phase::Up)];
        let link = self.links.insert(Link { ends, half_open: false });
        self.hold(dial.dialer, listener_id, Handle { link, side: 0 });
        let at = Handle { link, side: 1 };
        self.replace_others(listener, dialer, at);
        self.hold(listener, dialer, at);
        self.announce(at, None);
        at
    }

    fn hold(&mut self, life: Key, peer: PeerId, handle: Handle) {
        if let Some(holder) = self.peers.get_mut(life) {
            holder.add_link(peer, handle);
        }
    }

    /// A peer has one link to another: ends that were up before (to an earlier life, or half-open) go down first.
    fn replace_others(&mut self, life: Key, peer: PeerId, keep: Handle) {
        while let Some(stale) = self.up_link(life, peer).filter(|stale| *stale != keep) {
            self.drop_end(stale);
        }
    }

    fn accepted(&mut self, at: Handle, dial: Dial) {
        let Some(link) = self.links.get(at.link) else {
            return self.refused(dial);
        };
        let (near, far) = (link.ends[at.near()].phase, link.ends[at.far()]);
        match near {
            Phase::Gone => return self.refused(dial),
            // The listener crashed meanwhile: its greeting never came.
            _ if self.peers.get(far.life).is_none() => {
                if near == Phase::Opening {
                    self.drop_end(at);
                }
                return self.refused(dial);
            }
            Phase::Opening => {
                self.replace_others(dial.dialer, far.id, at);
                if let Some(link) = self.links.get_mut(at.link) {
                    link.ends[at.near()].phase = Phase::Up;
                }
            }
            Phase::Up => {}
        }
        self.announce(at, Some(dial.addr));
    }

    /// Tells the near end that its link is up.
    fn announce(&mut self, at: Handle, dialed: Option<Addr>) {
        let Some(link) = self.links.get(at.link) else {
            return;
        };
        let (near, far) = (link.ends[at.near()], link.ends[at.far()]);
        let Some(peer) = self.peers.get(far.life).map(|peer| peer.contact.clone()) else {
            return;
        };
        self.stats.links += 1;
        self.trace.record(self.now, Occurrence::LinkUp { at: near.id, peer: far.id });
        self.handle(near.life, Input::LinkUp { peer, dialed });
    }

    fn refused(&mut self, dial: Dial) {
        let Some(peer) = self.peers.get(dial.dialer) else {
            return;
        };
        self.stats.dials_failed += 1;
        self.trace.record(self.now, Occurrence::DialFailed { at: peer.contact.id });
        self.handle(dial.dialer, Input::DialFailed(dial.addr));
    }

    fn hung_up(&mut self, at: Handle) {
        self.drop_end(at);
    }

    fn severed(&mut self, at: Handle) {
        let Some(link) = self.links.get_mut(at.link) else {
            return;
        };
        if self.faults.connects(link.ends[0].id, link.ends[1].id) {
            return;
        }
        link.half_open = true;
        self.drop_end(at);
    }

    /// Takes the near end of a link down and tells its peer, if it was up.
    fn drop_end(&mut self, at: Handle) {
        let Some(link) = self.links.get_mut(at.link) else {
            return;
        };
        let was = std::mem::replace(&mut link.ends[at.near()].phase, Phase::Gone);
        let (near, far) = (link.ends[at.near()], link.ends[at.far()]);
        if far.phase == Phase::Gone {
            self.links.remove(at.link);
        }
        if let Some(peer) = self.peers.get_mut(near.life) {
            peer.remove_link(at);
        }
        if was == Phase::Up {
            self.trace.record(self.now, Occurrence::LinkDown { at: near.id, peer: far.id });
            self.handle(near.life, Input::LinkDown(far.id));
        }
    }

    fn line_drained(&mut self, at: Handle, bytes: usize) {
        let Some(link) = self.links.get(at.link) else {
            return;
        };
        let (near, far) = (link.ends[at.near()], link.ends[at.far()]);
        if near.phase == Phase::Up {
            self.handle(near.life, Input::Drained { peer: far.id, bytes });
        }
    }
}
