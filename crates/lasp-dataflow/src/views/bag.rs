//! A bag of values: each with how many reasons there are for it. What a view holds once somebody reads it.
//!
//! Adding, dropping and finding take O(1). Iteration has no order that means anything: whoever shows it sorts.

use super::change::Change;
use super::shrink_members;
use crate::value::Value;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use lasp_crdt::fingerprint::hash;

/// Members with positive counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bag(HashTable<(Value, i64)>);

/// What a change of its count did to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Came,
    Went,
    Stayed,
}

impl Turn {
    /// What becomes of a member whose count goes from `before` to `after`.
    pub(crate) fn between(before: i64, after: i64) -> Self {
        match (before > 0, after > 0) {
            (false, true) => Self::Came,
            (true, false) => Self::Went,
            _ => Self::Stayed,
        }
    }

    /// The change of a set's member: one, minus one, or nothing.
    pub(crate) fn weight(self) -> i64 {
        match self {
            Self::Came => 1,
            Self::Went => -1,
            Self::Stayed => 0,
        }
    }
}

impl Bag {
    /// Adds `weight` to the count of a member.
    pub(crate) fn add(&mut self, member: &Value, weight: i64) -> Turn {
        match self.0.entry(hash(member), |(held, _)| held == member, |(held, _)| hash(held)) {
            Entry::Occupied(mut entry) => {
                let count = &mut entry.get_mut().1;
                let before = *count;
                *count += weight;
                let turn = Turn::between(before, *count);
                if *count == 0 {
                    entry.remove();
                    shrink_members(&mut self.0);
                }
                turn
            }
            Entry::Vacant(entry) => {
                if weight != 0 {
                    entry.insert((member.clone(), weight));
                }
                Turn::between(0, weight)
            }
        }
    }

    pub(crate) fn reserve(&mut self, more: usize) {
        self.0.reserve(more, |(held, _)| hash(held));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn contains(&self, member: &Value) -> bool {
        self.0.find(hash(member), |(held, _)| held == member).is_some()
    }

    /// The members, in no order that means anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|(member, _)| member)
    }

    /// The members with their counts, likewise.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (&Value, i64)> {
        self.0.iter().map(|(member, count)| (member, *count))
    }

    /// The members, ascending. Cost: n·log n.
    pub(crate) fn sorted(&self) -> Vec<Value> {
        let mut all: Vec<Value> = self.iter().cloned().collect();
        all.sort_unstable();
        all
    }
}

/// What tells members from reasons: a bag, unless the stream tells of each member once anyway.
#[derive(Clone, Debug)]
pub(crate) struct Members(Option<Bag>);

impl Members {
    /// Of a stream that is `distinct` or not.
    pub(crate) fn of_stream(distinct: bool) -> Self {
        Self((!distinct).then(Bag::default))
    }

    /// One if the member came by this change, minus one if it went, 0 if it stayed what it was.
    pub(crate) fn turn(&mut self, change: &Change) -> i64 {
        match &mut self.0 {
            Some(bag) => bag.add(&change.member, change.weight).weight(),
            None => change.weight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_there_while_there_is_a_reason() {
        let mut bag = Bag::default();
        let one = Value::Int(1);
        assert_eq!(bag.add(&one, 1), Turn::Came);
        assert_eq!(bag.add(&one, 2), Turn::Stayed);
        assert_eq!(bag.add(&one, -2), Turn::Stayed);
        assert!(bag.contains(&one));
        assert_eq!(bag.add(&one, -1), Turn::Went);
        assert_eq!((bag.len(), bag.contains(&one)), (0, false));
    }

    #[test]
    fn memory_follows_the_members() {
        let mut bag = Bag::default();
        (0..10_000).for_each(|n| _ = bag.add(&Value::Int(n), 1));
        (0..9_990).for_each(|n| _ = bag.add(&Value::Int(n), -1));
        assert!(bag.0.capacity() < 200, "{}", bag.0.capacity());
        assert_eq!(bag.sorted(), (9_990..10_000).map(Value::Int).collect::<Vec<_>>());
    }
}
