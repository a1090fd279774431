//! Deltas on their way through a node: into the store, and on to whom they are news.

use super::{Node, Origin, Timer};
use crate::clock::MAX_DRIFT_MS;
use crate::command::Event;
use crate::key::Key;
use crate::once;
use crate::payload::{Batch, Payload};
use crate::store::Applied;
use crate::system;
use crate::wire::Item;
use lasp_dataflow::{Cause, Effects, State};
use lasp_overlay::{Outbox, PeerId, Time, broadcast};
use std::borrow::Cow;

impl Node {
    /// What a broadcast says beyond what was passed on before, if it merged with others. Broadcasts that merged differently
    /// on two links overlap; passed on whole, what they share would go over every link once for each of them (removal of
    /// redundant state: Enes et al., ICDE'19 §IV).
    pub(crate) fn news_of(&mut self, now: Time, ids: &broadcast::Ids, payload: Payload) -> Payload {
        let merged = ids.single().is_none();
        let batch = payload.batch();
        if !merged && batch.iter().all(|(key, _)| self.store.wants(key)) {
            // It is passed on whole: what of it had come by comparing has now come along the tree.
            batch.iter().for_each(|(key, delta)| _ = self.detours.take(now, key, delta));
            return payload;
        }
        let (mut news, mut whole) = (Batch::default(), true);
        for (key, delta) in batch.iter() {
            let (rest, _) = self.news_in(now, key, delta);
            whole &= rest == *delta;
            if !rest.is_bottom() {
                news.absorb(key, &rest);
            }
        }
        if whole || !merged { payload } else { Payload::new(news) }
    }

    /// What of a delta was not passed on along the tree before; `false` if there is no telling.
    pub(super) fn news_in(&mut self, now: Time, key: &Key, delta: &State) -> (State, bool) {
        if self.store.wants(key) {
            let mut rest = self.beyond_store(key, delta);
            rest.merge(self.detours.take(now, key, delta));
            rest.merge(self.echo.shared(key, delta));
            return (rest, true);
        }
        let rest = self.passed.beyond(now, key, delta);
        let told = rest.is_bottom() || self.passed.remember(now, key, rest.clone(), false);
        (rest, told)
    }

    /// Merges received deltas.
    pub(super) fn apply(&mut self, now: Time, from: PeerId, batch: &Batch, out: &mut Outbox<Self>) {
        for (key, delta) in batch.iter() {
            if let Some(delta) = self.admitted(now, key, delta) {
                self.hand_on_pushed(from, key, &delta);
                self.apply_one(key, &delta, out);
            }
        }
        self.settle(Origin::Shared, out);
    }

    /// What was pushed to this node is exchanged too: the neighbours may have missed it.
    pub(super) fn hand_on_pushed(&mut self, from: PeerId, key: &Key, delta: &State) {
        if self.config.sync_mode.remembers_deltas() {
            let news = self.beyond_store(key, delta);
            self.hand_on(from, key, delta, &news);
        }
    }

    /// What of a delta the store does not hold.
    pub(super) fn beyond_store(&self, key: &Key, delta: &State) -> State {
        self.store.state(key).map_or_else(|| delta.clone(), |state| delta.difference(state))
    }

    /// Has the neighbours told, at the next exchange, what is about to be merged, of which `news` is not held yet.
    pub(super) fn hand_on(&mut self, from: PeerId, key: &Key, delta: &State, news: &State) {
        if !self.store.wants(key) {
            return;
        }
        if let Some(part) = self.exchange.part(delta, news) {
            self.exchange.absorb(Some(from), key, part, |peer, key| self.sync.wants(peer, key));
        }
    }

