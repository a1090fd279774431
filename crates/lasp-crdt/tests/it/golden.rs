//! Golden vectors: the bytes of every type in known states, as files under version control.
//!
//! What replicas of different releases say to each other must not drift unnoticed: the encoding of a state, that of its
//! digest, and its fingerprint. Each file of `tests/golden` holds the vectors of one type; a vector that is missing,
//! superfluous or different fails, and so does a file that nothing here makes. To change the format on purpose, write the
//! files anew and commit them with the change:
//!
//! ```text
//! cargo test -p lasp-crdt --test it golden::bless -- --ignored
//! ```
//!
//! They are the seeds of the fuzz target `decode`, too.

use lasp_crdt::{
    AwGraph, AwMap, AwSet, BaseId, Basis, Boolean, BoundedCounter, Causal, Count, Decode, Delta, Derived, Dot, DotSet,
    DwFlag, Encode, EwFlag, Extent, Fingerprint, GCounter, GGraph, GMap, GSet, IVar, Lattice, LexCounter, LexPair,
    LwwRegister, MaxRegister, MinRegister, MvMap, MvRegister, Pair, PnCounter, ReplicaId, RwSet, Stamp, Sum, Summary,
    Support, Timestamp, TwoPGraph, TwoPSet, choice, codec, product,
};
use std::collections::BTreeSet;
use std::fmt::{Debug, Write};
use std::path::{Path, PathBuf};

/// Ids of every width: a short one, one of two bytes as a varint, and one that takes eight bytes.
const A: ReplicaId = ReplicaId(1);
const B: ReplicaId = ReplicaId(300);
const C: ReplicaId = ReplicaId(0x9c3a_41f0_77d2_5e08);

/// A file: its name, a test that compares it, and its vectors, each with what it is.
macro_rules! golden {
    ($($file:ident: $kind:ident [$($what:literal => $value:expr,)*])*) => {
        /// What every file must hold.
        fn files() -> Vec<(&'static str, String)> {
            vec![$((stringify!($file), $file::vectors())),*]
        }

        $(
            mod $file {
                use super::*;

                pub(super) fn vectors() -> String {
                    let mut text = String::new();
                    $($kind(&mut text, $what, &$value);)*
                    text
                }

                #[test]
                fn is_as_committed() {
                    compare(stringify!($file), &vectors());
                }
            }
        )*
    };
}

