//! The operators at work on sets that travel: each turns what happened to one input into what follows for the output, by
//! deltas alone, with provenance. (Results that stay on their node are [`views`](crate::views), which need none.)
//!
//! To operators every input is a [`Derived`] set: elements with their supports, and what is known of the base sets. What
//! an operator does with a delta of it is a lattice morphism, `f(a ⊔ δ) = f(a) ⊔ f(δ)`; binary operators pair a delta
//! with the whole other side, as that is by now. All pass on what the delta says of the bases, for every dot: so a removal
//! retracts downstream, and a filtered element is not taken for a removed one. Removals need no code of their own: the
//! output drops the supports that died. ([`Derived`] offers the same operators as pure functions; here functions may fail,
//! and inputs stay where they are.) They know variables only as [`Input`]s.

mod filter;
mod flat_map;
mod intersection;
mod join;
mod map;
mod product;
mod union;

pub(crate) use lasp_crdt::Side;

use crate::operator::{Facet, Function, FunctionError, Operator};
use crate::state::{State, Touched};
use crate::value::{MAX_VALUE_DEPTH, Value};
use join::Join;
use lasp_crdt::{BaseId, Derived, Lattice, Support};

/// An input as it is now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    pub(crate) state: &'a State,
    /// What the input's own additions are events of.
    pub(crate) base: BaseId,
}

impl Input<'_> {
    fn contains(&self, element: &Value) -> bool {
        self.state.contains(element)
    }

    /// Calls `each` with every support of `element`.
    fn supports(&self, element: &Value, mut each: impl FnMut(&Support)) {
        match self.state {
            State::GSet(set) if set.contains(element) => each(&Support::always()),
            State::AwSet(set) => set.supports(self.base, element).for_each(|support| each(&support)),
            _ => {}
        }
    }

    /// Calls `each` with every element and each of its supports, in no order that means anything.
    fn entries(&self, mut each: impl FnMut(&Value, &Support)) {
        match self.state {
            State::GSet(set) => set.iter().for_each(|element| each(element, &Support::always())),
            State::AwSet(set) => set.entries(self.base, each),
            _ => {}
        }
    }
}

/// What happened to one input of a derivation.
#[derive(Debug)]
pub(crate) struct Feed<'a> {
    pub(crate) side: Side,
    /// The supports gained, and the news of the bases.
    pub(crate) delta: &'a Derived<Value>,
    /// Elements that may have come or gone, with whether they were there before.
    pub(crate) touched: &'a Touched,
    /// The input that this happened to.
    pub(crate) mine: Input<'a>,
    /// The other input; of an operator with one input, the same again.
    pub(crate) other: Input<'a>,
}

/// An element for which a derivation has no result.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) element: Value,
    pub(crate) error: FunctionError,
}

/// What follows for the output.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Of an operator that gives a set.
    pub(crate) delta: Derived<Value>,
    pub(crate) failures: Vec<Failure>,
}

impl Outcome {
    /// Says that `value`, which follows from `element`, is there while `support` holds.
    fn emit(&mut self, element: &Value, value: Value, support: Support) {
        if value.nests_within(MAX_VALUE_DEPTH) {
            self.delta.add_support(value, support);
        } else {
            self.fail(element, format!("the result nests more than {MAX_VALUE_DEPTH} levels deep"));
        }
    }

    fn fail(&mut self, element: &Value, error: impl Into<FunctionError>) {
        self.failures.push(Failure { element: element.clone(), error: error.into() });
    }

    /// Passes on what a delta says of the bases.
    fn know_bases_of(&mut self, delta: &Derived<Value>) {
        self.delta.merge(delta.bases_alone());
    }
}

/// An operator with what it remembers.
pub(crate) enum Running {
    Map(Function),
    Filter(Function),
    FlatMap(Function),
    Union,
    Intersection,
    Product,
    Join(Join),
    /// `bind_to`: the output takes all that the input takes.
    Follow,
}

impl Running {
    /// Starts an operator, on empty inputs; `None` if its result is no morphism's, so that it cannot travel.
    pub(crate) fn new(operator: &Operator) -> Option<Self> {
        Some(match operator {
            Operator::Map(f) => Self::Map(f.clone()),
            Operator::Filter(f) => Self::Filter(f.clone()),
            Operator::FlatMap(f) => Self::FlatMap(f.clone()),
            Operator::Union => Self::Union,
            Operator::Intersection => Self::Intersection,
            Operator::Product => Self::Product,
            Operator::Join { left_key, right_key } => Self::Join(Join::new(left_key.clone(), right_key.clone())),
            Operator::View(Facet::Elements) => Self::Follow,
            Operator::View(_)
            | Operator::Difference
            | Operator::Fold(_)
            | Operator::Group { .. }
            | Operator::Reached(_) => return None,
        })
    }

    /// Whether it takes two inputs.
    pub(crate) fn is_binary(&self) -> bool {
        matches!(self, Self::Union | Self::Intersection | Self::Product | Self::Join(_))
    }

    /// What follows from what happened to an input.
    pub(crate) fn feed(&mut self, feed: &Feed<'_>) -> Outcome {
        let mut out = Outcome::default();
        match self {
            Self::Map(f) => map::feed(f, feed, &mut out),
            Self::Filter(f) => filter::feed(f, feed, &mut out),
            Self::FlatMap(f) => flat_map::feed(f, feed, &mut out),
            Self::Union | Self::Follow => union::feed(feed, &mut out),
            Self::Intersection => intersection::feed(feed, &mut out),
            Self::Product => product::feed(feed, &mut out),
            Self::Join(join) => join.feed(feed, &mut out),
        }
        out
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Map(_) => "map",
            Self::Filter(_) => "filter",
            Self::FlatMap(_) => "flat_map",
            Self::Union => "union",
            Self::Intersection => "intersection",
            Self::Product => "product",
            Self::Join(_) => "join",
            Self::Follow => "bind_to",
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The elements of a delta with the supports that each gained, ascending.
fn grouped(delta: &Derived<Value>) -> Vec<(&Value, Vec<&Support>)> {
    let mut groups: Vec<(&Value, Vec<&Support>)> = Vec::new();
    for (element, support) in delta.entries() {
        match groups.last_mut() {
            Some((last, supports)) if *last == element => supports.push(support),
            _ => groups.push((element, vec![support])),
        }
    }
    groups
}

/// A pair in the order of the inputs, where `mine` is of the input on `side`.
fn pair(side: Side, mine: &Value, other: &Value) -> Value {
    match side {
        Side::Left => Value::pair(mine.clone(), other.clone()),
        Side::Right => Value::pair(other.clone(), mine.clone()),
    }
}
