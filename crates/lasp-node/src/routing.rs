//! Interests in the life of a node: what `routes` says is done here.

use crate::config::Config;
use crate::exchange::Dissemination;
use crate::handover::{self, Handed, Handover};
use crate::key::Key;
use crate::node::{Node, Timer};
use crate::payload::{Batch, Payload};
use crate::routes::{self, Routes};
use crate::store::LINGER;
use crate::sync;
use crate::wire::{Control, Item};
use lasp_dataflow::State;
use lasp_overlay::broadcast::{self, Ids};
use lasp_overlay::{Input, Outbox, PeerId, Rng, Time};
use std::time::Duration;

/// How long what comes by comparing is taken for what a link had not in common before. A guess: it crosses a large cluster.
const FILLING: Duration = Duration::from_secs(10);

/// What a node remembers of it.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    /// Until when the past of what is newly kept may be coming.
    fills_until: Time,
    /// A look at what may be forgotten is due.
    frees: bool,
    /// A look at what is to be handed over is due.
    hands: bool,
    /// Neighbours that were asked for payloads and may answer that nothing is left of them.
    asked: Vec<PeerId>,
}

impl Routing {
    /// Whether the past of something may be coming that was not kept before.
    pub(crate) fn is_filling(&self, now: Time) -> bool {
        now < self.fills_until
    }

    /// Something was written here that is not heard here.
    pub(crate) fn keep_for_others(
        &mut self,
        handover: &mut Handover,
        key: &Key,
        delta: &State,
        out: &mut Outbox<Node>,
    ) {
        handover.add(key, delta);
        if !std::mem::replace(&mut self.hands, true) {
            out.set_timer(handover::EVERY, Timer::Handover);
        }
    }
}

/// Whether summaries of interests are passed on: where there is a tree to push along. Where payloads go over every link, or
/// none, they reach what they reached without.
pub(crate) fn passes_interests_on(config: &Config) -> bool {
    let tree = matches!(config.dissemination, Dissemination::Tree | Dissemination::Hybrid);
    tree && !config.broadcast.floods
}

impl Node {
    /// Has the routes do something, and does what follows.
    pub(crate) fn route(
        &mut self,
        now: Time,
        out: &mut Outbox<Self>,
        work: impl FnOnce(&mut Routes, &mut Rng, &mut routes::Outcome),
    ) {
        let mut outcome = routes::Outcome::default();
        work(&mut self.routes, &mut self.rng, &mut outcome);
        for (peer, message) in outcome.says {
            self.metrics.summaries_sent += 1;
            self.push(peer, Item::Control(Control::Interests(message)));
        }
        if let Some(after) = outcome.wake {
            out.set_timer(after, Timer::Routes);
        }
        if !outcome.changed.is_empty() {
            self.keep_in_common(now, &outcome.changed, out);
        }
        if let Some(peer) = outcome.unclear {
            let mut compared = sync::Outcome::default();
            self.sync.recheck(now, peer, &mut self.rng, &mut compared);
            self.synchronise(now, compared, out);
        }
        if outcome.pulse && self.broadcast.shapes_next(now) {
            let nothing = Payload::new(Batch::default());
            self.feed_broadcast(now, Input::Command(broadcast::Command::Broadcast(nothing)), out);
        }
    }

    /// Links have something else in common: it is kept from now on, and compared soon.
    fn keep_in_common(&mut self, now: Time, changed: &[PeerId], out: &mut Outbox<Self>) {
        self.routing.fills_until = now + FILLING;
        self.store.set_kept(now, self.routes.kept());
        let mut compared = sync::Outcome::default();
        for &peer in changed {
            let common = self.routes.common(peer);
            self.sync.common_changed(now, peer, common, &mut self.store, &mut self.rng, &mut compared);
            self.exchange.interests_changed(peer);
        }
        self.synchronise(now, compared, out);
        self.look_around_groups(out);
        self.await_freeing(out);
    }

    /// This node wants to hear something else.
    pub(crate) fn interests_changed(&mut self, now: Time, out: &mut Outbox<Self>) {
        self.routing.fills_until = now + FILLING;
        let own = self.store.interests().clone();
        self.route(now, out, |routes, rng, outcome| routes.own_changed(now, &own, rng, outcome));
        self.look_around_groups(out);
        self.await_freeing(out);
    }

    fn await_freeing(&mut self, out: &mut Outbox<Self>) {
        if self.store.has_unwanted() && !std::mem::replace(&mut self.routing.frees, true) {
            out.set_timer(LINGER, Timer::Free);
        }
    }

    /// Forgets what has not been wanted for long.
    pub(crate) fn free(&mut self, now: Time, out: &mut Outbox<Self>) {
        self.routing.frees = false;
        self.store.free(now);
        self.await_freeing(out);
    }