golden! {
    dot_set: value [
        "nothing" => DotSet::new(),
        "one dot, the first of a replica" => DotSet::single(Dot::new(A, 1)),
        "one dot, far from the first" => DotSet::single(Dot::new(C, 1000)),
        "a version vector: three replicas in step" => dots([(A, 1, 7), (B, 1, 7), (C, 1, 7)]),
        "three replicas far apart" => dots([(A, 1, 1), (B, 1, 200), (C, 1, 1 << 40)]),
        "exceptions: gaps and single dots" => dots([(A, 1, 10), (A, 12, 12), (A, 15, 300), (B, 4, 4), (B, 6, 6)]),
        "the highest counter there is" => DotSet::single(Dot::new(B, Dot::MAX_COUNTER)),
        "many replicas in step, as clients in a row" => dots((1..=40).map(|n| (ReplicaId(1000 + n), 1, 3))),
    ]

    causal: state [
        "nothing seen" => Causal::new(),
        "two dots that live" => Causal::from_parts(DotSet::new(), dots([(A, 1, 2)])),
        "a dead dot" => Causal::from_parts(dots([(A, 1, 1)]), DotSet::new()),
        "of three replicas, some live" => Causal::from_parts(dots([(A, 1, 9), (B, 1, 3), (C, 2, 2)]), dots([(A, 4, 5)])),
    ]

    gset: state [
        "empty" => GSet::<u64>::new(),
        "7" => GSet::from_iter([7u64]),
        "elements of one, two and ten bytes" => GSet::from_iter([u64::MAX, 0, 300]),
        "0 to 19" => (0..20).collect::<GSet<u64>>(),
    ]

    gset_text: state [
        "the empty text" => GSet::from_iter([String::new()]),
        "two texts, one not ASCII" => GSet::from_iter(["milk".to_owned(), "käse".to_owned()]),
    ]

    awset: state [
        "empty" => AwSet::<u64>::new(),
        "A added 7" => aw(|set| set.add(A, 7)),
        "the delta by which B adds 7 again, superseding A's dot" => aw(|set| set.add(A, 7)).add(B, 7),
        "A added 7 and removed it" => removed([7]),
        "the delta that removes 12 and 20 of those that A added at once" => aw(|set| set.add_all(A, 10..30)).remove_all(&[12, 20]),
        "A added 10 to 29 at once" => aw(|set| set.add_all(A, 10..30)),
        "that, less 11, 12 and 20" => removed_from(aw(|set| set.add_all(A, 10..30)), [11, 12, 20]),
        "A and C both added 7" => concurrent(),
        "A, B and C added several each; one element has two dots; some removed" => busy(),
    ]

    awset_text: state [
        "A added milk, C added bread" => {
            let set = merged(AwSet::new(), |set| set.add(A, "milk".to_owned()));
            merged(set, |set| set.add(C, "bread".to_owned()))
        },
    ]

    gcounter: state [
        "0" => GCounter::new(),
        "A counted 1" => GCounter::new().increment(A, 1),
        "C counted 2⁶⁴−1" => GCounter::new().increment(C, u64::MAX),
        "A counted 5, B 1000, C 70000" => counted([(A, 5), (B, 1000), (C, 70_000)]),
        "forty clients in a row counted 1 to 40" => counted((1..=40).map(|n| (ReplicaId(1000 + n), n))),
    ]

    pncounter: state [
        "0" => PnCounter::new(),
        "A added 1" => PnCounter::new().increment(A, 1),
        "B subtracted 1" => PnCounter::new().decrement(B, 1),
        "A added 5 and subtracted 2, C subtracted 300" => {
            let counter = merged(PnCounter::new(), |counter| counter.increment(A, 5));
            let counter = merged(counter, |counter| counter.decrement(A, 2));
            merged(counter, |counter| counter.decrement(C, 300))
        },
    ]

    max_register: state [
        "never written" => MaxRegister::<i64>::new(),
        "1" => MaxRegister::new().write(1i64),
        "the greatest number" => MaxRegister::new().write(i64::MAX),
    ]

    boolean: state [
        "not enabled" => Boolean::new(),
        "enabled" => Boolean::new().enable(),
    ]

    ivar: state [
        "not set" => IVar::<u64>::new(),
        "set to 7" => set(7),
        "set to 7 here and to 300 there" => merged(set(7), |_| set(300)),
    ]

    lww_register: state [
        "never written" => LwwRegister::<String>::new(),
        "A wrote red at time 5" => LwwRegister::new().write(Stamp { time: Timestamp(5), replica: A }, "red".to_owned()),
        "C wrote nothing at a real time" => {
            LwwRegister::new().write(Stamp { time: Timestamp(1_795_000_000_000 << 16 | 3), replica: C }, String::new())
        },
    ]

    gmap: state [
        "empty" => Run::new(),
        "key 7 is enabled" => Run::new().apply(7, |run| run.fst(|flag| flag.enable())),
        "two keys, the second counted by two replicas" => {
            let map = merged(Run::new(), |map| map.apply(7, |run| run.fst(|flag| flag.enable())));
            let map = merged(map, |map| map.apply(300, |run| run.snd(|count| count.increment(A, 1))));
            merged(map, |map| map.apply(300, |run| run.snd(|count| count.increment(B, 2))))
        },
    ]

    gmap_awset: state [
        "under fruit, A added 1 and removed it; under bread, C added 2" => {
            let map = merged(Carts::new(), |map| map.apply("fruit".to_owned(), |set| set.add(A, 1)));
            let map = merged(map, |map| map.apply("fruit".to_owned(), |set| set.remove(&1)));
            merged(map, |map| map.apply("bread".to_owned(), |set| set.add(C, 2)))
        },
    ]

    pair: state [
        "bottom" => Pair::<GCounter, AwSet<u64>>::default(),
        "A counted 5; A and C both added 7" => Pair { first: counted([(A, 5)]), second: concurrent() },
    ]

    derived: state [
        "empty" => Derived::<u64>::new(),
        "7 comes from inputs that only grow" => derived(|set| {
            set.add_support(7, Support::always());
        }),
        "7 is the image of A's first addition" => image(),
        "the same, which was removed" => derived(|set| {
            set.merge(image());
            set.see(NUMBERS, Dot::new(A, 1));
        }),
        "7 is a pair of two additions, and the image of another; a base has dead dots" => derived(|set| {
            let pair = Support::event(NUMBERS, Dot::new(A, 2)).and(&Support::event(PRICES, Dot::new(C, 9)));
            set.see_all(NUMBERS, &dots([(A, 1, 4)]), &dots([(A, 2, 3)]));
            set.see_live(PRICES, Dot::new(C, 9));
            set.add_support(7, pair);
            set.add_support(7, Support::event(PRICES, Dot::new(B, 2)));
        }),
    ]

    derived_digest: value [
        "nothing known" => Derived::<u64>::new().digest(),
        "one base, one support" => image().digest(),
    ]

    min_register: state [
        "never written" => MinRegister::<i64>::new(),
        "-1" => MinRegister::new().write(-1i64),
        "the greatest number, which counts as written" => MinRegister::new().write(i64::MAX),
    ]

    lexcounter: state [
        "0" => LexCounter::new(),
        "A added 1" => LexCounter::new().increment(A, 1),
        "B subtracted 300" => LexCounter::new().decrement(B, 300),
        "A added 5 and subtracted 2, C added 70000" => {
            let counter = merged(LexCounter::new(), |counter| counter.increment(A, 5));
            let counter = merged(counter, |counter| counter.decrement(A, 2));
            merged(counter, |counter| counter.increment(C, 70_000))
        },
    ]

    boundedcounter: state [
        "0" => BoundedCounter::new(),
        "A added 10" => BoundedCounter::new().increment(A, 10),
        "A gave B 4 of these 10, and C 1; B used 3, A used 2" => escrow(),
        "the delta by which A gives B 1 more" => escrow().transfer(A, B, 1).expect("A has 3 rights"),
    ]

    lww_register_ties: state [
        "A wrote red and C wrote blue at time 5: the greater value" => {
            let write = |replica, value: &str| LwwRegister::new().write(Stamp { time: Timestamp(5), replica }, value.to_owned());
            merged(write(A, "red"), |_| write(C, "blue"))
        },
        "A and C wrote red at time 5: as C wrote it" => {
            let write = |replica| LwwRegister::new().write(Stamp { time: Timestamp(5), replica }, "red".to_owned());
            merged(write(A), |_| write(C))
        },
        "A wrote more than a digest repeats" => {
            LwwRegister::new().write(Stamp { time: Timestamp(1 << 16), replica: A }, "long ".repeat(20))
        },
    ]

    ewflag: state [
        "never enabled" => EwFlag::new(),
        "A enabled it" => EwFlag::new().enable(A),
        "A enabled it, and disabled it" => merged(EwFlag::new().enable(A), |flag| flag.disable()),
        "A and C enabled it" => merged(EwFlag::new().enable(A), |_| EwFlag::new().enable(C)),
        "the delta by which B enables it again, superseding A" => EwFlag::new().enable(A).enable(B),
    ]

    dwflag: state [
        "never disabled" => DwFlag::new(),
        "A disabled it" => DwFlag::new().disable(A),
        "A disabled it, and enabled it" => merged(DwFlag::new().disable(A), |flag| flag.enable()),
        "A and C disabled it" => merged(DwFlag::new().disable(A), |_| DwFlag::new().disable(C)),
    ]

    mvregister: state [
        "never written" => MvRegister::<String>::new(),
        "A wrote red" => MvRegister::new().write(A, "red".to_owned()),
        "A wrote red, C wrote blue" => written(),
        "the delta by which B writes violet over both" => written().write(B, "violet".to_owned()),
        "that, merged" => merged(written(), |register| register.write(B, "violet".to_owned())),
        "A wrote red and cleared it" => merged(MvRegister::new().write(A, "red".to_owned()), |register| register.clear()),
    ]

    summary: state [
        "no result" => Summary::<String>::new(),
        "of nothing" => Summary::new().write(Basis::new(), "none".to_owned()),
        "of a set that lost two elements" => Summary::new().write(basis(dots([(A, 1, 9), (C, 2, 2)]), 2, 0xabcd), "seven".to_owned()),
        "of a set that only grows" => Summary::new().write(basis(DotSet::new(), 300, 7), "many".to_owned()),
        "of two sets, with something derived" => {
            let mut of_two = basis(dots([(A, 1, 1)]), 0, 0);
            of_two.know(BaseId(2), Extent { seen: dots([(B, 1, 5)]), count: Count { n: 1 << 64 | 1, hash: 5 } });
            of_two.derive(Count { n: 4, hash: 9 });
            Summary::new().write(of_two, "two".to_owned())
        },
        "of concurrent bases" => merged(Summary::new().write(basis(dots([(A, 1, 1)]), 0, 0), "a".to_owned()), |_| {
            Summary::new().write(basis(dots([(C, 1, 1)]), 0, 0), "c".to_owned())
        }),
    ]

    rwset: state [
        "empty" => RwSet::<u64>::new(),
        "A added 7" => RwSet::new().add(A, 7u64),
        "B removed 7, which it never saw" => RwSet::new().remove(B, 7u64),
        "A added 7, B removed it, not knowing" => disputed(),
        "the delta by which C adds 7 again, superseding both" => disputed().add(C, 7),
        "A added 10 to 29; B removed 12 and 13" => {
            let set = merged(RwSet::new(), |set| set.add_all(A, 10..30u64));
            merged(set, |set| set.remove_all(B, [12, 13]))
        },
        "A and C added 7, B and replica 2 removed it, nobody knowing of anybody" => {
            let set = merged(disputed(), |_| RwSet::new().add(C, 7));
            merged(set, |_| RwSet::new().remove(ReplicaId(2), 7))
        },
        "A added 7 and removed it, which was forgotten" => {
            let set = merged(RwSet::new().add(A, 7u64), |set| set.remove(A, 7));
            let stable = set.context().clone();
            merged(set, |set| set.forget_removed(&stable))
        },
    ]

    awmap: state [
        "empty" => Baskets::new(),
        "under fruit, A added 1" => baskets(),
        "under fruit, A added 1 and removed it; under bread, C added 2" => {
            let map = merged(baskets(), |map| map.apply("fruit".to_owned(), |set| set.remove(&1)));
            merged(map, |map| map.apply("bread".to_owned(), |set| set.add(C, 2)))
        },
        "the delta that removes fruit" => baskets().remove(&"fruit".to_owned()),
        "the delta by which B adds 1 again, superseding A's dot" => {
            baskets().apply("fruit".to_owned(), |set| set.add(B, 1))
        },
        "A and C added 1 to 12 under as many keys" => {
            let add = |map: Baskets, replica| (1..=12).fold(map, |map, n| {
                merged(map, |map| map.apply(format!("key {n}"), |set| set.add(replica, n)))
            });
            merged(add(Baskets::new(), A), |_| add(Baskets::new(), C))
        },
    ]

    awmap_deep: state [
        "under 1: under 2, A added 3; under 7, B added 1 and 2; 1 was removed" => {
            let map = merged(Trees::new(), |map| map.apply(1, |map| map.apply(2, |set| set.add(A, 3))));
            let map = merged(map, |map| map.apply(1, |map| map.apply(7, |set| set.add_all(B, [1, 2]))));
            merged(map, |map| map.apply(1, |map| map.apply(7, |set| set.remove(&1))))
        },
        "that, less 2 under 1" => {
            let map = merged(Trees::new(), |map| map.apply(1, |map| map.apply(2, |set| set.add(A, 3))));
            let map = merged(map, |map| map.apply(1, |map| map.apply(7, |set| set.add(C, 4))));
            merged(map, |map| map.apply(1, |map| map.remove(&2)))
        },
    ]

    awmap_ewflag: state [
        "A enabled 1 and 2; C disabled 2" => {
            let map = merged(AwMap::<u64, EwFlag>::new(), |map| map.apply(1, |flag| flag.enable(A)));
            let map = merged(map, |map| map.apply(2, |flag| flag.enable(A)));
            merged(map, |map| map.apply(2, |flag| flag.disable()))
        },
    ]

    awmap_rwset: state [
        "under 1, A added 2 and B removed 3" => {
            let map = merged(AwMap::<u64, RwSet<u64>>::new(), |map| map.apply(1, |set| set.add(A, 2)));
            merged(map, |map| map.apply(1, |set| set.remove(B, 3)))
        },
    ]

    mvmap: state [
        "under colour, A wrote 1; under size, A wrote 2 and C wrote 3" => {
            let map = merged(MvMap::<String, u64>::new(), |map| map.write(A, "colour".to_owned(), 1));
            let map = merged(map, |map| map.write(A, "size".to_owned(), 2));
            merged(map, |_| MvMap::new().write(C, "size".to_owned(), 3))
        },
    ]

    twopset: state [
        "empty" => TwoPSet::<u64>::new(),
        "7 added" => TwoPSet::new().add(7u64),
        "7 removed, never added" => TwoPSet::new().remove(&7u64),
        "1 to 12 added, 3 and 4 removed, and 300, which was never there" => {
            let set = merged(TwoPSet::new(), |set| set.add_all(1..13u64));
            merged(set, |set| set.remove_all(&[3, 4, 300]))
        },
    ]

    awgraph: state [
        "empty" => AwGraph::<u64>::new(),
        "A added the vertex 7" => AwGraph::new().add_vertex(A, 7u64),
        "B added an edge from 7 to 300" => AwGraph::new().add_edge(B, 7u64, 300),
        "A added vertices and edges between them, B removed the vertex 2" => {
            let graph = merged(AwGraph::new(), |graph| graph.add_vertices(A, [1u64, 2, 3]));
            let graph = merged(graph, |graph| graph.add_edges(A, [(1, 2), (2, 3), (3, 1)]));
            merged(graph, |graph| graph.remove_vertex(&2))
        },
        "everything removed" => {
            let graph = merged(AwGraph::new(), |graph| graph.add_vertices(C, [1u64, 2]));
            let graph = merged(graph, |graph| graph.add_edge(C, 1, 2));
            merged(graph, |graph| graph.clear())
        },
    ]

    ggraph: state [
        "empty" => GGraph::<u64>::new(),
        "the vertex 7" => GGraph::new().add_vertex(7u64),
        "an edge from 7 to 300" => GGraph::new().add_edge(7u64, 300),
        "a triangle, a loop and a lone vertex" => {
            let graph = merged(GGraph::new(), |graph| graph.add_edges([(1u64, 2), (2, 3), (3, 1), (3, 3)]));
            merged(graph, |graph| graph.add_vertex(9))
        },
    ]

    twopgraph: state [
        "empty" => TwoPGraph::<u64>::new(),
        "the vertices 1, 2, 3 with edges in a row" => row(),
        "that, less the edge from 2 to 3" => merged(row(), |graph| graph.remove_edge(&2, &3)),
        "that, less the vertex 3" => {
            let graph = merged(row(), |graph| graph.remove_edge(&2, &3));
            merged(graph, |graph| graph.remove_vertex(&3).expect("it has no edges"))
        },
    ]

    lexpair: state [
        "bottom" => Round::default(),
        "in round 0: 7" => Round::default().snd(|set| set.add(7)),
        "in round 5: 1 and 2" => {
            let round = merged(Round::default(), |round| round.fst(|round| round.write(5)));
            merged(round, |round| round.snd(|set| set.add_all([1, 2])))
        },
    ]

    sum: state [
        "nothing yet" => Poll::default(),
        "open: 7" => Poll::default().low(|set| set.add(7)).expect("it is open"),
        "closed, without a result" => Poll::default().high(|result| result.clone()),
        "closed: 3" => merged(Poll::default().high(|result| result.clone()), |poll| poll.high(|result| result.write(3))),
    ]

    option: state [
        "nothing" => Option::<GSet<u64>>::None,
        "there, and empty" => Some(GSet::<u64>::new()),
        "7" => Some(GSet::from_iter([7u64])),
    ]

    tuple: state [
        "bottom" => Triple::default(),
        "enabled, 7, and a count of A" => (Boolean::new().enable(), GSet::from_iter([7u64]), GCounter::new().increment(A, 5)),
    ]

    product: state [
        "bottom" => Page::default(),
        "two visits, a tag, no rank" => {
            let page = merged(Page::default(), |page| page.visits(|visits| visits.increment(A, 2)));
            merged(page, |page| page.tags(|tags| tags.add("new".to_owned())))
        },
    ]

    choice: state [
        "nothing" => Slot::Nothing,
        "tags, none yet" => Slot::Tags(GSet::new()),
        "a tag" => Slot::Tags(GSet::from_iter([7u64])),
        "a count of A, chosen over tags" => merged(Slot::Tags(GSet::from_iter([7u64])), |slot| {
            slot.apply(Slot::Count, |count| count.increment(A, 5)).expect("it is the later one")
        }),
    ]
}

