//! Sessions that wait for this node to come as far as they have seen.

use super::message::Message;
use super::since::Since;
use super::token::{Here, Mark, Seen, SessionToken};
use super::{Behind, SessionConfig, There};
use crate::command::{RequestError, RequestId};
use crate::key::Key;
use crate::store::Store;
use lasp_dataflow::State;
use lasp_overlay::PeerId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A session has waited long enough: for an answer, or altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    pub(crate) id: RequestId,
    pub(crate) turn: Turn,
}

/// What a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Answers to the questions of this round.
    Round(u32),
    /// As long as its owner wants to.
    End,
}

/// What follows from an input.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// What to ask whom.
    pub(crate) ask: Vec<(PeerId, u64, Message)>,
    /// What to be reminded of.
    pub(crate) timers: Vec<(Duration, Timer)>,
    /// Who waits no longer, for it is here, or will not come in time.
    pub(crate) answers: Vec<(RequestId, Result<(), Behind>)>,
}

/// What a session waits for in one variable.
#[derive(Debug)]
struct Missing {
    key: Key,
    seen: Seen,
    there: There,
    /// The question under way.
    asked: Option<u64>,
    /// How often what this node said of itself was too little.
    unclear: u32,
}

#[derive(Debug)]
struct Wait {
    missing: Vec<Missing>,
    round: u32,
}

/// The sessions that wait at one node.
#[derive(Debug)]
pub(crate) struct Sessions {
    config: SessionConfig,
    here: (PeerId, u64),
    open: BTreeMap<RequestId, Wait>,
    /// Who asked which question.
    questions: BTreeMap<u64, RequestId>,
    numbers: u64,
    /// Variables that have changed since somebody looked.
    stirred: BTreeSet<u64>,
    /// Marks that this node is above, the oldest first.
    reached: VecDeque<(u64, u32, Mark)>,
}

impl Sessions {
    /// None yet, at a node in one of its lives.
    pub(crate) fn new(config: SessionConfig, here: (PeerId, u64)) -> Self {
        let (open, questions, stirred) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { config, here, open, questions, numbers: 0, stirred, reached: VecDeque::new() }
    }

    /// A variable at this node.
    pub(crate) fn here(&self, store: &Store, key: &Key) -> Here {
        let (node, life) = self.here;
        Here { node, life, turn: store.turn(key) }
    }

    /// Whether nobody waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether this node is as far in a variable as a session has seen it, as far as it can tell by itself.
    fn is_met(&self, store: &Store, key: &Key, seen: &Seen) -> bool {
        let state = store.state(key);
        match seen {
            Seen::State(seen) => state.map_or_else(|| seen.is_bottom(), |state| seen.difference(state).is_bottom()),
            Seen::Mark(mark) => {
                let same = state.is_some_and(|state| state.fingerprint() == mark.fingerprint);
                same || self.is_reached(store, key, *mark)
            }
        }
    }

    /// Whether this node is known to be above a mark.
    fn is_reached(&self, store: &Store, key: &Key, mark: Mark) -> bool {
        let Mark { node, life, turn, .. } = mark;
        let here = self.here(store, key);
        here == Here { node, life, turn } || self.reached.contains(&(key.hash(), here.turn, mark))
    }

    /// What of a session is not known to be here. Variables that this node does not hear do not count: it shows nothing of them.
    fn missing(&self, store: &Store, token: &SessionToken) -> Vec<Missing> {
        let unmet = |(key, seen): &(&Key, &Seen)| store.wants(key) && !self.is_met(store, key, seen);
        let missing = |(key, seen): (&Key, &Seen)| {
            // An earlier life of this node is not to be asked.
            let gone = matches!(seen, Seen::Mark(mark) if mark.node == self.here.0);
            let there = if gone { There::Gone } else { There::Silent };
            Missing { key: key.clone(), seen: seen.clone(), there, asked: None, unclear: 0 }
        };
        token.iter().filter(unmet).map(missing).collect()
    }

    /// Whether a session is served here now.
    pub(crate) fn check(&self, store: &Store, token: &SessionToken) -> Result<(), Behind> {
        self.missing(store, token).first().map_or(Ok(()), |missing| Err(missing.behind()))
    }

