//! Links by a list of addresses: a fixed one, or one that commands change.
//!
//! A peer dials every address of its list, for ever; whoever is linked, whichever side dialled, is a neighbour once both
//! have said hello. So one of two peers that are to be neighbours needs the other on its list. Nothing is found out by
//! itself: who is on no list and dials nobody is nobody's neighbour. As [`Static`] the list is given once, as contacts
//! to join; as [`Manual`], `Connect` and `Disconnect` change it at any time.

mod message;

pub use message::{Message, Timer};

use super::contradiction::demand;
use super::dialler::{Dialler, MAX_ADDRS, Pace};
use super::greeting::{Due, Greeted, Greetings, Hail, Patience, TICK};
use super::{Command, Contradiction, Event, Membership, Metrics, Standing};
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::rng::Rng;
use crate::time::Time;

/// A fixed list.
pub type Static = List<128>;

/// A list that commands change.
pub type Manual = List<144>;

type Out<const TAGS: u8> = Outbox<List<TAGS>>;

/// Settings of [`List`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The addresses to keep links with, beside those that are to be joined.
    pub peers: Vec<Addr>,
    /// When to dial again.
    pub pace: Pace,
    /// When a silent neighbour is given up.
    pub patience: Patience,
}

impl Config {
    /// Checks that the settings can be kept together.
    ///
    /// # Errors
    /// The first that contradicts another.
    pub fn validate(&self) -> Result<(), Contradiction> {
        let (count, most) = (self.peers.len(), MAX_ADDRS);
        demand(count <= most, "peers", format!("a list of {count}"), format!("at most {most} addresses"))
    }
}

/// Links by a list, at one peer. `TAGS` is the first tag of its messages: strategies own different ones.
#[derive(Debug)]
pub struct List<const TAGS: u8> {
    me: Contact,
    config: Config,
    rng: Rng,
    left: bool,
    dialler: Dialler,
    links: Greetings,
    metrics: Metrics,
}

impl<const TAGS: u8> List<TAGS> {
    const BY_COMMAND: bool = TAGS == 144;

    /// The protocol of the peer `contact`.
    pub fn new(config: Config, contact: Contact, rng: Rng) -> Self {
        Self {
            me: contact,
            rng,
            left: false,
            dialler: Dialler::new(config.pace.clone()),
            links: Greetings::default(),
            metrics: Metrics::default(),
            config,
        }
    }

    /// The addresses it keeps links with, ascending.
    pub fn list(&self) -> Vec<Addr> {
        self.dialler.addrs().cloned().collect()
    }

    fn start(&mut self, now: Time, out: &mut Out<TAGS>) {
        let peers = std::mem::take(&mut self.config.peers);
        self.put_on_list(now, &peers, out);
        self.set_tick(out);
    }

    fn set_tick(&mut self, out: &mut Out<TAGS>) {
        out.set_timer(self.rng.jitter(TICK, 0.25), Timer::Tick);
    }

    fn put_on_list(&mut self, now: Time, addrs: &[Addr], out: &mut Out<TAGS>) {
        for addr in addrs.iter().filter(|addr| **addr != self.me.addr) {
            if !self.dialler.add(now, addr.clone()) {
                self.metrics.refused += 1;
            }
        }
        self.dial(now, out);
    }

    fn dial(&mut self, now: Time, out: &mut Out<TAGS>) {
        if !self.left {
            for addr in self.dialler.due(now, usize::MAX, &mut self.rng) {
                out.push(Output::Dial(addr));
            }
        }
    }

    fn join(&mut self, now: Time, addrs: &[Addr], out: &mut Out<TAGS>) {
        if self.left {
            self.left = false;
            self.dialler.begin_anew(now);
        }
        self.put_on_list(now, addrs, out);
    }

    fn disconnect(&mut self, now: Time, addr: &Addr, out: &mut Out<TAGS>) {
        let there = self.dialler.remove(addr);
        let named = |id: &PeerId| self.links.get(*id).is_some_and(|link| link.contact.addr == *addr);
        let peers: Vec<PeerId> = self.links.ids().into_iter().filter(|id| Some(*id) == there || named(id)).collect();
        for peer in peers {
            self.hang_up(now, peer, out);
        }
    }

    /// Ends a link in good order.
    fn hang_up(&mut self, now: Time, peer: PeerId, out: &mut Out<TAGS>) {
        out.send(peer, Message::Bye);
        out.push(Output::Close(peer));
        self.gone(now, peer, false, out);
    }

    fn leave(&mut self, now: Time, out: &mut Out<TAGS>) {
        self.left = true;
        for peer in self.links.ids() {
            self.hang_up(now, peer, out);
        }
    }

    fn on_link_up(&mut self, now: Time, peer: &Contact, dialed: Option<&Addr>, out: &mut Out<TAGS>) {
        if peer.id == self.me.id {
            self.metrics.conflicts += u64::from(*peer != self.me);
            if let Some(addr) = dialed {
                self.dialler.failed(now, addr, &mut self.rng);
            }
            return out.push(Output::Close(peer.id));
        }
        if self.left {
            out.send(peer.id, Message::Bye);
            return out.push(Output::Close(peer.id));
        }
        self.dialler.reached(peer, dialed);
        let Some(was_active) = self.links.linked(now, peer) else { return };
        if was_active {
            self.tell_down(peer.id, out);
        }
        out.send(peer.id, Message::Hello(Hail::Ask));
    }

