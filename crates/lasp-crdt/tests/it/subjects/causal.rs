//! The types over dot stores: flags, multi-value registers, remove-wins sets, add-wins maps to any depth; and the sets of
//! dots that they are made of.
//!
//! All but the last are told the same way. An operation makes *facts* and undoes those that it knows to hold: to enable a
//! flag makes one and undoes the earlier ones. What a replica reads follows from the facts made by the operations it
//! knows, less those undone by them. Dots and contexts do not occur.

use super::{element, elements};
use crate::world::{Logged, Sequential, Subject};
use lasp_crdt::{
    Causal, DecodeStore, Dot, DotSet, DotStore, Dotted, EncodeStore, Keys, Lattice, ReplicaId, RwElements, Values,
    View,
    flag::{DisableDots, EnableDots},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::marker::PhantomData;

/// A type whose operations make and undo facts.
pub(crate) trait Facts: 'static {
    type Store: DotStore + EncodeStore + DecodeStore + Debug;
    type Op: Clone + Debug + 'static;
    type Fact: Clone + Ord;
    type Value: PartialEq + Debug;
    /// What a plain program would keep.
    type Model: Default;

    fn op() -> BoxedStrategy<Self::Op>;
    /// What happens below a key of a map, where many keys may be changed at once: batches of a few.
    fn op_below() -> BoxedStrategy<Self::Op> {
        Self::op()
    }
    fn mutate(view: View<'_, Self::Store>, replica: ReplicaId, op: &Self::Op) -> Dotted<Self::Store>;
    fn value(store: &Self::Store) -> Self::Value;

    /// The facts that an operation makes.
    fn makes(op: &Self::Op) -> BTreeSet<Self::Fact>;
    /// Whether an operation undoes a fact that it knows.
    fn undoes(op: &Self::Op, fact: &Self::Fact) -> bool;
    /// What a reader sees where these facts hold.
    fn reads(facts: &BTreeSet<Self::Fact>) -> Self::Value;

    fn step(model: &mut Self::Model, op: &Self::Op);
    fn read(model: &Self::Model) -> Self::Value;
    /// Whether a map would hold this as a value.
    fn is_there(model: &Self::Model) -> bool;
}

/// Facts, each with the operation that made it.
type Made<F> = BTreeSet<(usize, F)>;

/// What an operation did.
struct Effect<F> {
    made: Made<F>,
    undone: Made<F>,
}

/// The facts that hold for one who knows these operations.
fn hold<F: Clone + Ord>(effects: &[Effect<F>], known: &BTreeSet<usize>) -> Made<F> {
    let mut hold: Made<F> = known.iter().flat_map(|&at| effects[at].made.iter().cloned()).collect();
    for undone in known.iter().flat_map(|&at| &effects[at].undone) {
        hold.remove(undone);
    }
    hold
}

/// The type as a subject.
pub(crate) struct Of<F>(PhantomData<F>);

impl<F: Facts> Subject for Of<F> {
    type State = Dotted<F::Store>;
    type Op = F::Op;
    type Value = F::Value;

    fn op() -> BoxedStrategy<F::Op> {
        F::op()
    }

    fn mutate(state: &Self::State, replica: ReplicaId, op: &F::Op) -> Self::State {
        F::mutate(state.view(), replica, op)
    }

    fn value(state: &Self::State) -> F::Value {
        F::value(state)
    }

    fn denotation(log: &[Logged<F::Op>], known: &BTreeSet<usize>) -> F::Value {
        let mut effects: Vec<Effect<F::Fact>> = Vec::new();
        for (at, logged) in log.iter().enumerate() {
            let made = F::makes(&logged.op).into_iter().map(|fact| (at, fact)).collect();
            let mut undone = hold(&effects, &logged.observed);
            undone.retain(|(_, fact)| F::undoes(&logged.op, fact));
            effects.push(Effect { made, undone });
        }
        F::reads(&hold(&effects, known).into_iter().map(|(_, fact)| fact).collect())
    }
}

impl<F: Facts> Sequential for Of<F> {
    type Model = F::Model;

    fn step(model: &mut F::Model, op: &F::Op) {
        F::step(model, op);
    }

    fn read(model: &F::Model) -> F::Value {
        F::read(model)
    }
}

/// The state of a view, to be changed several times for one delta.
fn owned<S: DotStore>(view: View<'_, S>) -> Dotted<S> {
    Dotted::with_context(view.store().clone(), view.context().clone())
}

/// Whether to set a flag.
pub(crate) struct Enable;
pub(crate) struct Disable;

impl Facts for Enable {
    type Store = EnableDots;
    type Op = bool;
    type Fact = ();
    type Value = bool;
    type Model = bool;

    fn op() -> BoxedStrategy<bool> {
        any::<bool>().boxed()
    }

    fn mutate(view: View<'_, EnableDots>, replica: ReplicaId, &enables: &bool) -> Dotted<EnableDots> {
        if enables { view.enable(replica) } else { view.disable() }
    }

    fn value(store: &EnableDots) -> bool {
        store.value()
    }

    fn makes(&enables: &bool) -> BTreeSet<()> {
        enables.then_some(()).into_iter().collect()
    }

    fn undoes(_: &bool, (): &()) -> bool {
        true
    }

    fn reads(facts: &BTreeSet<()>) -> bool {
        !facts.is_empty()
    }

    fn step(model: &mut bool, &enables: &bool) {
        *model = enables;
    }

    fn read(&model: &bool) -> bool {
        model
    }

    fn is_there(&model: &bool) -> bool {
        model
    }
}

impl Facts for Disable {
    type Store = DisableDots;
    type Op = bool;
    type Fact = ();
    type Value = bool;
    /// Whether it is disabled.
    type Model = bool;

    fn op() -> BoxedStrategy<bool> {
        any::<bool>().boxed()
    }

    fn mutate(view: View<'_, DisableDots>, replica: ReplicaId, &enables: &bool) -> Dotted<DisableDots> {
        if enables { view.enable() } else { view.disable(replica) }
    }

    fn value(store: &DisableDots) -> bool {
        store.value()
    }

    fn makes(&enables: &bool) -> BTreeSet<()> {
        (!enables).then_some(()).into_iter().collect()
    }

    fn undoes(_: &bool, (): &()) -> bool {
        true
    }

    fn reads(facts: &BTreeSet<()>) -> bool {
        facts.is_empty()
    }

    fn step(model: &mut bool, &enables: &bool) {
        *model = !enables;
    }

    fn read(model: &bool) -> bool {
        !model
    }

    fn is_there(&model: &bool) -> bool {
        model
    }
}

/// What to write into a register.
pub(crate) struct Write;

impl Facts for Write {
    type Store = Values<u64>;
    type Op = u64;
    type Fact = u64;
    type Value = BTreeSet<u64>;
    type Model = Option<u64>;

    fn op() -> BoxedStrategy<u64> {
        (0..4u64).boxed()
    }

    fn mutate(view: View<'_, Values<u64>>, replica: ReplicaId, &value: &u64) -> Dotted<Values<u64>> {
        view.write(replica, value)
    }

    fn value(store: &Values<u64>) -> BTreeSet<u64> {
        let values: BTreeSet<u64> = store.values().into_iter().copied().collect();
        assert_eq!(store.writes().map(|(_, &value)| value).collect::<BTreeSet<_>>(), values);
        assert_eq!(store.single().copied(), values.first().copied().filter(|_| values.len() == 1));
        values
    }

    fn makes(&value: &u64) -> BTreeSet<u64> {
        [value].into()
    }

    fn undoes(_: &u64, _: &u64) -> bool {
        true
    }

    fn reads(facts: &BTreeSet<u64>) -> BTreeSet<u64> {
        facts.clone()
    }

    fn step(model: &mut Option<u64>, &value: &u64) {
        *model = Some(value);
    }

    fn read(model: &Option<u64>) -> BTreeSet<u64> {
        model.iter().copied().collect()
    }

    fn is_there(model: &Option<u64>) -> bool {
        model.is_some()
    }
}

/// What to do with elements of a set.
#[derive(Clone, Debug)]
pub(crate) enum Membership {
    Add(u64),
    AddAll(Vec<u64>),
    Remove(u64),
    RemoveAll(Vec<u64>),
    Clear,
}

impl Membership {
    fn any(batch: BoxedStrategy<Vec<u64>>) -> BoxedStrategy<Self> {
        prop_oneof![
            8 => element().prop_map(Self::Add),
            2 => batch.clone().prop_map(Self::AddAll),
            6 => element().prop_map(Self::Remove),
            2 => batch.prop_map(Self::RemoveAll),
            1 => Just(Self::Clear),
        ]
        .boxed()
    }

    /// The elements it names.
    fn named(&self) -> &[u64] {
        match self {
            Self::Add(one) | Self::Remove(one) => std::slice::from_ref(one),
            Self::AddAll(many) | Self::RemoveAll(many) => many,
            Self::Clear => &[],
        }
    }

    fn adds(&self) -> bool {
        matches!(self, Self::Add(_) | Self::AddAll(_))
    }

    fn touches(&self, element: u64) -> bool {
        matches!(self, Self::Clear) || self.named().contains(&element)
    }
}

/// A set in which additions win.
pub(crate) struct AddWins;

impl Facts for AddWins {
    type Store = lasp_crdt::Elements<u64>;
    type Op = Membership;
    type Fact = u64;
    type Value = BTreeSet<u64>;
    type Model = BTreeSet<u64>;

    fn op() -> BoxedStrategy<Membership> {
        Membership::any(elements())
    }

    fn op_below() -> BoxedStrategy<Membership> {
        Membership::any(few())
    }

    fn mutate(view: View<'_, Self::Store>, replica: ReplicaId, op: &Membership) -> Dotted<Self::Store> {
        match op {
            Membership::Add(element) => view.add(replica, *element),
            Membership::AddAll(elements) => view.add_all(replica, elements.iter().copied()),
            Membership::Remove(element) => view.remove(element),
            Membership::RemoveAll(elements) => view.remove_all(elements),
            Membership::Clear => owned(view).clear(),
        }
    }

    fn value(store: &Self::Store) -> BTreeSet<u64> {
        store.iter().copied().collect()
    }

    fn makes(op: &Membership) -> BTreeSet<u64> {
        op.named().iter().copied().filter(|_| op.adds()).collect()
    }

    fn undoes(op: &Membership, &element: &u64) -> bool {
        op.touches(element)
    }

    fn reads(facts: &BTreeSet<u64>) -> BTreeSet<u64> {
        facts.clone()
    }

    fn step(model: &mut BTreeSet<u64>, op: &Membership) {
        model.retain(|&element| !op.touches(element));
        model.extend(Self::makes(op));
    }

    fn read(model: &BTreeSet<u64>) -> BTreeSet<u64> {
        model.clone()
    }

    fn is_there(model: &BTreeSet<u64>) -> bool {
        !model.is_empty()
    }
}

/// A set in which removals win.
pub(crate) struct RemoveWins;

impl Facts for RemoveWins {
    type Store = RwElements<u64>;
    type Op = Membership;
    /// An element, and whether it was added.
    type Fact = (u64, bool);
    type Value = BTreeSet<u64>;
    /// The elements that were ever touched, and which of them are in.
    type Model = BTreeMap<u64, bool>;

    fn op() -> BoxedStrategy<Membership> {
        Membership::any(elements())
    }

    fn op_below() -> BoxedStrategy<Membership> {
        Membership::any(few())
    }

    fn mutate(view: View<'_, Self::Store>, replica: ReplicaId, op: &Membership) -> Dotted<Self::Store> {
        match op {
            Membership::Add(element) => view.add(replica, *element),
            Membership::AddAll(elements) => view.add_all(replica, elements.iter().copied()),
            Membership::Remove(element) => view.remove(replica, *element),
            Membership::RemoveAll(elements) => view.remove_all(replica, elements.iter().copied()),
            Membership::Clear => owned(view).clear(),
        }
    }

    fn value(store: &Self::Store) -> BTreeSet<u64> {
        let elements: BTreeSet<u64> = store.iter().copied().collect();
        assert_eq!((store.len(), store.is_empty()), (elements.len(), elements.is_empty()));
        assert_eq!(store.unordered().copied().collect::<BTreeSet<_>>(), elements);
        assert!((0..24).all(|element| store.contains(&element) == elements.contains(&element)));
        elements
    }

    fn makes(op: &Membership) -> BTreeSet<(u64, bool)> {
        op.named().iter().map(|&element| (element, op.adds())).collect()
    }

    fn undoes(op: &Membership, &(element, _): &(u64, bool)) -> bool {
        op.touches(element)
    }

    fn reads(facts: &BTreeSet<(u64, bool)>) -> BTreeSet<u64> {
        let is_removed = |element| facts.contains(&(element, false));
        facts.iter().map(|&(element, _)| element).filter(|&element| !is_removed(element)).collect()
    }

    fn step(model: &mut BTreeMap<u64, bool>, op: &Membership) {
        model.retain(|&element, _| !op.touches(element));
        model.extend(Self::makes(op));
    }

    fn read(model: &BTreeMap<u64, bool>) -> BTreeSet<u64> {
        model.iter().filter(|&(_, &is_in)| is_in).map(|(&element, _)| element).collect()
    }

    fn is_there(model: &BTreeMap<u64, bool>) -> bool {
        !model.is_empty()
    }
}

/// What to do with keys of a map.
#[derive(Clone, Debug)]
pub(crate) enum KeyOp<Op> {
    Apply(u64, Op),
    /// The same to each of several values, in one delta.
    ApplyAll(Vec<u64>, Op),
    Remove(u64),
    RemoveAll(Vec<u64>),
    Clear,
}

impl<Op: Clone + Debug + 'static> KeyOp<Op> {
    fn any(batch: BoxedStrategy<Vec<u64>>, op: BoxedStrategy<Op>) -> BoxedStrategy<Self> {
        prop_oneof![
            12 => (key(), op.clone()).prop_map(|(key, op)| Self::Apply(key, op)),
            2 => (batch.clone(), op).prop_map(|(keys, op)| Self::ApplyAll(keys, op)),
            4 => key().prop_map(Self::Remove),
            1 => batch.prop_map(Self::RemoveAll),
            1 => Just(Self::Clear),
        ]
        .boxed()
    }
}

