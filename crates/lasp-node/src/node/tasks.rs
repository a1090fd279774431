//! What follows from a change: programs, enforcements, what they spread, comparisons.

use super::{Node, Origin, Timer};
use crate::command::{Event, Reply};
use crate::once::{self, Party};
use crate::payload::Payload;
use crate::programs::{Programs, Told, Tools};
use crate::sync::{Appointment, Outcome};
use lasp_overlay::{Input, Outbox, PeerId, Time, broadcast};

impl Node {
    pub(crate) fn with_programs<T>(&mut self, now: Time, work: impl FnOnce(&mut Programs, &mut Tools<'_>) -> T) -> T {
        let Self { store, clock, once, metrics, ids, programs, .. } = self;
        work(programs, &mut Tools { now, store, clock, once, metrics, ids })
    }

    /// Lets programs and enforcements do what has become due, and what becomes due by that. It ends: each trigger acts once.
    pub(super) fn attend(&mut self, now: Time, out: &mut Outbox<Self>) {
        loop {
            let once::Outcome { timers, due, over } = self.once.take();
            for (after, token, turn) in timers {
                out.set_timer(after, Timer::Once { token, turn });
            }
            for party in over {
                self.tell_party(party, Reply::Done, out);
            }
            for (token, party) in due {
                self.tell_party(party, Reply::Due(token), out);
            }
            if !self.programs.is_stirred() {
                return;
            }
            // What programs derive when they are set up, others derive too.
            let origin = if self.programs.is_stale() { Origin::Shared } else { Origin::Update };
            if self.with_programs(now, Programs::work) {
                self.interests_changed(now, out);
            }
            for told in self.programs.take_told() {
                out.emit(match told {
                    Told::Printed(program, text) => Event::Printed { program, text },
                    Told::Failed(program, message) => Event::ActionFailed { program, message },
                });
            }
            self.settle(origin, out);
        }
    }

    pub(super) fn tell_party(&mut self, party: Party, reply: Reply, out: &mut Outbox<Self>) {
        match party {
            Party::Request(id) => {
                self.metrics.enforced += u64::from(matches!(reply, Reply::Due(_)));
                out.emit(Event::Reply { id, result: Ok(reply) });
            }
            Party::Program(name, trigger) if matches!(reply, Reply::Due(_)) => self.programs.due(name, trigger),
            Party::Program(..) => {}
        }
    }

    /// Broadcasts what was made here since the last time, or has it told at the next exchange.
    pub(super) fn spread(&mut self, now: Time, out: &mut Outbox<Self>) {
        self.spread_groups(None, out);
        if self.fresh.is_empty() {
            return;
        }
        let fresh = std::mem::take(&mut self.fresh);
        for (key, delta) in fresh.iter() {
            self.exchange.absorb(None, key, delta, |peer, key| self.sync.wants(peer, key));
        }
        if !self.config.dissemination.pushes() {
            return;
        }
        self.surge.note(now, fresh.len());
        if !self.broadcast.shapes_next(now) && !self.surge.names(now, &mut self.rng) {
            return self.pass_on(now, None, &fresh);
        }
        let payload = Payload::new(fresh);
        self.feed_broadcast(now, Input::Command(broadcast::Command::Broadcast(payload)), out);
    }

    // ---- anti-entropy ----

    pub(crate) fn synchronise(&mut self, now: Time, outcome: Outcome, out: &mut Outbox<Self>) {
        self.metrics.sync_differences += u64::from(outcome.differs);
        if let Some(equal) = outcome.equal {
            self.metrics.digests_received += 1;
            self.metrics.digests_equal += u64::from(equal);
        }
        for (peer, item) in outcome.items {
            self.push(peer, item);
        }
        if let Some(peer) = outcome.disagrees {
            self.route(now, out, |routes, _, outcome| routes.repeat(now, peer, outcome));
        }
        for (after, appointment) in outcome.timers {
            out.set_timer(after, Timer::Sync(appointment));
        }
    }

    /// Has synchronisation know whether a neighbour takes what it is sent.
    pub(super) fn weigh(&mut self, peer: PeerId) {
        if let Some(link) = self.links.get(&peer) {
            self.sync.weigh(peer, link.capacity(&self.config.link));
        }
    }

    pub(super) fn compare(&mut self, now: Time, appointment: Appointment, out: &mut Outbox<Self>) {
        // What the tree lost, it lost for all those behind this node too.
        let left = self.detours.leftovers(now);
        if !left.is_empty() {
            self.pass_on(now, None, &left);
        }
        self.told.forget(now);
        self.weigh(appointment.peer());
        let mut outcome = Outcome::default();
        let surge = self.surge.explains(now);
        if self.detours.overflown(now) && surge {
            self.sync.doubt(now, &mut self.rng, &mut outcome);
        }
        let compared = self.sync.expired(now, appointment, &mut self.store, surge, &mut self.rng, &mut outcome);
        self.metrics.syncs += u64::from(compared);
        self.synchronise(now, outcome, out);
    }
}
