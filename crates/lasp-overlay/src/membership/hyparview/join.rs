//! Entering the overlay, and leaving it.
//!
//! To join, the contacts are dialled one after the other, round after round with growing pauses, until one of them is
//! a neighbour. It spreads the word on random walks, at whose ends others become neighbours, too. A peer that has lost
//! all neighbours and finds no passive peer does the same again, for ever. Who leaves tells its neighbours, which
//! replace it at once and do not keep it; and whom it has asked to become one, who may have accepted.

use super::message::{LinkId, Message};
use super::neighbor::Purpose;
use super::{HyParView, Out, Timer};
use crate::membership::backoff::backoff;
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::Output;
use crate::time::Time;

/// The contacts, and how far the attempt to reach one of them has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Joining {
    contacts: Vec<Addr>,
    stage: Stage,
    /// The next contact of this round.
    next: usize,
    /// Rounds in a row in which no contact could be joined.
    rounds: u32,
    /// Whether the owner asked for this and no contact has been joined since.
    commanded: bool,
    /// Grows with every change of stage, so that stale timers are recognised.
    step: u32,
}

#[derive(Clone, Debug, Default)]
enum Stage {
    /// There is no need.
    #[default]
    Idle,
    /// A link to this contact is being dialled.
    Dialing { addr: Addr, purpose: Purpose },
    /// This peer has been asked to become a neighbour.
    Asking(PeerId),
    /// Until the next round.
    Resting,
}

impl Joining {
    /// A peer has become a neighbour: if it is a contact or the one asked, that was it.
    pub(super) fn reached(&mut self, contact: &Contact) {
        let asked = matches!(&self.stage, Stage::Asking(peer) if *peer == contact.id);
        if asked || self.contacts.contains(&contact.addr) {
            self.arrive();
        }
    }

    /// A contact is a neighbour.
    fn arrive(&mut self) {
        self.rounds = 0;
        self.commanded = false;
        self.enter(Stage::Idle);
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.step = self.step.wrapping_add(1);
    }

    const fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }
}

impl HyParView {
    /// Joins through any of `contacts`, which are remembered.
    pub(super) fn join(&mut self, now: Time, contacts: &[Addr], out: &mut Out) {
        if self.left {
            self.start(now, out);
        }
        self.joining.contacts.clear();
        for addr in contacts {
            if *addr != self.me.addr && !self.joining.contacts.contains(addr) {
                self.joining.contacts.push(addr.clone());
            }
        }
        self.joining.rounds = 0;
        self.joining.commanded = true;
        self.joining.enter(Stage::Idle);
        self.try_contacts(out);
    }

    /// Begins to try the contacts, unless that is under way.
    pub(super) fn try_contacts(&mut self, out: &mut Out) {
        if self.joining.is_idle() && !self.joining.contacts.is_empty() {
            self.joining.next = 0;
            self.try_next_contact(out);
        }
    }

    fn try_next_contact(&mut self, out: &mut Out) {
        let Some(addr) = self.joining.contacts.get(self.joining.next).cloned() else {
            return self.rest(out);
        };
        self.joining.next += 1;
        self.dial_contact(addr, Purpose::Join, out);
    }

    fn dial_contact(&mut self, addr: Addr, purpose: Purpose, out: &mut Out) {
        out.push(Output::Dial(addr.clone()));
        self.joining.enter(Stage::Dialing { addr, purpose });
        let step = self.joining.step;
        out.set_timer(self.config.dial_timeout, Timer::Join { step });
    }

    /// Turns to a contact once, outside of any round. `false` if `addr` is no contact, or another is being tried.
    pub(super) fn approach(&mut self, addr: &Addr, purpose: Purpose, out: &mut Out) -> bool {
        let may = self.joining.is_idle() && self.joining.contacts.contains(addr);
        if may {
            self.dial_contact(addr.clone(), purpose, out);
        }
        may
    }

    /// A random contact that is no neighbour.
    pub(super) fn distant_contact(&mut self) -> Option<Addr> {
        let is_neighbor = |addr: &Addr| self.view.neighbors().any(|n| n.contact.addr == *addr);
        let contacts = self.joining.contacts.iter();
        let distant: Vec<&Addr> = contacts.filter(|addr| !is_neighbor(addr)).collect();
        self.rng.choose(&distant).copied().cloned()
    }

    fn rest(&mut self, out: &mut Out) {
        self.joining.rounds = self.joining.rounds.saturating_add(1);
        self.joining.enter(Stage::Resting);
        let (base, max) = (self.config.join_backoff, self.config.join_backoff_max);
        let step = self.joining.step;
        let pause = backoff(&mut self.rng, base, max, self.joining.rounds);
        out.set_timer(pause, Timer::Join { step });
    }

    /// A contact did not answer in time, or it is time for the next round.
    pub(super) fn on_join_timer(&mut self, step: u32, out: &mut Out) {
        if step != self.joining.step {
            return;
        }
        match self.joining.stage {
            Stage::Dialing { .. } => self.contact_given_up(out),
            Stage::Resting if self.needs_contact() => {
                self.joining.next = 0;
                self.try_next_contact(out);
            }
            Stage::Resting => self.joining.enter(Stage::Idle),
            Stage::Idle | Stage::Asking(_) => {}
        }
    }