impl<Op> KeyOp<Op> {
    /// What it does to the values of these keys, if it does not remove them.
    fn applied(&self) -> Option<(&[u64], &Op)> {
        match self {
            Self::Apply(key, op) => Some((std::slice::from_ref(key), op)),
            Self::ApplyAll(keys, op) => Some((keys, op)),
            Self::Remove(_) | Self::RemoveAll(_) | Self::Clear => None,
        }
    }

    fn removes(&self, key: u64) -> bool {
        match self {
            Self::Remove(one) => *one == key,
            Self::RemoveAll(many) => many.contains(&key),
            Self::Clear => true,
            Self::Apply(..) | Self::ApplyAll(..) => false,
        }
    }
}

/// A batch of a few.
fn few() -> BoxedStrategy<Vec<u64>> {
    prop::collection::vec(0..4u64, 0..4).boxed()
}

/// An add-wins map of values of another type.
pub(crate) struct MapOf<F>(PhantomData<F>);

/// Few, so that operations meet; enough for more than a scanned handful.
fn key() -> BoxedStrategy<u64> {
    prop_oneof![5 => 0..3u64, 1 => 0..16u64].boxed()
}

impl<F: Facts> Facts for MapOf<F> {
    type Store = Keys<u64, Dotted<F::Store>>;
    type Op = KeyOp<F::Op>;
    type Fact = (u64, F::Fact);
    type Value = BTreeMap<u64, F::Value>;
    type Model = BTreeMap<u64, F::Model>;

