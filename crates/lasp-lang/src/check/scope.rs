//! Which names are bound at a point of a program, and what is known of them.

use super::Known;
use crate::ast::Name;
use crate::source::Span;
use std::collections::BTreeMap;

/// Names in sight, innermost last.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    names: Vec<(Name, Known)>,
    /// Names that only some clauses of a `case` or `if` bind, with such a clause.
    not_everywhere: BTreeMap<Name, Span>,
}

impl Scope {
    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.names.iter().rev().find(|(known, _)| **known == *name).map(|(_, known)| known)
    }

    pub(super) fn bind(&mut self, name: Name, known: Known) {
        self.not_everywhere.remove(&name);
        self.names.push((name, known));
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| &**name)
    }

    /// The clause that binds `name`, where others do not.
    pub(super) fn unsafe_at(&self, name: &str) -> Option<Span> {
        self.not_everywhere.get(name).copied()
    }

    pub(super) fn mark(&self) -> usize {
        self.names.len()
    }

    pub(super) fn forget_after(&mut self, mark: usize) {
        self.names.truncate(mark);
    }

    pub(super) fn take_after(&mut self, mark: usize) -> Vec<(Name, Known)> {
        self.names.split_off(mark)
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.names.retain(|(name, _)| keep(name));
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