    fn needs_contact(&self) -> bool {
        self.joining.commanded || self.view.degree() == 0
    }

    /// The contact dialled or asked is no use: on to the next, if there is still need.
    fn contact_given_up(&mut self, out: &mut Out) {
        if self.needs_contact() {
            self.try_next_contact(out);
        } else {
            self.joining.enter(Stage::Idle);
        }
    }

    /// A peer did not become a neighbour: goes on if it was the contact asked.
    pub(super) fn contact_refused(&mut self, peer: PeerId, out: &mut Out) {
        if matches!(self.joining.stage, Stage::Asking(asked) if asked == peer) {
            self.contact_given_up(out);
        }
    }

    /// A link is up: if it leads to the contact dialled, asks it.
    pub(super) fn contact_reached(&mut self, now: Time, peer: &Contact, dialed: Option<&Addr>, out: &mut Out) {
        let Stage::Dialing { addr, purpose } = &self.joining.stage else {
            return;
        };
        let purpose = *purpose;
        if dialed != Some(addr) && *addr != peer.addr {
            return;
        }
        if self.view.is_active(peer.id) {
            return self.joining.arrive();
        }
        let stage = match purpose {
            Purpose::Join => Stage::Asking(peer.id),
            _ => Stage::Idle,
        };
        self.joining.enter(stage);
        if self.pending.remove(&peer.id).is_some_and(|pending| pending.purpose.is_swap()) {
            self.swap_failed(now, out);
        }
        self.request(now, peer, purpose, out);
    }

    /// No link could be had to an address.
    pub(super) fn contact_failed(&mut self, failed: &Addr, out: &mut Out) {
        if matches!(&self.joining.stage, Stage::Dialing { addr, .. } if addr == failed) {
            self.contact_given_up(out);
        }
    }

    /// A peer joins through this one: takes it in and spreads the word.
    pub(super) fn on_join(&mut self, now: Time, sender: Contact, link: LinkId, out: &mut Out) {
        self.clock.observe(link);
        let current = self.view.neighbor(sender.id).map(|neighbor| neighbor.link);
        if current.is_some_and(|current| link < current) {
            return;
        }
        let others = self.view.sample(self.config.welcome, self.config.welcome, sender.id, [].iter(), &mut self.rng);
        let peers = self.rng.sample(&others, self.config.welcome);
        if current.is_some() {
            self.renew(now, sender.id, link, peers, out);
        } else {
            self.accept(now, sender.clone(), link, peers, out);
        }
        if current != Some(link) {
            self.spread(&sender, out);
        }
    }

    /// Sends a joined peer on random walks through all other neighbours.
    fn spread(&mut self, joined: &Contact, out: &mut Out) {
        let ttl = self.config.active_walk;
        let others = self.view.neighbors().map(|neighbor| neighbor.contact.id);
        for neighbor in others.filter(|id| *id != joined.id) {
            let peer = joined.clone();
            out.send(neighbor, Message::ForwardJoin { ttl, peer });
        }
    }

    pub(super) fn on_forward_join(&mut self, now: Time, from: PeerId, ttl: u8, peer: Contact, out: &mut Out) {
        if peer.id == self.me.id {
            return;
        }
        let ttl = ttl.min(self.config.active_walk);
        if ttl == self.config.passive_walk {
            self.view.learn(&peer, &[], &mut self.rng);
        }
        let next = match ttl {
            0 => None,
            _ => self.view.random_neighbor(&[from, peer.id], &mut self.rng),
        };
        match next {
            Some(next) => out.send(next.id, Message::ForwardJoin { ttl: ttl - 1, peer }),
            None => self.request(now, &peer, Purpose::Walk, out),
        }
    }

    /// Leaves: tells the neighbours, and whoever may take this peer for one, and forgets everything.
    pub(super) fn leave(&mut self, out: &mut Out) {
        if self.left {
            return;
        }
        self.left = true;
        self.term += 1;
        let neighbors: Vec<(PeerId, LinkId)> =
            self.view.neighbors().map(|neighbor| (neighbor.contact.id, neighbor.link)).collect();
        for (peer, link) in neighbors {
            out.send(peer, Message::Disconnect { link, alive: false });
            self.deactivate(peer, out);
        }
        // Whoever was asked may have accepted: the answer is on its way.
        for (peer, link) in self.asked() {
            out.send(peer, Message::Disconnect { link, alive: false });
        }
        for peer in self.links.peers() {
            out.push(Output::Close(peer));
        }
        self.links.clear();
        self.pending.clear();
        self.view.clear();
        self.mending.clear();
        self.tags.clear();
        if let Some(xbot) = &mut self.xbot {
            xbot.clear();
        }
        self.joining = Joining { step: self.joining.step.wrapping_add(1), ..Joining::default() };
    }

    /// Answers whoever takes a peer that has left for a member.
    pub(super) fn answer_as_departed(&mut self, now: Time, sender: &Contact, message: &Message, out: &mut Out) {
        let (Message::Join { link }
        | Message::Request { link, .. }
        | Message::Accept { link, .. }
        | Message::Optimise { link, .. }
        | Message::Replace { link, .. }
        | Message::Switch { link, .. }
        | Message::Ping { link }) = message
        else {
            return;
        };
        let goodbye = Message::Disconnect { link: *link, alive: false };
        self.links.send(now, sender, goodbye, out);
    }
}