type Run = GMap<u64, Pair<Boolean, GCounter>>;
type Carts = GMap<String, AwSet<u64>>;
type Baskets = AwMap<String, AwSet<u64>>;
type Trees = AwMap<u64, AwMap<u64, AwSet<u64>>>;
type Round = LexPair<MaxRegister<u64>, GSet<u64>>;
type Poll = Sum<GSet<u64>, MaxRegister<u64>>;
type Triple = (Boolean, GSet<u64>, GCounter);

product! {
    /// A page and its visits.
    struct Page {
        visits: GCounter,
        tags: GSet<String>,
        rank: Option<MaxRegister<u64>>,
    }
}

choice! {
    /// What a key holds.
    enum Slot {
        Tags(GSet<u64>),
        Count(GCounter),
    }
}

const NUMBERS: BaseId = BaseId(5);
const PRICES: BaseId = BaseId(0x0123_4567_89ab_cdef);

/// The state with a delta of it merged in.
fn merged<T: Lattice>(mut state: T, mutate: impl FnOnce(&T) -> T) -> T {
    let delta = mutate(&state);
    state.merge(delta);
    state
}

fn basis(seen: DotSet, n: u128, hash: u64) -> Basis {
    let mut basis = Basis::new();
    basis.know(BaseId(0x6261_7365), Extent { seen, count: Count { n, hash } });
    basis
}

