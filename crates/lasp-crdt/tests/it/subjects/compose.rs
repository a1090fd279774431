//! What is made of other types: lexicographic pairs, sums, options, products, choices, maps of maps.

use super::{element, elements, of_known, said, total};
use crate::world::{Logged, Sequential, Subject};
use lasp_crdt::compose::option;
use lasp_crdt::{Boolean, GCounter, GMap, GSet, Lattice, LexPair, MaxRegister, ReplicaId, Sum, choice, product};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Elements = BTreeSet<u64>;

fn set(state: &GSet<u64>) -> Elements {
    state.iter().copied().collect()
}

/// What changes a lexicographic pair.
#[derive(Clone, Debug)]
pub(crate) enum LexOp {
    Fst(u64),
    Snd(u64),
    Replace(u64, Vec<u64>),
}

impl LexOp {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![
            2 => (0..8u64).prop_map(Self::Fst),
            5 => element().prop_map(Self::Snd),
            1 => (0..8u64, elements()).prop_map(|(first, second)| Self::Replace(first, second)),
        ]
        .boxed()
    }
}

/// A set per round: only the latest counts.
pub(crate) struct Rounds;

impl Rounds {
    fn latest(all: &[(u64, Elements)]) -> (u64, Elements) {
        let round = all.iter().map(|(round, _)| *round).max().unwrap_or(0);
        let of_round = all.iter().filter(|(other, _)| *other == round);
        (round, of_round.flat_map(|(_, elements)| elements).copied().collect())
    }

    fn says((round, elements): (u64, Elements), op: &LexOp) -> (u64, Elements) {
        let nothing = (0, Elements::new());
        match op {
            LexOp::Fst(n) if *n > round => (*n, Elements::new()),
            LexOp::Replace(n, second) if *n > round => (*n, second.iter().copied().collect()),
            LexOp::Replace(_, second) if !second.is_empty() => (round, second.iter().copied().collect()),
            LexOp::Snd(element) if !elements.contains(element) => (round, [*element].into()),
            _ => nothing,
        }
    }
}

impl Subject for Rounds {
    type State = LexPair<MaxRegister<u64>, GSet<u64>>;
    type Op = LexOp;
    type Value = (u64, Elements);

    fn op() -> BoxedStrategy<LexOp> {
        LexOp::any()
    }

    fn mutate(state: &Self::State, _: ReplicaId, op: &LexOp) -> Self::State {
        match op {
            LexOp::Fst(n) => state.fst(|round| round.write(*n)),
            LexOp::Snd(element) => state.snd(|set| set.add(*element)),
            LexOp::Replace(n, second) => state.replace(|round| round.write(*n), second.iter().copied().collect()),
        }
    }

    fn value(state: &Self::State) -> Self::Value {
        (*state.first().value(), set(state.second()))
    }

    fn denotation(log: &[Logged<LexOp>], known: &BTreeSet<usize>) -> Self::Value {
        let said = said(log, |observed, logged| Self::says(Self::latest(observed), &logged.op));
        Self::latest(&of_known(&said, known))
    }
}

impl Sequential for Rounds {
    type Model = (u64, Elements);

    fn step((round, elements): &mut Self::Model, op: &LexOp) {
        match op {
            LexOp::Fst(n) | LexOp::Replace(n, _) if n > round => {
                *round = *n;
                elements.clear();
            }
            _ => {}
        }
        match op {
            LexOp::Fst(_) => {}
            LexOp::Snd(element) => drop(elements.insert(*element)),
            LexOp::Replace(_, second) => elements.extend(second),
        }
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}

/// As [`Rounds`], where firsts may be incomparable.
pub(crate) struct Forks;

impl Forks {
    fn latest(all: &[(Elements, Elements)]) -> (Elements, Elements) {
        let first: Elements = all.iter().flat_map(|(first, _)| first).copied().collect();
        let under_it = all.iter().filter(|(other, _)| *other == first);
        let second = under_it.flat_map(|(_, second)| second).copied().collect();
        (first, second)
    }

    fn says((first, second): (Elements, Elements), op: &LexOp) -> (Elements, Elements) {
        match op {
            LexOp::Fst(n) if !first.contains(n) => ([*n].into(), Elements::new()),
            LexOp::Replace(n, replacement) if !first.contains(n) || !replacement.is_empty() => {
                (first.into_iter().chain([*n]).collect(), replacement.iter().copied().collect())
            }
            LexOp::Snd(element) if !second.contains(element) => (first, [*element].into()),
            _ => (Elements::new(), Elements::new()),
        }
    }
}

impl Subject for Forks {
    type State = LexPair<GSet<u64>, GSet<u64>>;
    type Op = LexOp;
    type Value = (Elements, Elements);

