//! Derived sets as they are used: nodes that hold the base sets derive, others merge what they derived.
//!
//! The oracle is the derivation of the merged bases from scratch.

use crate::laws::{damage, edits, shuffle};
use crate::world::{REPLICAS, replica};
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{
    AwSet, BaseId, Delta, Derived, DerivedChange, Dot, DotSet, Fingerprint, Lattice, SetChange, Support, codec, laws,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Base = AwSet<u64>;
type Pairs = Derived<(u64, u64)>;

const BASES: [BaseId; 2] = [BaseId(0xbbbb_0000_0000_0001), BaseId(0x0a)];

/// The product of two base sets, from scratch.
fn product(bases: &[Base; 2]) -> Pairs {
    let mut whole = Pairs::new();
    for (id, base) in BASES.into_iter().zip(bases) {
        whole.see_all(id, base.context(), &base.live());
    }
    for (x, dots_x) in bases[0].entries() {
        for (y, dots_y) in bases[1].entries() {
            for support in dots_x.iter().flat_map(|&dx| dots_y.iter().map(move |&dy| both(dx, dy))) {
                whole.add_support((*x, *y), support);
            }
        }
    }
    whole
}

fn both(left: Dot, right: Dot) -> Support {
    Support::event(BASES[0], left).and(&Support::event(BASES[1], right))
}

/// An image that is neither injective nor total: odd elements go, two evens share an image.
fn image(element: u64) -> Option<u64> {
    element.is_multiple_of(2).then_some(element / 4)
}

/// The image of a set, or of a delta of it.
fn map(base: &Base) -> Derived<u64> {
    let mut whole = Derived::new();
    whole.see_all(BASES[0], base.context(), &base.live());
    for (&element, dots) in base.entries() {
        for dot in dots {
            if let Some(image) = image(element) {
                whole.add_support(image, Support::event(BASES[0], dot));
            }
        }
    }
    whole
}

/// A node that holds both bases and derives from their deltas.
#[derive(Clone, Default)]
struct Node {
    bases: [Base; 2],
    pairs: Pairs,
}

impl Node {
    /// Merges a base delta in; returns the delta of the product, at the cost of the change and its pairs.
    fn feed(&mut self, which: usize, delta: Base) -> Pairs {
        let mut derived = Pairs::new();
        derived.see_all(BASES[which], delta.context(), &delta.live());
        let mut born = Vec::new();
        self.bases[which].merge_with(delta, |change| match change {
            SetChange::Live(element, dot) => born.push((*element, dot)),
            SetChange::Dead(..) => {}
        });
        for (element, dot) in born {
            for (&other, dots) in self.bases[1 - which].entries() {
                for other_dot in dots {
                    match which {
                        0 => derived.add_support((element, other), both(dot, other_dot)),
                        _ => derived.add_support((other, element), both(other_dot, dot)),
                    };
                }
            }
        }
        self.pairs.merge(derived.clone());
        derived
    }
}

#[derive(Clone, Debug)]
enum Step {
    Add(usize, usize, Vec<u64>),
    Remove(usize, usize, Vec<u64>),
    /// A node gets the delta of a base that another made.
    Deliver(prop::sample::Index, usize),
    /// A node gets a whole base from another.
    Sync(usize, usize, usize),
    /// A client gets what some node derived.
    Tell(prop::sample::Index, usize),
    /// A client gets what another has.
    Gossip(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let elements = || prop_oneof![4 => prop::collection::vec(0..5u64, 1..2), 1 => prop::collection::vec(0..9u64, 4..9)];
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (0..REPLICAS, 0..2usize, elements()).prop_map(|(at, which, es)| Step::Add(at, which, es)),
        3 => (0..REPLICAS, 0..2usize, elements()).prop_map(|(at, which, es)| Step::Remove(at, which, es)),
        3 => (index(), 0..REPLICAS).prop_map(|(delta, to)| Step::Deliver(delta, to)),
        1 => (0..REPLICAS, 0..REPLICAS, 0..2usize).prop_map(|(from, to, which)| Step::Sync(from, to, which)),
        3 => (index(), 0..REPLICAS).prop_map(|(delta, to)| Step::Tell(delta, to)),
        1 => (0..REPLICAS, 0..REPLICAS).prop_map(|(from, to)| Step::Gossip(from, to)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..30)
}

#[derive(Default)]
struct World {
    nodes: [Node; REPLICAS],
    /// They hold no base.
    clients: [Pairs; REPLICAS],
    base_deltas: Vec<(usize, Base)>,
    derived_deltas: Vec<Pairs>,
}

impl World {
    fn run(steps: &[Step]) -> Self {
        let mut world = Self::default();
        for step in steps {
            world.step(step);
        }
        world
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Add(at, which, elements) => {
                let delta = self.nodes[*at].bases[*which].add_all(replica(*at), elements.iter().copied());
                self.change(*at, *which, delta);
            }
            Step::Remove(at, which, elements) => {
                let delta = self.nodes[*at].bases[*which].remove_all(elements);
                self.change(*at, *which, delta);
            }
            Step::Deliver(index, to) if !self.base_deltas.is_empty() => {
                let (which, delta) = index.get(&self.base_deltas).clone();
                self.feed(*to, which, delta);
            }
            Step::Sync(from, to, which) => {
                let state = self.nodes[*from].bases[*which].clone();
                self.feed(*to, *which, state);
            }
            Step::Tell(index, to) if !self.derived_deltas.is_empty() => {
                self.clients[*to].merge(index.get(&self.derived_deltas).clone());
            }
            Step::Gossip(from, to) => {
                let state = self.clients[*from].clone();
                self.clients[*to].merge(state);
            }
            Step::Deliver(..) | Step::Tell(..) => {}
        }
    }

    fn change(&mut self, at: usize, which: usize, delta: Base) {
        self.base_deltas.push((which, delta.clone()));
        self.feed(at, which, delta);
    }

    fn feed(&mut self, at: usize, which: usize, delta: Base) {
        let derived = self.nodes[at].feed(which, delta);
        self.derived_deltas.push(derived);
    }

    /// Everything that anyone knows of the bases.
    fn merged_bases(&self) -> [Base; 2] {
        let mut merged = [Base::new(), Base::new()];
        for node in &self.nodes {
            for (all, base) in merged.iter_mut().zip(&node.bases) {
                all.merge(base.clone());
            }
        }
        merged
    }
}

fn supports(set: &Pairs) -> BTreeSet<((u64, u64), Support)> {
    set.entries().map(|(element, support)| (*element, support.clone())).collect()
}

proptest! {
    #[test]
    fn laws_hold_in_reachable_states(steps in steps()) {
        let world = World::run(&steps);
        let mut states: Vec<&Pairs> = world.clients.iter().chain(world.nodes.iter().map(|node| &node.pairs)).collect();
        states.extend(world.derived_deltas.last());
        for at in 0..states.len() {
            let (a, b, c) = (states[at], states[(at + 1) % states.len()], states[(at + 2) % states.len()]);
            laws::check_lattice(a, b, c);
            laws::check_delta(a, b);
            laws::check_fingerprint(a, b);
        }
        for state in &world.clients {
            laws::check_decompose(state);
            laws::check_codec(state);
            laws::check_codec(&state.digest());
        }
    }

    #[test]
    fn deriving_from_deltas_is_deriving_from_the_whole(steps in steps()) {
        for node in World::run(&steps).nodes {
            prop_assert_eq!(&node.pairs, &product(&node.bases));
        }
    }

    #[test]
    fn no_client_ever_has_what_the_merged_bases_do_not(steps in steps()) {
        let world = World::run(&steps);
        let whole = product(&world.merged_bases());
        for client in &world.clients {
            prop_assert!(client.leq(&whole), "{client:?} is part of {whole:?}");
        }
        let mut all = Pairs::new();
        for node in &world.nodes {
            all.merge(node.pairs.clone());
        }
        prop_assert!(supports(&all).is_subset(&supports(&whole)), "no ghost of a pair in {all:?}");
        // What was derived apart says the same of the bases, and lacks at most pairs that nobody derived.
        for (id, base) in all.bases() {
            prop_assert_eq!(Some(base), whole.base(id));
        }
    }

    #[test]
    fn clients_converge_once_every_deriver_has_seen_everything(steps in steps(), order in any::<u64>()) {
        let mut world = World::run(&steps);
        for (which, state) in world.merged_bases().into_iter().enumerate() {
            (0..REPLICAS).for_each(|at| world.feed(at, which, state.clone()));
        }
        let mut incoming: Vec<&Pairs> = world.derived_deltas.iter().chain(&world.derived_deltas).collect();
        shuffle(&mut incoming, order);
        let mut client = world.clients[0].clone();
        for delta in incoming {
            client.merge(delta.clone());
        }
        let whole = product(&world.merged_bases());
        prop_assert_eq!(&client, &whole);
        prop_assert_eq!(client.fingerprint(), whole.fingerprint());
    }

    #[test]
    fn map_and_filter_are_morphisms(steps in steps()) {
        let world = World::run(&steps);
        let mut from_deltas = Derived::new();
        let mut from_nodes = Derived::new();
        for node in &world.nodes {
            from_nodes.merge(map(&node.bases[0]));
        }
        for (_, delta) in world.base_deltas.iter().rev().filter(|(which, _)| *which == 0) {
            from_deltas.merge(map(delta));
        }
        let whole = map(&world.merged_bases()[0]);
        prop_assert_eq!(&from_nodes, &whole);
        prop_assert_eq!(&from_deltas, &whole);
    }

    #[test]
    fn a_merge_reports_exactly_what_it_did(steps in steps(), order in any::<u64>()) {
        let world = World::run(&steps);
        let mut incoming: Vec<&Pairs> = world.derived_deltas.iter().chain(&world.clients).collect();
        shuffle(&mut incoming, order);
        let mut set = Pairs::new();
        let mut model: BTreeMap<(u64, u64), BTreeSet<Support>> = BTreeMap::new();
        let mut present: BTreeSet<(u64, u64)> = BTreeSet::new();
        for delta in incoming {
            let before = set.clone();
            let grew = set.merge_with(delta.clone(), |change| match change {
                DerivedChange::Gained(e, s) => assert!(model.entry(*e).or_default().insert(s.clone())),
                DerivedChange::Lost(e, s) => assert!(model.get_mut(e).is_some_and(|supports| supports.remove(s))),
                DerivedChange::Appeared(e) => assert!(model[e].len() == 1 && present.insert(*e)),
                DerivedChange::Vanished(e) => assert!(model[e].is_empty() && present.remove(e)),
            });
            prop_assert_eq!(grew, set != before);
            prop_assert!(set.iter().eq(present.iter()));
            for (element, supports) in &model {
                prop_assert!(set.supports(element).eq(supports.iter()));
                prop_assert_eq!(set.contains(element), !supports.is_empty());
            }
        }
    }

    #[test]
    fn damaged_encodings_are_refused_or_canonical(steps in steps(), edits in edits()) {
        for state in World::run(&steps).derived_deltas.iter().take(3) {
            let mut bytes = codec::to_bytes(state);
            damage(&mut bytes, &edits);
            laws::check_decoder::<Pairs>(&bytes);
        }
    }
}

/// The second trap of the design: the surviving pairs and one context are not enough to merge two products.
#[test]
fn a_pair_does_not_outlive_a_removal_that_only_the_other_replica_saw() {
    let x = Base::new().add(replica(0), 1);
    let y = Base::new().add(replica(1), 2);
    let (mut first, mut second) = (Node::default(), Node::default());
    first.feed(0, x.clone());
    first.feed(1, y);
    // The second replica has seen x come and go, and never saw y.
    let removal = x.remove(&1);
    second.feed(0, x);
    second.feed(0, removal);
    assert!(first.pairs.contains(&(1, 2)));
    let mut client = first.pairs.clone();
    client.merge(second.pairs.clone());
    assert!(client.is_empty(), "the pair is a ghost: {client:?}");
    client.merge(first.pairs);
    assert!(client.is_empty(), "and stays away");
}

/// The same where the second replica never saw x at all, only its removal.
#[test]
fn a_pair_does_not_outlive_a_removal_that_arrived_without_its_addition() {
    let x = Base::new().add(replica(0), 1);
    let (mut first, mut second) = (Node::default(), Node::default());
    first.feed(1, Base::new().add(replica(1), 2));
    first.feed(0, x.clone());
    second.feed(0, x.remove(&1));
    let mut client = first.pairs;
    client.merge(second.pairs);
    assert!(client.is_empty());
}

/// A product of 60 by 60, retracted row by row and filled again, against the derivation from scratch.
#[test]
fn a_large_product_follows_its_bases() {
    let mut node = Node::default();
    for step in 0..1_500u64 {
        let random = mix(0xd00d, step);
        let (which, element) = ((random >> 32) as usize & 1, random % 60);
        let adds = (random >> 40) % 8 < if step < 900 { 6 } else { 2 };
        let base = &node.bases[which];
        let delta = if adds { base.add(replica(which), element) } else { base.remove(&element) };
        node.feed(which, delta);
        if step % 300 == 299 {
            assert_eq!(node.pairs, product(&node.bases));
            assert_eq!(node.pairs.unordered().count(), node.pairs.len());
            assert_eq!(node.pairs.len(), node.bases[0].len() * node.bases[1].len());
        }
    }
    for which in 0..2 {
        let all: Vec<u64> = node.bases[which].iter().copied().collect();
        let delta = node.bases[which].remove_all(&all);
        node.feed(which, delta);
    }
    assert!(node.pairs.is_empty() && node.pairs.unordered_entries().next().is_none());
    assert!(node.pairs.bases().all(|(_, base)| base.live().is_empty() && base.seen().range_count() == 1));
}

#[test]
fn removals_claimed_in_astronomic_number_cost_only_what_is_here() {
    let mut set = Pairs::new();
    set.add_support((1, 2), both(Dot::new(replica(0), 5), Dot::new(replica(1), 6)));
    let mut seen = DotSet::new();
    for at in 0..REPLICAS {
        seen.insert_range(replica(at), 1, Dot::MAX_COUNTER);
    }
    let mut hostile = Pairs::new();
    hostile.see_all(BASES[0], &seen, &DotSet::new());
    assert!(set.merge(hostile));
    assert!(set.is_empty());
    let mut base = Base::new().add(replica(0), 1);
    assert!(base.merge(AwSet::from_parts([], seen)));
    assert!(base.is_empty());
}