fn dots(ranges: impl IntoIterator<Item = (ReplicaId, u64, u64)>) -> DotSet {
    let mut set = DotSet::new();
    for (replica, start, end) in ranges {
        set.insert_range(replica, start, end);
    }
    set
}

fn aw(mutate: impl FnOnce(&AwSet<u64>) -> AwSet<u64>) -> AwSet<u64> {
    merged(AwSet::new(), mutate)
}

fn removed_from<const N: usize>(set: AwSet<u64>, elements: [u64; N]) -> AwSet<u64> {
    merged(set, |set| set.remove_all(&elements))
}

fn removed<const N: usize>(elements: [u64; N]) -> AwSet<u64> {
    removed_from(aw(|set| set.add_all(A, elements)), elements)
}

fn concurrent() -> AwSet<u64> {
    merged(aw(|set| set.add(A, 7)), |_| AwSet::new().add(C, 7))
}

fn busy() -> AwSet<u64> {
    let set = merged(concurrent(), |set| set.add_all(B, [1, 2, 3, 1000]));
    let set = merged(set, |set| set.add_all(C, [4, 5]));
    removed_from(set, [2, 4])
}

fn counted(counts: impl IntoIterator<Item = (ReplicaId, u64)>) -> GCounter {
    counts
        .into_iter()
        .fold(GCounter::new(), |counter, (replica, n)| merged(counter, |counter| counter.increment(replica, n)))
}

