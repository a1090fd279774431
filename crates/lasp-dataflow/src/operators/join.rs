//! `join`: the pairs of elements whose keys are equal, found by an index on each side's keys.

use super::{Feed, Input, Outcome, Side, grouped, pair};
use crate::operator::{Function, FunctionError};
use crate::value::Value;
use lasp_crdt::Support;
use std::collections::{BTreeMap, BTreeSet};

/// Both key functions and the elements by key.
pub(crate) struct Join {
    left: Keyed,
    right: Keyed,
}

/// One input's elements, found by their key.
struct Keyed {
    key: Function,
    elements: BTreeMap<Value, BTreeSet<Value>>,
}

impl Join {
    pub(super) fn new(left_key: Function, right_key: Function) -> Self {
        Self { left: Keyed::new(left_key), right: Keyed::new(right_key) }
    }

    /// One call of the key function for each element that changed, and one step for each new pair.
    pub(super) fn feed(&mut self, feed: &Feed<'_>, out: &mut Outcome) {
        out.know_bases_of(feed.delta);
        let (mine, theirs) = match feed.side {
            Side::Left => (&mut self.left, &self.right),
            Side::Right => (&mut self.right, &self.left),
        };
        for (element, supports) in grouped(feed.delta) {
            match mine.key(element) {
                Ok(key) => theirs.pair_up(&key, element, &supports, feed, out),
                Err(error) => out.fail(element, error),
            }
        }
        for element in feed.touched.keys() {
            mine.reindex(element, &feed.mine);
        }
    }
}

impl Keyed {
    fn new(key: Function) -> Self {
        Self { key, elements: BTreeMap::new() }
    }

    fn key(&self, element: &Value) -> Result<Value, FunctionError> {
        self.key.call(std::slice::from_ref(element))
    }

    /// Pairs `element` of the other input with everything here under `key`.
    fn pair_up(&self, key: &Value, element: &Value, supports: &[&Support], feed: &Feed<'_>, out: &mut Outcome) {
        for partner in self.elements.get(key).into_iter().flatten() {
            let joined = pair(feed.side, element, partner);
            feed.other.supports(partner, |theirs| {
                supports.iter().for_each(|mine| out.emit(element, joined.clone(), mine.and(theirs)));
            });
        }
    }

    /// Puts `element` under its key, or takes it out, as it is now in the input. An element without a key is nowhere.
    fn reindex(&mut self, element: &Value, input: &Input<'_>) {
        let Ok(key) = self.key(element) else { return };
        if input.contains(element) {
            self.elements.entry(key).or_default().insert(element.clone());
            return;
        }
        let Some(group) = self.elements.get_mut(&key) else { return };
        group.remove(element);
        if group.is_empty() {
            self.elements.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::function;
    use crate::state::{State, Touched};
    use crate::types::Type;
    use lasp_crdt::{BaseId, Derived};

    #[test]
    fn elements_that_went_leave_nothing_in_the_index() {
        let identity = function(|args| Ok(args[0].clone()));
        let mut join = Join::new(identity.clone(), identity);
        let [empty, one] = [vec![], vec![Value::Int(1)]]
            .map(|elements| State::from_value(&Type::GSet, &elements.into()).expect("a list"));
        let touched = Touched::from([(Value::Int(1), false)]);
        for (state, groups) in [(&one, 1), (&empty, 0)] {
            let input = Input { state, base: BaseId(0) };
            let delta = Derived::new();
            let feed = Feed { side: Side::Left, delta: &delta, touched: &touched, mine: input, other: input };
            join.feed(&feed, &mut Outcome::default());
            assert_eq!(join.left.elements.len(), groups);
        }
    }
}
