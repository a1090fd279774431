//! One atomic step: a change of one variable, and of all that follows from it.
//!
//! Changes wait by the rank of their variable; since a derived variable ranks above its inputs, each variable is visited
//! once, when all that can happen to it in this step has happened. Nobody reads, waits or drains in between, so nothing
//! half-done is ever seen.

use super::Graph;
use super::derivation::DerivationId;
use super::effects::Cause;
use super::errors::DerivationError;
use crate::name::VarId;
use crate::operators::{Feed, Input, Outcome, Side};
use crate::state::{SetState, State, Touched, always, as_derived};
use crate::value::Value;
use lasp_crdt::{AwSet, BaseId, Derived, GSet, Lattice, LwwRegister, Stamp};
use std::collections::{BTreeMap, BTreeSet};

/// What has happened in a step so far.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Changes whose consequences are still to be drawn, in topological order.
    open: BTreeMap<(u32, VarId), Change>,
    /// Variables whose state grew.
    grown: BTreeSet<VarId>,
    /// Those of them whose value changed.
    changed: BTreeSet<VarId>,
}

/// What happened to one variable.
#[derive(Debug)]
enum Change {
    /// To a set: the supports gained and the news of the bases; and which elements may have come or gone.
    Set(Derived<Value>, Touched),
    /// To another lattice: the part that is new.
    Plain(State),
}

impl Graph {
    /// Joins into a variable what it does not know yet, draws the consequences, and wakes who waited.
    pub(super) fn absorb(&mut self, var: VarId, news: State, cause: Cause) {
        let mut step = Step::default();
        self.grow(var, news, cause, &mut step);
        self.finish(step);
    }

    /// Draws the consequences that are still open, then wakes readers and watchers.
    pub(super) fn finish(&mut self, mut step: Step) {
        while let Some(((_, var), change)) = step.open.pop_first() {
            for at in 0..self.vars[var.index()].dependents.len() {
                let (id, side) = self.vars[var.index()].dependents[at];
                self.follow(id, side, &change, &mut step);
            }
        }
        for &var in &step.grown {
            self.wake(var);
        }
        for var in step.changed {
            let watchers = &self.vars[var.index()].watchers;
            self.outbox.changed.extend(watchers);
        }
    }

    fn wake(&mut self, var: VarId) {
        let variable = &mut self.vars[var.index()];
        if variable.waiters.is_empty() {
            return;
        }
        for waiter in variable.waiters.take_met(&variable.state) {
            self.waiting.remove(&waiter);
            self.outbox.met.push(waiter);
        }
    }

    /// Joins news into one variable and notes what that calls for. `news` holds nothing that the variable knows.
    fn grow(&mut self, var: VarId, news: State, cause: Cause, step: &mut Step) {
        if news.is_bottom() {
            return;
        }
        let variable = &mut self.vars[var.index()];
        if !variable.info.local {
            self.outbox.push(var, &mut variable.pending, &news, cause);
        }
        let has_dependents = !variable.dependents.is_empty();
        let has_watchers = !variable.watchers.is_empty();
        let (change, changed) = join(&mut variable.state, news, variable.base, has_dependents, has_watchers);
        self.fingerprint = self.fingerprint.wrapping_add(variable.update_share());
        if !variable.waiters.is_empty() {
            step.grown.insert(var);
        }
        if has_watchers && changed {
            step.changed.insert(var);
        }
        if let Some(change) = change {
            step.note((variable.rank, var), change);
        }
    }

    /// Runs one derivation on what happened to one of its inputs.
    fn follow(&mut self, id: DerivationId, side: Side, change: &Change, step: &mut Step) {
        let Some(derivation) = self.derivations.get_mut(&id) else { return };
        match change {
            Change::Plain(state) => {
                let output = derivation.output;
                self.grow_derived(output, state.clone(), step);
            }
            Change::Set(delta, touched) => {
                let input = |var: VarId| self.vars[var.index()].as_input();
                let (mine, other) = derivation.seen_from(side);
                let feed = Feed { side, delta, touched, mine: input(mine), other: input(other) };
                let outcome = derivation.running.feed(&feed);
                self.conclude(id, outcome, step);
            }
        }
    }

