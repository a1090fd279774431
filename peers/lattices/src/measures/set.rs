//! Sets: ours add-wins, the peers' what they have.

use crate::adapters::{AddWins, Grow, automerge, crdts, lasp, lattices, yrs};
use harness::heap;
use harness::inputs::{Element, shuffled};
use harness::measure::{Measure, Probe, Scale, Unit, seconds, seconds_each, seconds_on_fresh};
use lasp_crdt::{AwSet, Fingerprint, Lattice};
use std::hint::black_box;

type Ours<E> = lasp::Set<E>;
type Crdts<E> = crdts::Set<E>;
type Lattices<E> = lattices::Set<E>;

const CRDTS: &str = "crdts";
const LATTICES: &str = "lattices";
const YRS: &str = "yrs";
const AUTOMERGE: &str = "automerge";

pub(crate) fn measures() -> Vec<Measure> {
    let updating = [
        Measure::new("set/adds/u64", "set of u64: adds", Unit::Rate, adds::<Ours<u64>>)
            .target(4e6)
            .beside(CRDTS, adds::<Crdts<u64>>)
            .beside(LATTICES, adds::<Lattices<u64>>),
        Measure::new("set/adds/string", "set of 16-char strings: adds", Unit::Rate, adds::<Ours<String>>)
            .beside(CRDTS, adds::<Crdts<String>>)
            .beside(LATTICES, adds::<Lattices<String>>)
            .beside(YRS, adds::<yrs::Set>)
            .beside(AUTOMERGE, adds::<automerge::Set>),
        Measure::new("set/removes/u64", "set of u64: removes", Unit::Rate, removes::<Ours<u64>>)
            .beside(CRDTS, removes::<Crdts<u64>>),
        Measure::new("set/removes/string", "set of strings: removes", Unit::Rate, removes::<Ours<String>>)
            .beside(CRDTS, removes::<Crdts<String>>)
            .beside(YRS, removes::<yrs::Set>),
        Measure::new("set/heap/u64", "set of u64: heap per element", Unit::Bytes, heap_each::<Ours<u64>>)
            .target(40.0)
            .beside(CRDTS, heap_each::<Crdts<u64>>)
            .beside(LATTICES, heap_each::<Lattices<u64>>),
        Measure::new("set/heap/string", "set of strings: heap per element", Unit::Bytes, heap_each::<Ours<String>>)
            .target(64.0)
            .beside(CRDTS, heap_each::<Crdts<String>>)
            .beside(LATTICES, heap_each::<Lattices<String>>)
            .beside(YRS, heap_each::<yrs::Set>)
            .beside(AUTOMERGE, heap_each::<automerge::Set>),
    ];
    let merging = [
        Measure::new(
            "set/equal/fingerprints",
            "equal sets of u64: told by fingerprints (peers: merged)",
            Unit::Time,
            equal_by_fingerprint,
        )
        .target(1e-6)
        .beside(CRDTS, merge_equal::<Crdts<u64>>),
        Measure::new(
            "set/equal/comparison",
            "equal sets of u64, built in different orders: compared in full (peers: merged)",
            Unit::Time,
            equal_by_comparison,
        )
        .target(5e-3)
        .beside(CRDTS, merge_equal::<Crdts<u64>>),
        Measure::new("set/equal/merge/u64", "equal sets of u64: merged", Unit::Time, merge_equal::<Ours<u64>>)
            .beside(CRDTS, merge_equal::<Crdts<u64>>)
            .beside(LATTICES, merge_equal::<Lattices<u64>>),
        Measure::new(
            "set/equal/merge/string",
            "equal sets of strings: merged",
            Unit::Time,
            merge_equal::<Ours<String>>,
        )
        .beside(CRDTS, merge_equal::<Crdts<String>>)
        .beside(LATTICES, merge_equal::<Lattices<String>>)
        .beside(YRS, merge_equal::<yrs::Set>)
        .beside(AUTOMERGE, merge_equal::<automerge::Set>),
        Measure::new("set/disjoint/u64", "disjoint sets of u64: merged", Unit::Time, merge_disjoint::<Ours<u64>>)
            .target(15e-3)
            .beside(CRDTS, merge_disjoint::<Crdts<u64>>)
            .beside(LATTICES, merge_disjoint::<Lattices<u64>>),
        Measure::new(
            "set/disjoint/string",
            "disjoint sets of strings: merged",
            Unit::Time,
            merge_disjoint::<Ours<String>>,
        )
        .beside(CRDTS, merge_disjoint::<Crdts<String>>)
        .beside(LATTICES, merge_disjoint::<Lattices<String>>)
        .beside(YRS, merge_disjoint::<yrs::Set>)
        .beside(AUTOMERGE, merge_disjoint::<automerge::Set>),
    ];
    let telling = [
        Measure::new("set/update-bytes/u64", "set of u64: one add on the wire", Unit::Bytes, update_bytes::<Ours<u64>>)
            .target(10.0)
            .beside(CRDTS, update_bytes::<Crdts<u64>>),
        Measure::new(
            "set/update-bytes/string",
            "set of strings: one add on the wire",
            Unit::Bytes,
            update_bytes::<Ours<String>>,
        )
        .target(22.0)
        .beside(CRDTS, update_bytes::<Crdts<String>>)
        .beside(YRS, update_bytes::<yrs::Set>)
        .beside(AUTOMERGE, update_bytes::<automerge::Set>),
        Measure::new("set/apply/u64", "set of u64: one add applied", Unit::Time, apply::<Ours<u64>>)
            .target(0.25e-6)
            .beside(CRDTS, apply::<Crdts<u64>>),
        Measure::new("set/apply/string", "set of strings: one add applied", Unit::Time, apply::<Ours<String>>)
            .beside(CRDTS, apply::<Crdts<String>>)
            .beside(YRS, apply::<yrs::Set>),
    ];
    let storing = [
        Measure::new("set/state-bytes/u64", "set of u64: encoded, per element", Unit::Bytes, state_bytes::<Ours<u64>>)
            .target(3.0)
            .beside(CRDTS, state_bytes::<Crdts<u64>>),
        Measure::new(
            "set/state-bytes/string",
            "set of strings: encoded, per element",
            Unit::Bytes,
            state_bytes::<Ours<String>>,
        )
        .target(17.5)
        .beside(CRDTS, state_bytes::<Crdts<String>>)
        .beside(YRS, state_bytes::<yrs::Set>)
        .beside(AUTOMERGE, state_bytes::<automerge::Set>),
        Measure::new("set/encode/u64", "set of u64: encoding", Unit::Time, encode::<Ours<u64>>)
            .beside(CRDTS, encode::<Crdts<u64>>),
        Measure::new("set/encode/string", "set of strings: encoding", Unit::Time, encode::<Ours<String>>)
            .beside(CRDTS, encode::<Crdts<String>>)
            .beside(YRS, encode::<yrs::Set>)
            .beside(AUTOMERGE, encode::<automerge::Set>),
        Measure::new("set/decode/u64", "set of u64: decoding", Unit::Time, decode::<Ours<u64>>)
            .beside(CRDTS, decode::<Crdts<u64>>),
        Measure::new("set/decode/string", "set of strings: decoding", Unit::Time, decode::<Ours<String>>)
            .beside(CRDTS, decode::<Crdts<String>>)
            .beside(YRS, decode::<yrs::Set>)
            .beside(AUTOMERGE, decode::<automerge::Set>),
        Measure::new(
            "set/churn/state-bytes",
            "1,000 strings added and removed 100 times: state encoded",
            Unit::Bytes,
            |_| churn_state::<Ours<String>>(),
        )
        .target(16.0)
        .beside(CRDTS, |_| churn_state::<Crdts<String>>())
        .beside(YRS, |_| churn_state::<yrs::Set>()),
        Measure::new(
            "set/churn/heap",
            "1,000 strings added and removed 100 times: heap beyond that of an empty set",
            Unit::Bytes,
            |_| churn_heap::<Ours<String>>(),
        )
        .target(0.0)
        .beside(CRDTS, |_| churn_heap::<Crdts<String>>())
        .beside(YRS, |_| churn_heap::<yrs::Set>()),
    ];
    updating.into_iter().chain(merging).chain(telling).chain(storing).collect()
}

