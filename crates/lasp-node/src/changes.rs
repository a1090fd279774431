//! How each variable came to be as it is, for people who look: when it last changed at this node, and by whom as far as that
//! can be told. Kept only where it is asked for, boundedly.

use lasp_crdt::Dot;
use lasp_dataflow::{Cause, VarDelta, VarId};
use lasp_overlay::{PeerId, Time};
use std::collections::BTreeMap;

/// The last change of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// When it reached this node.
    pub at: Time,
    /// What kind of change it was.
    pub cause: Cause,
    /// The neighbour that told it, of one that was received.
    pub from: Option<PeerId>,
    /// The event that it added, if the delta tells ([`State::author`](lasp_dataflow::State::author)).
    pub author: Option<Dot>,
}

/// The last changes of variables.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// How many are kept at least; 0 for none.
    bound: usize,
    now: Time,
    from: Option<PeerId>,
    last: BTreeMap<VarId, LastChange>,
}

impl Changes {
    pub(crate) fn new(bound: usize) -> Self {
        Self { bound, ..Self::default() }
    }

    /// What comes now is of this time, and what is received of this neighbour.
    pub(crate) const fn attend(&mut self, now: Time, from: Option<PeerId>) {
        (self.now, self.from) = (now, from);
    }

    /// Takes note of a change. At twice the bound the older half goes. Cost: O(log n) and that of the delta, amortised.
    pub(crate) fn note(&mut self, change: &VarDelta) {
        if self.bound == 0 {
            return;
        }
        let from = self.from.filter(|_| change.cause == Cause::Received);
        let author = if change.cause == Cause::Derived { None } else { change.delta.author() };
        self.last.insert(change.var, LastChange { at: self.now, cause: change.cause, from, author });
        if self.last.len() > 2 * self.bound {
            self.forget_older_half();
        }
    }

    fn forget_older_half(&mut self) {
        let mut by_age: Vec<(Time, VarId)> = self.last.iter().map(|(&var, change)| (change.at, var)).collect();
        by_age.sort_unstable();
        for (_, var) in by_age.iter().take(by_age.len() - self.bound) {
            self.last.remove(var);
        }
    }

    /// Forgets a variable.
    pub(crate) fn forget(&mut self, var: VarId) {
        self.last.remove(&var);
    }

    pub(crate) fn of(&self, var: VarId) -> Option<LastChange> {
        self.last.get(&var).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::{GCounter, ReplicaId, Stamp};
    use lasp_dataflow::{Graph, Name, Op, State, Type};

    #[test]
    fn the_latest_are_kept_with_who_told_them() {
        let mut graph = Graph::new(ReplicaId(1));
        let mut changes = Changes::new(2);
        let mut declare = |number: u64| {
            graph.declare(Name::new(format!("v{number}")).expect("a name"), Type::GCounter).expect("declared")
        };
        let vars: Vec<VarId> = (0..5).map(&mut declare).collect();
        for (place, &var) in vars.iter().enumerate() {
            changes.attend(Time::from_millis(place as u64), Some(PeerId(9)));
            match place {
                0 => graph.update(var, &Op::Increment(2), Stamp::default()).expect("updated"),
                _ => _ = graph.merge(var, State::GCounter(GCounter::new().increment(ReplicaId(7), 3))),
            }
            graph.drain().deltas.iter().for_each(|change| changes.note(change));
            if place == 0 {
                let own = LastChange {
                    at: Time::ZERO,
                    cause: Cause::Local,
                    from: None,
                    author: Some(Dot::new(ReplicaId(1), 2)),
                };
                assert_eq!(changes.of(var), Some(own));
            }
        }
        // The fifth was one too many.
        assert_eq!(
            vars.iter().map(|&var| changes.of(var).is_some()).collect::<Vec<_>>(),
            [false, false, false, true, true]
        );
        let told = changes.of(vars[4]).expect("the latest");
        assert_eq!((told.from, told.author), (Some(PeerId(9)), Some(Dot::new(ReplicaId(7), 3))));
        let mut none = Changes::new(0);
        graph.update(vars[0], &Op::Increment(1), Stamp::default()).expect("updated");
        graph.drain().deltas.iter().for_each(|change| none.note(change));
        assert_eq!(none.of(vars[0]), None, "nobody asked for it");
    }
}
