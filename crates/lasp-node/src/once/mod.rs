//! Enforcements: an action that is to happen once in the cluster when a variable has reached a threshold.
//!
//! There is no coordinator, and under a partition nobody can know what the other side does. So two things work together:
//!
//! - **Claims** make it rare that two nodes act. A node that sees the threshold reached waits a moment, shorter or longer by
//!   the hash of enforcement and node (rendezvous hashing: Thaler & Ravishankar, ToN'98), so that mostly one speaks first. It
//!   writes a claim into the replicated `record`, lets it settle, and acts if its claim is still the one that counts. Some
//!   time later, when what it did is known elsewhere, it writes that it is done. Whoever sees a claim that is not followed
//!   by that claims in its place.
//! - **What an action does counts once**, even if two nodes act: each update is made in the name of an author that stands
//!   for this enforcement and this update and nothing else, so both nodes make the same dots and the same counts
//!   ([`lasp_dataflow::Graph::update_once`]), and merging them is idempotent.
//!
//! The machine for one node: inputs are thresholds reached, records heard and timers; what it wants done comes out of
//! `Once::take`.

pub(crate) mod record;

use crate::command::RequestId;
use crate::store::Store;
use lasp_crdt::fingerprint::{hash, mix, mix3};
use lasp_crdt::{ReplicaId, Stamp, Timestamp};
use lasp_dataflow::{Name, Op, State, Threshold, ThresholdError, VarId, WaiterId};
use record::Record;
use std::collections::BTreeMap;
use std::time::Duration;

/// Names one enforcement: the same on every node that is to know it as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

impl Token {
    /// The token of what `content` identifies within `scope`: a program, a script.
    pub fn of(scope: &str, content: u64) -> Self {
        Self(mix(hash(scope), content))
    }
}

/// How the claims of enforcements are paced.
#[derive(Clone, Debug, PartialEq)]
pub struct OnceConfig {
    /// From the threshold to the earliest claim. Default 250 ms (guess: time to hear that it is done already).
    pub patience: Duration,
    /// The latest claim is so much later than the earliest. Default 500 ms (guess: several times what news takes).
    pub spread: Duration,
    /// From a claim to the action. Default 500 ms (guess: as above).
    pub settle: Duration,
    /// From the action to the note that it is done: what it did is to be known elsewhere by then. Default 2 s (guess).
    pub mark: Duration,
    /// From a claim of another node to claiming in its place, unless it is done. Above `settle` and `mark` together.
    /// Default 6 s (guess).
    pub lease: Duration,
}

impl Default for OnceConfig {
    fn default() -> Self {
        Self {
            patience: Duration::from_millis(250),
            spread: Duration::from_millis(500),
            settle: Duration::from_millis(500),
            mark: Duration::from_secs(2),
            lease: Duration::from_secs(6),
        }
    }
}

/// Who is told when it falls to this node to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// An owner, by its request.
    Request(RequestId),
    /// A program, by its trigger.
    Program(Name, u64),
}

/// How far an enforcement is at this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The threshold is not reached.
    Waiting,
    /// It is reached, and no claim is known.
    Reached,
    /// Another node has claimed in this round.
    Watching(i64),
    /// This node has claimed in this round, and lets it settle.
    Claimed(i64),
    /// It falls to this node: its party acts.
    Acting,
    /// This node has acted, and lets it spread.
    Acted,
    /// It is done, here or elsewhere.
    Done,
}

#[derive(Debug)]
struct Enforcement {
    party: Party,
    waiter: WaiterId,
    phase: Phase,
    /// Tells a timer from those before it.
    turn: u32,
    /// How often the action under way has made each update.
    updates: BTreeMap<u64, u64>,
}

/// What is to be done.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Timers to set: after how long, for which enforcement, which turn.
    pub(crate) timers: Vec<(Duration, Token, u32)>,
    /// Who is to act now.
    pub(crate) due: Vec<(Token, Party)>,
    /// Whose enforcement is done elsewhere.
    pub(crate) over: Vec<Party>,
}

/// The enforcements of one node.
#[derive(Debug)]
pub(crate) struct Once {
    config: OnceConfig,
    replica: ReplicaId,
    enforcements: BTreeMap<Token, Enforcement>,
    waiters: BTreeMap<WaiterId, Token>,
    outcome: Outcome,
}

impl Once {
    /// None yet.
    pub(crate) fn new(config: OnceConfig, replica: ReplicaId) -> Self {
        let (enforcements, waiters) = (BTreeMap::new(), BTreeMap::new());
        Self { config, replica, enforcements, waiters, outcome: Outcome::default() }
    }

    /// What there is to do since the last time.
    pub(crate) fn take(&mut self) -> Outcome {
        std::mem::take(&mut self.outcome)
    }

    /// Whether some enforcement is under way: reached here, and not done.
    pub(crate) fn is_busy(&self) -> bool {
        self.enforcements.values().any(|one| !matches!(one.phase, Phase::Waiting | Phase::Done))
    }

    /// Enforces from now on; `waiter` is a new id. An enforcement that is under way goes on, for this party.
    ///
    /// # Errors
    /// [`ThresholdError`]; then nothing is enforced that was not before.
    pub(crate) fn enforce(
        &mut self,
        store: &mut Store,
        token: Token,
        party: Party,
        (waiter, var, threshold): (WaiterId, VarId, Threshold),
    ) -> Result<(), ThresholdError> {
        let reached = store.graph_mut().wait(waiter, var, threshold)?;
        let turn = match self.enforcements.get_mut(&token) {
            Some(known) if known.phase != Phase::Waiting => {
                known.party = party;
                if known.phase == Phase::Done {
                    self.outcome.over.push(known.party.clone());
                }
                store.graph_mut().cancel(waiter);
                return Ok(());
            }
            Some(known) => {
                store.graph_mut().cancel(known.waiter);
                self.waiters.remove(&known.waiter);
                known.turn
            }
            None => 0,
        };
        let updates = BTreeMap::new();
        self.enforcements.insert(token, Enforcement { party, waiter, phase: Phase::Waiting, turn, updates });
        self.waiters.insert(waiter, token);
        if reached {
            self.met(store, waiter);
        }
        Ok(())
    }