    /// Runs a new derivation on all that one of its inputs holds; the other input counts as empty unless
    /// `meets_other`.
    pub(super) fn feed_whole(&mut self, id: DerivationId, side: Side, meets_other: bool, step: &mut Step) {
        let Some(derivation) = self.derivations.get_mut(&id) else { return };
        let (mine, other) = derivation.seen_from(side);
        let mine = &self.vars[mine.index()];
        if !mine.info.ty.is_set() {
            let (output, whole) = (derivation.output, mine.state.clone());
            return self.grow_derived(output, whole, step);
        }
        let (delta, touched) = mine.whole_set();
        let nothing = Input { state: &State::bottom(&mine.info.ty), base: mine.base };
        let other = if meets_other { self.vars[other.index()].as_input() } else { nothing };
        let outcome =
            derivation.running.feed(&Feed { side, delta: &delta, touched: &touched, mine: mine.as_input(), other });
        self.conclude(id, outcome, step);
    }

    /// Puts an operator's outcome into its output.
    fn conclude(&mut self, id: DerivationId, outcome: Outcome, step: &mut Step) {
        let Some(derivation) = self.derivations.get(&id) else { return };
        let (output, operator) = (derivation.output, derivation.running.name());
        for failure in outcome.failures {
            let info = &mut self.vars[output.index()].info;
            let (name, element) = (info.name.clone(), failure.element);
            let error = DerivationError { var: output, name, operator, element, error: failure.error };
            info.errors.push(error.clone());
            self.outbox.report(error);
        }
        let news = match &self.vars[output.index()].state {
            State::GSet(_) => State::GSet(outcome.delta.iter().cloned().collect::<GSet<_>>()),
            State::LwwRegister(register) => match outcome.result {
                Some(result) => State::LwwRegister(self.next_result(register, result)),
                None => return,
            },
            _ => State::AwSet(SetState::new(AwSet::new(), outcome.delta)),
        };
        self.grow_derived(output, news, step);
    }

    /// A fold's result as the next write of its register.
    fn next_result(&self, register: &LwwRegister<Value>, result: Value) -> LwwRegister<Value> {
        let version = register.stamp().map_or(0, |stamp| stamp.time) + 1;
        register.write(Stamp { time: version, replica: self.replica }, result)
    }

    fn grow_derived(&mut self, output: VarId, state: State, step: &mut Step) {
        let news = state.difference(&self.vars[output.index()].state);
        self.grow(output, news, Cause::Derived, step);
    }
}

impl Step {
    /// Adds to what happened to a variable.
    fn note(&mut self, at: (u32, VarId), change: Change) {
        use std::collections::btree_map::Entry;
        match self.open.entry(at) {
            Entry::Vacant(entry) => _ = entry.insert(change),
            Entry::Occupied(mut entry) => entry.get_mut().extend(change),
        }
    }
}

impl Change {
    fn extend(&mut self, later: Self) {
        match (self, later) {
            (Self::Set(delta, touched), Self::Set(more, also)) => {
                delta.merge(more);
                for (element, was_in) in also {
                    touched.entry(element).or_insert(was_in);
                }
            }
            (Self::Plain(state), Self::Plain(more)) => _ = state.merge(more),
            // A variable has one type.
            _ => {}
        }
    }
}

/// Merges news into a state. Gives the change for those that depend on it, if `wanted`, and whether the value changed,
/// if `watched`.
fn join(state: &mut State, news: State, base: BaseId, wanted: bool, watched: bool) -> (Option<Change>, bool) {
    match (state, news) {
        (State::AwSet(set), State::AwSet(news)) if wanted || watched => {
            let mut delta = Derived::new();
            if wanted {
                delta = as_derived(news.own(), base);
                delta.merge(news.derived().clone());
            }
            let mut touched = Touched::new();
            set.merge_touching(news, &mut touched);
            let changed = touched.iter().any(|(element, was_in)| set.contains(element) != *was_in);
            (wanted.then_some(Change::Set(delta, touched)), changed)
        }
        (State::GSet(set), State::GSet(news)) => {
            let change = wanted
                .then(|| Change::Set(always(&news), news.iter().map(|element| (element.clone(), false)).collect()));
            set.merge(news);
            (change, true)
        }
        (State::LwwRegister(register), State::LwwRegister(news)) => {
            let changed = register.value() != news.value();
            let change = wanted.then(|| Change::Plain(State::LwwRegister(news.clone())));
            register.merge(news);
            (change, changed)
        }
        (state, news) => {
            let change = wanted.then(|| Change::Plain(news.clone()));
            state.merge(news);
            (change, true)
        }
    }
}
