//! The node's side of groups: what has changed is told, what is told is merged in one step.

use super::links::{Around, Outcome};
use super::message::{Group, Interval, Message};
use super::{Groups, Timer};
use crate::clock::MAX_DRIFT_MS;
use crate::key::Key;
use crate::node::{self, Node, Origin};
use crate::payload::Batch;
use crate::wire::{Control, Item};
use lasp_overlay::membership::Membership as _;
use lasp_overlay::{Outbox, PeerId, Time};

impl Node {
    fn with_groups(&mut self, work: impl FnOnce(&mut Groups, &crate::store::Store, &Around<'_>) -> Outcome) -> Outcome {
        let neighbours: Vec<PeerId> = self.membership().active().iter().map(|contact| contact.id).collect();
        let Self { groups, store, sync, .. } = self;
        let hears = |peer, group: &str| sync.hears(peer, group);
        work(groups, store, &Around { neighbours: &neighbours, hears: &hears })
    }

    fn groups_go_on(&mut self, outcome: Outcome, out: &mut Outbox<Self>) {
        for (peer, message) in outcome.say {
            self.push(peer, Item::Control(Control::Causal(message)));
        }
        for (after, timer) in outcome.timers {
            out.set_timer(after, node::Timer::Causal(timer));
        }
    }

    /// Neighbours have come or gone, or somebody hears something else than before.
    pub(crate) fn look_around_groups(&mut self, out: &mut Outbox<Self>) {
        let outcome = self.with_groups(|groups, store, around| groups.look_around(store, around));
        self.groups_go_on(outcome, out);
    }

    /// Tells the neighbours what has changed in groups; one of them not what it has said itself.
    pub(crate) fn spread_groups(&mut self, said: Option<(PeerId, &Batch)>, out: &mut Outbox<Self>) {
        if self.grouped.is_empty() {
            return;
        }
        let news = std::mem::take(&mut self.grouped);
        let outcome = self.with_groups(|groups, store, around| groups.changed(said, &news, store, around));
        self.groups_go_on(outcome, out);
    }

    pub(crate) fn on_causal(&mut self, now: Time, from: PeerId, message: Message, out: &mut Outbox<Self>) {
        let outcome = match message {
            Message::Compare { number, group, fingerprint, digests } => self.with_groups(|groups, store, around| {
                groups.compared(from, (number, group, fingerprint), digests, store, around)
            }),
            Message::More(number) => self.with_groups(|groups, store, _| groups.more(from, number, store)),
            Message::Acknowledged(number) => self.groups.acknowledged(from, number),
            Message::Interval(interval) => return self.on_interval(now, from, interval, out),
        };
        self.groups_go_on(outcome, out);
    }

    /// Merges an interval once all of it is here and may be merged. One of which something is stamped too far ahead of the
    /// clock here is left alone, and told again, until its time has come: a part of it would be no state that anybody had.
    fn on_interval(&mut self, now: Time, from: PeerId, interval: Interval, out: &mut Outbox<Self>) {
        let (number, answers, group) = (interval.number, interval.answers, interval.group.clone());
        if !self.groups.fits(&interval) {
            self.metrics.intervals_refused += 1;
            return;
        }
        let Some(batch) = self.groups.assemble(from, interval) else { return };
        if !self.admits(now, &group, &batch) {
            self.metrics.intervals_refused += 1;
            return;
        }
        self.metrics.intervals += 1;
        for (key, delta) in batch.iter() {
            self.apply_one(key, delta, out);
        }
        self.settle(Origin::Shared, out);
        self.groups.merged(from, &group, answers);
        self.spread_groups(Some((from, &batch)), out);
        self.push(from, Item::Control(Control::Causal(Message::Acknowledged(number))));
    }

    fn admits(&self, now: Time, group: &Group, batch: &Batch) -> bool {
        let now_ms = self.clock.wall_ms(now);
        let admits = |(key, delta): (&Key, &lasp_dataflow::State)| {
            key.group().as_ref() == Some(group) && self.store.wants(key) && delta.admit(now_ms, MAX_DRIFT_MS).is_ok()
        };
        batch.iter().all(admits)
    }

    pub(crate) fn causal_expired(&mut self, timer: &Timer, out: &mut Outbox<Self>) {
        let waits = self.tells_groups(timer.peer);
        if waits || !timer.left {
            // What has not left for long cannot have been answered; said again, it would never end on a slow link.
            let timer = Timer { left: !waits, ..timer.clone() };
            return out.set_timer(self.config.causal.patience, node::Timer::Causal(timer));
        }
        let outcome = self.groups.expired(timer, &self.store);
        self.groups_go_on(outcome, out);
    }
}
