//! Which names are bound at a point of a program, and what is known of them.

use super::Known;
use crate::ast::Name;
use crate::source::Span;
use std::collections::BTreeMap;

/// Names in sight, innermost last.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    names: Vec<(Name, Known)>,
    /// Where in `names` each name stands, ascending.
    positions: BTreeMap<Name, Vec<usize>>,
    /// Names that only some clauses of a `case` or `if` bind, with such a clause.
    not_everywhere: BTreeMap<Name, Span>,
}

impl Scope {
    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        let position = self.positions.get(name)?.last()?;
        self.names.get(*position).map(|(_, known)| known)
    }

    pub(super) fn bind(&mut self, name: Name, known: Known) {
        self.not_everywhere.remove(&name);
        self.positions.entry(name.clone()).or_default().push(self.names.len());
        self.names.push((name, known));
    }

    /// The names, the latest first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().rev().map(|(name, _)| &**name)
    }

    /// The clause that binds `name`, where others do not.
    pub(super) fn unsafe_at(&self, name: &str) -> Option<Span> {
        self.not_everywhere.get(name).copied()
    }

    pub(super) fn mark(&self) -> usize {
        self.names.len()
    }

    pub(super) fn forget_after(&mut self, mark: usize) {
        drop(self.take_after(mark));
    }

    pub(super) fn take_after(&mut self, mark: usize) -> Vec<(Name, Known)> {
        let taken = self.names.split_off(mark);
        for (name, _) in &taken {
            if let Some(positions) = self.positions.get_mut(name) {
                positions.pop();
                if positions.is_empty() {
                    self.positions.remove(name);
                }
            }
        }
        taken
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.positions.clear();
        for (name, known) in std::mem::take(&mut self.names) {
            if keep(&name) {
                self.positions.entry(name.clone()).or_default().push(self.names.len());
                self.names.push((name, known));
            }
        }
    }

    /// After alternatives that bound these names: what all of them bound is bound.
    pub(super) fn export(&mut self, bound: &[Vec<(Name, Known)>], clauses: impl Iterator<Item = Span>) {
        let clauses: Vec<Span> = clauses.collect();
        for (clause, names) in bound.iter().enumerate() {
            for (name, known) in names {
                if self.get(name).is_some() {
                    continue;
                }
                let elsewhere: Vec<&Known> = bound.iter().filter_map(|names| find(names, name)).collect();
                if elsewhere.len() == bound.len() {
                    let agree = elsewhere.iter().all(|other| *other == known);
                    self.bind(name.clone(), if agree { known.clone() } else { Known::Unknown });
                } else {
                    self.not_everywhere.insert(name.clone(), clauses[clause]);
                }
            }
        }
    }
}

fn find<'a>(names: &'a [(Name, Known)], wanted: &str) -> Option<&'a Known> {
    names.iter().find(|(name, _)| **name == *wanted).map(|(_, known)| known)
}
