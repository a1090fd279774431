//! Three replicas of one variable: they change it, send each other deltas and whole states, in any order and repeatedly.
//!
//! The oracle knows no lattice: each replica has a set of operations it knows, and a type says what value a set of
//! operations denotes.

use lasp_crdt::{Lattice, ReplicaId};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// How many replicas.
pub(crate) const REPLICAS: usize = 3;

/// A replicated type with its operations and their meaning.
pub(crate) trait Subject {
    type State: Lattice + Debug;
    type Op: Clone + Debug + 'static;
    /// What a reader can see.
    type Value: PartialEq + Debug;
    fn op() -> BoxedStrategy<Self::Op>;
    /// The delta of an operation.
    fn mutate(state: &Self::State, replica: ReplicaId, op: &Self::Op) -> Self::State;
    fn value(state: &Self::State) -> Self::Value;
    /// What the operations at the indices `known` of `log` denote.
    fn denotation(log: &[Logged<Self::Op>], known: &BTreeSet<usize>) -> Self::Value;
}

/// What one replica alone computes, as a plain program over `std` types would.
pub(crate) trait Sequential: Subject {
    type Model: Default;
    fn step(model: &mut Self::Model, op: &Self::Op);
    fn read(model: &Self::Model) -> Self::Value;
}

/// An operation, where it was made, and what was known there.
#[derive(Clone, Debug)]
pub(crate) struct Logged<Op> {
    pub(crate) op: Op,
    pub(crate) replica: ReplicaId,
    pub(crate) observed: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step<Op> {
    /// A replica changes its state.
    Update(usize, Op),
    /// A replica gets the delta of some operation so far.
    Deliver(prop::sample::Index, usize),
    /// A replica gets the whole state of another.
    Sync(usize, usize),
}

/// What a history led to.
#[derive(Debug)]
pub(crate) struct World<S: Subject> {
    pub(crate) states: Vec<S::State>,
    pub(crate) deltas: Vec<S::State>,
    pub(crate) log: Vec<Logged<S::Op>>,
    pub(crate) known: Vec<BTreeSet<usize>>,
}

pub(crate) fn history<Op: Clone + Debug + 'static>(
    op: impl Strategy<Value = Op> + 'static,
) -> impl Strategy<Value = Vec<Step<Op>>> {
    let step = prop_oneof![
        4 => (0..REPLICAS, op).prop_map(|(at, op)| Step::Update(at, op)),
        2 => (any::<prop::sample::Index>(), 0..REPLICAS).prop_map(|(delta, to)| Step::Deliver(delta, to)),
        1 => (0..REPLICAS, 0..REPLICAS).prop_map(|(from, to)| Step::Sync(from, to)),
    ];
    prop::collection::vec(step, 0..25)
}

/// The id of the replica at an index; not in the order of the indices, and far apart.
pub(crate) fn replica(at: usize) -> ReplicaId {
    ReplicaId([0x9000_0000_0000_0001, 0x17, 0x4000_0000_0000_0000][at])
}

impl<S: Subject> World<S> {
    pub(crate) fn run(history: &[Step<S::Op>]) -> Self {
        let mut world = Self {
            states: vec![S::State::default(); REPLICAS],
            deltas: Vec::new(),
            log: Vec::new(),
            known: vec![BTreeSet::new(); REPLICAS],
        };
        for step in history {
            world.step(step);
        }
        world
    }

    fn step(&mut self, step: &Step<S::Op>) {
        match step {
            Step::Update(at, op) => {
                let delta = S::mutate(&self.states[*at], replica(*at), op);
                self.states[*at].merge(delta.clone());
                let observed = self.known[*at].clone();
                self.known[*at].insert(self.log.len());
                self.log.push(Logged { op: op.clone(), replica: replica(*at), observed });
                self.deltas.push(delta);
            }
            Step::Deliver(which, to) if !self.deltas.is_empty() => {
                let which = which.index(self.deltas.len());
                self.states[*to].merge(self.deltas[which].clone());
                self.known[*to].insert(which);
            }
            Step::Deliver(..) => {}
            Step::Sync(from, to) => {
                let (state, known) = (self.states[*from].clone(), self.known[*from].clone());
                self.states[*to].merge(state);
                self.known[*to].extend(known);
            }
        }
    }
}