    fn op() -> BoxedStrategy<Self::Op> {
        KeyOp::any(prop::collection::vec(0..16u64, 0..12).boxed(), F::op_below())
    }

    fn op_below() -> BoxedStrategy<Self::Op> {
        KeyOp::any(few(), F::op_below())
    }

    fn mutate(view: View<'_, Self::Store>, replica: ReplicaId, op: &Self::Op) -> Dotted<Self::Store> {
        match op {
            KeyOp::Apply(key, op) => view.apply(*key, |value| F::mutate(value, replica, op)),
            KeyOp::ApplyAll(keys, op) => {
                let (mut map, mut group) = (owned(view), Dotted::<Self::Store>::new());
                for &key in keys {
                    let delta = map.apply(key, |value| F::mutate(value, replica, op));
                    map.merge(delta.clone());
                    group.merge(delta);
                }
                group
            }
            KeyOp::Remove(key) => view.remove(key),
            KeyOp::RemoveAll(keys) => view.remove_all(keys),
            KeyOp::Clear => owned(view).clear(),
        }
    }

    fn value(store: &Self::Store) -> Self::Value {
        assert_eq!((store.len(), store.is_empty()), (store.iter().count(), store.iter().next().is_none()));
        assert_eq!(store.unordered().count(), store.len());
        let is_found = |key: u64, value: &F::Store| store.get(&key) == Some(value) && store.contains_key(&key);
        let read = |(&key, value): (&u64, &F::Store)| {
            assert!(is_found(key, value) && value.dot_count() > 0);
            (key, F::value(value))
        };
        store.iter().map(read).collect()
    }