    /// Waits for this node to come as far as a session has seen; `None` if it is.
    ///
    /// # Errors
    /// [`RequestError::TooManySessions`].
    pub(crate) fn enter(
        &mut self,
        id: RequestId,
        token: &SessionToken,
        within: Duration,
        store: &Store,
    ) -> Result<Option<Outcome>, RequestError> {
        let missing = self.missing(store, token);
        let unmet: BTreeSet<u64> = missing.iter().map(|missing| missing.key.hash()).collect();
        for (key, seen) in token.iter().filter(|(key, _)| store.wants(key) && !unmet.contains(&key.hash())) {
            self.remember(store, key, seen);
        }
        if missing.is_empty() {
            return Ok(None);
        }
        if self.open.len() >= self.config.open {
            return Err(RequestError::TooManySessions { open: self.open.len() });
        }
        self.open.insert(id, Wait { missing, round: 0 });
        let mut out = Outcome::default();
        out.timers.push((within, Timer { id, turn: Turn::End }));
        self.ask(id, store, &mut out);
        Ok(Some(out))
    }

    /// Asks about the marks that are missing.
    fn ask(&mut self, id: RequestId, store: &Store, out: &mut Outcome) {
        let Some(wait) = self.open.get_mut(&id) else { return };
        for missing in &mut wait.missing {
            inquire(missing, id, store, (&mut self.numbers, &mut self.questions), out);
        }
        let patience = self.config.patience.saturating_mul(1 << wait.round.min(16)).min(self.config.patience_most);
        out.timers.push((patience, Timer { id, turn: Turn::Round(wait.round) }));
    }

    /// A variable has changed.
    pub(crate) fn stir(&mut self, key: &Key) {
        if !self.open.is_empty() {
            self.stirred.insert(key.hash());
        }
    }

    /// Whether something has changed that a session may wait for.
    pub(crate) fn is_stirred(&self) -> bool {
        !self.stirred.is_empty()
    }

    /// Looks who is served now. Cost: the variables that are waited for and have changed.
    pub(crate) fn look(&mut self, store: &Store) -> Outcome {
        let stirred = std::mem::take(&mut self.stirred);
        let mut out = Outcome::default();
        for id in self.open.keys().copied().collect::<Vec<_>>() {
            self.settle(id, store, |missing| stirred.contains(&missing.key.hash()), &mut out);
        }
        out
    }

    /// Takes out what a session no longer misses of what has changed; answers it if that is all.
    fn settle(&mut self, id: RequestId, store: &Store, changed: impl Fn(&Missing) -> bool, out: &mut Outcome) {
        let Some(mut wait) = self.open.remove(&id) else { return };
        let (met, missing): (Vec<_>, Vec<_>) = wait
            .missing
            .into_iter()
            .partition(|missing| changed(missing) && self.is_met(store, &missing.key, &missing.seen));
        for missing in &met {
            missing.asked.inspect(|number| _ = self.questions.remove(number));
            self.remember(store, &missing.key, &missing.seen);
        }
        wait.missing = missing;
        if wait.missing.is_empty() {
            out.answers.push((id, Ok(())));
        } else {
            self.open.insert(id, wait);
        }
    }

    // ---- answers of other nodes ----

    fn asked(&mut self, number: u64) -> Option<(RequestId, &mut Missing)> {
        let id = self.questions.remove(&number)?;
        let wait = self.open.get_mut(&id)?;
        let missing = wait.missing.iter_mut().find(|missing| missing.asked == Some(number))?;
        missing.asked = None;
        Some((id, missing))
    }

    /// The variable that a node was asked about by a question that is under way.
    pub(crate) fn question(&self, number: u64, to: PeerId) -> Option<&Key> {
        let wait = self.questions.get(&number).and_then(|id| self.open.get(id))?;
        let asked = wait.missing.iter().find(|one| one.asked == Some(number))?;
        matches!(asked.seen, Seen::Mark(mark) if mark.node == to).then_some(&asked.key)
    }

