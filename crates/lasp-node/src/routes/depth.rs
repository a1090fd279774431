//! How deep the broadcast tree is, by the hops that broadcasts have made when they arrive, and whether it is to be made anew.
//!
//! What passes through the nodes between those that want it costs as many bytes as there are such nodes, so where interests
//! differ a deep tree costs more than time.

use lasp_overlay::Time;
use std::time::Duration;

/// From how many hops on, in the mean, a tree is deep. A guess: one made of shortest ways has ten at a thousand nodes of five
/// neighbours, thirteen at ten thousand.
const DEEP: f64 = 16.0;

/// How many times as deep as when it was made. A guess.
const WORSE: f64 = 1.5;

/// How many broadcasts tell, and over how many the mean is taken. Guesses.
const FEW: u32 = 8;
const MANY: u32 = 16;

/// How long a tree lasts at least. A guess: one that is new costs what everybody now lies between.
const LASTS: Duration = Duration::from_secs(30);

/// What this node has seen of the tree since it was made.
#[derive(Debug, Default)]
pub(crate) struct Depth {
    mean: f64,
    samples: u32,
    /// The mean when the tree was new.
    first: Option<f64>,
    made_at: Option<Time>,
}

impl Depth {
    /// A broadcast came after so many hops along the tree.
    pub(crate) fn heard(&mut self, hops: u16) {
        self.samples = self.samples.saturating_add(1);
        self.mean += (f64::from(hops) - self.mean) / f64::from(self.samples.min(MANY));
        if self.samples == FEW && self.made_at.is_some() {
            self.first = Some(self.mean);
        }
    }

    /// The tree was made anew.
    pub(crate) fn made(&mut self, now: Time) {
        *self = Self { made_at: Some(now), ..Self::default() };
    }

    /// Whether it is to be made anew.
    pub(crate) fn is_deep(&self, now: Time) -> bool {
        let lasted = self.made_at.is_none_or(|at| now >= at + LASTS);
        let limit = self.first.map_or(DEEP, |first| DEEP.max(WORSE * first));
        lasted && self.samples >= FEW && self.mean > limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_millis(1_000 * seconds)
    }

    fn hear(depth: &mut Depth, hops: u16, times: usize) {
        (0..times).for_each(|_| depth.heard(hops));
    }

    #[test]
    fn a_tree_is_made_anew_when_several_broadcasts_came_far() {
        let mut depth = Depth::default();
        hear(&mut depth, 40, 7);
        assert!(!depth.is_deep(at(9)));
        hear(&mut depth, 40, 1);
        assert!(depth.is_deep(at(9)));
        depth.made(at(9));
        hear(&mut depth, 10, 100);
        assert!(!depth.is_deep(at(1_000)));
        hear(&mut depth, 30, 30);
        assert!(depth.is_deep(at(1_000)));
    }

    #[test]
    fn one_that_is_deep_by_nature_stays() {
        let mut depth = Depth::default();
        depth.made(at(0));
        hear(&mut depth, 20, 50);
        assert!(!depth.is_deep(at(1_000)));
        hear(&mut depth, 40, 50);
        assert!(depth.is_deep(at(1_000)));
        depth.made(at(1_000));
        hear(&mut depth, 90, 50);
        assert!(!depth.is_deep(at(1_001)), "it is new");
    }
}
