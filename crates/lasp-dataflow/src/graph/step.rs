//! One atomic step: a change of one variable, and of all that follows from it.
//!
//! Changes wait by the rank of their variable, or of the node of a view that takes them; since whatever is derived ranks above
//! its inputs, each is visited once, when all that can happen to it in this step has happened. Nobody reads, waits or
//! drains in between, so nothing half-done is ever seen.

use super::Graph;
use super::change::{self, Shown};
use super::derivation::{DerivationId, Works};
use super::effects::Cause;
use super::errors::DerivationError;
use crate::name::VarId;
use crate::operator::Facet;
use crate::operators::{Feed, Input, Outcome, Side};
use crate::state::{Facets, Moved, State};
use crate::types::Type;
use crate::value::Value;
use crate::views::{Change, Failure, ViewId};
use lasp_crdt::{Boolean, GSet};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// What has happened in a step so far.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Changes of variables whose consequences for what travels are still to be drawn, in topological order.
    open: BTreeMap<(u32, VarId), change::Change>,
    /// Folds that are still to be written, by the rank of what they are written into.
    pub(super) sums: BTreeSet<(u32, DerivationId)>,
    /// Variables whose state grew, or whose view changed, and for which somebody waits, with the elements or keys that came;
    /// `None` where they were not noted.
    grown: BTreeMap<VarId, Option<Vec<Value>>>,
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
        loop {
            let of_variable = step.open.first_key_value().map(|((rank, _), _)| *rank);
            let of_node = self.views.next_rank();
            let next = of_variable.into_iter().chain(of_node).min();
            // What changes a variable comes before what the variable changes.
            match (step.sums.first(), next) {
                (None, None) => break,
                (Some(&(sum, _)), next) if next.is_none_or(|next| sum <= next) => self.run_sum(&mut step),
                _ if of_variable.is_some() && of_variable == next => self.run_variable(&mut step),
                _ => self.run_node(&mut step),
            }
        }
        for (var, came) in &step.grown {
            self.wake(*var, came.as_deref());
        }
        for (var, shown) in step.shown {
            if shown.differs(&self.vars[var].state) {
                self.outbox.changed.extend(&self.vars[var].watchers);
            }
        }
    }

    fn run_variable(&mut self, step: &mut Step) {
        let Some(((_, var), change)) = step.open.pop_first() else { return };
        for at in 0..self.vars[var].dependents.len() {
            let (id, side) = self.vars[var].dependents[at];
            self.follow(id, side, &change, step);
        }
    }

    fn run_node(&mut self, step: &mut Step) {
        let Some(ran) = self.views.run_next(&self.vars) else { return };
        if !ran.failures.is_empty() {
            self.report(ran.failures, ran.view);
        }
        let Some(view) = ran.view else { return };
        for &var in &self.views.view(view).vars {
            let variable = &self.vars[var];
            if !variable.waiters.is_empty() {
                step.note_grown(var, ran.came.clone());
            }
            if ran.changed && !variable.watchers.is_empty() {
                step.shown.entry(var).or_default().extend(Shown::surely());
            }
        }
        if self.sinks.contains_key(&view) {
            self.follow_view(view, step);
        }
    }

    /// Raises the flags that follow a view, if it is raised, and notes the folds.
    pub(super) fn follow_view(&mut self, view: ViewId, step: &mut Step) {
        let is_raised = self.views.scalar(view) == Some(&Value::Bool(true));
        for id in self.sinks[&view].clone() {
            let derivation = &self.derivations[&id];
            match derivation.works {
                Works::Summing(..) => self.note_sum(id, step),
                _ if is_raised => {
                    let output = derivation.output;
                    self.grow_derived(output, State::Boolean(Boolean::default().enable()), step);
                }
                _ => {}
            }
        }
    }

    /// Joins news into one variable and notes what that calls for. `news` holds nothing that the variable knows.
    pub(super) fn grow(&mut self, var: VarId, news: State, cause: Cause, step: &mut Step) {
        if news.is_bottom() {
            return;
        }
        let variable = &mut self.vars[var];
        if !variable.info.local {
            self.outbox.push(var, &mut variable.pending, &news, cause);
        }
        let is_watched = !variable.watchers.is_empty();
        let facets = variable.info.ty.facets();
        let mut wanted = variable.tapped;
        if is_watched {
            wanted = facets.iter().fold(wanted, |wanted, &facet| wanted.with(facet));
        }
        let awaited = variable.waiters.awaits_members().then(|| member_facet(facets)).flatten();
        wanted = awaited.into_iter().fold(wanted, Facets::with);
        let mut moved = std::mem::take(&mut self.moved);
        if is_watched && facets.is_empty() {
            step.shown.entry(var).or_insert_with(|| Shown::before(&variable.state));
        }
        variable.learn_dead(&news);
        if variable.dependents.is_empty() {
            variable.state.merge_moving(news, wanted, &mut moved);
        } else {
            let change = change::merge(&mut variable.state, news, variable.base, wanted, &mut moved);
            step.note((variable.rank, var), change);
        }
        if variable.share_counts() {
            self.fingerprint = self.fingerprint.wrapping_add(variable.update_share());
        }
        if !variable.waiters.is_empty() {
            let came = |facet| moved.iter().filter(move |moved| moved.came && moved.facet == facet);
            step.note_grown(var, awaited.map(|facet| came(facet).map(|moved| moved.member.clone()).collect()));
        }
        if is_watched && !facets.is_empty() {
            step.shown.entry(var).or_default().extend(Shown::of(&moved));
        }
        variable.follow_retired();
        for at in 0..self.vars[var].summed_by.len() {
            self.note_sum(self.vars[var].summed_by[at], step);
        }
        self.tell_taps(var, &mut moved);
        moved.clear();
        self.moved = moved;
    }

    /// Gives the nodes that take parts of a variable what came and went.
    fn tell_taps(&mut self, var: VarId, moved: &mut Vec<Moved>) {
        let taps = &self.vars[var].taps;
        if let [tap] = taps.as_slice()
            && let Some(facet) = tap.facet
        {
            for Moved { member, came, .. } in moved.drain(..).filter(|moved| moved.facet == facet) {
                self.views.push(tap.node, tap.side, Change::new(member, if came { 1 } else { -1 }));
            }
            return;
        }
        for tap in taps {
            let Some(facet) = tap.facet else {
                self.views.touch(tap.node);
                continue;
            };
            for Moved { member, came, .. } in moved.iter().filter(|moved| moved.facet == facet) {
                self.views.push(tap.node, tap.side, Change::new(member.clone(), if *came { 1 } else { -1 }));
            }
        }
    }

    /// Runs one derivation on what happened to one of its inputs.
    fn follow(&mut self, id: DerivationId, side: Side, change: &change::Change, step: &mut Step) {
        let Some(derivation) = self.derivations.get_mut(&id) else { return };
        match change {
            change::Change::Plain(state) => {
                let output = derivation.output;
                self.grow_derived(output, state.clone(), step);
            }
            change::Change::Set(delta, touched) => {
                let input = |var: VarId| self.vars[var].as_input();
                let Some((mine, other)) = derivation.seen_from(side) else { return };
                let feed = Feed { side, delta, touched, mine: input(mine), other: input(other) };
                let outcome = derivation.run(&feed);
                self.conclude(id, outcome, step);
            }
        }
    }

    /// Runs a new derivation on all that one of its inputs holds; the other input counts as empty unless
    /// `meets_other`.
    pub(super) fn feed_whole(&mut self, id: DerivationId, side: Side, meets_other: bool, step: &mut Step) {
        let Some(derivation) = self.derivations.get_mut(&id) else { return };
        let Some((mine, other)) = derivation.seen_from(side) else { return };
        let mine = &self.vars[mine];
        if !mine.info.ty.is_set() {
            let (output, whole) = (derivation.output, mine.state.clone());
            return self.grow_derived(output, whole, step);
        }
        let (delta, touched) = mine.whole_set();
        let nothing = Input { state: &State::bottom(&mine.info.ty), base: mine.base };
        let other = if meets_other { self.vars[other].as_input() } else { nothing };
        let outcome = derivation.run(&Feed { side, delta: &delta, touched: &touched, mine: mine.as_input(), other });
        self.conclude(id, outcome, step);
    }

    /// Puts an operator's outcome into its output.
    fn conclude(&mut self, id: DerivationId, outcome: Outcome, step: &mut Step) {
        let Some(derivation) = self.derivations.get(&id) else { return };
        let (output, operator) = (derivation.output, derivation.operator_name());
        for failure in outcome.failures {
            self.report_on(&self.named(output), operator, &failure.element, &failure.error);
        }
        let news = match &self.vars[output].info.ty {
            Type::GSet => State::GSet(outcome.delta.iter().cloned().collect::<GSet<_>>()),
            _ => outcome.delta.into(),
        };
        self.grow_derived(output, news, step);
    }

    fn grow_derived(&mut self, output: VarId, state: State, step: &mut Step) {
        let news = state.difference(&self.vars[output].state);
        self.grow(output, news, Cause::Derived, step);
    }

    // ---- failures ----

    /// Reports what functions of views had no result for: on the variables that show the view, or else on those that show
    /// `otherwise`.
    pub(super) fn report(&mut self, failures: Vec<Failure>, otherwise: Option<ViewId>) {
        for failure in failures {
            let of = |view: Option<ViewId>| view.map_or(&[][..], |view| &self.views.view(view).vars[..]);
            let mut vars = of(failure.view).to_vec();
            if vars.is_empty() {
                vars.extend(of(otherwise));
            }
            if let (true, Some(sinks)) = (vars.is_empty(), otherwise.and_then(|view| self.sinks.get(&view))) {
                vars.extend(sinks.iter().map(|id| self.derivations[id].output));
            }
            if failure.came {
                self.report_on(&vars, failure.operator, &failure.element, &failure.error);
            } else {
                vars.iter().for_each(|&var| self.vars[var].info.errors.mend(failure.operator, &failure.element));
            }
        }
    }

    fn report_on(
        &mut self,
        vars: &[VarId],
        operator: &'static str,
        element: &Value,
        error: &crate::operator::FunctionError,
    ) {
        for &var in vars {
            let info = &mut self.vars[var].info;
            let (name, element) = (info.name.clone(), element.clone());
            let error = DerivationError { var, name, operator, element, error: error.clone() };
            if info.errors.push(error.clone()) {
                self.outbox.report(error);
            }
        }
    }

    /// The variables that a program knows by which a derived one is seen: itself, or those that show the view that it carries,
    /// or else what follows from it.
    fn named(&self, var: VarId) -> Vec<VarId> {
        let mut named = Vec::new();
        let mut open = vec![var];
        while let Some(var) = open.pop() {
            let variable = &self.vars[var];
            let Some(view) = variable.carries else {
                named.push(var);
                continue;
            };
            let shown = &self.views.view(view).vars;
            named.extend(shown);
            if shown.is_empty() {
                open.extend(variable.dependents.iter().filter_map(|(id, _)| Some(self.derivations.get(id)?.output)));
            }
        }
        named
    }
}

