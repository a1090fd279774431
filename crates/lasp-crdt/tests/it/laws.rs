//! Every type obeys the laws in every reachable state, and means what its operations denote.

use crate::subjects::*;
use crate::world::Subject;
use crate::world::{REPLICAS, World, history};
use lasp_crdt::{Decode, Delta, Encode, Fingerprint, Lattice, codec, laws};
use proptest::prelude::*;
use std::fmt::Debug;

/// A value that reads back, and a digest that does.
fn check_wire<T>(state: &T)
where
    T: Delta + Encode + Decode + Debug,
    T::Digest: Encode + Decode + Debug,
{
    laws::check_codec(state);
    laws::check_codec(&state.digest());
}

fn check_everything<T>(a: &T, b: &T, c: &T)
where
    T: Delta + Fingerprint + Encode + Decode + Debug,
    T::Digest: Encode + Decode + Debug,
{
    laws::check_lattice(a, b, c);
    laws::check_decompose(a);
    laws::check_delta(a, b);
    laws::check_fingerprint(a, b);
    check_wire(a);
}

macro_rules! obeys {
    ($module:ident, $subject:ty) => {
        mod $module {
            use super::*;

            type State = <$subject as Subject>::State;

            proptest! {
                #[test]
                fn laws_hold_in_reachable_states(history in history(<$subject>::op())) {
                    let world = World::<$subject>::run(&history);
                    let states = &world.states;
                    for at in 0..REPLICAS {
                        let (b, c) = (&states[(at + 1) % REPLICAS], &states[(at + 2) % REPLICAS]);
                        check_everything(&states[at], b, c);
                    }
                    for delta in &world.deltas {
                        laws::check_lattice(delta, &states[0], &states[1]);
                        laws::check_delta(delta, &states[0]);
                        laws::check_delta(&states[0], delta);
                        check_wire(delta);
                    }
                }

                #[test]
                fn replicas_see_what_the_operations_they_know_denote(history in history(<$subject>::op())) {
                    let world = World::<$subject>::run(&history);
                    for (state, known) in world.states.iter().zip(&world.known) {
                        prop_assert_eq!(<$subject>::value(state), <$subject>::denotation(&world.log, known));
                    }
                }

                #[test]
                fn deltas_in_any_order_and_repeated_give_one_state(
                    (history, order) in (history(<$subject>::op()), any::<u64>())
                ) {
                    let world = World::<$subject>::run(&history);
                    let mut everything = State::default();
                    for state in &world.states {
                        everything.merge(state.clone());
                    }
                    let mut deltas: Vec<&State> = world.deltas.iter().chain(&world.deltas).collect();
                    shuffle(&mut deltas, order);
                    let mut late = State::default();
                    // Also in groups: what waits for a slow peer is merged on the way.
                    for group in deltas.chunks(3) {
                        let mut merged = State::default();
                        for delta in group {
                            merged.merge((*delta).clone());
                        }
                        late.merge(merged);
                    }
                    prop_assert_eq!(&late, &everything);
                    prop_assert_eq!(late.fingerprint(), everything.fingerprint());
                }

                #[test]
                fn damaged_encodings_are_refused_or_canonical(
                    (history, edits) in (history(<$subject>::op()), edits())
                ) {
                    let world = World::<$subject>::run(&history);
                    let mut bytes = codec::to_bytes(&world.states[0]);
                    damage(&mut bytes, &edits);
                    laws::check_decoder::<State>(&bytes);
                }

                #[test]
                fn random_bytes_are_refused_or_canonical(bytes in prop::collection::vec(0..12u8, 0..40)) {
                    laws::check_decoder::<State>(&bytes);
                }
            }
        }
    };
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
obeys!(max, Maximum);
obeys!(boolean, Flag);
obeys!(ivar, Once);
obeys!(lwwregister, LastWrite);
obeys!(gmap, Map);
obeys!(pair, Both);
obeys!(twopset, TwoPhaseSet);
obeys!(lexpair_of_a_chain, Rounds);
obeys!(lexpair_of_any_first, Forks);
obeys!(sum, Closing);
obeys!(option, Perhaps);
obeys!(tuple, Triple);
obeys!(product, Record);
obeys!(choice, TypedMap);
obeys!(gmap_of_gmaps, Nested);
obeys!(ggraph, GrowOnlyGraph);
obeys!(twopgraph, TwoPhaseGraph);
