//! What is bound where: names to terms, innermost last.

use crate::ast::Name;
use crate::term::Term;
use std::collections::BTreeMap;

/// The bindings in sight.
#[derive(Clone, Debug, Default)]
pub struct Env {
    bindings: Vec<(Name, Term)>,
    /// Where each name is bound, ascending; only if there are many bindings, as in a long script.
    positions: Option<BTreeMap<Name, Vec<usize>>>,
}

/// Up to so many bindings are looked through (guess: where a map gets faster).
const FEW: usize = 32;

impl Env {
    /// The binding of `name`.
    pub fn get(&self, name: &str) -> Option<&Term> {
        self.get_after(0, name)
    }

    /// The binding of `name` among those made after `mark`.
    pub fn get_after(&self, mark: usize, name: &str) -> Option<&Term> {
        if let Some(positions) = &self.positions {
            let position = *positions.get(name)?.last()?;
            return (position >= mark).then(|| &self.bindings[position].1);
        }
        let inner = self.bindings.get(mark..)?;
        inner.iter().rev().find(|(known, _)| **known == *name).map(|(_, term)| term)
    }

    /// Binds, hiding an earlier binding.
    pub fn bind(&mut self, name: Name, term: Term) {
        match &mut self.positions {
            Some(positions) => positions.entry(name.clone()).or_default().push(self.bindings.len()),
            None if self.bindings.len() == FEW => {
                self.bindings.push((name, term));
                self.locate();
                return;
            }
            None => {}
        }
        self.bindings.push((name, term));
    }

    /// Finds all positions anew.
    fn locate(&mut self) {
        let mut positions: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
        for (position, (name, _)) in self.bindings.iter().enumerate() {
            positions.entry(name.clone()).or_default().push(position);
        }
        self.positions = (self.bindings.len() > FEW).then_some(positions);
    }

    /// How much is bound; for [`Self::forget_after`].
    pub fn mark(&self) -> usize {
        self.bindings.len()
    }

    /// Drops what was bound after `mark`.
    pub fn forget_after(&mut self, mark: usize) {
        while self.bindings.len() > mark {
            let Some((name, _)) = self.bindings.pop() else { return };
            if let Some(positions) = &mut self.positions
                && let Some(of_name) = positions.get_mut(&name)
            {
                of_name.pop();
                if of_name.is_empty() {
                    positions.remove(&name);
                }
            }
        }
    }

    /// Drops the binding of `name`; whether there was one.
    pub fn forget(&mut self, name: &str) -> bool {
        let before = self.bindings.len();
        self.bindings.retain(|(known, _)| **known != *name);
        self.locate();
        self.bindings.len() < before
    }

    /// Those of `names` that are bound, to be taken along by a function.
    pub fn capture(&self, names: &[Name]) -> Self {
        Self::of(names.iter().filter_map(|name| Some((name.clone(), self.get(name)?.clone()))).collect())
    }

    /// These bindings.
    pub(crate) fn of(bindings: Vec<(Name, Term)>) -> Self {
        let mut env = Self { bindings, positions: None };
        if env.bindings.len() > FEW {
            env.locate();
        }
        env
    }

    /// The binding at this position, in the order of binding.
    pub(crate) fn at(&self, position: usize) -> &Term {
        &self.bindings[position].1
    }

    /// The names bound, with their terms; an inner one after those it hides.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Term)> {
        self.bindings.iter().map(|(name, term)| (name, term))
    }
}
