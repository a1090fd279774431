//! Which names are bound at a point of a program, where, and what is known of them.

use super::Known;
use crate::ast::Name;
use crate::source::Span;
use std::collections::BTreeMap;

/// A bound name.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    name: Name,
    known: Known,
    /// The place in a pattern; `None` for a name from an earlier text, or taken as bound.
    place: Option<Span>,
}

/// Names in sight, innermost last.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    names: Vec<Bound>,
    /// Names that only some clauses of a `case` or `if` bind, with such a clause.
    not_everywhere: BTreeMap<Name, Span>,
}

impl Scope {
    fn bound(&self, name: &str) -> Option<&Bound> {
        self.names.iter().rev().find(|bound| *bound.name == *name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.bound(name).map(|bound| &bound.known)
    }

    /// Where `name` was bound in this text.
    pub(super) fn place(&self, name: &str) -> Option<Span> {
        self.bound(name).and_then(|bound| bound.place)
    }

    pub(super) fn bind(&mut self, name: Name, known: Known, place: Option<Span>) {
        self.not_everywhere.remove(&name);
        self.names.push(Bound { name, known, place });
    }

    /// Forgets the places: another text follows.
    pub(super) fn forget_places(&mut self) {
        self.names.iter_mut().for_each(|bound| bound.place = None);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|bound| &*bound.name)
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

    pub(super) fn take_after(&mut self, mark: usize) -> Vec<Bound> {
        self.names.split_off(mark)
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.names.retain(|bound| keep(&bound.name));
    }

    /// After alternatives that bound these names: what all of them bound is bound.
    pub(super) fn export(&mut self, alternatives: &[Vec<Bound>], clauses: impl Iterator<Item = Span>) {
        let clauses: Vec<Span> = clauses.collect();
        for (clause, names) in alternatives.iter().enumerate() {
            for Bound { name, known, place } in names {
                if self.get(name).is_some() {
                    continue;
                }
                let elsewhere: Vec<&Known> = alternatives.iter().filter_map(|names| find(names, name)).collect();
                if elsewhere.len() == alternatives.len() {
                    let agree = elsewhere.iter().all(|other| *other == known);
                    self.bind(name.clone(), if agree { known.clone() } else { Known::Unknown }, *place);
                } else {
                    self.not_everywhere.insert(name.clone(), clauses[clause]);
                }
            }
        }
    }
}

fn find<'a>(names: &'a [Bound], wanted: &str) -> Option<&'a Known> {
    names.iter().find(|bound| *bound.name == *wanted).map(|bound| &bound.known)
}
