//! Every type obeys the laws in every reachable state, and means what its operations denote.
//!
//! One test per law and type, each over 10,000 random histories; a failure names both: `laws::awset::joins`.
//! `PROPTEST_CASES=1000000 cargo test -p lasp-crdt --test it laws` is a campaign. What fails is made small, printed with
//! its seed, and kept in `tests/proptest-regressions/laws/`, one file per law and type, to be tried first from then on.

pub(crate) mod run;

use crate::subjects::*;
use crate::world::{Picks, Sequential, Step, Subject, World, history, replica};
use lasp_crdt::{Decode, Decompose, Delta, Encode, Fingerprint, Lattice, laws};
use proptest::prelude::*;
use std::fmt::Debug;

/// What the laws ask of a type.
pub(crate) trait Replicated:
    Delta<Digest: Encode + Decode + Debug> + Fingerprint + Encode + Decode + Debug
{
}

impl<T> Replicated for T where T: Delta<Digest: Encode + Decode + Debug> + Fingerprint + Encode + Decode + Debug {}

/// Every law for one type. One whose deltas come from elsewhere, so that they may say what is known, is
/// `without least_mutators`.
macro_rules! obeys {
    ($module:ident, $subject:ty) => {
        obeys!(@module $module, $subject: least_mutators);
    };
    ($module:ident, $subject:ty, without least_mutators) => {
        obeys!(@module $module, $subject:);
    };
    (@module $module:ident, $subject:ty: $($more:ident)?) => {
        mod $module {
            use super::*;

            obeys!(@laws $module, $subject:
                joins, order, decomposition, digest_deltas, fingerprints,
                mutators, delta_groups, delivery,
                codec, malformed, garbage,
                denotation, sequential
            );
            obeys!(@laws $module, $subject: $($more)?);
        }
    };
    (@laws $module:ident, $subject:ty: $($law:ident),*) => {
        $(
            #[test]
            fn $law() {
                super::$law::<$subject>(run::seeds!(stringify!($module), stringify!($law)));
            }
        )*
    };
}

fn joins<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, picks| {
        let [a, b, c] = world.replicas();
        laws::check_lattice(a, b, c);
        laws::check_lattice(world.any(picks), world.any(picks), world.any(picks));
    });
}

fn order<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, picks| {
        let [a, b, c] = world.replicas();
        laws::check_order(a, b, c);
        laws::check_order(world.any(picks), world.any(picks), world.any(picks));
    });
}

fn decomposition<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, picks| {
        world.states.iter().for_each(laws::check_decompose);
        let state = world.any(picks);
        laws::check_decompose(state);
        let parts: Vec<S::State> = state.decompose().collect();
        if !parts.is_empty() {
            laws::check_irreducible(picks.of(&parts), world.states.iter().chain(&world.deltas));
        }
    });
}

fn digest_deltas<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, picks| {
        let [a, b, c] = world.replicas();
        laws::check_delta(a, b);
        laws::check_delta(b, c);
        laws::check_delta(world.any(picks), a);
        laws::check_delta(world.any(picks), world.any(picks));
    });
}

fn fingerprints<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, picks| {
        let [a, b, _] = world.replicas();
        laws::check_fingerprint(a, b);
        laws::check_fingerprint(world.any(picks), world.any(picks));
    });
}

fn mutators<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_histories::<S>(seeds, &|history, _| {
        World::<S>::run_with(history, |state, replica, op| {
            laws::check_mutator(state, |state| S::mutate(state, replica, op));
        });
    });
}

fn least_mutators<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_histories::<S>(seeds, &|history, _| {
        World::<S>::run_with(history, |state, replica, op| {
            laws::check_least(state, &S::mutate(state, replica, op));
        });
    });
}

fn delta_groups<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, picks| {
        if !world.deltas.is_empty() {
            let (first, second) = (picks.of(&world.deltas), picks.of(&world.deltas));
            laws::check_group(world.any(picks), first, second);
        }
    });
}

/// Also: a state is the merge of the deltas that it knows.
fn delivery<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, picks| {
        for (state, known) in world.states.iter().zip(&world.known) {
            let mut merged = S::State::default();
            for &at in known {
                merged.merge(world.deltas[at].clone());
            }
            assert_eq!(merged, *state, "a state is the merge of the deltas it knows");
        }
        laws::check_delivery(&world.deltas, picks.next());
    });
}

fn codec<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, picks| {
        for state in &world.states {
            laws::check_round_trip(state);
            laws::check_canonical(state);
        }
        let state = world.any(picks);
        laws::check_round_trip(state);
        laws::check_prefixes(state);
        laws::check_round_trip(&state.digest());
        laws::check_prefixes(&state.digest());
    });
}