    fn makes(op: &Self::Op) -> BTreeSet<Self::Fact> {
        let Some((keys, op)) = op.applied() else { return BTreeSet::new() };
        keys.iter().flat_map(|&key| F::makes(op).into_iter().map(move |fact| (key, fact))).collect()
    }

    fn undoes(op: &Self::Op, (key, fact): &Self::Fact) -> bool {
        let applied = op.applied();
        op.removes(*key) || applied.is_some_and(|(keys, op)| keys.contains(key) && F::undoes(op, fact))
    }

    fn reads(facts: &BTreeSet<Self::Fact>) -> Self::Value {
        let mut below: BTreeMap<u64, BTreeSet<F::Fact>> = BTreeMap::new();
        for (key, fact) in facts {
            below.entry(*key).or_default().insert(fact.clone());
        }
        below.into_iter().map(|(key, facts)| (key, F::reads(&facts))).collect()
    }

    fn step(model: &mut Self::Model, op: &Self::Op) {
        model.retain(|&key, _| !op.removes(key));
        let Some((keys, op)) = op.applied() else { return };
        for &key in keys {
            F::step(model.entry(key).or_default(), op);
        }
        model.retain(|_, value| F::is_there(value));
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.iter().map(|(&key, value)| (key, F::read(value))).collect()
    }

