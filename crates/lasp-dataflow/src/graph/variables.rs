//! All variables of a graph, by handle and by name; and what views see of them.

use super::variable::Variable;
use crate::name::{Name, VarId};
use crate::operator::Facet;
use crate::state::Facets;
use crate::threshold::Threshold;
use crate::value::Value;
use crate::views::{NodeId, Sources, Tap};
use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

/// Variables. A handle is never used again for another one.
#[derive(Debug, Default)]
pub(super) struct Variables {
    slots: Vec<Option<Box<Variable>>>,
    names: BTreeMap<Name, VarId>,
    /// How many there are that carry no view's members.
    listed: usize,
}

impl Variables {
    /// How many handles were given.
    pub(super) fn given(&self) -> usize {
        self.slots.len()
    }

    /// How many there are but for those that carry a view's members.
    pub(super) const fn listed(&self) -> usize {
        self.listed
    }

    pub(super) fn insert(&mut self, variable: Variable) -> VarId {
        let var = VarId(u32::try_from(self.slots.len()).expect("fewer than 2^32 variables"));
        self.listed += usize::from(variable.carries.is_none());
        self.slots.push(Some(Box::new(variable)));
        var
    }

    pub(super) fn remove(&mut self, var: VarId) -> Option<Box<Variable>> {
        let variable = self.slots.get_mut(var.index())?.take()?;
        self.listed -= usize::from(variable.carries.is_none());
        if self.names.get(&variable.info.name) == Some(&var) {
            self.names.remove(&variable.info.name);
        }
        Some(variable)
    }

    /// Makes a variable known by its name.
    pub(super) fn publish(&mut self, var: VarId) {
        self.names.insert(self[var].info.name.clone(), var);
    }

    pub(super) fn lookup(&self, name: &str) -> Option<VarId> {
        self.names.get(name).copied()
    }

    pub(super) fn get(&self, var: VarId) -> Option<&Variable> {
        self.slots.get(var.index())?.as_deref()
    }

    pub(super) fn get_mut(&mut self, var: VarId) -> Option<&mut Variable> {
        self.slots.get_mut(var.index())?.as_deref_mut()
    }

    /// Every variable, in the order of declaration, from the one with this index on.
    pub(super) fn from(&self, index: usize) -> impl Iterator<Item = (VarId, &Variable)> {
        let first = index.min(self.slots.len());
        // There are fewer than 2^32.
        (first as u32..).zip(&self.slots[first..]).filter_map(|(at, slot)| Some((VarId(at), slot.as_deref()?)))
    }
}

impl Index<VarId> for Variables {
    type Output = Variable;

    fn index(&self, var: VarId) -> &Variable {
        self.get(var).expect(USED)
    }
}

impl IndexMut<VarId> for Variables {
    fn index_mut(&mut self, var: VarId) -> &mut Variable {
        self.get_mut(var).expect(USED)
    }
}

const USED: &str = "a variable stays while something refers to it";

impl Sources for Variables {
    fn for_each_member(&self, var: VarId, facet: Facet, each: &mut dyn FnMut(Value)) {
        self[var].state.for_each_member(facet, each);
    }

    fn value(&self, var: VarId) -> Value {
        self[var].state.read().to_value()
    }

    fn is_met(&self, var: VarId, threshold: &Threshold) -> bool {
        threshold.is_met(&self[var].state)
    }

    fn rank(&self, var: VarId) -> u32 {
        self[var].rank
    }

    fn attach(&mut self, var: VarId, tap: Tap) {
        let variable = &mut self[var];
        variable.taps.push(tap);
        variable.retap();
    }

    fn detach(&mut self, var: VarId, node: NodeId) {
        let variable = &mut self[var];
        variable.taps.retain(|tap| tap.node != node);
        variable.retap();
    }
}

impl Variable {
    fn retap(&mut self) {
        let facets = self.taps.iter().filter_map(|tap| tap.facet);
        self.tapped = facets.fold(Facets::default(), Facets::with);
    }
}
