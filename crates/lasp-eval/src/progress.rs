//! What a host tells whoever watches a run. Decides nothing.

use crate::stats;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A run at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Which run, from 0.
    pub run: usize,
    /// Of how many.
    pub runs: usize,
    /// Seconds since it began, on its own clock.
    pub seconds: f64,
    /// Nodes it is to have.
    pub nodes: usize,
    /// Nodes that are up.
    pub up: usize,
    /// What is counted.
    pub what: &'static str,
    /// How many there are.
    pub counted: u64,
    /// How many are to be expected.
    pub expected: u64,
    /// What a node does not see yet, in percent: mean over nodes.
    pub divergence_percent: f64,
    /// Bytes sent by all.
    pub bytes: u64,
}

/// What a node does not see yet of `counted` updates, in percent: mean over what nodes see.
pub fn divergence_percent(counted: u64, seen: &[f64]) -> f64 {
    if counted == 0 {
        return 0.0;
    }
    let behind = |seen: &f64| (1.0 - seen / counted as f64).max(0.0) * 100.0;
    stats::mean(&seen.iter().map(behind).collect::<Vec<_>>())
}

/// Watches an evaluation.
pub trait Observer {
    /// How far the run is; called a few times per second.
    fn progress(&mut self, progress: &Progress);

    /// Something out of the ordinary, in a sentence.
    fn note(&mut self, text: &str);
}

/// Watches nothing.
impl Observer for () {
    fn progress(&mut self, _: &Progress) {}

    fn note(&mut self, _: &str) {}
}

/// A wish to end before the end, which any thread may utter.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Utters it.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was uttered.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
