//! What a merge did to one variable, for those that depend on it and those that watch it.

use crate::operator::Facet;
use crate::output::Output;
use crate::state::{Facets, Moved, State, Touched};
use crate::value::Value;
use lasp_crdt::{BaseId, Derived, Lattice};
use std::collections::BTreeMap;

/// What happened to a variable, as derivations that travel take it.
#[derive(Debug)]
pub(super) enum Change {
    /// To a set: the supports gained and the news of the bases; and which elements may have come or gone.
    Set(Derived<Value>, Touched),
    /// To another lattice: the part that is new.
    Plain(State),
}

impl Change {
    /// Adds what happened later.
    pub(super) fn extend(&mut self, later: Self) {
        match (self, later) {
            (Self::Set(delta, touched), Self::Set(more, also)) => {
                delta.merge(more);
                for (element, was_in) in also {
                    touched.entry(element).or_insert(was_in);
                }
            }
            (Self::Plain(state), Self::Plain(more)) => _ = state.merge(more),
            // A variable has one type.
            _ => {}
        }
    }
}

/// What may have changed in a variable's value.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// A view is known to show another value.
    surely: bool,
    /// What a variable that is no collection showed before.
    was: Option<Output>,
    /// How often each member came, less how often it went.
    moved: BTreeMap<(Facet, Value), i32>,
}

impl Shown {
    /// A view shows another value.
    pub(super) fn surely() -> Self {
        Self { surely: true, ..Self::default() }
    }

    /// Something may happen to a variable that is no collection.
    pub(super) fn before(state: &State) -> Self {
        Self { was: Some(state.read()), ..Self::default() }
    }

    pub(super) fn of(moved: &[Moved]) -> Self {
        let mut shown = Self::default();
        for Moved { facet, member, came } in moved {
            *shown.moved.entry((*facet, member.clone())).or_default() += if *came { 1 } else { -1 };
        }
        shown
    }

    /// Adds what changed later.
    pub(super) fn extend(&mut self, later: Self) {
        self.surely |= later.surely;
        self.was = self.was.take().or(later.was);
        for (member, times) in later.moved {
            *self.moved.entry(member).or_default() += times;
        }
    }

    /// Whether the value differs from what it was, given the state now.
    pub(super) fn differs(&self, state: &State) -> bool {
        let is_other = |was: &Output| *was != state.read();
        self.surely || self.was.as_ref().is_some_and(is_other) || self.moved.values().any(|&times| times != 0)
    }
}

/// Merges news into the state of a variable that something with provenance follows from, and notes which members of the
/// wanted parts came and went; its own additions are events of `base`. Cost: the size of the news.
pub(super) fn merge(state: &mut State, news: State, base: BaseId, wanted: Facets, moved: &mut Vec<Moved>) -> Change {
    let facet = Facet::Elements;
    match (state, news) {
        (State::AwSet(set), State::AwSet(news)) => {
            let delta = news.to_derived(base);
            let mut touched = Touched::new();
            set.merge_touching(*news, &mut touched);
            if wanted.contains(facet) {
                let turns = touched.iter().map(|(member, was_in)| (member, *was_in, set.contains(member)));
                let turned = turns.filter(|(_, was_in, is_in)| was_in != is_in);
                moved.extend(turned.map(|(member, _, came)| Moved { facet, member: member.clone(), came }));
            }
            Change::Set(delta, touched)
        }
        (State::GSet(set), State::GSet(news)) => {
            let came = news.iter().map(|element| (element.clone(), false)).collect();
            if wanted.contains(facet) {
                moved.extend(news.iter().map(|member| Moved { facet, member: member.clone(), came: true }));
            }
            let delta = Derived::of_grow_only(&news);
            set.merge(news);
            Change::Set(delta, came)
        }
        (state, news) => {
            let change = Change::Plain(news.clone());
            state.merge_moving(news, wanted, moved);
            change
        }
    }
}