fn escrow() -> BoundedCounter {
    let counter = merged(BoundedCounter::new(), |counter| counter.increment(A, 10));
    let counter = merged(counter, |counter| counter.transfer(A, B, 4).expect("A has 10"));
    let counter = merged(counter, |counter| counter.transfer(A, C, 1).expect("A has 6"));
    let counter = merged(counter, |counter| counter.decrement(B, 3).expect("B has 4"));
    merged(counter, |counter| counter.decrement(A, 2).expect("A has 5"))
}

fn written() -> MvRegister<String> {
    merged(MvRegister::new().write(A, "red".to_owned()), |_| MvRegister::new().write(C, "blue".to_owned()))
}

fn disputed() -> RwSet<u64> {
    merged(RwSet::new().add(A, 7), |_| RwSet::new().remove(B, 7))
}

fn baskets() -> Baskets {
    Baskets::new().apply("fruit".to_owned(), |set| set.add(A, 1))
}

fn row() -> TwoPGraph<u64> {
    let graph = merged(TwoPGraph::new(), |graph| graph.add_vertices([1, 2, 3]));
    let graph = merged(graph, |graph| graph.add_edge(1, 2).expect("both are there"));
    merged(graph, |graph| graph.add_edge(2, 3).expect("both are there"))
}

fn set(value: u64) -> IVar<u64> {
    IVar::new().set(value).expect("a new variable is not set")
}