    fn is_there(model: &Self::Model) -> bool {
        !model.is_empty()
    }
}

pub(crate) type EnableWinsFlag = Of<Enable>;
pub(crate) type DisableWinsFlag = Of<Disable>;
pub(crate) type MultiValue = Of<Write>;
pub(crate) type RemoveWinsSet = Of<RemoveWins>;
pub(crate) type MapOfSets = Of<MapOf<AddWins>>;
pub(crate) type MapOfEnableWinsFlags = Of<MapOf<Enable>>;
pub(crate) type MapOfDisableWinsFlags = Of<MapOf<Disable>>;
pub(crate) type MultiValueMap = Of<MapOf<Write>>;
pub(crate) type MapOfRemoveWinsSets = Of<MapOf<RemoveWins>>;
pub(crate) type MapOfMapsOfSets = Of<MapOf<MapOf<AddWins>>>;

/// A replica by number, as those of the histories: far apart and not in order.
fn some_replica(number: u8) -> ReplicaId {
    crate::world::replica(usize::from(number))
}

/// The counters that are looked at: low ones, and the highest of all for all that is beyond them.
fn counters() -> impl Iterator<Item = u64> {
    (1..=8).chain([Dot::MAX_COUNTER])
}

/// The dots of a set, as far as they are looked at.
fn dots_in(set: &DotSet) -> BTreeSet<(u8, u64)> {
    let all = (0..3).flat_map(|number| counters().map(move |counter| (number, counter)));
    all.filter(|&(number, counter)| set.contains(Dot::new(some_replica(number), counter))).collect()
}

/// What to put into a set of dots, by the number of a replica.
#[derive(Clone, Debug)]
pub(crate) enum DotOp {
    Insert(u8, u64),
    /// A range, from one counter to a second above it.
    Union(u8, u64, u64),
    Retire(u8),
}