    fn op() -> BoxedStrategy<LexOp> {
        LexOp::any()
    }

    fn mutate(state: &Self::State, _: ReplicaId, op: &LexOp) -> Self::State {
        match op {
            LexOp::Fst(n) => state.fst(|set| set.add(*n)),
            LexOp::Snd(element) => state.snd(|set| set.add(*element)),
            LexOp::Replace(n, second) => state.replace(|set| set.add(*n), second.iter().copied().collect()),
        }
    }

    fn value(state: &Self::State) -> Self::Value {
        (set(state.first()), set(state.second()))
    }

    fn denotation(log: &[Logged<LexOp>], known: &BTreeSet<usize>) -> Self::Value {
        let said = said(log, |observed, logged| Self::says(Self::latest(observed), &logged.op));
        Self::latest(&of_known(&said, known))
    }
}

impl Sequential for Forks {
    type Model = (Elements, Elements);

    fn step((first, second): &mut Self::Model, op: &LexOp) {
        if let LexOp::Fst(n) | LexOp::Replace(n, _) = op
            && first.insert(*n)
        {
            second.clear();
        }
        match op {
            LexOp::Fst(_) => {}
            LexOp::Snd(element) => drop(second.insert(*element)),
            LexOp::Replace(_, replacement) => second.extend(replacement),
        }
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}

/// A set that gives way to another.
pub(crate) struct Closing;

/// Whether it has closed, and the elements.
type Stage = (bool, Elements);

impl Closing {
    fn latest(all: &[Option<Stage>]) -> Stage {
        let is_high = all.iter().flatten().any(|(is_high, _)| *is_high);
        let of_stage = all.iter().flatten().filter(|(other, _)| *other == is_high);
        (is_high, of_stage.flat_map(|(_, elements)| elements).copied().collect())
    }

    fn says((is_high, elements): Stage, &(high, element): &(bool, Option<u64>)) -> Option<Stage> {
        let element = element.filter(|element| is_high != high || !elements.contains(element));
        let says = if high { !is_high || element.is_some() } else { !is_high };
        says.then(|| (high, element.into_iter().collect()))
    }
}

impl Subject for Closing {
    type State = Sum<GSet<u64>, GSet<u64>>;
    /// Whether to change the high set, and what to add.
    type Op = (bool, Option<u64>);
    type Value = Stage;

    fn op() -> BoxedStrategy<Self::Op> {
        (prop::bool::weighted(0.2), prop::option::of(element())).boxed()
    }

    fn mutate(state: &Self::State, _: ReplicaId, &(high, element): &Self::Op) -> Self::State {
        let change = |set: &GSet<u64>| set.add_all(element);
        // An error changes nothing.
        if high { state.high(change) } else { state.low(change).unwrap_or_default() }
    }

    fn value(state: &Self::State) -> Stage {
        match state {
            Sum::Low(low) => (false, set(low)),
            Sum::High(high) => (true, set(high)),
        }
    }

    fn denotation(log: &[Logged<Self::Op>], known: &BTreeSet<usize>) -> Stage {
        let said = said(log, |observed, logged| Self::says(Self::latest(observed), &logged.op));
        Self::latest(&of_known(&said, known))
    }
}

impl Sequential for Closing {
    type Model = Stage;

    fn step((is_high, elements): &mut Stage, &(high, element): &Self::Op) {
        if high && !*is_high {
            *is_high = true;
            elements.clear();
        }
        if high == *is_high {
            elements.extend(element);
        }
    }

    fn read(model: &Stage) -> Stage {
        model.clone()
    }
}

/// A set that may not be there.
pub(crate) struct Perhaps;

impl Perhaps {
    fn all(all: &[Option<Elements>]) -> Option<Elements> {
        let is_there = all.iter().any(Option::is_some);
        is_there.then(|| all.iter().flatten().flatten().copied().collect())
    }
}

impl Subject for Perhaps {
    type State = Option<GSet<u64>>;
    /// Adds an element, or just makes the set.
    type Op = Option<u64>;
    type Value = Option<Elements>;

    fn op() -> BoxedStrategy<Self::Op> {
        prop::option::of(element()).boxed()
    }

    fn mutate(state: &Self::State, _: ReplicaId, op: &Self::Op) -> Self::State {
        option::apply(state, |set| set.add_all(*op))
    }

    fn value(state: &Self::State) -> Self::Value {
        state.as_ref().map(set)
    }

