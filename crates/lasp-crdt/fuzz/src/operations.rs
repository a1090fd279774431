//! Three replicas that do what the bytes say: change their state, hear each other's deltas late, twice or never, and
//! sometimes a whole state.
//!
//! An input is the number of a type, how deep to go, then steps. A step is one byte that says what happens and where,
//! and what that takes: for an operation, how many bytes it is made of, and those. At each step, the state has one
//! encoding and a fingerprint to match; what a replica reads is what the operations that it knows denote; a replica
//! alone is a plain program over `std` types; and in the end everybody who has heard everything is equal.

use crate::seeds::Seeds;
use crate::subjects::*;
use crate::world::{Logged, REPLICAS, Sequential, Subject, replica};
use lasp_crdt::{Decode, Delta, Encode, Fingerprint, Lattice, codec, fingerprint, laws};
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// Every type; inputs name it by its place, so new ones go to the end.
const TYPES: &[fn(Depth, &mut Bytes<'_>)] = &[
    check::<GrowOnlySet>,
    check::<AddWinsSet>,
    check::<GrowOnlyCounter>,
    check::<UpDownCounter>,
    check::<Maximum>,
    check::<Flag>,
    check::<Once>,
    check::<LastWrite>,
    check::<Map>,
    check::<Both>,
    check::<Minimum>,
    check::<Lexicographic>,
    check::<Escrow>,
    check::<Conclusions>,
    check::<TwoPhaseSet>,
    check::<GrowOnlyGraph>,
    check::<TwoPhaseGraph>,
    check::<Rounds>,
    check::<Forks>,
    check::<Closing>,
    check::<Perhaps>,
    check::<Triple>,
    check::<Record>,
    check::<TypedMap>,
    check::<Nested>,
    check::<EnableWinsFlag>,
    check::<DisableWinsFlag>,
    check::<MultiValue>,
    check::<RemoveWinsSet>,
    check::<MapOfSets>,
    check::<MapOfEnableWinsFlags>,
    check::<MapOfDisableWinsFlags>,
    check::<MultiValueMap>,
    check::<MapOfRemoveWinsSets>,
    check::<MapOfMapsOfSets>,
    check::<DotsHeardOf>,
    check::<Lives>,
    check::<AddWinsGraph>,
    check::<Summed>,
];

/// Does what the bytes say; `false` if they name no type.
pub fn run(bytes: &[u8]) -> bool {
    let mut bytes = Bytes(bytes);
    let Some(check) = TYPES.get(usize::from(bytes.next())) else { return false };
    let depth = if bytes.next().is_multiple_of(2) { Depth::Denotation } else { Depth::Laws };
    check(depth, &mut bytes);
    true
}

/// A short and a long history of each type.
pub fn seeds() -> Seeds {
    let noise = |seed: u64, len: u64| (0..len).map(move |at| fingerprint::mix(seed, at) as u8);
    let history = |number: usize, depth: u8, len| [number as u8, depth].into_iter().chain(noise(number as u64, len));
    (0..TYPES.len()).flat_map(|number| [history(number, 0, 120).collect(), history(number, 1, 500).collect()]).collect()
}

/// What the bytes are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// A short history, and what it denotes: some denotations take time exponential in the number of operations.
    Denotation,
    /// A long one, and the laws alone.
    Laws,
}

impl Depth {
    /// How many operations. Guesses: so many that an input takes about a millisecond.
    const fn operations(self) -> usize {
        match self {
            Self::Denotation => 10,
            Self::Laws => 100,
        }
    }
}

/// What is left of an input; zeroes after its end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// What happened to one variable.
struct Run<S: Subject> {
    depth: Depth,
    op: BoxedStrategy<S::Op>,
    states: [S::State; REPLICAS],
    /// The operations that each replica knows.
    known: [BTreeSet<usize>; REPLICAS],
    log: Vec<Logged<S::Op>>,
    deltas: Vec<S::State>,
}