    /// Enforces no longer. What this node did, it says first.
    pub(crate) fn forget(&mut self, store: &mut Store, token: Token) {
        if let Some(one) = self.enforcements.remove(&token) {
            if one.phase == Phase::Acted {
                record::done(store, token);
            }
            store.graph_mut().cancel(one.waiter);
            self.waiters.remove(&one.waiter);
        }
    }

    /// The owner of a request waits no longer.
    pub(crate) fn cancel(&mut self, store: &mut Store, id: RequestId) {
        let asked = |(_, one): &(&Token, &Enforcement)| one.party == Party::Request(id);
        let token = self.enforcements.iter().find(asked).map(|(token, _)| *token);
        if let Some(token) = token {
            self.forget(store, token);
        }
    }

    /// A threshold is reached; `false` if nothing is enforced by it.
    pub(crate) fn met(&mut self, store: &Store, waiter: WaiterId) -> bool {
        let Some(token) = self.waiters.remove(&waiter) else { return false };
        self.pass(token, Phase::Reached, self.delay(token));
        self.heard(store, token);
        true
    }

    /// How long this node waits longer than the least.
    fn delay(&self, token: Token) -> Duration {
        let place = u128::from(mix(token.0, self.replica.0));
        let further = (self.config.spread.as_micros() * place) >> 64;
        self.config.patience + Duration::from_micros(further as u64)
    }

    fn pass(&mut self, token: Token, phase: Phase, after: Duration) {
        let Some(one) = self.enforcements.get_mut(&token) else { return };
        one.phase = phase;
        one.turn = one.turn.wrapping_add(1);
        self.outcome.timers.push((after, token, one.turn));
    }

    /// What is known of an enforcement has changed, or may have.
    pub(crate) fn heard(&mut self, store: &Store, token: Token) {
        let Some(one) = self.enforcements.get_mut(&token) else { return };
        let record = Record::of(store, token);
        if record.done {
            let was = std::mem::replace(&mut one.phase, Phase::Done);
            if matches!(was, Phase::Reached | Phase::Watching(_) | Phase::Claimed(_)) {
                self.outcome.over.push(one.party.clone());
            }
            return;
        }
        let Some(claim) = record.claim else { return };
        let others = match one.phase {
            Phase::Reached => true,
            Phase::Watching(round) => claim.round > round,
            Phase::Claimed(_) => claim.replica != self.replica,
            Phase::Waiting | Phase::Acting | Phase::Acted | Phase::Done => false,
        };
        if others {
            self.pass(token, Phase::Watching(claim.round), self.config.lease + self.delay(token));
        }
    }

    /// A timer went off; `now` is a stamp of this moment.
    pub(crate) fn expired(&mut self, store: &mut Store, token: Token, turn: u32, now: Timestamp) {
        let Some(one) = self.enforcements.get_mut(&token).filter(|one| one.turn == turn) else { return };
        match one.phase {
            Phase::Reached | Phase::Watching(_) => {
                let claim = Record::of(store, token).next_claim(now, self.replica);
                record::claim(store, token, claim);
                self.pass(token, Phase::Claimed(claim.round), self.config.settle);
            }
            Phase::Claimed(_) => {
                one.phase = Phase::Acting;
                one.updates.clear();
                self.outcome.due.push((token, one.party.clone()));
            }
            Phase::Acted => {
                one.phase = Phase::Done;
                record::done(store, token);
            }
            Phase::Waiting | Phase::Acting | Phase::Done => {}
        }
    }

    /// The author and time of an update that the action makes: those of the same update wherever it is made. `None` unless
    /// it has fallen to this node to act.
    pub(crate) fn author(&mut self, store: &Store, token: Token, name: &Name, op: &Op) -> Option<Stamp> {
        let one = self.enforcements.get_mut(&token)?;
        if !matches!(one.phase, Phase::Acting | Phase::Acted | Phase::Done) {
            return None;
        }
        let update = mix(name.stable_hash(), hash(format!("{op:?}").as_str()));
        let times = one.updates.entry(update).or_default();
        *times += 1;
        let time = Record::of(store, token).claim.map_or(Timestamp(0), |claim| claim.stamp);
        Some(Stamp { time, replica: ReplicaId(mix3(token.0, update, *times)) })
    }

    /// The action has run here.
    pub(crate) fn acted(&mut self, token: Token) -> bool {
        let acting = self.enforcements.get(&token).is_some_and(|one| one.phase == Phase::Acting);
        if acting {
            self.pass(token, Phase::Acted, self.config.mark);
        }
        acting
    }

    /// This node leaves: what it did, it says now.
    pub(crate) fn leave(&mut self, store: &mut Store) {
        for (token, one) in self.enforcements.iter_mut().filter(|(_, one)| one.phase == Phase::Acted) {
            one.phase = Phase::Done;
            record::done(store, *token);
        }
    }
}

/// The enforcements that a delta of the record variable speaks of.
pub(crate) fn tokens(delta: &State) -> Vec<Token> {
    match delta {
        State::GMap(map) => map.unordered().filter_map(|(key, _)| record::token_of(key)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