    fn denotation(log: &[Logged<Self::Op>], known: &BTreeSet<usize>) -> Self::Value {
        let said = said(log, |observed, logged| match Self::all(observed) {
            None => Some(logged.op.into_iter().collect()),
            Some(elements) => logged.op.filter(|e| !elements.contains(e)).map(|e| [e].into()),
        });
        Self::all(&of_known(&said, known))
    }
}

impl Sequential for Perhaps {
    type Model = Option<Elements>;

    fn step(model: &mut Self::Model, op: &Self::Op) {
        model.get_or_insert_default().extend(op);
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}

/// Three types side by side.
pub(crate) struct Triple;

#[derive(Clone, Debug)]
pub(crate) enum TripleOp {
    Enable,
    Add(u64),
    Write(u64),
}

impl Triple {
    fn all(all: &[(bool, Elements, u64)]) -> (bool, Elements, u64) {
        let elements = all.iter().flat_map(|said| &said.1).copied().collect();
        (all.iter().any(|said| said.0), elements, all.iter().map(|said| said.2).max().unwrap_or(0))
    }

    fn says(known: (bool, Elements, u64), op: &TripleOp) -> (bool, Elements, u64) {
        match op {
            TripleOp::Enable => (!known.0, Elements::new(), 0),
            TripleOp::Add(element) => (false, Elements::from([*element]).difference(&known.1).copied().collect(), 0),
            TripleOp::Write(n) => (false, Elements::new(), if *n > known.2 { *n } else { 0 }),
        }
    }
}

impl Subject for Triple {
    type State = (Boolean, GSet<u64>, MaxRegister<u64>);
    type Op = TripleOp;
    type Value = (bool, Elements, u64);

    fn op() -> BoxedStrategy<TripleOp> {
        let enable = Just(TripleOp::Enable);
        prop_oneof![enable, element().prop_map(TripleOp::Add), (0..9u64).prop_map(TripleOp::Write)].boxed()
    }

    fn mutate(state: &Self::State, _: ReplicaId, op: &TripleOp) -> Self::State {
        let mut delta = Self::State::default();
        match op {
            TripleOp::Enable => delta.0 = state.0.enable(),
            TripleOp::Add(element) => delta.1 = state.1.add(*element),
            TripleOp::Write(n) => delta.2 = state.2.write(*n),
        }
        delta
    }

    fn value(state: &Self::State) -> Self::Value {
        (state.0.value(), set(&state.1), *state.2.value())
    }

    fn denotation(log: &[Logged<TripleOp>], known: &BTreeSet<usize>) -> Self::Value {
        let said = said(log, |observed, logged| Self::says(Self::all(observed), &logged.op));
        Self::all(&of_known(&said, known))
    }
}

impl Sequential for Triple {
    type Model = (bool, Elements, u64);

    fn step(model: &mut Self::Model, op: &TripleOp) {
        match op {
            TripleOp::Enable => model.0 = true,
            TripleOp::Add(element) => drop(model.1.insert(*element)),
            TripleOp::Write(n) => model.2 = model.2.max(*n),
        }
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}

product! {
    /// A page and its visits.
    pub(crate) struct Page<E> {
        pub(crate) visits: GCounter,
        pub(crate) tags: GSet<E>,
        pub(crate) rank: Option<MaxRegister<u64>>,
    }
}

/// A product with names, of a parameter.
pub(crate) struct Record;

#[derive(Clone, Debug)]
pub(crate) enum PageOp {
    Visit(u64),
    Tag(u64),
    Rank(u64),
    TagAndRank(u64, u64),
}

impl PageOp {
    fn tag(&self) -> Option<u64> {
        match self {
            Self::Tag(tag) | Self::TagAndRank(tag, _) => Some(*tag),
            Self::Visit(_) | Self::Rank(_) => None,
        }
    }

    fn rank(&self) -> Option<u64> {
        match self {
            Self::Rank(rank) | Self::TagAndRank(_, rank) => Some(*rank),
            Self::Visit(_) | Self::Tag(_) => None,
        }
    }

    fn visits(&self) -> Option<u64> {
        if let Self::Visit(n) = self { Some(*n) } else { None }
    }
}

impl Record {
    fn all(all: &[(Elements, Option<u64>)]) -> (Elements, Option<u64>) {
        (all.iter().flat_map(|(tags, _)| tags).copied().collect(), all.iter().filter_map(|(_, rank)| *rank).max())
    }

    fn says((tags, rank): (Elements, Option<u64>), op: &PageOp) -> (Elements, Option<u64>) {
        (op.tag().into_iter().filter(|tag| !tags.contains(tag)).collect(), op.rank().filter(|&new| Some(new) > rank))
    }
}

impl Subject for Record {
    type State = Page<u64>;
    type Op = PageOp;
    type Value = (u64, Elements, Option<u64>);

