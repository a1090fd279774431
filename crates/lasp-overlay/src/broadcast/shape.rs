//! Which messages shape the tree, and which links they show to be one too many.
//!
//! The paper prunes on every duplicate. The duplicates of one message are safe to prune on: the links that delivered it
//! first span the overlay. Those of several messages under way together are not: each cuts the same cycle at another
//! place, and the pieces must be grafted together again, for ever while several origins send. So only now and then a
//! message is marked by its origin as *shaping* the tree, when none was heard for a while, and only its
//! duplicates count. Should two be marked at once, every peer waits until it will have heard of both and goes by the
//! lower id.

use super::config::Config;
use crate::peer::PeerId;
use crate::rng::Rng;
use crate::time::Time;
use lasp_crdt::Dot;
use std::time::Duration;

/// The shaping of the tree, as this peer takes part in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// The last shaping message: of those heard up to `settled_at`, the lowest.
    current: Option<Dot>,
    settled_at: Time,
    /// The links that brought it again.
    superfluous: Vec<PeerId>,
    /// From when on a message of this peer is marked.
    next: Time,
    /// Until when messages shape nothing, since a wave does.
    idle_until: Time,
}

impl Shape {
    /// Whether a message broadcast now shapes the tree.
    pub(super) fn is_due(&self, now: Time) -> bool {
        now >= self.next
    }

    /// A shaping message was heard or broadcast.
    pub(super) fn heard(&mut self, now: Time, id: Dot, config: &Config, rng: &mut Rng) {
        if now < self.idle_until {
            return;
        }
        let settling = now < self.settled_at;
        if self.current == Some(id) || (settling && self.current.is_some_and(|current| current < id)) {
            return;
        }
        if !settling {
            self.settled_at = now + config.shape_wait;
            // Unequal waits, so that seldom two peers mark a message together.
            self.next = now + config.shape_every.mul_f64(1.0 + rng.unit());
        }
        self.current = Some(id);
        self.superfluous.clear();
    }

    /// A link brought a message again that another had brought. When it is the first such link of the current shaping
    /// message, returns when to look at them.
    pub(super) fn duplicated(&mut self, now: Time, id: Dot, link: PeerId) -> Option<Time> {
        if self.current != Some(id) || now >= self.settled_at || self.superfluous.contains(&link) {
            return None;
        }
        self.superfluous.push(link);
        (self.superfluous.len() == 1).then_some(self.settled_at)
    }

    /// A wave shapes the tree: what messages have shown so far is void, and they show nothing while it `lasts`.
    pub(super) fn give_way(&mut self, now: Time, lasts: Duration, config: &Config, rng: &mut Rng) {
        let idle_until = now + lasts;
        let wait = config.shape_every.mul_f64(rng.unit());
        *self = Self { next: self.next.max(idle_until + wait), idle_until, ..Self::default() };
    }

    /// A link is wanted after all.
    pub(super) fn keep(&mut self, link: PeerId) {
        self.superfluous.retain(|other| *other != link);
    }

    /// The links that are one too many, if the time has come.
    pub(super) fn settle(&mut self, now: Time) -> Vec<PeerId> {
        if now < self.settled_at { Vec::new() } else { std::mem::take(&mut self.superfluous) }
    }

    /// The last shaping message.
    pub(super) const fn current(&self) -> Option<Dot> {
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::ReplicaId;

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);

    fn dot(origin: u64) -> Dot {
        Dot::new(ReplicaId(origin), 1)
    }

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    struct Fixture {
        shape: Shape,
        config: Config,
        rng: Rng,
    }

    impl Fixture {
        fn new() -> Self {
            let millis = Duration::from_millis;
            let config = Config { shape_wait: millis(200), shape_every: millis(1_000), ..Config::default() };
            Self { shape: Shape::default(), config, rng: Rng::new(1) }
        }

        fn heard(&mut self, millis: u64, origin: u64) {
            self.shape.heard(at(millis), dot(origin), &self.config, &mut self.rng);
        }
    }

    #[test]
    fn of_shaping_messages_under_way_together_the_lowest_counts() {
        let mut f = Fixture::new();
        f.heard(0, 5);
        assert_eq!(f.shape.duplicated(at(1), dot(5), A), Some(at(200)));
        f.heard(10, 9);
        assert_eq!(f.shape.duplicated(at(11), dot(9), B), None);
        f.heard(20, 3);
        assert_eq!(f.shape.duplicated(at(21), dot(5), A), None);
        assert_eq!(f.shape.duplicated(at(22), dot(3), B), Some(at(200)));
        assert_eq!(f.shape.settle(at(199)), []);
        assert_eq!(f.shape.settle(at(200)), [B]);
        f.heard(300, 9);
        assert_eq!(f.shape.current(), Some(dot(9)));
    }

    #[test]
    fn a_link_wanted_meanwhile_stays() {
        let mut f = Fixture::new();
        f.heard(0, 5);
        f.shape.duplicated(at(1), dot(5), A);
        f.shape.duplicated(at(1), dot(5), B);
        f.shape.keep(A);
        assert_eq!(f.shape.settle(at(200)), [B]);
    }

    #[test]
    fn whoever_hears_a_shaping_message_marks_none_for_a_while() {
        let mut f = Fixture::new();
        assert!(f.shape.is_due(at(0)));
        f.heard(0, 5);
        assert!(!f.shape.is_due(at(999)) && f.shape.is_due(at(2_000)));
    }
}
