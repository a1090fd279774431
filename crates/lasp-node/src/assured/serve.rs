//! The node's side: what is entrusted to it is merged as what came by comparing is, and held if nothing of it was left out.

use super::message::Passing;
use super::own::Terms;
use super::{Acknowledgement, Answer, Around, Assured, Message, Outcome, Timer, Witness};
use crate::command::{Reply, RequestError, RequestId};
use crate::key::Key;
use crate::node::{self, Node, Origin};
use crate::open::reply;
use crate::payload::Batch;
use crate::session::SessionToken;
use crate::wire::{Control, Item};
use lasp_dataflow::{Op, State, VarId};
use lasp_overlay::membership::Membership as _;
use lasp_overlay::{Outbox, PeerId, Time};
use std::time::Duration;

impl Node {
    /// Applies an operation, and answers when so many other nodes hold it or the time is over. What changes nothing here may
    /// still be news elsewhere: then they are to hold all of the variable.
    pub(crate) fn assure(
        &mut self,
        now: Time,
        id: RequestId,
        (var, op): (VarId, Op),
        (wanted, within): (usize, Duration),
        session: Option<Box<SessionToken>>,
        out: &mut Outbox<Self>,
    ) -> Result<Option<Reply>, RequestError> {
        let key = self.store.key(var).cloned();
        if wanted > 0 {
            self.assured.admit(wanted)?;
            self.replicated(var)?;
        }
        self.check_session(session.as_deref(), key.as_ref())?;
        self.update(now, var, op)?;
        self.settle(Origin::Update, out);
        let session = session.map(|token| Box::new(self.noted(key.as_ref(), *token)));
        let Some(key) = key.filter(|_| wanted > 0) else {
            let acknowledgement = Acknowledgement { by: Vec::new(), wanted, known: self.known_others() };
            return Ok(Some(Reply::Acknowledged { acknowledgement, session }));
        };
        let delta = self.made(&key).or_else(|| self.store.state(&key)).cloned();
        let delta = delta.unwrap_or_else(|| State::bottom(key.ty()));
        let terms = Terms { request: id, wanted, within, session };
        let outcome = self.with_around(|assured, _, around| assured.begin(terms, &key, delta, around));
        self.assurances(outcome, out);
        Ok(None)
    }

    /// What the present input has changed of a variable.
    pub(crate) fn made(&self, key: &Key) -> Option<&State> {
        self.fresh.get(key).or_else(|| self.grouped.get(key))
    }

    /// Refuses a variable that no other node can hold.
    fn replicated(&self, var: VarId) -> Result<(), RequestError> {
        let info = self.store.graph().info(var).ok_or(RequestError::UnknownVariable(var))?;
        let replicated = self.store.key(var).is_some();
        if replicated { Ok(()) } else { Err(RequestError::NotReplicated(info.name.clone())) }
    }

    fn known_others(&self) -> usize {
        self.membership().members().len()
    }

    fn with_around(&mut self, work: impl FnOnce(&mut Assured, &mut Witness, &Around<'_>) -> Outcome) -> Outcome {
        let neighbours: Vec<PeerId> = self.membership().active().iter().map(|contact| contact.id).collect();
        let Self { assured, witness, sync, .. } = self;
        let wants = |peer, key: &Key| sync.wants(peer, key);
        work(assured, witness, &Around { neighbours: &neighbours, wants: &wants })
    }

    fn assurances(&mut self, outcome: Outcome, out: &mut Outbox<Self>) {
        for (peer, message) in outcome.say {
            self.push(peer, Item::Control(Control::Assured(message)));
        }
        for (after, timer) in outcome.timers {
            out.set_timer(after, node::Timer::Assured(timer));
        }
        for Answer { request, acknowledgement, session } in outcome.answers {
            let enough = acknowledgement.is_enough();
            self.metrics.assured += u64::from(enough);
            self.metrics.unassured += u64::from(!enough);
            reply(request, Ok(Reply::Acknowledged { acknowledgement, session }), out);
        }
    }

    pub(crate) fn on_assured(&mut self, now: Time, from: PeerId, message: Message, out: &mut Outbox<Self>) {
        match message {
            Message::Entrust { number, passing, batch } => self.entrusted(now, from, (number, passing, batch), out),
            Message::Held { number, by } => {
                let known = self.known_others();
                let mut outcome = self.assured.held(from, number, &by, known);
                outcome.say.extend(self.witness.held(from, number, &by).say);
                self.assurances(outcome, out);
            }
        }
    }

    fn entrusted(&mut self, now: Time, from: PeerId, entrusted: (u64, Option<Passing>, Batch), out: &mut Outbox<Self>) {
        let (_, passing, batch) = &entrusted;
        if self.witness.is_own(passing.as_ref()) {
            return;
        }
        // What is not kept is passed on as it came, and is no news that the tree might have lost.
        let kept = batch.filtered(|key| self.store.wants(key));
        self.learn(now, from, &kept, out);
        let held = !batch.is_empty() && batch.iter().all(|(key, delta)| self.holds(key, delta));
        self.metrics.entrusted += u64::from(held);
        let outcome = self.with_around(|assured, witness, around| {
            witness.entrusted(now, from, entrusted, held, || assured.number(), around)
        });
        self.metrics.entrusts_refused = self.witness.refused();
        self.assurances(outcome, out);
    }

    /// Whether this node hears a variable, and it says all that a delta says.
    fn holds(&self, key: &Key, delta: &State) -> bool {
        let held = self.store.state(key).filter(|_| self.store.hears(key));
        held.is_some_and(|state| delta.difference(state).is_bottom())
    }

    pub(crate) fn assured_peer_up(&mut self, now: Time, peer: PeerId, out: &mut Outbox<Self>) {
        self.witness.peer_up(now, peer);
        let outcome = self.with_around(|assured, _, around| assured.peer_up(peer, around));
        self.assurances(outcome, out);
    }

    pub(crate) fn assured_peer_down(&mut self, peer: PeerId, out: &mut Outbox<Self>) {
        self.witness.peer_down(peer);
        let outcome = self.with_around(|assured, _, around| assured.peer_down(peer, around));
        self.assurances(outcome, out);
    }

    pub(crate) fn assured_expired(&mut self, timer: Timer, out: &mut Outbox<Self>) {
        let known = self.known_others();
        let outcome = self.with_around(|assured, _, around| assured.expired(timer, known, around));
        self.assurances(outcome, out);
    }
}