    fn op() -> BoxedStrategy<PageOp> {
        prop_oneof![
            (0..9u64).prop_map(PageOp::Visit),
            element().prop_map(PageOp::Tag),
            (0..9u64).prop_map(PageOp::Rank),
            (element(), 0..9u64).prop_map(|(tag, rank)| PageOp::TagAndRank(tag, rank)),
        ]
        .boxed()
    }

    fn mutate(state: &Self::State, replica: ReplicaId, op: &PageOp) -> Self::State {
        let rank = |rank: u64| state.rank(|known| option::apply(known, |known| known.write(rank)));
        match op {
            PageOp::Visit(n) => state.visits(|visits| visits.increment(replica, *n)),
            PageOp::Tag(tag) => state.tags(|tags| tags.add(*tag)),
            PageOp::Rank(n) => rank(*n),
            PageOp::TagAndRank(tag, n) => {
                let mut delta = state.tags(|tags| tags.add(*tag));
                delta.merge(rank(*n));
                delta
            }
        }
    }

    fn value(state: &Self::State) -> Self::Value {
        (state.visits.value(), set(&state.tags), state.rank.as_ref().map(|rank| *rank.value()))
    }

    fn denotation(log: &[Logged<PageOp>], known: &BTreeSet<usize>) -> Self::Value {
        let said = said(log, |observed, logged| Self::says(Self::all(observed), &logged.op));
        let (tags, rank) = Self::all(&of_known(&said, known));
        (total(log, known, PageOp::visits), tags, rank)
    }
}

impl Sequential for Record {
    type Model = (u64, Elements, Option<u64>);

    fn step((visits, tags, rank): &mut Self::Model, op: &PageOp) {
        *visits += op.visits().unwrap_or(0);
        tags.extend(op.tag());
        *rank = (*rank).max(op.rank());
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}

choice! {
    /// What a key holds.
    pub(crate) enum Slot<E> {
        Tags(GSet<E>),
        Top(MaxRegister<u64>),
        Deep(GMap<u64, GSet<E>>),
    }
}

/// A map with a type per key.
pub(crate) struct TypedMap;

/// What a slot is, plainly; a later variant wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plain {
    Tags(Elements),
    Top(u64),
    Deep(BTreeSet<(u64, u64)>),
}

impl Plain {
    fn rank(&self) -> u8 {
        match self {
            Self::Tags(_) => 1,
            Self::Top(_) => 2,
            Self::Deep(_) => 3,
        }
    }

    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Tags(mine), Self::Tags(theirs)) => Self::Tags(&mine | &theirs),
            (Self::Top(mine), Self::Top(theirs)) => Self::Top(mine.max(theirs)),
            (Self::Deep(mine), Self::Deep(theirs)) => Self::Deep(&mine | &theirs),
            (mine, theirs) => {
                if mine.rank() > theirs.rank() {
                    mine
                } else {
                    theirs
                }
            }
        }
    }

    /// What setting `self` adds to what is `known`, if anything.
    fn news(self, known: Option<&Self>) -> Option<Self> {
        match (self, known) {
            (mine, None) => Some(mine),
            (Self::Tags(mine), Some(Self::Tags(known))) => {
                Some(&mine - known).filter(|new| !new.is_empty()).map(Self::Tags)
            }
            (Self::Top(mine), Some(Self::Top(known))) => (mine > *known).then_some(Self::Top(mine)),
            (Self::Deep(mine), Some(Self::Deep(known))) => {
                Some(&mine - known).filter(|new| !new.is_empty()).map(Self::Deep)
            }
            (mine, Some(known)) => (mine.rank() > known.rank()).then_some(mine),
        }
    }
}

impl TypedMap {
    fn all(all: &[Option<(u64, Plain)>]) -> BTreeMap<u64, Plain> {
        let mut map = BTreeMap::new();
        for (key, plain) in all.iter().flatten().cloned() {
            let joined = match map.remove(&key) {
                Some(known) => plain.join(known),
                None => plain,
            };
            map.insert(key, joined);
        }
        map
    }
}

impl Subject for TypedMap {
    type State = GMap<u64, Slot<u64>>;
    type Op = (u64, Plain);
    type Value = BTreeMap<u64, Plain>;

    fn op() -> BoxedStrategy<Self::Op> {
        let plain = prop_oneof![
            6 => elements().prop_map(|elements| Plain::Tags(elements.into_iter().take(2).collect())),
            2 => (0..9u64).prop_map(Plain::Top),
            1 => (0..3u64, element()).prop_map(|(key, element)| Plain::Deep([(key, element)].into())),
        ];
        (0..4u64, plain).boxed()
    }

