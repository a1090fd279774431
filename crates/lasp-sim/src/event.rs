//! What comes of effects: messages that arrive, timers that run out, links that go down. How they come up is in `dial`.

use crate::dial::Dial;
use crate::link::{Handle, Phase};
use crate::shard::Turn;
use crate::slab::Key;
use crate::stats::Lost;
use crate::trace::Occurrence;
use lasp_overlay::{Addr, Input, Protocol, Wire};

/// Something due at a time.
pub(crate) enum Event<P: Protocol> {
    /// A message reaches an end of a link.
    Deliver { to: Handle, bytes: u32, digest: u64, message: P::Message },
    /// A timer runs out.
    Timer { life: Key, timer: P::Timer },
    /// A dial reaches the address.
    Dialed(Box<Dial>),
    /// The dialler hears that its dial was accepted, on a link of which it holds this end.
    Accepted { at: Handle, dialed: Box<Addr> },
    /// The dialler hears, or concludes, that its dial failed.
    Refused { dialer: Key, dialed: Box<Addr> },
    /// An end hears that the other is gone.
    HungUp { at: Handle },
    /// An end notices a partition, if there still is one.
    Severed { at: Handle },
    /// The line has taken bytes that this end sent.
    Drained { at: Handle, bytes: usize },
    /// A slow peer gets round to something.
    Reached(Box<Self>),
}

impl<P: Protocol> Event<P> {
    /// Whose event it is, if it is a frequent one.
    pub(crate) const fn life(&self) -> Option<Key> {
        match self {
            Self::Deliver { to, .. } => Some(to.life),
            Self::Timer { life, .. } => Some(*life),
            _ => None,
        }
    }
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
            Self::Accepted { at, dialed } => Self::Accepted { at: *at, dialed: dialed.clone() },
            Self::Refused { dialer, dialed } => Self::Refused { dialer: *dialer, dialed: dialed.clone() },
            Self::HungUp { at } => Self::HungUp { at: *at },
            Self::Severed { at } => Self::Severed { at: *at },
            Self::Drained { at, bytes } => Self::Drained { at: *at, bytes: *bytes },
            Self::Reached(event) => Self::Reached(event.clone()),
        }
    }
}

impl<P> Turn<'_, P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    pub(crate) fn process(&mut self, event: Event<P>) {
        let event = if self.world.some_are_slow { self.delayed(event) } else { Some(event) };
        match event {
            Some(Event::Reached(event)) => self.happen(*event),
            Some(event) => self.happen(event),
            None => {}
        }
    }

    fn happen(&mut self, event: Event<P>) {
        match event {
            Event::Deliver { to, bytes, digest, message } => self.deliver(to, bytes as usize, digest, message),
            Event::Timer { life, timer } => self.expire(life, timer),
            Event::Dialed(dial) => self.dialed(dial),
            Event::Accepted { at, dialed } => self.accepted(at, *dialed),
            Event::Refused { dialer, dialed } => self.refused(dialer, *dialed),
            Event::HungUp { at } => self.drop_end(at, false),
            Event::Severed { at } => self.severed(at),
            Event::Drained { at, bytes } => self.line_drained(at, bytes),
            Event::Reached(_) => unreachable!("it was unwrapped"),
        }
    }

    /// Puts off what has to wait until a slow peer is done with what came before; messages keep it busy themselves.
    fn delayed(&mut self, event: Event<P>) -> Option<Event<P>> {
        let (at, work) = match &event {
            Event::Deliver { to, .. } => (*to, true),
            Event::Accepted { at, .. } | Event::HungUp { at } => (*at, false),
            _ => return Some(event),
        };
        let now = self.shard.now;
        let odd = self.shard.peers.get_mut(at.life).and_then(|peer| peer.oddity.as_mut());
        let Some(odd) = odd.filter(|odd| odd.busy_until > now || (work && !odd.slowness.is_zero())) else {
            return Some(event);
        };
        let mut done = odd.busy_until.max(now);
        if work {
            done = done + odd.slowness;
            odd.busy_until = done;
        }
        self.shard.queue.push(done, Event::Reached(Box::new(event)));
        None
    }

    fn deliver(&mut self, to: Handle, bytes: usize, digest: u64, message: P::Message) {
        let peer = self.shard.peers.get(to.life);
        let Some((peer, end)) = peer.and_then(|peer| Some((peer, peer.ends.get(to.end)?))) else {
            return self.arrive_too_late(to);
        };
        let (near, far) = (peer.id, end.peer);
        if end.phase != Phase::Up {
            return self.lose(far, near, Lost::Gone);
        }
        self.shard.stats.delivered += 1;
        self.shard.stats.bytes_delivered += bytes as u64;
        self.record(Occurrence::Delivered { from: far, to: near, bytes, digest });
        self.handle(to.life, Input::Received { from: far, message });
    }

    /// A message arrives where an end was. If the sender was not told, it is now.
    fn arrive_too_late(&mut self, to: Handle) {
        let ends = self.shard.peers.ends_mut(to.life);
        let Some((near, remnant)) = ends.and_then(|(id, ends)| Some((id, ends.remnant_mut(to.end)?))) else {
            self.shard.stats.lost[Lost::Gone as usize] += 1;
            return;
        };
        let (far, sender) = (remnant.peer, remnant.far);
        if remnant.half_open && self.world.faults.passes(near, far) {
            remnant.half_open = false;
            self.reset(sender);
        }
        self.lose(far, near, Lost::Gone);
    }

    fn expire(&mut self, life: Key, timer: P::Timer) {
        let Some(peer) = self.shard.peers.get(life) else {
            return;
        };
        self.shard.stats.expired += 1;
        self.record(Occurrence::Expired(peer.id));
        self.handle(life, Input::Expired(timer));
    }

    fn severed(&mut self, at: Handle) {
        let peer = self.shard.peers.get(at.life);
        let ends = peer.and_then(|peer| Some((peer.id, peer.ends.get(at.end)?.peer)));
        if ends.is_some_and(|(near, far)| !self.world.faults.connects(near, far)) {
            self.drop_end(at, true);
        }
    }

    /// Takes the near end of a link down and tells its peer, if it was up. `half_open`: the other end will be told when
    /// it sends.
    pub(crate) fn drop_end(&mut self, at: Handle, half_open: bool) {
        let Some(peer) = self.shard.peers.get_mut(at.life) else {
            return;
        };
        let near = peer.id;
        let Some(end) = peer.ends.remove(at.end) else {
            return;
        };
        self.part(at.life, &end, half_open);
        if end.phase == Phase::Up {
            self.record(Occurrence::LinkDown { at: near, peer: end.peer });
            self.handle(at.life, Input::LinkDown(end.peer));
        }
    }

    fn line_drained(&mut self, at: Handle, bytes: usize) {
        let end = self.shard.peers.get(at.life).and_then(|peer| peer.ends.get(at.end));
        if let Some(peer) = end.filter(|end| end.phase == Phase::Up).map(|end| end.peer) {
            self.handle(at.life, Input::Drained { peer, bytes });
        }
    }
}