fn check<S>(depth: Depth, bytes: &mut Bytes<'_>)
where
    S: Sequential,
    S::State: Delta + Fingerprint + Encode + Decode + Debug,
{
    let mut run = Run::<S> {
        depth,
        op: S::op(),
        states: Default::default(),
        known: Default::default(),
        log: Vec::new(),
        deltas: Vec::new(),
    };
    while !bytes.0.is_empty() && run.log.len() < depth.operations() {
        run.step(bytes);
    }
    run.check_laws();
    run.check_convergence();
    check_alone::<S>(run.log.iter().map(|logged| &logged.op));
}

impl<S> Run<S>
where
    S: Subject,
    S::State: Delta + Fingerprint + Encode + Decode + Debug,
{
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let what = usize::from(bytes.next());
        let at = what / 8 % REPLICAS;
        match what % 8 {
            0..=3 => self.update(at, bytes),
            4..=6 => self.deliver(at, usize::from(bytes.next())),
            _ => self.sync(at, what / 64 % REPLICAS),
        }
    }

    fn update(&mut self, at: usize, bytes: &mut Bytes<'_>) {
        let len = usize::from(bytes.next() % 32);
        let Some(op) = draw(&self.op, bytes.take(len)) else { return };
        let delta = S::mutate(&self.states[at], replica(at), &op);
        let observed = self.known[at].clone();
        self.log.push(Logged { op, replica: replica(at), observed });
        self.deltas.push(delta.clone());
        self.merge(at, delta, BTreeSet::from([self.log.len() - 1]));
    }

    /// Some delta so far, perhaps again. Those that are never delivered are lost.
    fn deliver(&mut self, to: usize, which: usize) {
        if !self.deltas.is_empty() {
            let which = which % self.deltas.len();
            self.merge(to, self.deltas[which].clone(), BTreeSet::from([which]));
        }
    }

    /// What another replica has, in the form that the digest asks for: of what was lost, this is the repair.
    fn sync(&mut self, to: usize, from: usize) {
        let repair = self.states[from].delta(&self.states[to].digest());
        self.merge(to, repair, self.known[from].clone());
    }

    fn merge(&mut self, at: usize, delta: S::State, operations: BTreeSet<usize>) {
        let before = &self.states[at];
        let news = delta.difference(before);
        let mut after = before.clone();
        let grew = after.merge(delta.clone());
        assert_eq!(grew, after != *before, "merge says whether it grew: {delta:?} into {before:?}");
        assert_eq!(grew, !news.is_bottom(), "the difference is bottom if nothing is news: {delta:?} to {before:?}");
        let mut again = before.clone();
        again.merge(news);
        assert_eq!(again, after, "the difference is all that is news: of {delta:?} to {before:?}");
        assert!(before.leq(&after) && delta.leq(&after), "a merge is above both: {delta:?} and {before:?}");
        self.states[at] = after;
        self.known[at].extend(operations);
        self.check_state(at);
    }

    fn check_state(&self, at: usize) {
        let state = &self.states[at];
        let bytes = codec::to_bytes(state);
        let back: S::State = codec::from_bytes(&bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}"));
        assert_eq!(back, *state, "it reads back");
        assert_eq!(back.fingerprint(), state.fingerprint(), "the fingerprint was kept up to date: {state:?}");
        assert_eq!(S::value(&back), S::value(state), "what reads back has the same value: {state:?}");
        if self.depth == Depth::Denotation {
            let denoted = S::denotation(&self.log, &self.known[at]);
            assert_eq!(S::value(state), denoted, "the operations known denote it: {:?}", self.log);
        }
    }

    fn check_laws(&self) {
        let [a, b, c] = &self.states;
        laws::check_lattice(a, b, c);
        laws::check_delta(a, b);
        laws::check_delta(b, a);
        laws::check_fingerprint(b, c);
        if self.depth == Depth::Denotation {
            laws::check_decompose(a);
        }
    }

    /// Everybody hears everything: in order, in reverse, and, merged on the way, three at a time.
    fn check_convergence(&self) {
        let [a, b, c] = self.states.clone();
        let sum = merged(a.clone(), [b.clone(), c.clone()]);
        let groups = self.deltas.chunks(3).map(|group| merged(S::State::default(), group.iter().cloned()));
        let heard =
            [merged(a, self.deltas.iter().cloned()), merged(b, self.deltas.iter().rev().cloned()), merged(c, groups)];
        for state in &heard {
            assert_eq!(*state, sum, "who has heard everything is equal: {:?}", self.log);
            assert_eq!(state.fingerprint(), sum.fingerprint(), "and so is the fingerprint: {sum:?}");
            assert_eq!(S::value(state), S::value(&sum), "and the value: {sum:?}");
        }
    }
}

fn merged<T: Lattice>(mut state: T, parts: impl IntoIterator<Item = T>) -> T {
    for part in parts {
        state.merge(part);
    }
    state
}

/// The same operations by one replica that nobody talks to.
fn check_alone<'a, S: Sequential>(ops: impl Iterator<Item = &'a S::Op>)
where
    S::Op: 'a,
{
    let (mut state, mut model) = (S::State::default(), S::Model::default());
    for op in ops {
        state.merge(S::mutate(&state, replica(0), op));
        S::step(&mut model, op);
        assert_eq!(S::value(&state), S::read(&model), "a plain program computes it: {op:?} made {state:?}");
    }
}

/// The operation that the bytes stand for; after their end, one that is made of the least numbers.
fn draw<T: Debug>(op: &BoxedStrategy<T>, bytes: &[u8]) -> Option<T> {
    // The tests draw small numbers by the high bits of words of four or eight bytes: so that each byte counts, it is
    // repeated. A word of zeroes alone, such as proptest makes of an exhausted input, could be refused for ever.
    let words: Vec<u8> = bytes.iter().chain(&[0; PADDING]).flat_map(|&byte| [1, byte, byte, byte]).collect();
    let rng = TestRng::from_seed(RngAlgorithm::PassThrough, &words);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    op.new_tree(&mut runner).ok().map(|tree| tree.current())
}

/// How many words are there after an operation's own bytes: more than any operation is made of.
const PADDING: usize = 512;