fn malformed<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, picks| {
        let state = world.any(picks);
        let digest = state.digest();
        for _ in 0..4 {
            laws::check_damaged_state(state, picks.next());
            laws::check_damage(&digest, picks.next());
        }
    });
}

/// Small bytes mostly: they are counts and tags, and get further.
fn garbage<S: Subject<State: Replicated>>(seeds: &'static str) {
    let byte = prop_oneof![3 => 0..4u8, 2 => 0..16u8, 1 => any::<u8>()];
    run::check(prop::collection::vec(byte, 0..32), seeds, &|bytes| {
        laws::check_decoded::<S::State>(bytes);
        laws::check_decoder::<<S::State as Delta>::Digest>(bytes);
    });
}

fn denotation<S: Subject<State: Replicated>>(seeds: &'static str) {
    over_worlds::<S>(seeds, &|world, _| {
        for (state, known) in world.states.iter().zip(&world.known) {
            assert_eq!(S::value(state), S::denotation(&world.log, known), "the value is what known operations denote");
        }
    });
}

fn sequential<S: Sequential<State: Replicated>>(seeds: &'static str) {
    over_histories::<S>(seeds, &|history, _| {
        let (mut state, mut model) = (S::State::default(), S::Model::default());
        for op in history.iter().filter_map(Step::op) {
            state.merge(S::mutate(&state, replica(0), op));
            S::step(&mut model, op);
            assert_eq!(S::value(&state), S::read(&model), "one replica alone is as a plain program, after {op:?}");
        }
    });
}

/// A law, with the choices that it may make.
type Law<'a, T> = &'a dyn Fn(&T, &mut Picks);

fn over_histories<S: Subject>(seeds: &'static str, law: Law<'_, Vec<Step<S::Op>>>) {
    run::check((history(S::op()), any::<u64>()), seeds, &|(history, seed)| law(history, &mut Picks::new(*seed)));
}

fn over_worlds<S: Subject>(seeds: &'static str, law: Law<'_, World<S>>) {
    over_histories::<S>(seeds, &|history, picks| law(&World::run(history), picks));
}

/// A shuffle that its seed determines.
pub(crate) fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for at in (1..items.len()).rev() {
        state = lasp_crdt::fingerprint::mix(state, at as u64);
        items.swap(at, (state % (at as u64 + 1)) as usize);
    }
}

/// Where to overwrite, insert (1) or delete (2) a byte.
pub(crate) fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, any::<u8>()), 1..4)
}

pub(crate) fn damage(bytes: &mut Vec<u8>, edits: &[(prop::sample::Index, u8, u8)]) {
    for (at, kind, byte) in edits {
        if bytes.is_empty() {
            return;
        }
        let at = at.index(bytes.len());
        match kind {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            _ => drop(bytes.remove(at)),
        }
    }
}

obeys!(gset, GrowOnlySet);
obeys!(awset, AddWinsSet);
obeys!(gcounter, GrowOnlyCounter);
obeys!(pncounter, UpDownCounter);
obeys!(lexcounter, Lexicographic);
obeys!(boundedcounter, Escrow);
obeys!(max, Maximum);
obeys!(min, Minimum);
obeys!(boolean, Flag);
obeys!(ivar, Once);
obeys!(lwwregister, LastWrite);
obeys!(summary, Summed);
obeys!(gmap, Map);
obeys!(pair, Both);
obeys!(derived, Conclusions, without least_mutators);
obeys!(twopset, TwoPhaseSet);
obeys!(lexpair_of_a_chain, Rounds, without least_mutators);
obeys!(lexpair_of_any_first, Forks, without least_mutators);
obeys!(sum, Closing);
obeys!(option, Perhaps);
obeys!(tuple, Triple);
obeys!(product, Record);
obeys!(choice, TypedMap);
obeys!(gmap_of_gmaps, Nested);
obeys!(ggraph, GrowOnlyGraph);
obeys!(twopgraph, TwoPhaseGraph);
obeys!(awgraph, AddWinsGraph);
obeys!(ewflag, EnableWinsFlag);
obeys!(dwflag, DisableWinsFlag);
obeys!(mvregister, MultiValue);
obeys!(rwset, RemoveWinsSet);
obeys!(awmap_of_awsets, MapOfSets);
obeys!(awmap_of_ewflags, MapOfEnableWinsFlags);
obeys!(awmap_of_dwflags, MapOfDisableWinsFlags);
obeys!(mvmap, MultiValueMap);
obeys!(awmap_of_rwsets, MapOfRemoveWinsSets);
obeys!(awmap_of_awmaps_of_awsets, MapOfMapsOfSets);
obeys!(dotset, DotsHeardOf, without least_mutators);
obeys!(causal, Lives, without least_mutators);