    /// What was missing has been merged; `whole` if all of it has.
    pub(crate) fn caught(&mut self, number: u64, whole: bool, progress: bool, store: &Store) -> Outcome {
        let mut out = Outcome::default();
        let Some((id, missing)) = self.asked(number) else { return out };
        missing.there = There::Ahead;
        let (key, seen) = (missing.key.clone(), missing.seen.clone());
        if whole {
            self.remember(store, &key, &seen);
            self.settle(id, store, |missing| missing.key == key, &mut out);
        } else if progress {
            self.again(id, key.hash(), store, &mut out);
        }
        out
    }

    /// This node is above a mark, and stays so until it forgets the variable.
    fn remember(&mut self, store: &Store, key: &Key, seen: &Seen) {
        let Seen::Mark(mark) = *seen else { return };
        if self.is_reached(store, key, mark) {
            return;
        }
        if self.reached.len() >= self.config.reached {
            self.reached.pop_front();
        }
        self.reached.push_back((key.hash(), store.turn(key), mark));
    }

    /// Asks at once again about a variable.
    fn again(&mut self, id: RequestId, hash: u64, store: &Store, out: &mut Outcome) {
        let Some(wait) = self.open.get_mut(&id) else { return };
        for missing in wait.missing.iter_mut().filter(|missing| missing.key.hash() == hash) {
            inquire(missing, id, store, (&mut self.numbers, &mut self.questions), out);
        }
    }

    /// What this node said of itself was too little; it says more, if it can.
    pub(crate) fn unclear(&mut self, number: u64, store: &Store) -> Outcome {
        let mut out = Outcome::default();
        let Some((id, missing)) = self.asked(number) else { return out };
        missing.there = There::Ahead;
        missing.unclear += 1;
        let (hash, unclear) = (missing.key.hash(), missing.unclear);
        // A sketch that fills a letter is the longest there is: comparisons with neighbours bring this node nearer.
        if unclear <= 2 {
            self.again(id, hash, store, &mut out);
        }
        out
    }

    /// The other node has forgotten.
    pub(crate) fn gone(&mut self, number: u64) {
        if let Some((_, missing)) = self.asked(number) {
            missing.there = There::Gone;
        }
    }

    /// The question did not get there.
    pub(crate) fn unheard(&mut self, number: u64) {
        if let Some((_, missing)) = self.asked(number) {
            missing.there = There::Silent;
        }
    }

    /// A time is over: asks again, or gives up.
    pub(crate) fn expired(&mut self, timer: Timer, store: &Store) -> Outcome {
        let mut out = Outcome::default();
        let Some(wait) = self.open.get_mut(&timer.id) else { return out };
        match timer.turn {
            Turn::End => {
                let behind = wait.missing.first().map(Missing::behind);
                self.cancel(timer.id);
                out.answers.extend(behind.map(|behind| (timer.id, Err(behind))));
            }
            Turn::Round(round) if round == wait.round => {
                wait.round += 1;
                self.ask(timer.id, store, &mut out);
            }
            Turn::Round(_) => {}
        }
        out
    }

    /// Its owner waits no longer.
    pub(crate) fn cancel(&mut self, id: RequestId) {
        if self.open.remove(&id).is_some() {
            self.questions.retain(|_, asker| *asker != id);
        }
    }
}

impl Missing {
    fn behind(&self) -> Behind {
        let at = match self.seen {
            Seen::State(_) => None,
            Seen::Mark(mark) => Some(mark.node),
        };
        Behind { variable: self.key.name().clone(), at, there: self.there }
    }
}

/// Asks where a variable was seen, unless a question is under way or there is nobody to be asked.
fn inquire(
    missing: &mut Missing,
    id: RequestId,
    store: &Store,
    (numbers, questions): (&mut u64, &mut BTreeMap<u64, RequestId>),
    out: &mut Outcome,
) {
    let Seen::Mark(mark) = missing.seen else { return };
    if missing.there == There::Gone {
        return;
    }
    let state: Option<&State> = store.state(&missing.key);
    let Some(since) = Since::of(&missing.key, state, missing.unclear) else { return };
    if let Some(old) = missing.asked.take() {
        questions.remove(&old);
    }
    *numbers += 1;
    let number = *numbers;
    missing.asked = Some(number);
    questions.insert(number, id);
    let key = missing.key.clone();
    out.ask.push((mark.node, number, Message::Beyond { number, life: mark.life, turn: mark.turn, key, since }));
}