    fn mutate(state: &Self::State, _: ReplicaId, (key, plain): &Self::Op) -> Self::State {
        let delta = state.try_apply(*key, |slot| match plain {
            Plain::Tags(tags) => slot.apply(Slot::Tags, |known| known.add_all(tags.iter().copied())),
            Plain::Top(n) => slot.apply(Slot::Top, |top| top.write(*n)),
            Plain::Deep(pairs) => {
                slot.apply(Slot::Deep, |map| map.apply_all(pairs.iter().copied(), |set, element| set.add(element)))
            }
        });
        // An error changes nothing.
        delta.unwrap_or_default()
    }

    fn value(state: &Self::State) -> Self::Value {
        let plain = |slot: &Slot<u64>| match slot {
            Slot::Nothing => panic!("a map keeps no bottom"),
            Slot::Tags(tags) => Plain::Tags(set(tags)),
            Slot::Top(top) => Plain::Top(*top.value()),
            Slot::Deep(map) => {
                Plain::Deep(map.iter().flat_map(|(&key, set)| set.iter().map(move |&element| (key, element))).collect())
            }
        };
        state.iter().map(|(&key, slot)| (key, plain(slot))).collect()
    }

    fn denotation(log: &[Logged<Self::Op>], known: &BTreeSet<usize>) -> Self::Value {
        let said = said(log, |observed, logged| {
            let (key, plain) = logged.op.clone();
            plain.news(Self::all(observed).get(&key)).map(|news| (key, news))
        });
        Self::all(&of_known(&said, known))
    }
}

impl Sequential for TypedMap {
    type Model = BTreeMap<u64, Plain>;

    fn step(model: &mut Self::Model, (key, plain): &Self::Op) {
        match (model.get_mut(key), plain) {
            (Some(Plain::Tags(known)), Plain::Tags(tags)) => known.extend(tags),
            (Some(Plain::Top(known)), Plain::Top(n)) => *known = *n.max(known),
            (Some(Plain::Deep(known)), Plain::Deep(pairs)) => known.extend(pairs),
            (Some(known), plain) if known.rank() > plain.rank() => {}
            (_, plain) => drop(model.insert(*key, plain.clone())),
        }
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}

/// A map of maps of sets, changed in batches.
pub(crate) struct Nested;

impl Subject for Nested {
    type State = GMap<u64, GMap<u64, GSet<u64>>>;
    /// Which elements to add, under which two keys.
    type Op = Vec<(u64, u64, u64)>;
    type Value = BTreeSet<(u64, u64, u64)>;

    fn op() -> BoxedStrategy<Self::Op> {
        prop::collection::vec((0..12u64, 0..3u64, 0..4u64), 0..6).boxed()
    }

    fn mutate(state: &Self::State, _: ReplicaId, op: &Self::Op) -> Self::State {
        match op[..] {
            [(outer, inner, element)] => state.apply(outer, |map| map.apply(inner, |set| set.add(element))),
            _ => state.apply_all(
                op.iter().map(|&(outer, inner, element)| (outer, (inner, element))),
                |map, (inner, element)| map.apply(inner, |set| set.add(element)),
            ),
        }
    }

    fn value(state: &Self::State) -> Self::Value {
        let mut all = BTreeSet::new();
        for (&outer, map) in state.iter() {
            assert!(!map.is_empty(), "no key without a value");
            for (&inner, set) in map.iter() {
                all.extend(set.iter().map(|&element| (outer, inner, element)));
            }
        }
        all
    }

    fn denotation(log: &[Logged<Self::Op>], known: &BTreeSet<usize>) -> Self::Value {
        let said = said(log, |observed: &[Self::Value], logged| {
            let news = logged.op.iter().filter(|added| !observed.iter().any(|seen| seen.contains(added)));
            news.copied().collect()
        });
        of_known(&said, known).into_iter().flatten().collect()
    }
}

impl Sequential for Nested {
    type Model = BTreeMap<u64, BTreeMap<u64, BTreeSet<u64>>>;

    fn step(model: &mut Self::Model, op: &Self::Op) {
        for &(outer, inner, element) in op {
            model.entry(outer).or_default().entry(inner).or_default().insert(element);
        }
    }

    fn read(model: &Self::Model) -> Self::Value {
        let mut all = BTreeSet::new();
        for (&outer, map) in model {
            for (&inner, set) in map {
                all.extend(set.iter().map(|&element| (outer, inner, element)));
            }
        }
        all
    }
}
