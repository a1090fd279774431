//! Both inputs of `intersection` and `difference` in one table: each member with how often either side has it.

use super::change::{Change, Emitter};
use super::shrink_members;
use crate::operators::Side;
use crate::value::Value;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use lasp_crdt::fingerprint::hash;

/// Whether a member that the left side has so often, and the right side so often, is in the result.
pub(crate) type Holds = fn(left: i64, right: i64) -> bool;

/// The members of two inputs, counted side by side.
#[derive(Clone, Debug)]
pub(crate) struct Sides {
    holds: Holds,
    members: HashTable<(Value, [i64; 2])>,
    /// How many are in the result.
    len: usize,
}

impl Sides {
    pub(crate) fn new(holds: Holds) -> Self {
        Self { holds, members: HashTable::new(), len: 0 }
    }

    /// One look-up for each change.
    pub(crate) fn run(&mut self, side: Side, changes: &[Change], out: &mut Emitter) {
        for change in changes {
            let (before, after) = self.count(side, change);
            match ((self.holds)(before[0], before[1]), (self.holds)(after[0], after[1])) {
                (false, true) => {
                    self.len += 1;
                    out.emit(change.member.clone(), 1);
                }
                (true, false) => {
                    self.len -= 1;
                    out.emit(change.member.clone(), -1);
                }
                _ => {}
            }
        }
    }

    fn count(&mut self, side: Side, change: &Change) -> ([i64; 2], [i64; 2]) {
        let member = &change.member;
        let entry = self.members.entry(hash(member), |(held, _)| held == member, |(held, _)| hash(held));
        match entry {
            Entry::Occupied(mut entry) => {
                let counts = &mut entry.get_mut().1;
                let before = *counts;
                counts[side as usize] += change.weight;
                let after = *counts;
                if after == [0, 0] {
                    entry.remove();
                    shrink_members(&mut self.members);
                }
                (before, after)
            }
            Entry::Vacant(entry) => {
                let mut counts = [0, 0];
                counts[side as usize] += change.weight;
                entry.insert((member.clone(), counts));
                ([0, 0], counts)
            }
        }
    }

    /// How many members the result has.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn contains(&self, member: &Value) -> bool {
        let found = self.members.find(hash(member), |(held, _)| held == member);
        found.is_some_and(|(_, [left, right])| (self.holds)(*left, *right))
    }

    /// The result, in no order that means anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Value> {
        self.members.iter().filter(|(_, [left, right])| (self.holds)(*left, *right)).map(|(member, _)| member)
    }
}