fn derived(build: impl FnOnce(&mut Derived<u64>)) -> Derived<u64> {
    let mut set = Derived::new();
    build(&mut set);
    set
}

fn image() -> Derived<u64> {
    derived(|set| {
        set.see_live(NUMBERS, Dot::new(A, 1));
        set.add_support(7, Support::event(NUMBERS, Dot::new(A, 1)));
    })
}

/// Writes the vector of a replicated state.
fn state<T>(text: &mut String, what: &str, state: &T)
where
    T: Delta + Fingerprint + Encode + Decode + Debug,
    T::Digest: Encode + Decode + Debug,
{
    value(text, what, state);
    let _ = writeln!(text, "digest {}", hex_that_reads_back(&state.digest()));
    let _ = writeln!(text, "print  {:016x}", state.fingerprint());
}

/// Writes the vector of a value that has an encoding, and no more.
fn value<T: Encode + Decode + PartialEq + Debug>(text: &mut String, what: &str, value: &T) {
    let gap = if text.is_empty() { "" } else { "\n" };
    let _ = writeln!(text, "{gap}# {what}\nstate  {}", hex_that_reads_back(value));
}

fn hex_that_reads_back<T: Encode + Decode + PartialEq + Debug>(value: &T) -> String {
    let bytes = codec::to_bytes(value);
    assert_eq!(codec::from_bytes::<T>(&bytes).as_ref(), Ok(value), "it reads back");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn path(file: &str) -> PathBuf {
    folder().join(file).with_extension("txt")
}

/// Since every vector here has just been read back, equal text says that the committed bytes decode to these states.
fn compare(file: &str, expected: &str) {
    let committed = std::fs::read_to_string(path(file)).unwrap_or_default();
    let drift = committed.lines().zip(expected.lines()).find(|(old, new)| old != new);
    let (old, new) = drift.unwrap_or(("(shorter or longer)", "(the same so far)"));
    assert!(
        committed == expected,
        "the format of {file} has changed, from\n  {old}\nto\n  {new}\n\
         If that is meant: cargo test -p lasp-crdt --test it golden::bless -- --ignored"
    );
}

#[test]
fn every_file_is_one_of_a_type() {
    let known: BTreeSet<PathBuf> = files().iter().map(|(file, _)| path(file)).collect();
    let there = std::fs::read_dir(folder()).expect("there are golden vectors").map(|file| file.expect("a file").path());
    assert_eq!(there.collect::<BTreeSet<_>>(), known, "files that no type has, or types without a file");
}

#[test]
#[ignore = "writes the files: run it when a format changes on purpose"]
#[expect(clippy::disallowed_methods, reason = "the vectors are files")]
fn bless() {
    for (file, text) in files() {
        std::fs::write(path(file), text).expect("the folder takes files");
    }
    for entry in std::fs::read_dir(folder()).expect("there is a folder") {
        let there = entry.expect("a file").path();
        if !files().iter().any(|(file, _)| path(file) == there) {
            std::fs::remove_file(there).expect("a file that no type has can go");
        }
    }
}
