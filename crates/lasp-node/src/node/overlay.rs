//! Membership and broadcast in the life of a node: what they emit is done here.

use super::{Node, Timer};
use crate::command::{Event, Reply, RequestError};
use crate::payload::Payload;
use crate::sync::Outcome;
use crate::wire::{Control, Item};
use lasp_overlay::broadcast::{self, Plumtree};
use lasp_overlay::membership::{self, AnyMembership, Membership as _};
use lasp_overlay::{Input, Outbox, Output, Protocol as _, Time, survey, unicast};

impl Node {
    pub(super) fn feed_membership(&mut self, now: Time, input: Input<AnyMembership>, out: &mut Outbox<Self>) {
        let mut effects = Outbox::new();
        self.stirs += 1;
        self.membership.handle(now, input, &mut effects);
        for effect in effects.drain() {
            match effect {
                Output::Send { to, message } => self.push(to, Item::Control(Control::Membership(message))),
                Output::SetTimer { after, timer } => out.set_timer(after, Timer::Membership(timer)),
                Output::Dial(addr) => out.push(Output::Dial(addr)),
                Output::Link(contact) => out.push(Output::Link(contact)),
                Output::Close(peer) => self.close(now, peer, out),
                Output::Emit(event) => self.membership_changed(now, event, out),
            }
        }
    }

    /// Has the membership strategy do something that not every one does.
    pub(crate) fn ask_membership(
        &mut self,
        now: Time,
        command: membership::Command,
        what: &'static str,
        out: &mut Outbox<Self>,
    ) -> Result<Reply, RequestError> {
        if !self.membership.accepts(&command) {
            return Err(RequestError::NotOfStrategy { strategy: self.config.membership.name(), what });
        }
        self.feed_membership(now, Input::Command(command), out);
        Ok(Reply::Done)
    }

    pub(super) fn membership_changed(&mut self, now: Time, event: membership::Event, out: &mut Outbox<Self>) {
        match &event {
            membership::Event::Up(contact) => {
                let peer = contact.id;
                self.feed_broadcast(now, Input::Command(broadcast::Command::NeighborUp(peer)), out);
                self.feed_unicast(now, Input::Command(unicast::Command::NeighborUp(peer)), out);
                self.feed_survey(now, Input::Command(survey::Command::NeighborUp(peer)), out);
                let mut outcome = Outcome::default();
                self.sync.peer_up(now, peer, &mut self.store, &mut self.rng, &mut outcome);
                self.exchange.peer_up(peer);
                self.synchronise(now, outcome, out);
                self.route_up(now, peer, out);
                self.assured_peer_up(now, peer, out);
                self.look_around_groups(out);
            }
            membership::Event::Down(peer) => {
                self.feed_broadcast(now, Input::Command(broadcast::Command::NeighborDown(*peer)), out);
                self.feed_unicast(now, Input::Command(unicast::Command::NeighborDown(*peer)), out);
                self.feed_survey(now, Input::Command(survey::Command::NeighborDown(*peer)), out);
                self.sync.peer_down(*peer, &mut self.store);
                self.exchange.peer_down(*peer);
                self.route_down(now, *peer, out);
                self.assured_peer_down(*peer, out);
                self.groups.peer_down(*peer);
                if self.surge.is_on(now) {
                    self.doubt_the_tree(now, out);
                }
            }
            membership::Event::Left(_)
            | membership::Event::Isolated
            | membership::Event::Joined
            | membership::Event::Evicted => {}
        }
        out.emit(Event::Membership(event));
    }

    pub(crate) fn feed_broadcast(&mut self, now: Time, input: Input<Plumtree<Payload>>, out: &mut Outbox<Self>) {
        let (given_up, grafts) = (self.broadcast.metrics().given_up, self.broadcast.metrics().grafts_sent);
        let mut effects = Outbox::new();
        self.broadcast.handle(now, input, &mut effects);
        let metrics = self.broadcast.metrics();
        let torn = metrics.grafts_sent > grafts && self.surge.is_on(now);
        let given_up = metrics.given_up > given_up;
        if torn {
            self.doubt_the_tree(now, out);
        } else if given_up {
            self.compare_with_all(now, out);
        }
        for effect in effects.drain() {
            match effect {
                Output::Send { to, message } => self.push_wanted(to, message.into()),
                Output::SetTimer { after, timer } => out.set_timer(after, Timer::Broadcast(timer)),
                Output::Emit(broadcast::Event::Deliver { from, payload, .. }) => {
                    self.apply(now, from, &payload.batch(), out);
                }
                // Links are the membership layer's: the broadcast layer asks for none.
                Output::Dial(_) | Output::Link(_) | Output::Close(_) => {}
            }
        }
        self.catch_up(now);
        self.follow_tree(now, out);
        self.mark_island(now, out);
    }

    /// What the membership layer is to know an island by: the last wave over it.
    pub(super) fn mark_island(&mut self, now: Time, out: &mut Outbox<Self>) {
        let wave = self.broadcast.wave();
        if let Some(mark) = wave.filter(|_| wave != self.marked) {
            self.marked = wave;
            self.feed_membership(now, Input::Command(membership::Command::Mark(mark)), out);
        }
    }

    /// The tree was torn while most broadcasts had no ids: comparisons find what they said.
    pub(super) fn doubt_the_tree(&mut self, now: Time, out: &mut Outbox<Self>) {
        let mut outcome = Outcome::default();
        self.sync.doubt(now, &mut self.rng, &mut outcome);
        self.synchronise(now, outcome, out);
    }

    /// A broadcast could not be had from anybody: a comparison finds what it said.
    pub(super) fn compare_with_all(&mut self, now: Time, out: &mut Outbox<Self>) {
        let mut outcome = Outcome::default();
        for contact in self.membership.active() {
            self.sync.recheck(now, contact.id, &mut self.rng, &mut outcome);
        }
        self.synchronise(now, outcome, out);
    }
}