    /// A neighbour is there.
    pub(crate) fn route_up(&mut self, now: Time, peer: PeerId, out: &mut Outbox<Self>) {
        self.route(now, out, |routes, rng, outcome| routes.link_up(now, peer, rng, outcome));
        self.follow_tree(now, out);
    }

    /// A neighbour is gone.
    pub(crate) fn route_down(&mut self, now: Time, peer: PeerId, out: &mut Outbox<Self>) {
        self.routing.asked.retain(|asked| *asked != peer);
        self.handover.peer_down(peer);
        self.route(now, out, |routes, rng, outcome| routes.link_down(now, peer, rng, outcome));
    }

    /// The neighbours in the tree may have changed.
    pub(crate) fn follow_tree(&mut self, now: Time, out: &mut Outbox<Self>) {
        if self.routes.is_active() {
            let eager: Vec<PeerId> = self.broadcast.eager().collect();
            let shaped = self.broadcast.shaped_by();
            self.route(now, out, |routes, rng, outcome| {
                routes.tree(now, eager.into_iter(), shaped, rng, outcome);
            });
        }
    }

    /// Sends along the tree what of it is wanted at or beyond a neighbour. Ids go everywhere: the tree is one for all.
    pub(crate) fn push_wanted(&mut self, to: PeerId, item: Item) {
        let grafts = matches!(item, Item::Control(Control::Broadcast(broadcast::Message::Graft(_))));
        if grafts && !self.routing.asked.contains(&to) {
            self.routing.asked.push(to);
        }
        if !self.routes.is_active() {
            return self.push(to, item);
        }
        let wanted = |batch: &Batch| batch.restricted(|key| self.routes.carries(to, key.name().as_str()));
        let item = match item {
            Item::Relay(batch) => match wanted(&batch) {
                Some(rest) if rest.is_empty() => return,
                Some(rest) => Item::Relay(rest),
                None => Item::Relay(batch),
            },
            Item::Gossip { ids, round, payload } => {
                let payload = wanted(&payload.batch()).map_or(payload, Payload::new);
                Item::Gossip { ids, round, payload }
            }
            other => other,
        };
        self.push(to, item);
    }

    /// A broadcast arrives. Where interests differ, ways differ in what they leave of it: one that is known already may bring
    /// something all the same, and the answer to a graft may have nothing left.
    pub(crate) fn gossip(
        &mut self,
        now: Time,
        from: PeerId,
        ids: Ids,
        round: u16,
        payload: Payload,
        out: &mut Outbox<Self>,
    ) {
        let payload = if self.routes.is_active() && self.broadcast.has_seen(&ids) {
            self.relay(now, from, &payload.batch(), out);
            payload
        } else {
            self.news_of(now, &ids, payload)
        };
        let asked = self.routing.asked.iter().position(|peer| *peer == from);
        if let Some(at) = asked.filter(|_| payload.batch().is_empty()) {
            self.routing.asked.swap_remove(at);
            let mut compared = sync::Outcome::default();
            self.sync.recheck(now, from, &mut self.rng, &mut compared);
            self.synchronise(now, compared, out);
        }
        let message = broadcast::Message::Gossip { ids, round, payload };
        self.feed_broadcast(now, Input::Received { from, message }, out);
    }

    /// Hands over what was written here and is not heard here. What has come to be heard meanwhile, comparisons find.
    pub(crate) fn hand_over(&mut self, now: Time, out: &mut Outbox<Self>) {
        self.routing.hands = false;
        let routes = &self.routes;
        if let Some((to, handed)) = self.handover.due(now, |key| routes.ways(key.name().as_str())) {
            self.push(to, Item::Control(Control::Handed(handed)));
        }
        if !self.handover.is_idle() {
            self.routing.hands = true;
            out.set_timer(handover::EVERY, Timer::Handover);
        }
    }

    /// Deltas come that their node does not hear: what is kept here has found its place, the rest is passed on.
    pub(crate) fn on_handed(&mut self, now: Time, from: PeerId, handed: &Handed, out: &mut Outbox<Self>) {
        let kept = handed.batch.restricted(|key| self.store.wants(key));
        let rest = handed.batch.restricted(|key| !self.store.wants(key)).unwrap_or_else(|| handed.batch.clone());
        let kept = kept.as_ref().unwrap_or(&handed.batch);
        if !kept.is_empty() {
            self.on_data(now, from, kept, out);
        }
        if rest.is_empty() {
            return self.push(from, Item::Control(Control::Taken(handed.number)));
        }
        let routes = &self.routes;
        if let Some((to, handed)) = self.handover.pass(from, handed, rest, |key| routes.ways(key.name().as_str())) {
            self.push(to, Item::Control(Control::Handed(handed)));
        }
    }

    /// What was handed over has found its place.
    pub(crate) fn on_taken(&mut self, from: PeerId, number: u64) {
        if let Some((to, number)) = self.handover.acknowledged(from, number) {
            self.push(to, Item::Control(Control::Taken(number)));
        }
    }
}
