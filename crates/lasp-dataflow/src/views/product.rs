//! `product`: all pairs of a member of each input. Each change meets all of the other side.

use super::bag::Bag;
use super::change::{Change, Emitter};
use super::{pair, seen_from};
use crate::operators::Side;
use crate::value::Value;

/// The members of both inputs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Product([Bag; 2]);

impl Product {
    pub(crate) fn run(&mut self, side: Side, changes: &[Change], out: &mut Emitter) {
        let (mine, other) = seen_from(side, &mut self.0);
        for change in changes {
            let weight = mine.add(&change.member, change.weight).weight();
            if weight != 0 {
                out.changes.reserve(other.len());
                other.iter().for_each(|partner| out.emit(pair(side, &change.member, partner), weight));
            }
        }
    }

    /// The pairs as they are.
    pub(crate) fn for_each(&self, each: &mut dyn FnMut(Value)) {
        let [left, right] = &self.0;
        for x in left.iter() {
            right.iter().for_each(|y| each(Value::pair(x.clone(), y.clone())));
        }
    }
}
