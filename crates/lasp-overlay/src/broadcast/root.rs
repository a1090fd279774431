//! Whose messages shape the tree.
//!
//! The paper prunes on every duplicate. The duplicates of one message are safe to prune on: the links that delivered it
//! first span the overlay. Those of two messages at once are not: each cuts the same cycle at another place, and
//! the pieces must be grafted together again, for ever while several origins send. So one origin shapes the tree that
//! all share, the *root*: the lowest id among those heard lately. Every peer finds the same one without a word.

use crate::time::Time;
use lasp_crdt::ReplicaId;
use std::time::Duration;

/// The root as this peer sees it.
#[derive(Debug, Default)]
pub(super) struct Root {
    current: Option<(ReplicaId, Time)>,
}

impl Root {
    /// A message of `origin` was heard.
    pub(super) fn heard(&mut self, now: Time, origin: ReplicaId, silence: Duration) {
        let stays = self.current.is_some_and(|(root, heard)| root < origin && now.since(heard) <= silence);
        if !stays {
            self.current = Some((origin, now));
        }
    }

    pub(super) fn is(&self, origin: ReplicaId) -> bool {
        self.current.is_some_and(|(root, _)| root == origin)
    }

    pub(super) fn get(&self) -> Option<ReplicaId> {
        self.current.map(|(root, _)| root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_origin_heard_lately_is_the_root() {
        let silence = Duration::from_secs(5);
        let mut root = Root::default();
        let at = Time::from_millis;
        root.heard(at(0), ReplicaId(5), silence);
        root.heard(at(100), ReplicaId(9), silence);
        assert!(root.is(ReplicaId(5)));
        root.heard(at(200), ReplicaId(3), silence);
        root.heard(at(5_100), ReplicaId(5), silence);
        assert_eq!(root.get(), Some(ReplicaId(3)));
        root.heard(at(5_201), ReplicaId(5), silence);
        assert_eq!(root.get(), Some(ReplicaId(5)));
    }
}