/// The set of elements `from..from + count`, all added at one replica.
fn filled<S: Grow>(replica: u64, from: u64, count: u64) -> S {
    let mut set = S::new(replica);
    set.fill(Element::many(from, count));
    assert_eq!(set.len() as u64, count);
    set
}

fn adds<S: Grow + 'static>(scale: &Scale) -> Probe {
    let elements: Vec<S::Element> = Element::many(0, scale.elements);
    Box::new(move || {
        let mut set = S::new(1);
        let input = elements.clone();
        let taken = seconds(|| input.into_iter().for_each(|element| set.add(element)));
        assert_eq!(set.len(), elements.len());
        elements.len() as f64 / taken
    })
}

/// In another order than they were added.
fn removes<S: AddWins + 'static>(scale: &Scale) -> Probe {
    let elements: Vec<S::Element> = shuffled(Element::many(0, scale.elements));
    let mut base: S = filled(1, 0, scale.elements);
    Box::new(move || {
        let mut set = base.fork(1);
        let taken = seconds(|| elements.iter().for_each(|element| set.remove(element)));
        assert_eq!(set.len(), 0);
        elements.len() as f64 / taken
    })
}

fn heap_each<S: Grow + 'static>(scale: &Scale) -> Probe {
    let count = scale.elements;
    Box::new(move || heap::live_bytes(|| filled::<S>(1, 0, count)).1 / count as f64)
}

