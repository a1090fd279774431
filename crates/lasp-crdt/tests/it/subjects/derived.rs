//! Derived sets as their writers change them: elements with supports over two bases.

use super::known_ops;
use crate::world::{Logged, Sequential, Subject};
use lasp_crdt::{BaseId, Derived, ReplicaId, Support};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const BASES: [BaseId; 2] = [BaseId(0x9999_0000_0000_0000), BaseId(0x11)];

#[derive(Clone, Debug)]
pub(crate) enum Conclude {
    /// An addition to one base, whose image is the element.
    Image(usize, u64),
    /// An addition to each base, which together give the element.
    Pair(u64),
    /// An addition to one base that is filtered out.
    Nothing(usize),
    /// What gives the first element also gives the second.
    Also(u64, u64),
    /// Takes back all that was added to one base and gives the element.
    Retract(usize, u64),
    /// The element, whatever becomes of the bases.
    Always(u64),
}

use Conclude::{Also, Always, Image, Nothing, Pair, Retract};

impl Conclude {
    /// Whether this adds to a base.
    fn adds_to(&self, base: usize) -> bool {
        match self {
            Image(which, _) | Nothing(which) => *which == base,
            Pair(_) => true,
            Also(..) | Retract(..) | Always(_) => false,
        }
    }
}

/// Why an element is there: the operation that added to the bases, or none.
type Reasons = BTreeSet<(u64, Option<usize>)>;

pub(crate) struct Conclusions;

impl Conclusions {
    fn reasons(log: &[Logged<Conclude>], known: &BTreeSet<usize>) -> Reasons {
        let mut reasons = Reasons::new();
        let mut dead = BTreeSet::new();
        for (at, logged) in known_ops(log, known) {
            let seen_before = || Self::reasons(log, &logged.observed);
            match logged.op {
                Image(_, element) | Pair(element) => _ = reasons.insert((element, Some(at))),
                Always(element) => _ = reasons.insert((element, None)),
                Also(from, to) => {
                    reasons.extend(seen_before().into_iter().filter(|(e, _)| *e == from).map(|(_, why)| (to, why)));
                }
                Retract(base, element) => {
                    let gives =
                        |(e, why): (u64, Option<usize>)| why.filter(|&add| e == element && log[add].op.adds_to(base));
                    dead.extend(seen_before().into_iter().filter_map(gives));
                }
                Nothing(_) => {}
            }
        }
        reasons.retain(|(_, why)| why.is_none_or(|add| !dead.contains(&add)));
        reasons
    }
}

impl Subject for Conclusions {
    type State = Derived<u64>;
    type Op = Conclude;
    type Value = BTreeSet<u64>;

    fn op() -> BoxedStrategy<Conclude> {
        let element = || prop_oneof![4 => 0..4u64, 1 => 0..16u64];
        prop_oneof![
            4 => (0..2usize, element()).prop_map(|(base, element)| Image(base, element)),
            3 => element().prop_map(Pair),
            1 => (0..2usize).prop_map(Nothing),
            3 => (element(), element()).prop_map(|(from, to)| Also(from, to)),
            4 => (0..2usize, element()).prop_map(|(base, element)| Retract(base, element)),
            1 => element().prop_map(Always),
        ]
        .boxed()
    }

    fn mutate(state: &Derived<u64>, replica: ReplicaId, op: &Conclude) -> Derived<u64> {
        let mut delta = Derived::new();
        let added = |delta: &mut Derived<u64>, base: usize| {
            let dot = state.base(BASES[base]).map_or_else(Default::default, |known| known.seen().clone()).next(replica);
            delta.see_live(BASES[base], dot);
            Support::event(BASES[base], dot)
        };
        match *op {
            Image(base, element) => {
                let support = added(&mut delta, base);
                delta.add_support(element, support);
            }
            Pair(element) => {
                let support = added(&mut delta, 0).and(&added(&mut delta, 1));
                delta.add_support(element, support);
            }
            Nothing(base) => _ = added(&mut delta, base),
            Also(from, to) => state.supports(&from).for_each(|support| _ = delta.add_support(to, support.clone())),
            Retract(base, element) => {
                let events = state.supports(&element).flat_map(|support| support.events());
                events.filter(|event| event.base == BASES[base]).for_each(|event| _ = delta.see(event.base, event.dot));
            }
            Always(element) => _ = delta.add_support(element, Support::always()),
        }
        delta
    }

    fn value(state: &Derived<u64>) -> BTreeSet<u64> {
        state.iter().copied().collect()
    }

    fn denotation(log: &[Logged<Conclude>], known: &BTreeSet<usize>) -> BTreeSet<u64> {
        Self::reasons(log, known).into_iter().map(|(element, _)| element).collect()
    }
}

/// Each addition by its number, with the bases it is in; and the additions (or nothing) that give each element.
#[derive(Default)]
pub(crate) struct Ledger {
    additions: Vec<Vec<usize>>,
    given_by: BTreeMap<u64, BTreeSet<Option<usize>>>,
}

impl Sequential for Conclusions {
    type Model = Ledger;

    fn step(model: &mut Ledger, op: &Conclude) {
        if let Image(..) | Pair(_) = op {
            model.additions.push((0..2).filter(|&base| op.adds_to(base)).collect());
        }
        let latest = model.additions.len().checked_sub(1);
        match *op {
            Image(_, element) | Pair(element) => _ = model.given_by.entry(element).or_default().insert(latest),
            Always(element) => _ = model.given_by.entry(element).or_default().insert(None),
            Also(from, to) => {
                let reasons = model.given_by.get(&from).cloned().unwrap_or_default();
                model.given_by.entry(to).or_default().extend(reasons);
            }
            Retract(base, element) => {
                let reasons = model.given_by.get(&element).cloned().unwrap_or_default();
                let gone = |why: &Option<usize>| why.is_some_and(|add| model.additions[add].contains(&base));
                let gone: BTreeSet<_> = reasons.into_iter().filter(gone).collect();
                model.given_by.values_mut().for_each(|reasons| reasons.retain(|why| !gone.contains(why)));
            }
            Nothing(_) => {}
        }
    }

    fn read(model: &Ledger) -> BTreeSet<u64> {
        model.given_by.iter().filter(|(_, reasons)| !reasons.is_empty()).map(|(&element, _)| element).collect()
    }
}

proptest! {
    #[test]
    fn one_replica_computes_what_a_ledger_does(ops in prop::collection::vec(Conclusions::op(), 0..40)) {
        use lasp_crdt::Lattice;
        let (mut state, mut model) = (Derived::new(), Ledger::default());
        for op in ops {
            state.merge(Conclusions::mutate(&state, ReplicaId(1), &op));
            Conclusions::step(&mut model, &op);
            prop_assert_eq!(Conclusions::value(&state), Conclusions::read(&model));
        }
    }
}
