//! What the unit tests of every strategy begin with: peers by their numbers, effects by short names, and one peer with a clock.

use super::{Command, Event, Membership};
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::{Input, Outbox, Output};
use crate::time::Time;
use std::time::Duration;

pub(super) fn addr(n: u64) -> Addr {
    Addr::new(&format!("p{n}")).expect("short")
}

pub(super) fn contact(n: u64) -> Contact {
    Contact { id: PeerId(n), incarnation: 1, addr: addr(n) }
}

/// The same peer in its next life.
pub(super) fn reborn(n: u64) -> Contact {
    Contact { incarnation: 2, ..contact(n) }
}

pub(super) fn send<P: Membership>(to: u64, message: P::Message) -> Output<P> {
    Output::Send { to: PeerId(to), message }
}

pub(super) fn close<P: Membership>(n: u64) -> Output<P> {
    Output::Close(PeerId(n))
}

pub(super) fn up<P: Membership>(n: u64) -> Output<P> {
    Output::Emit(Event::Up(contact(n)))
}

pub(super) fn down<P: Membership>(n: u64) -> Output<P> {
    Output::Emit(Event::Down(PeerId(n)))
}

pub(super) fn left<P: Membership>(n: u64) -> Output<P> {
    Output::Emit(Event::Left(PeerId(n)))
}

/// A strategy whose effects are compared.
pub(super) trait Tested: Membership + Sized {
    /// An effect as tests see it: without what is drawn at random; nothing if they do not look at it.
    fn seen(effect: Output<Self>) -> Option<Output<Self>>;
}

/// One peer and a clock.
pub(super) struct Bench<P> {
    pub(super) peer: P,
    pub(super) now: Time,
}

impl<P: Tested> Bench<P> {
    /// Starts a peer; with what it does first.
    pub(super) fn start(peer: P) -> (Self, Vec<Output<P>>) {
        let mut bench = Self { peer, now: Time::ZERO };
        let started = bench.input(Input::Start);
        (bench, started)
    }

    /// Feeds one input; all effects, as they are.
    pub(super) fn feed(&mut self, input: Input<P>) -> Vec<Output<P>> {
        let mut out = Outbox::new();
        self.peer.handle(self.now, input, &mut out);
        out.take()
    }

    /// Feeds one input; its effects as tests see them.
    pub(super) fn input(&mut self, input: Input<P>) -> Vec<Output<P>> {
        self.feed(input).into_iter().filter_map(P::seen).collect()
    }

    pub(super) fn command(&mut self, command: Command) -> Vec<Output<P>> {
        self.input(Input::Command(command))
    }

    pub(super) fn receive(&mut self, from: u64, message: P::Message) -> Vec<Output<P>> {
        self.input(Input::Received { from: PeerId(from), message })
    }

    pub(super) fn expire(&mut self, timer: P::Timer) -> Vec<Output<P>> {
        self.input(Input::Expired(timer))
    }

    pub(super) fn wait(&mut self, stretch: Duration) {
        self.now = self.now + stretch;
    }

    /// Has `n` dial this peer.
    pub(super) fn link(&mut self, n: u64) -> Vec<Output<P>> {
        self.input(Input::LinkUp { peer: contact(n), dialed: None })
    }

    pub(super) fn active(&self) -> Vec<u64> {
        self.peer.active().iter().map(|contact| contact.id.0).collect()
    }

    pub(super) fn reachable(&self) -> Vec<u64> {
        self.peer.reachable().iter().map(|contact| contact.id.0).collect()
    }

    pub(super) fn members(&self) -> Vec<u64> {
        self.peer.members().iter().map(|(contact, _)| contact.id.0).collect()
    }
}
