//! Folds whose results travel: each is written with its basis, which says how far the sets it was folded from had come.
//!
//! So a node that hears only results takes the newest, and keeps concurrent ones apart until somebody has folded what
//! both had: see [`Summary`]. The basis moves on whenever an input does, also where the result stays the same, or else an
//! older result of another node would stay beside it. What a basis costs is the ranges of the inputs' causal contexts;
//! what is dead is counted as it dies.

use super::Graph;
use super::derivation::{DerivationId, Works};
use super::effects::Cause;
use super::errors::DeriveError;
use super::step::Step;
use super::variable::Variable;
use crate::name::VarId;
use crate::operator::Operator;
use crate::state::{SetState, State};
use crate::types::Type;
use crate::value::Value;
use crate::views::{Input, ViewId};
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{BaseId, Basis, Count, DotSet, DotStore, Extent, Fingerprint, ReplicaId, Summary};
use std::collections::{BTreeMap, BTreeSet};

/// The dead dots of a set from which something is folded that travels: its own, and those of each base from which others
/// derived into it.
#[derive(Debug)]
pub(super) struct Dead {
    own: Dots,
    bases: BTreeMap<BaseId, Dots>,
    /// The replicas that are retired in its own context: what of theirs is dead no news need name.
    retired: Vec<(ReplicaId, ReplicaId)>,
}

/// Dots and how many they are.
#[derive(Debug, Default)]
struct Dots {
    all: DotSet,
    n: u128,
}

impl Dots {
    fn new(all: DotSet) -> Self {
        let n = Count::of_dots(&all).n;
        Self { all, n }
    }

    /// Cost: the ranges of `more`.
    fn extend(&mut self, more: &DotSet) {
        let news = more.difference(&self.all);
        self.n += Count::of_dots(&news).n;
        self.all.union_with(&news);
    }

    fn count(&self) -> Count {
        Count { n: self.n, hash: self.all.fingerprint() }
    }
}

impl Dead {
    /// Cost: the set's size.
    fn of(set: &SetState) -> Self {
        let own = Dots::new(set.own().context().difference(&set.own().live()));
        let bases = set.derived().bases().map(|(id, base)| (id, Dots::new(base.dead()))).collect();
        Self { own, bases, retired: set.own().context().retired().collect() }
    }

    /// Counts what died by `news`. Cost: its size.
    fn learn(&mut self, news: &SetState) {
        let own = news.own();
        self.own.extend(&own.context().difference(&own.store().live()));
        for (id, base) in news.derived().bases() {
            self.bases.entry(id).or_default().extend(&base.dead());
        }
    }

    /// Counts anew where a replica was retired since.
    fn follow_retired(&mut self, set: &SetState) {
        if !set.own().context().retired().eq(self.retired.iter().copied()) {
            *self = Self::of(set);
        }
    }
}

impl Variable {
    /// Something that is folded from this variable travels: from now on its dead are counted.
    fn count_dead(&mut self) {
        if let (None, State::AwSet(set)) = (&self.dead, &self.state) {
            self.dead = Some(Box::new(Dead::of(set)));
        }
    }

    /// To be called before news are merged.
    pub(super) fn learn_dead(&mut self, news: &State) {
        if let (Some(dead), State::AwSet(news)) = (&mut self.dead, news) {
            dead.learn(news);
        }
    }

    /// To be called after.
    pub(super) fn follow_retired(&mut self) {
        if let (Some(dead), State::AwSet(set)) = (&mut self.dead, &self.state) {
            dead.follow_retired(set);
        }
    }

    /// Adds to a basis how far this variable has come, and to `derived` what others derived into it.
    fn extend_basis(&self, basis: &mut Basis, derived: &mut Count) {
        match (&self.state, &self.dead) {
            (State::GSet(set), _) => {
                let count = Count { n: set.len() as u128, hash: set.fingerprint() };
                basis.know(self.base, Extent { seen: DotSet::new(), count });
            }
            (State::AwSet(set), Some(dead)) => {
                basis.know(self.base, Extent { seen: set.own().context().clone(), count: dead.own.count() });
                for (id, base) in set.derived().bases() {
                    let count = dead.bases.get(&id).map(Dots::count).unwrap_or_default();
                    // What this variable knows of the base is not what another one does.
                    let id = BaseId(mix(self.base.0, id.0));
                    basis.know(id, Extent { seen: base.seen().clone(), count });
                }
                let (n, hash) = set.derived().support_count();
                if n > 0 {
                    derived.n += n as u128;
                    derived.hash = derived.hash.wrapping_add(mix(self.base.0, hash));
                }
            }
            _ => {}
        }
    }
}

