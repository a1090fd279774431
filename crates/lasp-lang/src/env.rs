//! What is bound where: names to terms, innermost last.

use crate::ast::Name;
use crate::term::Term;

/// The bindings in sight.
#[derive(Clone, Debug, Default)]
pub struct Env {
    bindings: Vec<(Name, Term)>,
}

impl Env {
    /// The binding of `name`.
    pub fn get(&self, name: &str) -> Option<&Term> {
        self.bindings.iter().rev().find(|(known, _)| **known == *name).map(|(_, term)| term)
    }

    /// The binding of `name` among those made after `mark`.
    pub fn get_after(&self, mark: usize, name: &str) -> Option<&Term> {
        let inner = self.bindings.get(mark..)?;
        inner.iter().rev().find(|(known, _)| **known == *name).map(|(_, term)| term)
    }

    /// Binds, hiding an earlier binding.
    pub fn bind(&mut self, name: Name, term: Term) {
        self.bindings.push((name, term));
    }

    /// How much is bound; for [`Self::forget_after`].
    pub fn mark(&self) -> usize {
        self.bindings.len()
    }

    /// Drops what was bound after `mark`.
    pub fn forget_after(&mut self, mark: usize) {
        self.bindings.truncate(mark);
    }

    /// Drops the binding of `name`; whether there was one.
    pub fn forget(&mut self, name: &str) -> bool {
        let before = self.bindings.len();
        self.bindings.retain(|(known, _)| **known != *name);
        self.bindings.len() < before
    }

    /// Those of `names` that are bound, to be taken along by a function.
    pub fn capture(&self, names: &[Name]) -> Self {
        let bindings = names.iter().filter_map(|name| Some((name.clone(), self.get(name)?.clone()))).collect();
        Self { bindings }
    }

    /// These bindings.
    pub(crate) fn of(bindings: Vec<(Name, Term)>) -> Self {
        Self { bindings }
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
