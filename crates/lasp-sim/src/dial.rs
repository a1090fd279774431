//! How links come up: a dial reaches its address, is taken or refused, and its answer travels back.

use crate::event::Event;
use crate::link::{End, Handle, Phase};
use crate::mail::Word;
use crate::shard::Turn;
use crate::slab::Key;
use crate::trace::Occurrence;
use lasp_overlay::{Addr, Input, PeerId, Protocol, Time, Wire};

/// A dial under way. Every one is answered once, by a link or by a failure, unless the dialler crashes first.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    /// The dialler, and the number of its end if there is to be one.
    pub(crate) from: Handle,
    pub(crate) addr: Addr,
    /// Who listened there when it was dialled.
    pub(crate) target: Option<Key>,
    /// Who is to answer, if it matters: identity and incarnation.
    pub(crate) expected: Option<(PeerId, u64)>,
    pub(crate) begun: Time,
}

impl<P> Turn<'_, P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    /// A dial reaches its address, or what is there instead.
    pub(crate) fn dialed(&mut self, mut dial: Box<Dial>) {
        let directory = &self.world.directory;
        let Some(dialer) = directory.get(dial.from.life) else {
            return;
        };
        dial.target = dial.target.filter(|life| directory.get(*life).is_some());
        dial.target = dial.target.or_else(|| directory.listening_at(&dial.addr));
        let Some((life, contact)) = dial.target.and_then(|life| Some((life, directory.get(life)?))) else {
            return self.refuse(*dial);
        };
        if self.world.shard_of(life) != self.shard.number {
            // Someone else listens there by now.
            return self.post(life, self.shard.now, Event::Dialed(dial));
        }
        if !self.world.faults.connects(dialer.id, contact.id) {
            let at = self.shard.now.max(dial.begun + self.world.config.dial_timeout);
            let Dial { from, addr, .. } = *dial;
            return self.post(from.life, at, Event::Refused { dialer: from.life, dialed: Box::new(addr) });
        }
        let unexpected = dial.expected.is_some_and(|expected| expected != (contact.id, contact.incarnation));
        if unexpected || life == dial.from.life {
            return self.refuse(*dial);
        }
        self.accept(*dial, dialer.id, life);
    }

    fn refuse(&mut self, dial: Dial) {
        let at = self.shard.now + self.latency();
        let Dial { from, addr, .. } = dial;
        self.post(from.life, at, Event::Refused { dialer: from.life, dialed: Box::new(addr) });
    }

    /// The listener takes a dial: on the link there is, or on a new one.
    fn accept(&mut self, dial: Dial, dialer: PeerId, listener: Key) {
        let Some(holder) = self.shard.peers.get(listener) else {
            return;
        };
        let there = holder.ends.to(dialer).find(|end| end.far.life == dial.from.life).copied();
        let end = match there {
            // Both believe in it, or are about to: a second dial, or one from each side.
            Some(end) if !end.far_gone => end.number,
            // The dialler gave this one up: the new dial says so earlier than the farewell under way.
            Some(End { number: end, phase: Phase::Up, .. }) => {
                self.drop_end(Handle { life: listener, end }, false);
                self.open(dial.from, dialer, listener)
            }
            Some(_) | None => self.open(dial.from, dialer, listener),
        };
        let now = self.shard.now;
        let earliest = now + self.latency();
        let Some(near) = self.shard.peers.get_mut(listener).and_then(|peer| peer.ends.get_mut(end)) else {
            return;
        };
        let heard = earliest.max(near.horizon);
        near.horizon = heard;
        if there.is_none_or(|before| before.number != end) || near.far_opened > now {
            near.far_opened = near.far_opened.max(heard);
        }
        let at = near.far;
        self.post(at.life, heard, Event::Accepted { at, dialed: Box::new(dial.addr) });
    }

    /// Makes a link that is up at the listener and opening at the dialler; returns the listener's end.
    fn open(&mut self, far: Handle, dialer: PeerId, listener: Key) -> u32 {
        let when = self.shard.now;
        let Some(holder) = self.shard.peers.get_mut(listener) else {
            unreachable!("the listener was just found alive")
        };
        let (peer, number) = (holder.id, holder.ends.number());
        let at = Handle { life: listener, end: number };
        self.tell(far, Word::Opened { at: far, far: at, peer, when });
        self.replace_others(listener, dialer, number);
        if let Some(holder) = self.shard.peers.get_mut(listener) {
            holder.ends.insert(End {
                number,
                phase: Phase::Up,
                far_gone: false,
                peer: dialer,
                far,
                far_opened: when,
                horizon: when,
                line_free: when,
            });
        }
        self.announce(at, None);
        number
    }

    /// A peer has one link to another: ends that were up before (to an earlier life, or half-open) go down first.
    fn replace_others(&mut self, life: Key, peer: PeerId, keep: u32) {
        while let Some(end) = self.up_end(life, peer).filter(|stale| *stale != keep) {
            self.drop_end(Handle { life, end }, true);
        }
    }

    fn up_end(&self, life: Key, peer: PeerId) -> Option<u32> {
        self.shard.peers.get(life)?.ends.up(peer).map(|end| end.number)
    }

    pub(crate) fn accepted(&mut self, at: Handle, dialed: Addr) {
        let end = self.shard.peers.get(at.life).and_then(|peer| peer.ends.get(at.end)).copied();
        let Some(end) = end else {
            return self.refused(at.life, dialed);
        };
        if self.world.directory.get(end.far.life).is_none() {
            // The listener crashed meanwhile: its greeting never came.
            if end.phase == Phase::Opening {
                self.drop_end(at, false);
            }
            return self.refused(at.life, dialed);
        }
        if let Some(other) = self.rival(at.life, &end) {
            self.drop_end(at, true);
            return self.announce(other, Some(dialed));
        }
        if end.phase == Phase::Opening {
            self.replace_others(at.life, end.peer, at.end);
            let holder = self.shard.peers.get_mut(at.life);
            if let Some(end) = holder.and_then(|holder| holder.ends.get_mut(at.end)) {
                end.phase = Phase::Up;
            }
        }
        self.announce(at, Some(dialed));
    }

    /// Of two links that came of two peers dialling each other, the one dialled by the lower identity stays: the other link, if it is
    /// that one. Within a shard the second dial finds the link of the first; across shards both may arrive in one window.
    fn rival(&self, life: Key, end: &End) -> Option<Handle> {
        let holder = self.shard.peers.get(life).filter(|holder| end.phase == Phase::Opening && end.peer < holder.id)?;
        let same = |other: &&End| other.phase == Phase::Up && other.far.life == end.far.life && !other.far_gone;
        holder.ends.to(end.peer).find(same).map(|other| Handle { life, end: other.number })
    }

    /// Tells the near end that its link is up.
    fn announce(&mut self, at: Handle, dialed: Option<Addr>) {
        let peer = self.shard.peers.get(at.life);
        let Some((near, end)) = peer.and_then(|peer| Some((peer.id, peer.ends.get(at.end)?))) else {
            return;
        };
        let Some(peer) = self.world.directory.get(end.far.life).cloned() else {
            return;
        };
        self.shard.stats.links += 1;
        self.record(Occurrence::LinkUp { at: near, peer: peer.id });
        self.handle(at.life, Input::LinkUp { peer, dialed });
    }

    pub(crate) fn refused(&mut self, dialer: Key, dialed: Addr) {
        let Some(peer) = self.shard.peers.get(dialer) else {
            return;
        };
        self.shard.stats.dials_failed += 1;
        self.record(Occurrence::DialFailed { at: peer.id });
        self.handle(dialer, Input::DialFailed(dialed));
    }
}
