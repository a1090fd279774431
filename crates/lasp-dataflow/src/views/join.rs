//! `join`: the pairs whose keys are equal, found by an index of each input by key.

use super::bag::{Bag, Turn};
use super::change::{Change, Emitter};
use super::{Table, pair, seen_from, shrink};
use crate::operator::Function;
use crate::operators::Side;
use crate::value::Value;
use smallvec::SmallVec;
use std::slice;

/// Both inputs by key.
pub(crate) struct Join([Keyed; 2]);

struct Keyed {
    key: Function,
    buckets: Table<Bucket>,
}

impl Join {
    pub(crate) fn new(left_key: Function, right_key: Function) -> Self {
        Self([left_key, right_key].map(|key| Keyed { key, buckets: Table::default() }))
    }

    /// What to show for it.
    pub(crate) fn describe(&self) -> String {
        let [left, right] = &self.0;
        format!("join({}, {})", left.key.describe(), right.key.describe())
    }

    /// One call of the key function for each change, and one step for each partner. An element without a key has none.
    pub(crate) fn run(&mut self, side: Side, changes: &[Change], out: &mut Emitter) {
        let (mine, other) = seen_from(side, &mut self.0);
        for change in changes {
            let key = match mine.key.call(slice::from_ref(&change.member)) {
                Ok(key) => key,
                Err(error) => {
                    out.fail(change.weight > 0, "join", &change.member, error);
                    continue;
                }
            };
            let partners = other.buckets.get(&key);
            let weight = mine.add(key, change).weight();
            if let (Some(partners), true) = (partners, weight != 0) {
                partners.for_each(&mut |partner| out.emit(pair(side, &change.member, partner), weight));
            }
        }
    }

    /// The pairs as they are.
    pub(crate) fn for_each(&self, each: &mut dyn FnMut(Value)) {
        let [left, right] = &self.0;
        for (key, mine) in &left.buckets {
            let Some(partners) = right.buckets.get(key) else { continue };
            mine.for_each(&mut |x| partners.for_each(&mut |y| each(Value::pair(x.clone(), y.clone()))));
        }
    }
}

impl Keyed {
    fn add(&mut self, key: Value, change: &Change) -> Turn {
        let entry = self.buckets.entry(key);
        match entry {
            hashbrown::hash_map::Entry::Occupied(mut entry) => {
                let turn = entry.get_mut().add(&change.member, change.weight);
                if entry.get().is_empty() {
                    entry.remove();
                    shrink(&mut self.buckets);
                }
                turn
            }
            hashbrown::hash_map::Entry::Vacant(entry) => {
                entry.insert(Bucket::Few(SmallVec::new())).add(&change.member, change.weight)
            }
        }
    }
}

/// The members with one key: most often one.
enum Bucket {
    Few(SmallVec<[(Value, i64); 1]>),
    Many(Bag),
}

/// Up to how many members a list replaces the table. A guess: a scan of as many takes about as long as a look-up.
const FEW: usize = 8;

impl Bucket {
    fn add(&mut self, member: &Value, weight: i64) -> Turn {
        let few = match self {
            Self::Few(few) => few,
            Self::Many(bag) => return bag.add(member, weight),
        };
        let Some(at) = few.iter().position(|(held, _)| held == member) else {
            if few.len() == FEW {
                let mut bag = Bag::default();
                few.drain(..).for_each(|(held, count)| _ = bag.add(&held, count));
                let turn = bag.add(member, weight);
                *self = Self::Many(bag);
                return turn;
            }
            few.push((member.clone(), weight));
            return Turn::between(0, weight);
        };
        let count = &mut few[at].1;
        let turn = Turn::between(*count, *count + weight);
        *count += weight;
        if *count == 0 {
            few.swap_remove(at);
        }
        turn
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Few(few) => few.is_empty(),
            Self::Many(bag) => bag.len() == 0,
        }
    }

    fn for_each(&self, each: &mut dyn FnMut(&Value)) {
        match self {
            Self::Few(few) => few.iter().for_each(|(member, _)| each(member)),
            Self::Many(bag) => bag.iter().for_each(each),
        }
    }
}