    /// What may be merged of a received delta: a register's write is left out if it is stamped too far ahead of the clock
    /// here. It stays a difference to those who hold it, so it is offered again by comparing, and let in when its time
    /// has come. `None` where nothing is left.
    pub(super) fn admitted<'a>(&mut self, now: Time, key: &Key, delta: &'a State) -> Option<Cow<'a, State>> {
        if key.is_grouped() {
            return None; // groups come in whole intervals alone
        }
        if system::is_reserved(key.name().as_str()) && system::type_of(key.name().as_str()).as_ref() == Some(key.ty()) {
            let now_ms = self.clock.wall_ms(now);
            let (admitted, refused) = system::admitted(key, delta, self.store.state(key), now_ms);
            self.metrics.entries_refused += refused;
            return (!admitted.is_bottom()).then_some(Cow::Owned(admitted));
        }
        let now_ms = self.clock.wall_ms(now);
        if !self.store.wants(key) || delta.admit(now_ms, MAX_DRIFT_MS).is_ok() {
            return Some(Cow::Borrowed(delta));
        }
        self.metrics.drifted += 1;
        let rest = delta.admitted(now_ms, MAX_DRIFT_MS);
        (!rest.is_bottom()).then_some(Cow::Owned(rest))
    }

    pub(crate) fn apply_one(&mut self, key: &Key, delta: &State, out: &mut Outbox<Self>) -> Applied {
        self.echo.heard(key, delta);
        let applied = self.store.apply(key, delta.clone());
        match &applied {
            Applied::Grew => self.metrics.merges += 1,
            Applied::Redundant => self.metrics.redundant += 1,
            Applied::NotWanted => {}
            Applied::Conflict(here) => {
                let (name, here, there) = (key.name().clone(), here.clone(), key.ty().clone());
                out.emit(Event::TypeConflict { name, here, there });
            }
        }
        applied
    }

    /// Merges what came by comparing; `true` if anything grew.
    pub(crate) fn learn(&mut self, now: Time, from: PeerId, batch: &Batch, out: &mut Outbox<Self>) -> bool {
        let filling = self.routing.is_filling(now);
        let mut grew = false;
        for (key, delta) in batch.iter() {
            let Some(delta) = self.admitted(now, key, delta) else { continue };
            let news = self.beyond_store(key, &delta);
            self.hand_on(from, key, &delta, &news);
            if self.config.dissemination.pushes() && !news.is_bottom() {
                // What is filled in is not under way.
                self.surge.learn(now, if filling { 0 } else { news.entries() });
                self.detours.remember(now, key, news, self.surge.explains(now) && !filling);
            }
            grew |= self.apply_one(key, &delta, out) == Applied::Grew;
        }
        self.settle(Origin::Shared, out);
        grew
    }

    /// Merges deltas that came along the tree without ids, and passes on what was news. Where this node cannot tell, it
    /// passes nothing on: what has no ids could go in circles.
    pub(crate) fn relay(&mut self, now: Time, from: PeerId, batch: &Batch, out: &mut Outbox<Self>) {
        let mut news = Batch::default();
        for (key, delta) in batch.iter() {
            let Some(delta) = self.admitted(now, key, delta) else { continue };
            let (rest, told) = self.news_in(now, key, &delta);
            self.hand_on_pushed(from, key, &delta);
            let conflict = matches!(self.apply_one(key, &delta, out), Applied::Conflict(_));
            if told && !conflict && !rest.is_bottom() {
                news.absorb(key, &rest);
            }
        }
        self.settle(Origin::Shared, out);
        self.surge.note(now, news.iter().map(|(_, delta)| delta.entries()).sum());
        if !news.is_empty() {
            self.pass_on(now, Some(from), &news);
        }
    }

    /// Sends deltas along the tree without an id: each node passes on what is news to it.
    pub(super) fn pass_on(&mut self, now: Time, from: Option<PeerId>, news: &Batch) {
        for (key, delta) in news.iter() {
            // Beyond its room, what is new in the tree finds out by comparing.
            self.told.remember(now, key, delta, &self.store);
        }
        let eager: Vec<PeerId> = self.broadcast.eager().filter(|&peer| Some(peer) != from).collect();
        eager.into_iter().for_each(|peer| self.push_wanted(peer, Item::Relay(news.clone())));
    }

    /// Tells neighbours whose links are new in the tree what was passed on of late without an id: it did not go over them,
    /// and the links that it would have come over to those behind them may be gone.
    pub(super) fn catch_up(&mut self, now: Time) {
        let turned = self.broadcast.take_turned();
        if turned.is_empty() {
            return;
        }
        let told = self.told.all(now, &self.store);
        if !told.is_empty() {
            turned.into_iter().for_each(|peer| self.push_wanted(peer, Item::Relay(told.clone())));
        }
    }

    /// Takes what the graph did: own deltas are collected to be broadcast, owners hear what they wait for.
    pub(crate) fn settle(&mut self, origin: Origin, out: &mut Outbox<Self>) {
        let Effects { deltas, met, changed, errors } = self.store.settle();
        for change in &deltas {
            let Some(key) = self.store.key(change.var) else { continue };
            self.sessions.stir(key);
            if change.cause == Cause::Received {
                self.metrics.learnt(change.delta.entries());
            }
            if key.is_grouped() {
                self.grouped.absorb(key, &change.delta);
                continue;
            }
            match key.name().as_str() {
                system::PROGRAMS => self.programs.touch(),
                system::ONCE => {
                    once::tokens(&change.delta).into_iter().for_each(|token| self.once.heard(&self.store, token));
                }
                _ => {}
            }
            match (change.cause, origin) {
                (Cause::Received, _) => {}
                (Cause::Derived, Origin::Shared) => {
                    if let Some(after) = self.echo.push(key, &change.delta, &mut self.rng) {
                        out.set_timer(after, Timer::Echo);
                    }
                }
                (Cause::Local | Cause::Derived, _) => {
                    if !self.store.wants(key) {
                        self.routing.keep_for_others(&mut self.handover, key, &change.delta, out);
                    }
                    self.metrics.coalesced += u64::from(self.fresh.absorb(key, &change.delta));
                }
            }
        }
        for waiter in &met {
            if !self.once.met(&self.store, *waiter) {
                self.programs.met(&mut self.ids, *waiter);
            }
        }
        self.open.met(&met, self.store.graph_mut(), out);
        self.open.changed(&changed, self.store.graph_mut(), out);
        for error in errors {
            out.emit(Event::DerivationFailed(error));
        }
    }
}
