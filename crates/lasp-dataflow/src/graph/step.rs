//! One atomic step: a change of one variable, and of all that follows from it.
//!
//! Changes wait by the rank of their variable; since a derived variable ranks above its inputs, each variable is visited
//! once, when all that can happen to it in this step has happened. Nobody reads, waits or drains in between, so nothing
//! half-done is ever seen.

use super::Graph;
use super::change::{Change, Shown, Wanted, merge};
use super::derivation::DerivationId;
use super::effects::Cause;
use super::errors::DerivationError;
use crate::name::VarId;
use crate::operators::{Feed, Input, Outcome, Side};
use crate::state::{SetState, State};
use crate::value::Value;
use lasp_crdt::{AwSet, GSet, LwwRegister, Timestamp};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// What has happened in a step so far.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Changes whose consequences are still to be drawn, in topological order.
    open: BTreeMap<(u32, VarId), Change>,
    /// Variables whose state grew.
    grown: BTreeSet<VarId>,
    /// Watched variables, with what may have changed in their value.
    shown: BTreeMap<VarId, Shown>,
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
        for (var, shown) in step.shown {
            let variable = &self.vars[var.index()];
            if shown.differs(&variable.state) {
                self.outbox.changed.extend(&variable.watchers);
            }
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
        let by_dependents = !variable.dependents.is_empty();
        let by_watchers = !variable.watchers.is_empty();
        let (change, shown) = merge(&mut variable.state, news, variable.base, Wanted { by_dependents, by_watchers });
        self.fingerprint = self.fingerprint.wrapping_add(variable.update_share());
        if !variable.waiters.is_empty() {
            step.grown.insert(var);
        }
        if by_watchers {
            step.shown.entry(var).or_default().extend(shown);
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
        register.write_at(Timestamp(1), self.replica, result)
    }

    fn grow_derived(&mut self, output: VarId, state: State, step: &mut Step) {
        let news = state.difference(&self.vars[output.index()].state);
        self.grow(output, news, Cause::Derived, step);
    }
}

impl Step {
    /// Adds to what happened to a variable.
    fn note(&mut self, at: (u32, VarId), change: Change) {
        match self.open.entry(at) {
            Entry::Vacant(entry) => _ = entry.insert(change),
            Entry::Occupied(mut entry) => entry.get_mut().extend(change),
        }
    }
}
