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
    /// Where in `names` each name stands, ascending.
    positions: BTreeMap<Name, Vec<usize>>,
    /// Names that only some clauses of a `case` or `if` bind, with such a clause.
    not_everywhere: BTreeMap<Name, Span>,
    /// Places in several clauses that bind one variable: each with that which stands for all.
    joined: Vec<(Span, Span)>,
}

impl Scope {
    fn bound(&self, name: &str) -> Option<&Bound> {
        let position = self.positions.get(name)?.last()?;
        self.names.get(*position)
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
        self.positions.entry(name.clone()).or_default().push(self.names.len());
        self.names.push(Bound { name, known, place });
    }

    /// Forgets the places: another text follows.
    pub(super) fn forget_places(&mut self) {
        self.names.iter_mut().for_each(|bound| bound.place = None);
        self.joined.clear();
    }

    /// The names, the latest first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().rev().map(|bound| &*bound.name)
    }

    /// Places that bind the same variable in several clauses, each with that which stands for all.
    pub(super) fn joined(&self) -> &[(Span, Span)] {
        &self.joined
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

    pub(super) fn take_after(&mut self, mark: usize) -> Vec<Bound> {
        let taken = self.names.split_off(mark);
        for Bound { name, .. } in &taken {
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
        for bound in std::mem::take(&mut self.names) {
            if keep(&bound.name) {
                self.positions.entry(bound.name.clone()).or_default().push(self.names.len());
                self.names.push(bound);
            }
        }
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
                    let places = alternatives.iter().filter_map(|names| names.iter().find(|b| b.name == *name)?.place);
                    self.joined.extend(places.filter_map(|other| Some((other, (*place)?))));
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
