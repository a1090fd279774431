//! `group`: the members by key, and an aggregate over those of each key.
//!
//! Its members are the entries `{Key, Result}`, of which each key has one.

use super::aggregate::{Accumulator, is_unset};
use super::bag::Members;
use super::change::{Change, Emitter};
use super::{Table, shrink};
use crate::operator::{Aggregate, Function};
use crate::output::Output;
use crate::value::Value;
use std::slice;

/// A running group.
pub(crate) struct Group {
    key: Function,
    aggregate: Aggregate,
    members: Members,
    cells: Table<Cell>,
    /// Keys whose cell changed since the last time results were emitted.
    open: Vec<Value>,
    /// How many keys have a result.
    shown: usize,
}

/// What is known of one key.
struct Cell {
    accumulator: Accumulator,
    members: u64,
    /// As it was last emitted.
    result: Option<Value>,
    is_open: bool,
}

impl Group {
    /// No groups yet. `distinct` says that the input tells of each member once.
    pub(crate) fn new(key: Function, aggregate: Aggregate, distinct: bool) -> Self {
        let members = Members::of_stream(distinct);
        Self { key, aggregate, members, cells: Table::default(), open: Vec::new(), shown: 0 }
    }

    /// What to show for it.
    pub(crate) fn describe(&self) -> String {
        format!("group({}, {:?})", self.key.describe(), self.aggregate)
    }

    pub(crate) fn run(&mut self, changes: &[Change], out: &mut Emitter) {
        for change in changes {
            let weight = self.members.turn(change);
            if weight != 0 {
                self.change(&change.member, weight > 0, out);
            }
        }
        for key in std::mem::take(&mut self.open) {
            self.settle(key, out);
        }
    }

    fn change(&mut self, member: &Value, came: bool, out: &mut Emitter) {
        let key = match self.key.call(slice::from_ref(member)) {
            Ok(key) => key,
            Err(error) => return out.fail(came, "group", member, error),
        };
        if let Some(cell) = self.cells.get_mut(&key) {
            if !cell.is_open {
                cell.is_open = true;
                self.open.push(key);
            }
            cell.members = cell.members.wrapping_add_signed(if came { 1 } else { -1 });
            cell.accumulator.change(member, member, came, "group", out);
            return;
        }
        let mut accumulator = Accumulator::new(&self.aggregate);
        accumulator.change(member, member, came, "group", out);
        self.cells.insert(key.clone(), Cell { accumulator, members: 1, result: None, is_open: true });
        self.open.push(key);
    }

    /// Emits a key's result, if it is another; drops the cell of a key without members.
    fn settle(&mut self, key: Value, out: &mut Emitter) {
        let Some(cell) = self.cells.get_mut(&key) else { return };
        cell.is_open = false;
        let result = if cell.members == 0 {
            None
        } else {
            cell.accumulator.settle("group", out);
            match cell.accumulator.result() {
                Ok(result) => Some(result),
                Err(error) => {
                    out.fail(true, "group", &key, error);
                    None
                }
            }
        };
        if result != cell.result {
            if let Some(old) = cell.result.take() {
                self.shown -= 1;
                out.emit(Value::pair(key.clone(), old), -1);
            }
            if let Some(new) = &result {
                self.shown += 1;
                out.emit(Value::pair(key.clone(), new.clone()), 1);
            }
            cell.result = result;
        }
        if cell.members == 0 {
            self.cells.remove(&key);
            shrink(&mut self.cells);
        }
    }

    /// The entries as they are.
    pub(crate) fn for_each(&self, each: &mut dyn FnMut(Value)) {
        for (key, result) in self.entries() {
            each(Value::pair(key.clone(), result.clone()));
        }
    }

    /// Keys and results, in no order that means anything.
    fn entries(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.cells.iter().filter_map(|(key, cell)| Some((key, cell.result.as_ref()?)))
    }

    /// As a map, ascending by key. Cost: n·log n.
    pub(crate) fn read(&self) -> Output {
        let scalar = |result: &Value| if is_unset(result) { Output::Unset } else { Output::Value(result.clone()) };
        let mut entries: Vec<(Value, Output)> = self.entries().map(|(k, v)| (k.clone(), scalar(v))).collect();
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Output::Map(entries)
    }

    /// How many keys have a result.
    pub(crate) fn len(&self) -> usize {
        self.shown
    }

    pub(crate) fn contains_key(&self, key: &Value) -> bool {
        self.get(key).is_some()
    }

    /// The result for a key.
    pub(crate) fn get(&self, key: &Value) -> Option<&Value> {
        self.cells.get(key)?.result.as_ref()
    }
}