fn merge_equal<S: Grow + 'static>(scale: &Scale) -> Probe {
    let mut base: S = filled(1, 0, scale.elements);
    Box::new(move || {
        let (mut here, there) = (base.fork(1), base.fork(2));
        let taken = seconds(|| here.merge(there));
        assert_eq!(here.len(), base.len());
        taken
    })
}

/// What replicas do before they merge states that may be equal.
fn equal_by_fingerprint(scale: &Scale) -> Probe {
    let (here, there) = equal_in_different_orders(scale);
    Box::new(move || {
        seconds_each(1_000, |_| {
            let same = black_box(&here).fingerprint() == black_box(&there).fingerprint();
            assert!(black_box(same));
        })
    })
}

fn equal_by_comparison(scale: &Scale) -> Probe {
    let (here, there) = equal_in_different_orders(scale);
    Box::new(move || seconds(|| assert!(here == there)))
}

/// One set, and another that heard of the same additions in a different order: in blocks of 100, shuffled, and each
/// block backwards.
fn equal_in_different_orders(scale: &Scale) -> (AwSet<u64>, AwSet<u64>) {
    let mut here = Ours::<u64>::new(1);
    let updates: Vec<AwSet<u64>> = (0..scale.elements).map(|element| here.tell(element)).collect();
    let mut there = AwSet::new();
    for block in shuffled(updates.chunks(100)) {
        for update in block.iter().rev() {
            there.merge(update.clone());
        }
    }
    (here.state, there)
}

fn merge_disjoint<S: Grow + 'static>(scale: &Scale) -> Probe {
    let count = scale.elements;
    let (mut left, mut right): (S, S) = (filled(1, 0, count), filled(2, count, count));
    Box::new(move || {
        let (mut here, there) = (left.fork(1), right.fork(2));
        let taken = seconds(|| here.merge(there));
        assert_eq!(here.len() as u64, 2 * count);
        taken
    })
}

/// The next element after all the others.
fn update_bytes<S: AddWins + 'static>(scale: &Scale) -> Probe {
    let count = scale.elements;
    let mut set: S = filled(1, 0, count);
    let update = set.tell(Element::nth(count));
    Box::new(move || S::update_bytes(&update) as f64)
}

/// A fifth more elements arrive one by one from another replica.
fn apply<S: AddWins + 'static>(scale: &Scale) -> Probe
where
    S::Update: Clone,
{
    const BATCH: usize = 50;
    let count = scale.elements;
    let mut base: S = filled(1, 0, count);
    let mut sender = base.fork(2);
    let updates: Vec<S::Update> =
        Element::many(count, count / 5).into_iter().map(|element| sender.tell(element)).collect();
    Box::new(move || {
        let mut receiver = base.fork(3);
        // A few at a time: what has just arrived is in the processor's caches.
        let batches = updates.chunks(BATCH).map(<[_]>::to_vec);
        let taken = seconds_on_fresh(batches, |batch| batch.into_iter().for_each(|update| receiver.apply(update)));
        assert_eq!(receiver.len() as u64, count + count / 5);
        taken / BATCH as f64
    })
}

fn state_bytes<S: AddWins + 'static>(scale: &Scale) -> Probe {
    let count = scale.elements;
    let bytes = filled::<S>(1, 0, count).encode().len();
    Box::new(move || bytes as f64 / count as f64)
}

fn encode<S: AddWins + 'static>(scale: &Scale) -> Probe {
    let mut set: S = filled(1, 0, scale.elements);
    Box::new(move || seconds(|| set.encode()))
}

fn decode<S: AddWins + 'static>(scale: &Scale) -> Probe {
    let count = scale.elements;
    let bytes = filled::<S>(1, 0, count).encode();
    Box::new(move || {
        let mut set = None;
        let taken = seconds(|| set = Some(S::decode(1, &bytes)));
        assert_eq!(set.map(|set| set.len() as u64), Some(count));
        taken
    })
}

/// A set to which a thousand elements were added, and from which they were removed, a hundred times.
fn churned<S: AddWins>() -> S {
    let elements: Vec<S::Element> = Element::many(0, 1_000);
    let mut set = S::new(1);
    for _ in 0..100 {
        elements.iter().for_each(|element| set.add(element.clone()));
        assert_eq!(set.len(), elements.len());
        elements.iter().for_each(|element| set.remove(element));
        assert_eq!(set.len(), 0);
    }
    set
}

fn churn_state<S: AddWins + 'static>() -> Probe {
    Box::new(|| churned::<S>().encode().len() as f64)
}

fn churn_heap<S: AddWins + 'static>() -> Probe {
    Box::new(|| {
        let empty = heap::live_bytes(|| S::new(1)).1;
        heap::live_bytes(churned::<S>).1 - empty
    })
}
