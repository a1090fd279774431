//! Histories of three replicas from a seed, for types whose operations are only known to the caller.

use super::{check_all, check_delivery, check_delta, check_group, check_least, check_mutator, merged};
use crate::dot::ReplicaId;
use crate::fingerprint;
use crate::lattice::Delta;
use std::fmt::Debug;

/// How many steps a history has at most. A guess: enough for every pair of operations to meet, few enough to read.
const STEPS: usize = 16;

/// Three replicas change a state, send each other deltas and whole states, and crash, as the seed will have it; on the
/// way and in the end, every law of mutators, deltas, merging, order and decomposition is checked.
///
/// `mutate` makes the delta of some operation of the type, on behalf of a replica, from a random number. It is a
/// function of its arguments. A replica that lost its state comes back under a new id.
///
/// # Panics
/// If a law is broken.
pub fn check_history<T: Delta + Debug>(seed: u64, mutate: impl Fn(&T, ReplicaId, u64) -> T) {
    let mut random = Random::new(seed);
    let mut history = History { replicas: [1, 2, 3].map(|id| (ReplicaId(id), T::default())), deltas: Vec::new() };
    for _ in 0..random.below(STEPS + 1) {
        history.step(&mut random, &mutate);
    }
    let mut states: Vec<T> = history.replicas.into_iter().map(|(_, state)| state).collect();
    if let Some(delta) = history.deltas.get(random.below(history.deltas.len())) {
        states.push(delta.clone());
    }
    check_all(&states);
    check_delivery(&history.deltas, random.next());
}

struct History<T> {
    replicas: [(ReplicaId, T); 3],
    deltas: Vec<T>,
}

impl<T: Delta + Debug> History<T> {
    fn step(&mut self, random: &mut Random, mutate: &impl Fn(&T, ReplicaId, u64) -> T) {
        let (at, other) = (random.below(3), random.below(3));
        match random.below(16) {
            0 => self.replicas[at] = (ReplicaId(random.next()), T::default()),
            1..3 => self.replicas[at].1 = merged(&self.replicas[at].1, &self.replicas[other].1),
            3..7 => {
                if let Some(delta) = self.deltas.get(random.below(self.deltas.len())) {
                    self.replicas[at].1.merge(delta.clone());
                }
            }
            _ => self.update(at, random.next(), mutate),
        }
    }

    fn update(&mut self, at: usize, operation: u64, mutate: &impl Fn(&T, ReplicaId, u64) -> T) {
        let (replica, state) = &mut self.replicas[at];
        check_mutator(state, |state| mutate(state, *replica, operation));
        let delta = mutate(state, *replica, operation);
        check_delta(&merged(state, &delta), state);
        check_least(state, &delta);
        if let Some(last) = self.deltas.last() {
            check_group(state, last, &delta);
        }
        state.merge(delta.clone());
        self.deltas.push(delta);
    }
}

/// Numbers that a seed determines.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        fingerprint::mix(self.0, 0)
    }

    /// A number below `end`; 0 if that is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % (end as u64).max(1)) as usize
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