impl super::derivation::Derivation {
    fn run(&mut self, feed: &Feed<'_>) -> Outcome {
        match &mut self.works {
            Works::Carrying(running, _) => running.feed(feed),
            Works::Following(_) | Works::Summing(..) | Works::View => Outcome::default(),
        }
    }
}

/// What waiters for elements look at: a map's keys, else the elements; nothing of graphs.
fn member_facet(facets: &[Facet]) -> Option<Facet> {
    [Facet::Keys, Facet::Elements].into_iter().find(|facet| facets.contains(facet))
}

impl Step {
    /// Notes that somebody may be satisfied by what a variable has become.
    fn note_grown(&mut self, var: VarId, came: Option<Vec<Value>>) {
        match (self.grown.entry(var), came) {
            (Entry::Vacant(entry), came) => _ = entry.insert(came),
            (Entry::Occupied(mut entry), Some(more)) => {
                if let Some(came) = entry.get_mut() {
                    came.extend(more);
                }
            }
            (Entry::Occupied(mut entry), None) => *entry.get_mut() = None,
        }
    }

    /// Adds to what happened to a variable.
    fn note(&mut self, at: (u32, VarId), change: change::Change) {
        match self.open.entry(at) {
            Entry::Vacant(entry) => _ = entry.insert(change),
            Entry::Occupied(mut entry) => entry.get_mut().extend(change),
        }
    }
}
