//! The operators on derived sets: each is a morphism in each of its arguments, so that feeding it deltas gives what
//! starting over gives, in any order; and its value is what the same program over `std` sets computes.

use crate::counted::{Counted, touches};
use crate::laws::shuffle;
use crate::subjects::AddWinsSet;
use crate::world::{Subject, World, history, replica};
use lasp_crdt::{
    AwSet, BaseId, Delta, Derived, Dot, EventStatus, Fingerprint, GSet, Lattice, ReplicaId, Side, Support, laws,
};
use proptest::prelude::*;
use proptest::sample::Index;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Debug;

type Numbers = Derived<u64>;
type Pairs = Derived<(u64, u64)>;

const BASES: [BaseId; 2] = [BaseId(0xbbbb_0000_0000_0001), BaseId(0x0a)];

fn joined<T: Lattice>(a: &T, b: &T) -> T {
    let mut both = a.clone();
    both.merge(b.clone());
    both
}

/// Each element with each of its dots.
fn additions(set: &AwSet<u64>) -> Vec<(u64, Dot)> {
    set.entries().flat_map(|(&element, dots)| dots.map(move |dot| (element, dot))).collect()
}

/// Every state and delta of a history of one base set.
fn reached() -> impl Strategy<Value = Vec<AwSet<u64>>> {
    history(AddWinsSet::op()).prop_map(|history| {
        let World { states, deltas, .. } = World::<AddWinsSet>::run(&history);
        states.into_iter().chain(deltas).collect()
    })
}

/// Derived sets as they come about: leaves over either base, images, and conjunctions over both or over one twice.
fn operands() -> impl Strategy<Value = Vec<Numbers>> {
    (reached(), reached(), prop::collection::vec((any::<Index>(), any::<Index>(), 0..6u8), 3..8)).prop_map(
        |(left, right, picks)| {
            let operand = |(x, y, kind): (Index, Index, u8)| {
                let (x, again) = (Derived::of(BASES[0], x.get(&left)), Derived::of(BASES[0], y.get(&left)));
                let y = Derived::of(BASES[1], y.get(&right));
                match kind {
                    0 => x,
                    1 => y,
                    2 => x.map(|n| n / 3),
                    3 => x.intersection(&again.union(&y)),
                    4 => x.product(&again).map(|(a, b)| a.max(b) % 5),
                    _ => x.filter(|n| n % 2 == 0).union(&Derived::of_grow_only(&[1, 2].into_iter().collect())),
                }
            };
            picks.into_iter().map(operand).collect()
        },
    )
}