impl DotOp {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![
            6 => (0..3u8, 1..9u64).prop_map(|(replica, counter)| Self::Insert(replica, counter)),
            3 => (0..3u8, 1..5u64, 0..4u64).prop_map(|(replica, start, more)| Self::Union(replica, start, start + more)),
            1 => (0..3u8).prop_map(Self::Retire),
        ]
        .boxed()
    }

    fn set(&self) -> DotSet {
        let mut set = DotSet::new();
        match *self {
            Self::Insert(replica, counter) => _ = set.insert(Dot::new(some_replica(replica), counter)),
            Self::Union(replica, start, end) => _ = set.insert_range(some_replica(replica), start, end),
            Self::Retire(replica) => _ = set.retire(some_replica(replica)),
        }
        set
    }

    fn dots(&self) -> BTreeSet<(u8, u64)> {
        match *self {
            Self::Insert(replica, counter) => [(replica, counter)].into(),
            Self::Union(replica, start, end) => (start..=end).map(|counter| (replica, counter)).collect(),
            Self::Retire(replica) => counters().map(|counter| (replica, counter)).collect(),
        }
    }
}

/// A set of dots. What it is told may be known.
pub(crate) struct DotsHeardOf;

impl Subject for DotsHeardOf {
    type State = DotSet;
    type Op = DotOp;
    type Value = BTreeSet<(u8, u64)>;

    fn op() -> BoxedStrategy<DotOp> {
        DotOp::any()
    }

    fn mutate(_: &DotSet, _: ReplicaId, op: &DotOp) -> DotSet {
        op.set()
    }

    fn value(state: &DotSet) -> Self::Value {
        dots_in(state)
    }

    fn denotation(log: &[Logged<DotOp>], known: &BTreeSet<usize>) -> Self::Value {
        known.iter().flat_map(|&at| log[at].op.dots()).collect()
    }
}

impl Sequential for DotsHeardOf {
    type Model = BTreeSet<(u8, u64)>;

    fn step(model: &mut Self::Model, op: &DotOp) {
        model.extend(op.dots());
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}

/// Dots that are minted, and dots that die, perhaps before they were heard of. What it is told may be known.
pub(crate) struct Lives;

impl Subject for Lives {
    type State = Causal;
    /// Dots, and whether they are minted.
    type Op = (DotOp, bool);
    /// The dots seen, and the live ones.
    type Value = (BTreeSet<(u8, u64)>, BTreeSet<(u8, u64)>);

    fn op() -> BoxedStrategy<Self::Op> {
        (DotOp::any(), any::<bool>()).boxed()
    }

    fn mutate(_: &Causal, _: ReplicaId, (dots, lives): &Self::Op) -> Causal {
        let mut causal = Causal::new();
        match dots {
            // Nobody mints all the dots of a replica.
            DotOp::Retire(_) => return Causal::from_parts(dots.set(), DotSet::new()),
            _ if *lives => dots.set().dots().for_each(|dot| assert!(causal.see_live(dot), "it was unseen")),
            _ => dots.set().dots().for_each(|dot| assert!(causal.see(dot), "it was unseen")),
        }
        causal
    }

    fn value(state: &Causal) -> Self::Value {
        let (seen, live) = (dots_in(state.seen()), dots_in(state.live()));
        assert_eq!(dots_in(&state.dead()), &seen - &live);
        (seen, live)
    }

    fn denotation(log: &[Logged<Self::Op>], known: &BTreeSet<usize>) -> Self::Value {
        let mut model = Self::Value::default();
        known.iter().for_each(|&at| Self::step(&mut model, &log[at].op));
        model
    }
}

impl Sequential for Lives {
    type Model = Self::Value;

    fn step((seen, live): &mut Self::Model, (dots, lives): &Self::Op) {
        for dot in dots.dots() {
            if *lives && !matches!(dots, DotOp::Retire(_)) {
                if seen.insert(dot) {
                    live.insert(dot);
                }
            } else {
                seen.insert(dot);
                live.remove(&dot);
            }
        }
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}
