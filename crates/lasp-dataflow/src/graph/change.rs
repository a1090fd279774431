//! What a merge did to one variable, for those that depend on it and those that watch it.

use crate::state::{State, Touched};
use crate::value::Value;
use lasp_crdt::{BaseId, Derived, Lattice};

/// What happened to a variable, as derivations take it.
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
                touch(touched, also);
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
    /// Something that is not undone again.
    surely: bool,
    /// A set's elements, which may be as before when the step is over.
    touched: Touched,
}

impl Shown {
    fn surely(surely: bool) -> Self {
        Self { surely, touched: Touched::new() }
    }

    /// Adds what changed later.
    pub(super) fn extend(&mut self, later: Self) {
        self.surely |= later.surely;
        touch(&mut self.touched, later.touched);
    }

    /// Whether the value differs from what it was, given the state now.
    pub(super) fn differs(&self, state: &State) -> bool {
        self.surely || self.touched.iter().any(|(element, was_in)| state.contains(element) != *was_in)
    }
}

/// Keeps for each element what was first said of it.
fn touch(touched: &mut Touched, also: Touched) {
    for (element, was_in) in also {
        touched.entry(element).or_insert(was_in);
    }
}

/// Who wants to know what a merge did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) by_dependents: bool,
    pub(super) by_watchers: bool,
}

/// Merges news into the state of a variable whose own additions are events of `base`. Cost: the size of the news.
pub(super) fn merge(state: &mut State, news: State, base: BaseId, wanted: Wanted) -> (Option<Change>, Shown) {
    match (state, news) {
        (State::AwSet(set), State::AwSet(news)) if wanted.by_dependents || wanted.by_watchers => {
            let delta = wanted.by_dependents.then(|| news.to_derived(base));
            let mut touched = Touched::new();
            set.merge_touching(news, &mut touched);
            let shown = if wanted.by_watchers { touched.clone() } else { Touched::new() };
            (delta.map(|delta| Change::Set(delta, touched)), Shown { surely: false, touched: shown })
        }
        (State::GSet(set), State::GSet(news)) => {
            let came = || news.iter().map(|element| (element.clone(), false)).collect();
            let change = wanted.by_dependents.then(|| Change::Set(Derived::of_grow_only(&news), came()));
            set.merge(news);
            (change, Shown::surely(true))
        }
        (State::LwwRegister(register), State::LwwRegister(news)) => {
            let shown = Shown::surely(register.value() != news.value());
            let change = wanted.by_dependents.then(|| Change::Plain(State::LwwRegister(news.clone())));
            register.merge(news);
            (change, shown)
        }
        (state, news) => {
            let change = wanted.by_dependents.then(|| Change::Plain(news.clone()));
            state.merge(news);
            (change, Shown::surely(true))
        }
    }
}
