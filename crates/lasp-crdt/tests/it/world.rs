//! Three replicas of one variable: they change it, send each other deltas and whole states, in any order and repeatedly,
//! and lose their memory.
//!
//! The oracle knows no lattice: each replica has a set of operations it knows, and a type says what value a set of
//! operations denotes.

use lasp_crdt::fingerprint::mix;
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
    /// A replica writes its state to disk.
    Save(usize),
    /// A replica loses its state. It comes back as a new writer, with what it saved last, if anything.
    Crash(usize),
}

impl<Op> Step<Op> {
    /// The operation of an update.
    pub(crate) fn op(&self) -> Option<&Op> {
        match self {
            Self::Update(_, op) => Some(op),
            _ => None,
        }
    }
}

/// What a history led to.
#[derive(Debug)]
pub(crate) struct World<S: Subject> {
    pub(crate) states: Vec<S::State>,
    pub(crate) deltas: Vec<S::State>,
    pub(crate) log: Vec<Logged<S::Op>>,
    pub(crate) known: Vec<BTreeSet<usize>>,
    /// What each replica saved last, and what was known there.
    saved: Vec<(S::State, BTreeSet<usize>)>,
    /// How often each replica came back.
    crashes: Vec<u64>,
}

/// What a step does, but for the operation.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Update,
    Deliver(prop::sample::Index),
    Sync(usize),
    Save,
    Crash,
}

fn kind() -> BoxedStrategy<Kind> {
    prop_oneof![
        12 => Just(Kind::Update),
        6 => any::<prop::sample::Index>().prop_map(Kind::Deliver),
        3 => (0..REPLICAS).prop_map(Kind::Sync),
        1 => Just(Kind::Save),
        1 => Just(Kind::Crash),
    ]
    .boxed()
}

pub(crate) fn history<Op: Clone + Debug + 'static>(op: BoxedStrategy<Op>) -> BoxedStrategy<Vec<Step<Op>>> {
    // Little of this knows the type of operations: it is compiled again for each.
    let step = (kind(), (0..REPLICAS).boxed(), op).prop_map(|(kind, at, op)| match kind {
        Kind::Update => Step::Update(at, op),
        Kind::Deliver(delta) => Step::Deliver(delta, at),
        Kind::Sync(from) => Step::Sync(from, at),
        Kind::Save => Step::Save(at),
        Kind::Crash => Step::Crash(at),
    });
    prop::collection::vec(step, 0..24).boxed()
}

/// The id of the replica at an index; not in the order of the indices, and far apart.
pub(crate) fn replica(at: usize) -> ReplicaId {
    ReplicaId([0x9000_0000_0000_0001, 0x17, 0x4000_0000_0000_0000][at])
}

/// The id of a replica that has come back from so many crashes.
fn incarnation(at: usize, crashes: u64) -> ReplicaId {
    match crashes {
        0 => replica(at),
        _ => ReplicaId(mix(replica(at).0, crashes)),
    }
}

impl<S: Subject> World<S> {
    pub(crate) fn run(history: &[Step<S::Op>]) -> Self {
        Self::run_with(history, |_, _, _| ())
    }

    /// Runs a history, and tells of each operation: the state before it, and the replica.
    pub(crate) fn run_with(history: &[Step<S::Op>], mut before: impl FnMut(&S::State, ReplicaId, &S::Op)) -> Self {
        let nothing = (S::State::default(), BTreeSet::new());
        let mut world = Self {
            states: vec![S::State::default(); REPLICAS],
            deltas: Vec::new(),
            log: Vec::new(),
            known: vec![BTreeSet::new(); REPLICAS],
            saved: vec![nothing; REPLICAS],
            crashes: vec![0; REPLICAS],
        };
        for step in history {
            if let Step::Update(at, op) = step {
                before(&world.states[*at], world.writer(*at), op);
            }
            world.step(step);
        }
        world
    }

    /// The states of the replicas.
    pub(crate) fn replicas(&self) -> [&S::State; REPLICAS] {
        [0, 1, 2].map(|at| &self.states[at])
    }

    /// The state of a replica, or a delta.
    pub(crate) fn any(&self, picks: &mut Picks) -> &S::State {
        let pool = if picks.next().is_multiple_of(2) || self.deltas.is_empty() { &self.states } else { &self.deltas };
        picks.of(pool)
    }

    /// Under which id the replica at an index writes.
    pub(crate) fn writer(&self, at: usize) -> ReplicaId {
        incarnation(at, self.crashes[at])
    }

    fn step(&mut self, step: &Step<S::Op>) {
        match *step {
            Step::Update(at, ref op) => self.update(at, op),
            Step::Deliver(which, to) if !self.deltas.is_empty() => {
                let which = which.index(self.deltas.len());
                self.states[to].merge(self.deltas[which].clone());
                self.known[to].insert(which);
            }
            Step::Deliver(..) => {}
            Step::Sync(from, to) => {
                let (state, known) = (self.states[from].clone(), self.known[from].clone());
                self.states[to].merge(state);
                self.known[to].extend(known);
            }
            Step::Save(at) => self.saved[at] = (self.states[at].clone(), self.known[at].clone()),
            Step::Crash(at) => {
                (self.states[at], self.known[at]) = self.saved[at].clone();
                self.crashes[at] += 1;
            }
        }
    }

    fn update(&mut self, at: usize, op: &S::Op) {
        let replica = self.writer(at);
        let delta = S::mutate(&self.states[at], replica, op);
        self.states[at].merge(delta.clone());
        let observed = self.known[at].clone();
        self.known[at].insert(self.log.len());
        self.log.push(Logged { op: op.clone(), replica, observed });
        self.deltas.push(delta);
    }
}

/// Choices that a seed determines. The seed 0, which shrinking ends at, chooses the first of everything.
#[derive(Debug)]
pub(crate) struct Picks(u64);

impl Picks {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        if self.0 > 0 {
            self.0 = mix(self.0, 1).max(1);
        }
        self.0
    }

    /// An item, which must be there.
    pub(crate) fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[(self.next() % items.len() as u64) as usize]
    }
}
