//! What arrived in the last seconds, of which a new neighbour is told: it stands in for one that failed, and perhaps hears of
//! what happened meanwhile from nobody else.

use super::message::Ids;
use crate::time::Time;
use lasp_crdt::DotSet;
use std::collections::VecDeque;
use std::time::Duration;

/// The ids that arrived last, oldest first, at most as many as are asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    arrived: VecDeque<(Time, Ids)>,
}

impl Recent {
    /// These arrived. Of all of the last `span`, the last `limit` are kept.
    pub(super) fn note(&mut self, now: Time, ids: &Ids, span: Duration, limit: usize) {
        while self.arrived.front().is_some_and(|(at, _)| *at + span < now) {
            self.arrived.pop_front();
        }
        self.arrived.push_back((now, ids.clone()));
        while self.arrived.len() > limit {
            self.arrived.pop_front();
        }
    }

    /// Those that arrived no longer than `span` ago.
    pub(super) fn within(&self, now: Time, span: Duration) -> DotSet {
        let mut set = DotSet::new();
        for (_, ids) in self.arrived.iter().rev().take_while(|(at, _)| now <= *at + span) {
            for (origin, range) in ids.ranges() {
                set.insert_range(origin, range.start, range.end);
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::{Dot, ReplicaId};

    #[test]
    fn what_is_old_or_too_much_is_not_told() {
        let mut recent = Recent::default();
        let dot = |n| Dot::new(ReplicaId(1), n);
        for n in 1..=5 {
            recent.note(Time::from_millis(n * 100), &Ids::from(dot(n)), Duration::from_secs(1), 3);
        }
        let told = |now, span| recent.within(Time::from_millis(now), Duration::from_millis(span));
        assert_eq!(told(500, 1_000), [3, 4, 5].into_iter().map(dot).collect());
        assert_eq!(told(600, 200), [4, 5].into_iter().map(dot).collect());
        assert!(told(1_000, 499).is_empty());
    }
}
