//! One node of a plan: an operator at work, fed by its inputs' changes.

use super::bag::Bag;
use super::chain::{self, Stage};
use super::change::{Change, Emitter};
use super::fold::Fold;
use super::group::Group;
use super::join::Join;
use super::product::Product;
use super::sides::Sides;
use super::{NodeId, Port, ViewId, union};
use crate::operators::Side;
use crate::output::Output;
use crate::threshold::Threshold;
use crate::value::Value;
use smallvec::SmallVec;

/// An operator with what it remembers.
pub(crate) enum Kind {
    /// Any number of stages, none for a part of a variable as it is.
    Chain(Box<[Stage]>),
    Union,
    Intersection(Sides),
    Difference(Sides),
    Product(Product),
    Join(Join),
    Fold(Fold),
    Group(Group),
    /// The value of a variable that is no collection, as a bag of one.
    Scalar(Option<Value>),
    /// Whether a threshold is reached, as a bag of one; nothing at first.
    Reached(Threshold, Option<bool>),
}

/// Who takes what a node emits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consumer {
    pub(super) node: NodeId,
    pub(super) side: Side,
    /// Whether it is told of members, or of every reason for one.
    pub(super) distinct: bool,
}

/// An operator in its place.
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) inputs: SmallVec<[Port; 2]>,
    /// By side, whether it is told of members, or of every reason for one.
    pub(super) hears_members: [bool; 2],
    pub(super) consumers: Vec<Consumer>,
    /// What it emitted so far, if somebody wants to read it.
    pub(super) store: Option<Bag>,
    /// Whether each member has one reason only.
    pub(super) distinct: bool,
    /// Longer than that of everything it follows from.
    pub(super) rank: u32,
    /// How many nodes without a store one must look through to see what this one holds.
    pub(super) depth: u32,
    pub(super) pending: [Vec<Change>; 2],
    pub(super) is_queued: bool,
    /// Consumers and readers.
    pub(super) users: u32,
    /// Whether somebody is told of each change.
    pub(super) is_watched: bool,
    /// Whether somebody waits for members.
    pub(super) is_awaited: bool,
    /// The view that it computes or helps to compute; none for the value of a variable.
    pub(super) view: Option<ViewId>,
}

impl Kind {
    /// Draws the consequences of what happened to one input.
    pub(super) fn run(&mut self, side: Side, changes: &[Change], out: &mut Emitter) {
        match self {
            Self::Chain(stages) => chain::run(stages, changes, out),
            Self::Union => union::run(changes, out),
            Self::Intersection(sides) | Self::Difference(sides) => sides.run(side, changes, out),
            Self::Product(product) => product.run(side, changes, out),
            Self::Join(join) => join.run(side, changes, out),
            Self::Fold(fold) => fold.run(changes, out),
            Self::Group(group) => group.run(changes, out),
            Self::Scalar(_) | Self::Reached(..) => {}
        }
    }

    /// Whether what it gives must be kept to be read.
    pub(super) fn needs_store(&self) -> bool {
        matches!(self, Self::Chain(_) | Self::Union | Self::Product(_) | Self::Join(_))
    }

    /// Whether it keeps nothing, so that its output is found by looking at its inputs.
    pub(super) fn is_stateless(&self) -> bool {
        matches!(self, Self::Chain(_) | Self::Union)
    }

    /// Emits what a bag of one holds now.
    fn replace(old: Option<Value>, new: &Option<Value>, out: &mut Emitter) {
        if old != *new {
            old.into_iter().for_each(|old| out.emit(old, -1));
            new.iter().for_each(|new| out.emit(new.clone(), 1));
        }
    }

    /// Takes in the value of the variable that it shows.
    pub(super) fn set_scalar(&mut self, value: Value, out: &mut Emitter) {
        if let Self::Scalar(held) = self {
            let new = Some(value);
            let old = std::mem::replace(held, new.clone());
            Self::replace(old, &new, out);
        }
    }

    /// Takes in whether its threshold is reached.
    pub(super) fn set_reached(&mut self, is_met: bool, out: &mut Emitter) {
        if let Self::Reached(_, held) = self {
            let old = held.replace(is_met).map(Value::Bool);
            Self::replace(old, &Some(Value::Bool(is_met)), out);
        }
    }

    /// What to show for it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Chain(stages) if stages.is_empty() => "scan".into(),
            Self::Chain(stages) => {
                let stages: Vec<String> = stages
                    .iter()
                    .map(|stage| format!("{}({})", stage.does.name(), stage.function.describe()))
                    .collect();
                stages.join(" | ")
            }
            Self::Union => "union".into(),
            Self::Intersection(_) => "intersection".into(),
            Self::Difference(_) => "difference".into(),
            Self::Product(_) => "product".into(),
            Self::Join(join) => join.describe(),
            Self::Fold(fold) => fold.describe(),
            Self::Group(group) => group.describe(),
            Self::Scalar(_) => "value".into(),
            Self::Reached(threshold, _) => format!("reached({threshold:?})"),
        }
    }
}

impl Node {
    /// The members or the one value as they are, in the form that queries give.
    pub(super) fn read(&self, is_scalar: bool) -> Output {
        if is_scalar {
            return match self.scalar() {
                Some(value) => Output::Value(value.clone()),
                None => Output::Unset,
            };
        }
        match &self.kind {
            Kind::Group(group) => group.read(),
            Kind::Intersection(sides) | Kind::Difference(sides) => {
                let mut all: Vec<Value> = sides.iter().cloned().collect();
                all.sort_unstable();
                Output::Set(all)
            }
            _ => Output::Set(self.store.as_ref().map(Bag::sorted).unwrap_or_default()),
        }
    }

    /// The one value of a scalar; `None` where there is none.
    pub(super) fn scalar(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Fold(fold) => fold.result(),
            Kind::Scalar(value) => value.as_ref(),
            Kind::Reached(_, met) => Some(if *met == Some(true) { &Value::Bool(true) } else { &Value::Bool(false) }),
            _ => self.store.as_ref()?.iter().next().filter(|value| !super::aggregate::is_unset(value)),
        }
    }

    pub(super) fn cardinality(&self) -> usize {
        match &self.kind {
            Kind::Group(group) => group.len(),
            Kind::Intersection(sides) | Kind::Difference(sides) => sides.len(),
            _ => self.store.as_ref().map_or(0, Bag::len),
        }
    }

    /// What is under a key of a map; nothing of other views.
    pub(super) fn under(&self, key: &Value) -> Option<&Value> {
        match &self.kind {
            Kind::Group(group) => group.get(key),
            _ => None,
        }
    }

    pub(super) fn contains(&self, member: &Value) -> bool {
        match &self.kind {
            Kind::Group(group) => group.contains_key(member),
            Kind::Intersection(sides) | Kind::Difference(sides) => sides.contains(member),
            _ => self.store.as_ref().is_some_and(|store| store.contains(member)),
        }
    }
}
