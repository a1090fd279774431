//! A view as thresholds see it.

use super::aggregate::is_unset;
use super::logical::Shape;
use super::node::Node;
use crate::state::{Look, State};
use crate::threshold::{Level, Threshold};
use crate::value::Value;

/// What a view holds now.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(super) node: &'a Node,
    pub(super) shape: Shape,
}

impl Reading<'_> {
    fn scalar(&self) -> Option<&Value> {
        if self.shape.is_collection() { None } else { self.node.scalar() }
    }

    /// The number that numeric thresholds compare: a collection's cardinality, a scalar that is a number.
    pub(crate) fn level(&self) -> Option<Level> {
        if self.shape.is_collection() {
            return Some(Level::exactly(i64::try_from(self.node.cardinality()).unwrap_or(i64::MAX)));
        }
        self.scalar().and_then(Level::of)
    }

    /// Whether there is anything at all.
    fn is_bound(&self) -> bool {
        match self.shape {
            Shape::Set | Shape::Map => self.node.cardinality() > 0,
            Shape::Scalar => self.node.scalar().is_some(),
            Shape::Flag => self.node.scalar() == Some(&Value::Bool(true)),
        }
    }
}

impl Threshold {
    /// Whether a view has come this far.
    pub(crate) fn is_met_by(&self, view: &Reading<'_>) -> bool {
        match self {
            Self::Bound => view.is_bound(),
            // Of states, flags have one above bottom, and everything else is said in other ways.
            Self::State(wanted) => wanted.is_bottom() || matches!(wanted, State::Boolean(_)) && view.is_bound(),
            Self::Strict(wanted) => wanted.is_bottom() && view.is_bound(),
            Self::AtLeast(n) => view.level().is_some_and(|level| level.is_at_least(*n)),
            Self::MoreThan(n) => view.level().is_some_and(|level| level.is_more_than(*n)),
            Self::Contains { elements, more } => {
                view.shape.is_collection()
                    && (!more || view.node.cardinality() > elements.len())
                    && elements.iter().all(|element| view.node.contains(element))
            }
            Self::Holds(value) => view.scalar() == Some(value),
            Self::Entries(entries) => entries.iter().all(|entry| match view.node.under(&entry.key) {
                Some(value) => entry.threshold.is_seen_in(Look::Register(Some(value).filter(|value| !is_unset(value)))),
                None => entry.or_absent,
            }),
            // No view is a graph or a pair.
            Self::Graph { .. } | Self::Both(_) => false,
        }
    }
}