type Unary = (&'static str, fn(&Numbers) -> Numbers);

const UNARY: [Unary; 6] = [
    ("map that is not injective", |a| a.map(|n| n % 3)),
    ("map that reverses the order", |a| a.map(|n| 100 - n)),
    ("constant map", |a| a.map(|_| 7)),
    ("filter", |a| a.filter(|n| n % 2 == 0)),
    ("flat_map", |a| a.flat_map(|&n| [n / 2, n + 1, n + 1])),
    ("partial flat_map", |a| a.flat_map(|&n| (n > 2).then_some(n))),
];

type Binary = (&'static str, fn(&Numbers, &Numbers) -> Pairs, fn(&Numbers, &Numbers, Side) -> Pairs);

const BINARY: [Binary; 4] = [
    ("union", |a, b| twice(&a.union(b)), |a, b, side| twice(if side == Side::Left { a } else { b })),
    ("intersection", |a, b| twice(&a.intersection(b)), |a, b, side| twice(&a.intersection_delta(b, side))),
    ("product", |a, b| a.product(b), |a, b, side| a.product_delta(b, side)),
    ("join", |a, b| a.join(b, |x| x % 2, |y| y % 3), |a, b, side| a.join_delta(b, |x| x % 2, |y| y % 3, side)),
];

fn twice(set: &Numbers) -> Pairs {
    set.map(|&n| (n, n))
}

proptest! {
    #[test]
    fn leaves_are_morphisms(sets in reached(), picks in any::<[Index; 2]>()) {
        let [a, delta] = picks.map(|pick| pick.get(&sets).clone());
        let of = |set: &AwSet<u64>| Derived::of(BASES[0], set);
        prop_assert_eq!(of(&joined(&a, &delta)), joined(&of(&a), &of(&delta)));
        prop_assert_eq!(a.is_bottom(), of(&a).is_bottom());
        let grow = |set: &AwSet<u64>| set.iter().copied().collect::<GSet<u64>>();
        let both = joined(&grow(&a), &grow(&delta));
        prop_assert_eq!(
            Derived::of_grow_only(&both),
            joined(&Derived::of_grow_only(&grow(&a)), &Derived::of_grow_only(&grow(&delta)))
        );
    }

    #[test]
    fn operators_of_one_input_are_morphisms(sets in operands()) {
        let [a, delta, ..] = &sets[..] else { panic!("at least three") };
        for (name, f) in UNARY {
            let whole = f(&joined(a, delta));
            prop_assert_eq!(&whole, &joined(&f(a), &f(delta)), "{}", name);
            prop_assert_eq!(whole.fingerprint(), joined(&f(delta), &f(a)).fingerprint(), "{}", name);
        }
    }

    #[test]
    fn operators_of_two_inputs_are_morphisms_in_each(sets in operands()) {
        let [a, delta, other, ..] = &sets[..] else { panic!("at least three") };
        let both = joined(a, delta);
        for (name, f, of_delta) in BINARY {
            let (left, right) = (f(&both, other), f(other, &both));
            prop_assert_eq!(&left, &joined(&f(a, other), &f(delta, other)), "{} on the left", name);
            prop_assert_eq!(&right, &joined(&f(other, a), &f(other, delta)), "{} on the right", name);
            let news = of_delta(delta, other, Side::Left);
            prop_assert_eq!(&left, &joined(&f(a, other), &news), "news of {} on the left", name);
            let news = of_delta(other, delta, Side::Right);
            prop_assert_eq!(&right, &joined(&f(other, a), &news), "news of {} on the right", name);
            // One set as both inputs: what is new meets what was there, then all meets what is new.
            let first = joined(&f(a, a), &of_delta(delta, a, Side::Left));
            let second = joined(&first, &of_delta(&both, delta, Side::Right));
            prop_assert_eq!(&f(&both, &both), &second, "{} of one set with itself", name);
        }
    }

    #[test]
    fn news_of_one_side_has_the_supports_of_the_whole_and_its_own_bases(sets in operands()) {
        let [delta, other, ..] = &sets[..] else { panic!("at least two") };
        for (name, f, of_delta) in &BINARY[1..] {
            let (whole, news) = (f(delta, other), of_delta(delta, other, Side::Left));
            prop_assert!(news.entries().eq(whole.entries()), "{}", name);
            prop_assert!(news.bases().eq(delta.bases()), "{}", name);
        }
    }

    #[test]
    fn results_obey_the_laws_of_states(sets in operands()) {
        let [a, b, c, ..] = &sets[..] else { panic!("at least three") };
        laws::check_lattice(a, b, c);
        for (_, f, _) in BINARY {
            let (ab, ac, cb) = (f(a, b), f(a, c), f(c, b));
            laws::check_lattice(&ab, &ac, &cb);
            laws::check_delta(&ab, &cb);
            laws::check_fingerprint(&ab, &ac);
        }
        laws::check_decompose(&a.intersection(b));
        laws::check_codec(&a.intersection(b));
    }

    #[test]
    fn intersection_is_the_diagonal_of_the_product(sets in operands()) {
        let [a, b, ..] = &sets[..] else { panic!("at least two") };
        let diagonal = a.product(b).flat_map(|(x, y)| (x == y).then_some(*x));
        prop_assert_eq!(&a.intersection(b), &diagonal);
        prop_assert_eq!(&diagonal, &a.join(b, |x| *x, |y| *y).map(|(x, _)| *x));
    }

    #[test]
    fn each_addition_is_unseen_live_filtered_out_or_removed(
        sets in reached(), others in reached(), picks in any::<[Index; 2]>(),
    ) {
        let (base, partner) = (picks[0].get(&sets), picks[1].get(&others));
        let filtered = Derived::of(BASES[0], base).filter(|n| n % 2 == 0);
        let (additions, partners) = (additions(base), additions(partner).len());
        let pairs = Derived::of(BASES[0], base).product(&Derived::of(BASES[1], partner));
        let mut left_out = BTreeSet::new();
        let writers: BTreeSet<ReplicaId> = base.context().replicas().chain((0..3).map(replica)).collect();
        for writer in writers {
            let mut dots = base.context().ranges_of(writer).flat_map(|r| r.start..=r.end).collect::<Vec<_>>();
            dots.push(base.context().max(writer) + 1);
            for dot in dots.into_iter().map(|counter| Dot::new(writer, counter)) {
                let element = additions.iter().find(|(_, added)| *added == dot).map(|(element, _)| element);
                let expected = |supports| match (element, supports) {
                    _ if !base.context().contains(dot) => EventStatus::Unseen,
                    (None, _) => EventStatus::Removed,
                    (Some(_), 0) => EventStatus::Filtered,
                    (Some(_), supports) => EventStatus::Live(supports),
                };
                let keeps = element.is_some_and(|n| n % 2 == 0);
                prop_assert_eq!(filtered.status(BASES[0], dot), expected(usize::from(keeps)));
                prop_assert_eq!(pairs.status(BASES[0], dot), expected(partners));
                prop_assert_eq!(pairs.supported_by(BASES[0], dot).count(), if element.is_some() { partners } else { 0 });
                if element.is_some() && !keeps {
                    left_out.insert(dot);
                }
            }
        }
        prop_assert!(filtered.filtered(BASES[0]).dots().eq(left_out.iter().copied()));
        prop_assert!(filtered.filtered(BASES[1]).is_empty());
        prop_assert_eq!(pairs.filtered(BASES[0]).is_empty(), partners > 0 || base.is_empty());
    }
}

/// A program over two add-wins sets.
#[derive(Clone, Debug)]
enum Program {
    Leaf(usize),
    Unary(usize, Box<Self>),
    /// Its pairs are folded into one number.
    Binary(usize, Box<Self>, Box<Self>),
}

fn folded((x, y): &(u64, u64)) -> u64 {
    (x * 5 + y) % 11
}

fn program() -> impl Strategy<Value = Program> {
    fn unary(inner: impl Strategy<Value = Program>) -> impl Strategy<Value = Program> {
        (inner, prop::option::of(0..UNARY.len())).prop_map(|(inner, which)| match which {
            Some(which) => Program::Unary(which, Box::new(inner)),
            None => inner,
        })
    }
    fn binary(
        left: impl Strategy<Value = Program>,
        right: impl Strategy<Value = Program>,
    ) -> impl Strategy<Value = Program> {
        (0..BINARY.len(), left, right)
            .prop_map(|(which, left, right)| Program::Binary(which, Box::new(left), Box::new(right)))
    }
    let leaf = || unary((0..2usize).prop_map(Program::Leaf));
    prop_oneof![
        unary(leaf()),
        unary(binary(leaf(), leaf())),
        binary(unary(binary(leaf(), leaf())), leaf()),
        binary(leaf(), unary(binary(leaf(), leaf()))),
    ]
}

impl Program {
    fn of(&self, bases: &[AwSet<u64>; 2]) -> Numbers {
        match self {
            Self::Leaf(which) => Derived::of(BASES[*which], &bases[*which]),
            Self::Unary(which, inner) => UNARY[*which].1(&inner.of(bases)),
            Self::Binary(which, left, right) => BINARY[*which].1(&left.of(bases), &right.of(bases)).map(folded),
        }
    }

    /// The same over sets of `std`.
    fn plain(&self, bases: &[BTreeSet<u64>; 2]) -> BTreeSet<u64> {
        match self {
            Self::Leaf(which) => bases[*which].clone(),
            Self::Unary(which, inner) => {
                let inner = inner.plain(bases);
                match which {
                    0 => inner.iter().map(|n| n % 3).collect(),
                    1 => inner.iter().map(|n| 100 - n).collect(),
                    2 => inner.iter().map(|_| 7).collect(),
                    3 => inner.into_iter().filter(|n| n % 2 == 0).collect(),
                    4 => inner.iter().flat_map(|&n| [n / 2, n + 1]).collect(),
                    _ => inner.into_iter().filter(|&n| n > 2).collect(),
                }
            }
            Self::Binary(which, left, right) => {
                let (left, right) = (left.plain(bases), right.plain(bases));
                let pairs = left.iter().flat_map(|&x| right.iter().map(move |&y| (x, y)));
                match which {
                    0 => left.union(&right).map(|&n| folded(&(n, n))).collect(),
                    1 => left.intersection(&right).map(|&n| folded(&(n, n))).collect(),
                    2 => pairs.map(|pair| folded(&pair)).collect(),
                    _ => pairs.filter(|(x, y)| x % 2 == y % 3).map(|pair| folded(&pair)).collect(),
                }
            }
        }
    }
}

/// A program that keeps what each of its inputs has come to, and passes on deltas.
enum Running {
    Leaf(usize),
    Unary(usize, Box<Self>),
    Binary(usize, Box<[(Self, Numbers); 2]>),
}

impl Running {
    fn start(program: &Program) -> Self {
        match program {
            Program::Leaf(which) => Self::Leaf(*which),
            Program::Unary(which, inner) => Self::Unary(*which, Box::new(Self::start(inner))),
            Program::Binary(which, left, right) => {
                let sides = [left, right].map(|side| (Self::start(side), Numbers::new()));
                Self::Binary(*which, Box::new(sides))
            }
        }
    }

    /// What follows from a delta of a base.
    fn feed(&mut self, base: usize, delta: &AwSet<u64>) -> Numbers {
        match self {
            Self::Leaf(which) if *which == base => Derived::of(BASES[base], delta),
            Self::Leaf(_) => Numbers::new(),
            Self::Unary(which, inner) => UNARY[*which].1(&inner.feed(base, delta)),
            Self::Binary(which, sides) => {
                let of_delta = BINARY[*which].2;
                let [(left, was_left), (right, was_right)] = &mut **sides;
                let (from_left, from_right) = (left.feed(base, delta), right.feed(base, delta));
                let mut news = of_delta(&from_left, was_right, Side::Left);
                was_left.merge(from_left);
                news.merge(of_delta(was_left, &from_right, Side::Right));
                was_right.merge(from_right);
                news.map(folded)
            }
        }
    }
}

proptest! {
    #[test]
    fn a_program_computes_what_it_does_over_plain_sets(
        program in program(), left in reached(), right in reached(), picks in any::<[Index; 2]>(),
    ) {
        let bases = [picks[0].get(&left).clone(), picks[1].get(&right).clone()];
        let plain = bases.each_ref().map(|base| base.iter().copied().collect());
        prop_assert!(program.of(&bases).iter().eq(program.plain(&plain).iter()));
    }

    #[test]
    fn a_program_fed_with_deltas_in_any_order_and_repeated_is_the_program_of_the_whole(
        program in program(), left in reached(), right in reached(), order in any::<u64>(),
    ) {
        let mut deltas: Vec<(usize, &AwSet<u64>)> = left.iter().map(|delta| (0, delta)).collect();
        deltas.extend(right.iter().map(|delta| (1, delta)));
        deltas.extend_from_within(..deltas.len() / 2);
        shuffle(&mut deltas, order);
        let (mut running, mut result) = (Running::start(&program), Numbers::new());
        let mut bases = [AwSet::new(), AwSet::new()];
        for (step, (base, delta)) in deltas.iter().enumerate() {
            result.merge(running.feed(*base, delta));
            bases[*base].merge((*delta).clone());
            if step % 8 == 0 {
                prop_assert_eq!(&result, &program.of(&bases));
            }
        }
        prop_assert_eq!(&result, &program.of(&bases));
    }

    #[test]
    fn what_replicas_derive_apart_is_part_of_what_they_derive_together(
        program in program(), left in reached(), right in reached(), picks in any::<[Index; 4]>(),
    ) {
        let [x, y] = [0, 1].map(|at| [picks[at].get(&left).clone(), picks[at + 2].get(&right).clone()]);
        let together = [joined(&x[0], &y[0]), joined(&x[1], &y[1])];
        let apart = joined(&program.of(&x), &program.of(&y));
        prop_assert!(apart.leq(&program.of(&together)), "{apart:?} has a ghost");
    }
}

/// A set of `n` numbers, each under its own dot of the first replica.
fn numbers(n: u64) -> AwSet<u64> {
    AwSet::new().add_all(ReplicaId(1), 0..n)
}

type Change = fn(&AwSet<Counted>) -> AwSet<Counted>;

#[test]
fn deriving_and_merging_a_delta_touches_as_many_elements_in_a_large_set_as_in_a_small_one() {
    let cost_at = |n: u64| {
        let mut base = AwSet::new().add_all(ReplicaId(1), (0..n).map(Counted));
        let of = |set: &AwSet<Counted>| Derived::of(BASES[0], set).map(|x| Counted(x.0 / 2)).filter(|x| x.0 % 3 != 1);
        let mut derived = of(&base);
        let far: Derived<Counted> = Derived::of(BASES[1], &AwSet::new().add_all(ReplicaId(2), (0..3).map(Counted)));
        let mut costs = Vec::new();
        let changes: [Change; 4] = [
            |base| base.add(ReplicaId(2), Counted(1_000_000)),
            |base| base.remove(&Counted(17)),
            |base| base.add_all(ReplicaId(2), [12, 13].map(Counted)),
            |base| base.remove_all(&[12, 14, 15].map(Counted)),
        ];
        for change in changes {
            let delta = change(&base);
            base.merge(delta.clone());
            let (delta, cost) = touches(|| of(&delta));
            costs.push(cost);
            costs.push(touches(|| delta.product_delta(&far, Side::Left)).1);
            costs.push(touches(|| delta.intersection_delta(&derived, Side::Left)).1);
            costs.push(touches(|| delta.difference(&derived)).1);
            costs.push(touches(|| delta.leq(&derived)).1);
            let (grew, cost) = touches(|| derived.merge(delta.clone()));
            assert!(grew);
            costs.push(cost);
            let (grew, cost) = touches(|| derived.merge(delta.clone()));
            assert!(!grew, "the second time it is no news");
            costs.push(cost);
        }
        assert_eq!(derived, of(&base));
        costs
    };
    let (small, large) = (cost_at(200), cost_at(20_000));
    // Where two hashes meet, a look-up compares twice.
    let close = |(small, large): (&usize, &usize)| large.abs_diff(*small) <= 4;
    assert!(small.iter().zip(&large).all(close), "{small:?} and {large:?}");
}

#[test]
fn the_keys_of_a_join_are_computed_once_for_each_element() {
    let (left, right) = (Derived::of(BASES[0], &numbers(10)), Derived::of(BASES[1], &numbers(7)));
    let calls = Cell::new((0, 0));
    let joined = left.join(
        &right,
        |x| {
            calls.set((calls.get().0 + 1, calls.get().1));
            x / 2
        },
        |y| {
            calls.set((calls.get().0, calls.get().1 + 1));
            *y
        },
    );
    assert_eq!(calls.get(), (10, 7));
    assert_eq!(joined.len(), 10);
}

#[test]
fn an_addition_filtered_out_for_want_of_a_partner_lives_again_when_it_comes() {
    let (x, y) = (numbers(1), AwSet::new().add(ReplicaId(2), 5u64));
    let (left, dot) = (Derived::of(BASES[0], &x), Dot::new(ReplicaId(1), 1));
    let mut pairs = left.product(&Numbers::new());
    assert_eq!(pairs.status(BASES[0], dot), EventStatus::Filtered);
    pairs.merge(left.product_delta(&Derived::of(BASES[1], &y), Side::Right));
    assert_eq!(pairs.status(BASES[0], dot), EventStatus::Live(1));
    assert!(pairs.supported_by(BASES[0], dot).all(|(pair, support)| *pair == (0, 5) && support.events().len() == 2));
    pairs.merge(left.product_delta(&Derived::of(BASES[1], &y.remove(&5)), Side::Right));
    assert_eq!(pairs.status(BASES[0], dot), EventStatus::Filtered);
    pairs.merge(Derived::of(BASES[0], &x.remove(&0)).product_delta(&Numbers::new(), Side::Left));
    assert_eq!(pairs.status(BASES[0], dot), EventStatus::Removed);
}

#[test]
fn a_support_that_arrives_before_its_base_is_live() {
    let mut set = Numbers::new();
    let dot = Dot::new(ReplicaId(1), 3);
    assert_eq!(set.status(BASES[0], dot), EventStatus::Unseen);
    set.add_support(4, Support::event(BASES[0], dot));
    assert_eq!(set.status(BASES[0], dot), EventStatus::Live(1));
    assert!(set.filtered(BASES[0]).is_empty());
}

#[test]
fn in_a_large_set_each_event_is_found_by_the_index() {
    let set = Derived::of(BASES[0], &numbers(500)).product(&Derived::of(BASES[1], &numbers(3)));
    for counter in 1..=500 {
        let dot = Dot::new(ReplicaId(1), counter);
        assert_eq!(set.status(BASES[0], dot), EventStatus::Live(3));
        let supported: BTreeSet<_> = set.supported_by(BASES[0], dot).map(|(&pair, _)| pair).collect();
        assert!(supported.into_iter().eq((0..3).map(|y| (counter - 1, y))));
    }
    assert_eq!(set.status(BASES[1], Dot::new(ReplicaId(1), 2)), EventStatus::Live(500));
}