    fn on_hello(&mut self, from: PeerId, hail: Hail, out: &mut Out<TAGS>) {
        if let Some(contact) = self.links.accept(from, hail) {
            self.metrics.ups += 1;
            out.emit(Event::Up(contact));
            if self.links.active().count() == 1 {
                out.emit(Event::Joined);
            }
        }
        if hail != Hail::Agree {
            out.send(from, Message::Hello(self.links.hail(from)));
        }
    }

    /// The link to a peer is gone, or is being closed.
    fn gone(&mut self, now: Time, peer: PeerId, willingly: bool, out: &mut Out<TAGS>) {
        self.dialler.lost(now, peer, willingly, &mut self.rng);
        if let Some(Greeted { active: true, .. }) = self.links.remove(peer) {
            self.tell_down(peer, out);
        }
    }

    fn tell_down(&mut self, peer: PeerId, out: &mut Out<TAGS>) {
        self.metrics.downs += 1;
        out.emit(Event::Down(peer));
        if self.links.active().next().is_none() && !self.left {
            self.metrics.isolations += 1;
            out.emit(Event::Isolated);
        }
    }

    fn failed(&mut self, now: Time, peer: PeerId, out: &mut Out<TAGS>) {
        self.metrics.failures += u64::from(self.links.is_active(peer));
        self.gone(now, peer, false, out);
    }

    fn on_message(&mut self, now: Time, from: PeerId, message: &Message<TAGS>, out: &mut Out<TAGS>) {
        self.links.heard(now, from);
        match message {
            _ if self.links.get(from).is_none() => {}
            Message::Hello(hail) => self.on_hello(from, *hail, out),
            Message::Ping => out.send(from, Message::Pong),
            Message::Pong => {} // it was heard
            Message::Bye => {
                if self.links.is_active(from) {
                    out.emit(Event::Left(from));
                }
                out.push(Output::Close(from));
                self.gone(now, from, true, out);
            }
        }
    }

    fn on_tick(&mut self, now: Time, out: &mut Out<TAGS>) {
        self.set_tick(out);
        for (peer, due) in self.links.tick(now, &self.config.patience, |_| false) {
            match due {
                Due::Hello => out.send(peer, Message::Hello(self.links.hail(peer))),
                Due::Probe => {
                    self.metrics.probes += 1;
                    out.send(peer, Message::Ping);
                }
                Due::GivenUp => {
                    out.push(Output::Close(peer));
                    self.failed(now, peer, out);
                }
            }
        }
        self.dial(now, out);
    }
}

impl<const TAGS: u8> Protocol for List<TAGS> {
    type Command = Command;
    type Message = Message<TAGS>;
    type Timer = Timer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Out<TAGS>) {
        match input {
            Input::Start => self.start(now, out),
            Input::Command(Command::Join(addrs)) => self.join(now, &addrs, out),
            Input::Command(Command::Leave) => self.leave(now, out),
            Input::Command(Command::Connect(addr)) if Self::BY_COMMAND => self.join(now, &[addr], out),
            Input::Command(Command::Disconnect(addr)) if Self::BY_COMMAND => self.disconnect(now, &addr, out),
            Input::Command(_) => {}
            Input::Received { from, message } => self.on_message(now, from, &message, out),
            Input::Expired(Timer::Tick) => self.on_tick(now, out),
            Input::LinkUp { peer, dialed } => self.on_link_up(now, &peer, dialed.as_ref(), out),
            Input::DialFailed(addr) => self.dialler.failed(now, &addr, &mut self.rng),
            Input::LinkDown(peer) => self.failed(now, peer, out),
            Input::Drained { .. } => {}
        }
    }
}

impl<const TAGS: u8> Membership for List<TAGS> {
    fn contact(&self) -> &Contact {
        &self.me
    }

    fn active(&self) -> Vec<Contact> {
        self.links.active().cloned().collect()
    }

    fn passive(&self) -> Vec<Contact> {
        Vec::new()
    }

    fn members(&self) -> Vec<(Contact, Standing)> {
        self.links.active().map(|contact| (contact.clone(), Standing::Alive)).collect()
    }

    fn contact_of(&self, peer: PeerId) -> Option<&Contact> {
        self.links.get(peer).filter(|link| link.active).map(|link| &link.contact)
    }

    fn is_active(&self, peer: PeerId) -> bool {
        self.links.is_active(peer)
    }

    fn heard(&mut self, now: Time, from: PeerId) {
        self.links.heard(now, from);
    }

    fn accepts(&self, command: &Command) -> bool {
        match command {
            Command::Join(_) | Command::Leave | Command::Mark(_) => true,
            Command::Connect(_) | Command::Disconnect(_) => Self::BY_COMMAND,
            Command::Evict(_) => false,
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

#[cfg(test)]
mod tests;