impl Graph {
    /// The variables from which a fold of `input` is computed, if it can be said how far each has come: sets that are
    /// add-wins or only grow. A flag that was raised stays so whatever becomes of its input. What is folded into a
    /// replicated variable must be replicated: variables that nodes have for themselves are different sets by one name.
    pub(super) fn check_summed(&self, input: VarId, into: VarId) -> Result<Box<[VarId]>, DeriveError> {
        let mut bases = match self.vars[input].view() {
            Some(view) => self.bases_of(view),
            None => vec![input],
        };
        bases.sort_unstable();
        bases.dedup();
        let refused = |var: VarId, ty: &Type| {
            Err(DeriveError::NotSummed { name: self.vars[var].info.name.clone(), ty: ty.clone() })
        };
        if self.vars[input].view().is_some_and(|view| self.follows_flag(view)) {
            return refused(input, &Type::Boolean);
        }
        if let Some(&base) = bases.iter().find(|&&base| !self.vars[base].info.ty.is_set()) {
            return refused(base, &self.vars[base].info.ty);
        }
        let own = bases.iter().map(|&base| &self.vars[base].info).find(|info| info.local);
        match own.filter(|_| !self.vars[into].info.local) {
            Some(info) => Err(DeriveError::DynamicSummed(info.name.clone())),
            None => Ok(bases.into()),
        }
    }

    /// Whether a view is made of a flag.
    fn follows_flag(&self, view: ViewId) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![view];
        while let Some(id) = open.pop() {
            let view = self.views.view(id);
            if matches!(view.operator, Operator::Reached(_)) {
                return true;
            }
            if seen.insert(id) {
                open.extend(view.inputs.iter().filter_map(|input| match input {
                    Input::View(view) => Some(*view),
                    Input::Var(_) => None,
                }));
            }
        }
        false
    }

    /// The result of a fold is to be written from now on.
    pub(super) fn start_summing(&mut self, id: DerivationId, view: ViewId, bases: &[VarId], step: &mut Step) {
        for &base in bases {
            self.vars[base].count_dead();
            self.vars[base].summed_by.push(id);
        }
        self.sinks.entry(view).or_default().push(id);
        self.note_sum(id, step);
    }

    /// The opposite of [`start_summing`](Self::start_summing).
    pub(super) fn stop_summing(&mut self, id: DerivationId, bases: &[VarId]) {
        for &base in bases {
            let Some(variable) = self.vars.get_mut(base) else { continue };
            variable.summed_by.retain(|by| *by != id);
            if variable.summed_by.is_empty() {
                variable.dead = None;
            }
        }
    }

    /// A fold that travels is to be written when all that it follows from is settled.
    pub(super) fn note_sum(&mut self, id: DerivationId, step: &mut Step) {
        let Some(derivation) = self.derivations.get(&id) else { return };
        let Works::Summing(view, _) = derivation.works else { return };
        let above_view = self.views.rank(view).map_or(0, |rank| rank + 1);
        step.sums.insert((self.vars[derivation.output].rank.max(above_view), id));
    }

    /// Writes a fold's result with its basis. Cost: the ranges of the inputs' contexts.
    pub(super) fn run_sum(&mut self, step: &mut Step) {
        let Some((_, id)) = step.sums.pop_first() else { return };
        let Some(derivation) = self.derivations.get(&id) else { return };
        let Works::Summing(view, bases) = &derivation.works else { return };
        let (mut basis, mut derived) = (Basis::new(), Count::default());
        for &base in bases {
            self.vars[base].extend_basis(&mut basis, &mut derived);
        }
        basis.derive(derived);
        let value = self.views.scalar(*view).cloned().unwrap_or_else(|| Value::atom("undefined"));
        let output = derivation.output;
        let news = match &self.vars[output].state {
            State::Summary(held) => held.write(basis, value),
            _ => Summary::new(),
        };
        self.grow(output, State::Summary(news), Cause::Derived, step);
    }
}
