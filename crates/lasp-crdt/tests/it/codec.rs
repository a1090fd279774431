//! What goes over the wire, byte by byte, with replica ids in the one-byte form that a link gives known ones.

use lasp_crdt::codec::{Bytes, ReplicaCoder};
use lasp_crdt::{
    AwMap, AwSet, BaseId, BoundedCounter, Causal, Decode, DecodeError, Delta, Derived, Dot, DotSet, DwFlag, Encode,
    EwFlag, GCounter, GMap, IVar, Lattice, LexCounter, LwwDigest, LwwRegister, MaxRegister, MinRegister, MvMap,
    MvRegister, PnCounter, Reader, ReplicaId, RwSet, Stamp, Support, Timestamp, Writer,
};

/// Ids as they are on a link that has named them: one byte.
struct Known;

impl ReplicaCoder for Known {
    fn write(&mut self, id: ReplicaId, out: &mut Vec<u8>) {
        out.push(id.0 as u8);
    }

    fn read(&mut self, bytes: &mut Bytes<'_>) -> Result<ReplicaId, DecodeError> {
        bytes.u8("replica").map(|byte| ReplicaId(byte.into()))
    }
}

fn wire<T: Encode>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut Writer::new(&mut out, &mut Known));
    out
}

fn read<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut known = Known;
    let mut r = Reader::new(bytes, &mut known);
    let value = T::decode(&mut r)?;
    r.finish()?;
    Ok(value)
}

fn refused(bytes: &[u8]) -> bool {
    matches!(read::<AwSet<u64>>(bytes), Err(DecodeError::NotCanonical { .. }))
}

const A: ReplicaId = ReplicaId(0xa);
const B: ReplicaId = ReplicaId(0xb);

#[test]
fn an_increment_is_one_byte_more_than_replica_and_count() {
    let mut counter = GCounter::new();
    counter.merge(counter.increment(A, 99));
    assert_eq!(wire(&counter.increment(A, 1)), [1 << 1, 0xa, 100]);
    assert_eq!(wire(&PnCounter::new().increment(A, 1)), [1 << 1, 0xa, 1, 0]);
}

#[test]
fn a_change_of_a_lexicographic_counter_is_a_pair() {
    let mut counter = LexCounter::new();
    counter.merge(counter.increment(A, 9));
    counter.merge(counter.decrement(A, 1));
    counter.merge(counter.increment(B, 1));
    //                                     1 replica; its id; 2 decrements; -2, zigzagged
    assert_eq!(wire(&counter.decrement(A, 10)), [1, 0xa, 2, 3]);
    assert_eq!(wire(&counter), [2, 0xa, 1, 16, 0xb, 0, 2]);
}

#[test]
fn a_change_of_a_bounded_counter_is_one_number() {
    let mut counter = BoundedCounter::new();
    counter.merge(counter.increment(A, 10));
    counter.merge(counter.transfer(A, B, 4).unwrap());
    //                                    1 writer; its id; what follows; the number
    assert_eq!(wire(&counter.increment(A, 1)), [1, 0xa, 2, 11]);
    assert_eq!(wire(&counter.decrement(A, 1).unwrap()), [1, 0xa, 1, 1]);
    assert_eq!(wire(&counter.transfer(A, B, 1).unwrap()), [1, 0xa, 4, 0xb, 5]);
    counter.merge(counter.decrement(A, 1).unwrap());
    counter.merge(counter.decrement(B, 2).unwrap());
    let expected = [2, 0xa, 4 | 2 | 1, 1, 10, 0xb, 4, 0xb, 1, 2];
    assert_eq!(wire(&counter), expected);
    assert_eq!(read(&expected), Ok(counter));
}

#[test]
fn counters_that_contradict_themselves_are_refused() {
    let refused = |bytes: &[u8]| matches!(read::<LexCounter>(bytes), Err(DecodeError::NotCanonical { .. }));
    assert!(refused(&[1, 0xa, 0, 0]), "a pair that says nothing");
    assert!(refused(&[1, 0xa, 0, 1]), "below zero without a decrement");
    assert!(refused(&[2, 0xb, 0, 2, 0xa, 0, 2]), "replicas that descend");
    assert!(refused(&[2, 0xa, 0, 2, 0xa, 0, 4]), "a replica twice");
    let refused = |bytes: &[u8]| matches!(read::<BoundedCounter>(bytes), Err(DecodeError::NotCanonical { .. }));
    assert!(refused(&[1, 0xa, 0]), "a writer of nothing");
    assert!(refused(&[1, 0xa, 1, 0]), "a use of nothing");
    assert!(refused(&[1, 0xa, 4, 0xa, 1]), "a transfer to oneself");
    assert!(refused(&[1, 0xa, 8, 0xc, 1, 0xb, 1]), "transfers that descend");
    assert!(refused(&[1, 0xa, 8, 0xb, 1, 0xb, 2]), "transfers twice to one");
    assert!(refused(&[2, 0xb, 2, 1, 0xa, 2, 1]), "writers that descend");
    assert!(refused(&[2, 0xa, 2, 1, 0xa, 1, 1]), "a writer twice");
    let endless = [1, 0xa, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 1];
    assert!(matches!(read::<BoundedCounter>(&endless), Err(DecodeError::UnexpectedEnd { .. })));
}

#[test]
fn a_register_is_its_stamp_and_its_value_and_so_is_its_digest_if_the_value_is_small() {
    let stamp = Stamp { time: Timestamp(5), replica: A };
    let small = LwwRegister::new().write(stamp, 7u64);
    assert_eq!(wire(&small), [1, 5, 0xa, 7]);
    assert_eq!(wire(&small.digest()), [1, 5, 0xa, 1, 7]);
    let large = LwwRegister::new().write(stamp, "x".repeat(100));
    let bytes = wire(&large.digest());
    assert_eq!((&bytes[..4], bytes.len()), (&[1, 5, 0xa, 0][..], 12), "a hash");
    assert_eq!(read(&bytes), Ok(large.digest()));
    let whole = [&[1, 5, 0xa, 1, 100][..], "x".repeat(100).as_bytes()].concat();
    assert!(matches!(read::<Option<LwwDigest<String>>>(&whole), Err(DecodeError::NotCanonical { .. })));
    assert_eq!(wire(&MinRegister::new().write(7u64)), [1, 7]);
}

#[test]
fn an_addition_is_one_byte_more_than_element_and_dot() {
    let mut set = AwSet::new();
    for element in 0..50u64 {
        set.merge(set.add(A, element));
    }
    //                            1 element, no flags; replica; counter; element
    assert_eq!(wire(&set.add(A, 77)), [1 << 2, 0xa, 51, 77]);
    assert_eq!(read(&[1 << 2, 0xa, 51, 77]), Ok(set.add(A, 77)));
}

#[test]
fn a_removal_is_the_dots_removed() {
    let mut set = AwSet::new();
    set.merge(set.add_all(A, [7u64, 8]));
    //                                rest; 1 replica; its id; 1 range; from 2 (one absent), no longer than one dot
    assert_eq!(wire(&set.remove(&8)), [1, 1 << 1, 0xa, 1 << 1 | 1, 1 << 1]);
}

#[test]
fn adding_again_carries_the_dots_it_supersedes() {
    let mut set = AwSet::new();
    set.merge(set.add(A, 7u64));
    assert_eq!(wire(&set.add(B, 7)), [1 << 2 | 1, 0xb, 1, 7, 1 << 1, 0xa, 1 << 2]);
}

#[test]
fn a_set_names_each_replica_once() {
    let mut set = AwSet::new();
    set.merge(set.add_all(A, [1u64, 2, 3]));
    set.merge(AwSet::new().add_all(B, [3, 4]));
    let expected = [
        4 << 2 | 2, // 4 elements, some with several dots
        2 << 1,
        0xa,
        0xb,    // the replicas with live dots
        3 << 2, // 1..=3
        1 << 1, // 1..=2: one less than that, zigzagged
        0,
        1, // a.1: element 1, not named before
        0,
        2, // a.2: element 2
        0,
        3, // a.3: element 3
        3, // b.1: the third element so far
        0,
        4, // b.2: element 4
    ];
    assert_eq!(wire(&set), expected);
    assert_eq!(read(&expected), Ok(set));
}

#[test]
fn elements_of_one_replica_cost_little_beside_themselves() {
    for (n, number) in [(2u64, 1), (31, 1), (32, 2), (1_000, 2), (5_000, 3)] {
        let mut set = AwSet::new();
        set.merge(set.add_all(A, 0..n));
        let elements: usize = set.iter().map(|element| wire(element).len()).sum();
        assert_eq!(wire(&set).len(), 1 + 1 + 2 * number + elements, "{n}");
    }
}

#[test]
fn dots_beyond_the_first_are_told_by_the_gap_before_them() {
    for (dot, number) in [(1, 0), (2, 1), (64, 1), (65, 2), (8_193, 3)] {
        let mut context = DotSet::new();
        if dot > 1 {
            context.insert_range(A, 1, dot - 1);
        }
        let mut set = AwSet::from_parts([], context);
        set.merge(set.add(A, 7u64));
        assert_eq!(wire(&set.remove(&7)).len(), 3 + 1 + number, "{dot}");
        assert_eq!(wire(&set.add(B, 7)).len(), 3 + 2 + 1 + 1 + number, "{dot}");
    }
}

#[test]
fn a_context_is_one_range_per_replica() {
    let mut seen = DotSet::new();
    seen.insert_range(A, 1, 300);
    seen.insert_range(B, 1, 4);
    seen.insert(Dot::new(B, 6));
    //                        2 replicas; a: 1..=300 (1200 = 300 << 2); b: 2 ranges: 1..=4, then 6
    assert_eq!(wire(&seen), [2 << 1, 0xa, 0xb, 0xb0, 9, 2 << 1 | 1, 1, 2, 0]);
}

#[test]
fn replicas_in_step_cost_a_byte_each_beside_their_ids() {
    let mut seen = DotSet::new();
    for (replica, last) in [(1, 1000), (2, 1010), (3, 990), (4, 1000)] {
        seen.insert_range(ReplicaId(replica), 1, last);
    }
    // 1000, then 10 more, 20 less (which zigzags to 39), 10 more.
    assert_eq!(wire(&seen), [4 << 1, 1, 2, 3, 4, 0xa0, 0x1f, 10 << 2, 39 << 1, 10 << 2]);
}

#[test]
fn retired_replicas_cost_one_stretch() {
    let mut seen = DotSet::new();
    for replica in 20..90 {
        seen.insert_range(ReplicaId(replica), 1, replica);
    }
    for replica in 20..90 {
        seen.retire(ReplicaId(replica));
    }
    //                        no track; retired; 1 stretch: from 20, 69 more
    assert_eq!(wire(&seen), [1, 1, 20, 69]);
    assert_eq!(read(&[1, 1, 20, 69]), Ok(seen));
}

#[test]
fn contexts_that_contradict_themselves_are_refused() {
    let refused = |bytes: &[u8]| matches!(read::<DotSet>(bytes), Err(DecodeError::NotCanonical { .. }));
    assert!(refused(&[2 << 1, 0xb, 0xa, 4, 0]), "replicas that descend");
    assert!(refused(&[2 << 1, 0xa, 0xa, 4, 0]), "a replica twice");
    assert!(refused(&[1 << 1, 0xa, 0]), "one range that ends where it has not begun");
    assert!(refused(&[1 << 1, 0xa, 1 << 1 | 1, 0]), "one range from 1 in the long form");
    assert!(refused(&[1 << 1, 0xa, 1]), "a replica without a dot");
    assert!(refused(&[1, 0]), "a flag for retired replicas, and there is none");
    assert!(refused(&[1, 2, 5, 0, 6, 0]), "stretches that touch");
    assert!(refused(&[1, 2, 7, 0, 5, 0]), "stretches that descend");
    assert!(refused(&[1 << 1 | 1, 0xa, 4, 1, 5, 9]), "dots of a retired replica");
    let mut whole = vec![1 << 1, 0xa, 1 << 1 | 1, 1];
    lasp_crdt::codec::write_varint(&mut whole, Dot::MAX_COUNTER - 2);
    assert!(refused(&whole), "all dots of a replica that is not said to be retired");
}

#[test]
fn sets_that_contradict_themselves_are_refused() {
    let two = 2 << 1; // 1..=1 in step from nothing is 1 << 2
    assert!(refused(&[2 << 2, two, 0xa, 0xb, 4, 0, 7, 7]), "an element twice");
    assert!(refused(&[2 << 2, 1 << 1, 0xa, 4, 7, 8]), "one dot for two elements");
    assert!(refused(&[1 << 2, 0xa, 0, 7]), "counter 0");
    assert!(refused(&[2, 0]), "a flag for several dots without elements");
    assert!(refused(&[1 << 2 | 2, 1 << 1, 0xa, 4, 0, 7]), "a flag for several dots, and there is one");
    assert!(refused(&[1 << 2 | 2, two, 0xa, 0xb, 4, 0, 1, 7]), "a name for what was not named");
    assert!(refused(&[1 << 2 | 2, two, 0xa, 0xb, 4, 0, 0, 7, 2]), "a name beyond those given");
    assert!(refused(&[2 << 2 | 2, two, 0xa, 0xb, 4, 8, 0, 7, 1, 1, 1]), "fewer elements than said");
    assert!(refused(&[1 << 2 | 2, two, 0xa, 0xb, 4, 0, 0, 7, 0, 8]), "more elements than said");
    assert!(refused(&[2 << 2, 1, 1, 5, 0, 7, 8]), "live dots of a retired replica");
    assert!(refused(&[1 << 2 | 1, 0xa, 1, 7, 0]), "a flag for more context, and there is none");
    assert!(refused(&[1 << 2 | 1, 0xa, 1, 7, 1 << 1, 0xa, 4]), "the dot of an element, said again");
    assert!(refused(&[1 << 2 | 1, 0xa, 1, 7, 1, 1, 0xa, 0]), "the writer of a live element, retired");
}

fn not_canonical<T: Decode>(bytes: &[u8]) -> bool {
    matches!(read::<T>(bytes), Err(DecodeError::NotCanonical { .. }))
}

/// A context of the first dots of A.
const FIRST_OF_A: [u8; 3] = [1 << 1, 0xa, 1 << 2];

#[test]
fn a_flag_that_is_set_is_one_byte_and_a_dot() {
    let flag = EwFlag::new().enable(A);
    assert_eq!(wire(&flag), [1 << 1, 0xa, 1]);
    assert_eq!(wire(&DwFlag::new().disable(A)), wire(&flag));
    assert_eq!(wire(&flag.disable()), [&[1][..], &FIRST_OF_A].concat(), "the dots removed, behind a flag");
    assert_eq!(wire(&flag.enable(B)), [&[1 << 1 | 1, 0xb, 1][..], &FIRST_OF_A].concat(), "and those superseded");
    let mut both = flag.clone();
    both.merge(EwFlag::new().enable(B));
    let expected = [2 << 1, 2, 0xa, 1, 0xb, 1];
    assert_eq!((wire(&both), read(&expected)), (expected.to_vec(), Ok(both)), "several: their number, then each");
}

#[test]
fn a_write_to_a_multi_value_register_is_one_byte_more_than_value_and_dot() {
    let register = MvRegister::new().write(A, 77u64);
    assert_eq!(wire(&register), [1 << 1, 0xa, 1, 77]);
    assert_eq!(wire(&register.write(B, 78)), [&[1 << 1 | 1, 0xb, 1, 78][..], &FIRST_OF_A].concat());
    let mut both = register.clone();
    both.merge(MvRegister::new().write(B, 78));
    //            2 values; the dots: 2 replicas, each with its first; the values in the order of the dots
    let expected = [2 << 1, 2 << 1, 0xa, 0xb, 1 << 2, 0, 77, 78];
    assert_eq!((wire(&both), read(&expected)), (expected.to_vec(), Ok(both)));
}

#[test]
fn an_addition_to_a_remove_wins_set_is_two_bytes_more_than_element_and_dot_and_so_is_a_removal() {
    let set = RwSet::new().add(A, 77u64);
    //                      1 element; it; one addition (3) and no removal; the dot
    assert_eq!(wire(&set), [1 << 1, 77, 3 << 1, 0xa, 1]);
    assert_eq!(wire(&RwSet::new().remove(A, 77u64)), [1 << 1, 77, 1 << 1, 0xa, 1]);
    assert_eq!(wire(&set.remove(B, 77)), [&[1 << 1 | 1, 77, 1 << 1, 0xb, 1][..], &FIRST_OF_A].concat());
    let mut disputed = set.clone();
    disputed.merge(RwSet::new().remove(B, 77));
    disputed.merge(RwSet::new().remove(ReplicaId(0xc), 77));
    //                           one addition (3), several removals (2): the addition; then their number, and each
    let expected = [1 << 1, 77, (3 + 2) << 1, 0xa, 1, 2, 0xb, 1, 0xc, 1];
    assert_eq!((wire(&disputed), read(&expected)), (expected.to_vec(), Ok(disputed)));
}

#[test]
fn a_change_below_a_key_is_one_byte_and_the_key_more_than_the_change() {
    let set: AwSet<u64> = AwSet::new().add(A, 77);
    let map = AwMap::<u64, AwSet<u64>>::new().apply(5, |_| set.clone());
    assert_eq!(wire(&map), [&[1 << 1, 5][..], &wire(&set)].concat());
    assert_eq!(wire(&map.remove(&5)), [&[1][..], &FIRST_OF_A].concat(), "a removal is the dots removed");
    let deep = AwMap::<u64, AwMap<u64, AwSet<u64>>>::new().apply(9, |_| map.clone());
    assert_eq!(wire(&deep), [&[1 << 1, 9][..], &wire(&map)].concat());
    let values = MvMap::new().write(A, 5u64, 77u64);
    assert_eq!(wire(&values), [1 << 1, 5, 1 << 1, 0xa, 1, 77]);
    let flags = AwMap::<u64, EwFlag>::new().apply(5, |flag| flag.enable(A));
    assert_eq!(wire(&flags), [1 << 1, 5, 1 << 1, 0xa, 1]);
}

#[test]
fn flags_that_contradict_themselves_are_refused() {
    let refused = not_canonical::<EwFlag>;
    assert!(refused(&[1, 0]), "a flag for more context, and there is none");
    assert!(refused(&[1 << 1 | 1, 0xa, 1, 1 << 1, 0xa, 4]), "a live dot, said again");
    assert!(refused(&[1 << 1 | 1, 0xa, 1, 1, 1, 0xa, 0]), "the writer of a live dot, retired");
    assert!(refused(&[1 << 1, 0xa, 0]) && refused(&[2 << 1, 2, 0xa, 0, 0xa, 1]), "counter 0");
    assert!(refused(&[2 << 1, 0]) && refused(&[2 << 1, 1, 0xa, 1]), "several, and there are not");
    assert!(refused(&[2 << 1, 2, 0xb, 1, 0xa, 1]), "dots that descend");
    assert!(refused(&[2 << 1, 2, 0xa, 1, 0xa, 1]), "a dot twice");
    assert!(refused(&[3 << 1, 2, 0xa, 1, 0xb, 1]), "a kind that there is not");
    assert!(matches!(read::<EwFlag>(&[2 << 1, 9, 0xa, 1]), Err(DecodeError::TooLong { .. })));
}

#[test]
fn a_live_dot_whose_writer_is_retired_by_all_the_others_is_refused() {
    let mut rest = DotSet::new();
    rest.insert_range(A, 1, 4);
    rest.insert_range(A, 6, Dot::MAX_COUNTER);
    let live = [1 << 1 | 1, 0xa, 5];
    assert!(not_canonical::<EwFlag>(&[&live[..], &wire(&rest)].concat()));
    rest.remove(Dot::new(A, 4));
    assert!(read::<EwFlag>(&[&live[..], &wire(&rest)].concat()).is_ok(), "as long as one is unseen, it may live");
}

#[test]
fn multi_value_registers_that_contradict_themselves_are_refused() {
    let refused = not_canonical::<MvRegister<u64>>;
    assert!(refused(&[2 << 1, 1 << 1, 0xa, 4, 7]), "two values under one dot");
    assert!(refused(&[2 << 1, 1 << 1, 0xa, 4, 7, 8]), "the same, and both are there");
    assert!(refused(&[1 << 1, 0xa, 0, 7]), "counter 0");
    assert!(refused(&[1 << 1 | 1, 0xa, 1, 7, 0]), "a flag for more context, and there is none");
    assert!(refused(&[1 << 1 | 1, 0xa, 1, 7, 1 << 1, 0xa, 4]), "the dot of a value, said again");
    assert!(refused(&[2 << 1, 1, 1, 5, 0, 7, 8]), "values of a retired replica");
    // A few bytes that speak of more values than anybody could hold.
    let mut endless = vec![0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    endless.extend([1 << 1, 0xa]);
    assert!(read::<MvRegister<()>>(&endless).is_err() && read::<MvRegister<u64>>(&endless).is_err());
}

#[test]
fn remove_wins_sets_that_contradict_themselves_are_refused() {
    let refused = not_canonical::<RwSet<u64>>;
    assert!(refused(&[1 << 1, 7, 0]), "an element with neither additions nor removals");
    assert!(refused(&[1 << 1, 7, 3 << 1 | 1, 0xa, 1]), "a flag below an element");
    assert!(refused(&[1 << 1, 7, 9 << 1, 0xa, 1]), "a kind that there is not");
    assert!(refused(&[1 << 1, 7, 4 << 1, 0xa, 1, 0xa, 1]), "one dot for an addition and a removal");
    assert!(refused(&[2 << 1, 7, 3 << 1, 0xa, 1, 8, 3 << 1, 0xa, 1]), "one dot for two elements");
    assert!(refused(&[2 << 1, 8, 3 << 1, 0xa, 1, 7, 3 << 1, 0xa, 2]), "elements that descend");
    assert!(refused(&[2 << 1, 7, 3 << 1, 0xa, 1, 7, 3 << 1, 0xa, 2]), "an element twice");
    assert!(refused(&[1 << 1 | 1, 7, 3 << 1, 0xa, 1, 0]), "a flag for more context, and there is none");
    assert!(refused(&[1 << 1 | 1, 7, 3 << 1, 0xa, 1, 1 << 1, 0xa, 4]), "the dot of an element, said again");
    assert!(refused(&[1 << 1, 7, 6 << 1, 1, 0xa, 1]), "several additions, and there is one");
}

#[test]
fn add_wins_maps_that_contradict_themselves_are_refused() {
    type Sets = AwMap<u64, AwSet<u64>>;
    let refused = not_canonical::<Sets>;
    assert!(read::<Sets>(&[2 << 1, 5, 1 << 2, 0xa, 1, 7, 6, 1 << 2, 0xa, 2, 7]).is_ok(), "as it should be");
    assert!(refused(&[1 << 1, 5, 0]), "a key whose value is empty");
    assert!(refused(&[1 << 1, 5, 1 << 2 | 1, 0xa, 1, 7, 1 << 1, 0xa, 8]), "a value with a context of its own");
    assert!(refused(&[2 << 1, 6, 1 << 2, 0xa, 1, 7, 5, 1 << 2, 0xa, 2, 7]), "keys that descend");
    assert!(refused(&[2 << 1, 5, 1 << 2, 0xa, 1, 7, 5, 1 << 2, 0xa, 2, 8]), "a key twice");
    assert!(refused(&[2 << 1, 5, 1 << 2, 0xa, 1, 7, 6, 1 << 2, 0xa, 1, 7]), "one dot below two keys");
    assert!(refused(&[1, 0]), "a flag for more context, and there is none");
    assert!(refused(&[1 << 1 | 1, 5, 1 << 2, 0xa, 1, 7, 1 << 1, 0xa, 4]), "a live dot, said again");
    assert!(matches!(read::<Sets>(&[9 << 1, 5, 1 << 2, 0xa, 1, 7]), Err(DecodeError::TooLong { .. })));

    type Deep = AwMap<u64, Sets>;
    assert!(not_canonical::<Deep>(&[1 << 1, 5, 0]), "a key whose value has no key");
    assert!(not_canonical::<Deep>(&[1 << 1, 5, 1 << 1, 6, 0]), "a key below a key whose value is empty");
    assert!(not_canonical::<Deep>(&[1 << 1, 5, 1 << 1 | 1, 6, 1 << 2, 0xa, 1, 7, 2, 0xa, 8]), "a context inside");
    let twice = [2 << 1, 5, 1 << 1, 6, 1 << 2, 0xa, 1, 7, 8, 1 << 1, 6, 1 << 2, 0xa, 1, 7];
    assert!(not_canonical::<Deep>(&twice), "one dot far apart");

    type Registers = MvMap<u64, u64>;
    let twice = [2 << 1, 5, 1 << 1, 0xa, 1, 7, 6, 2 << 1, 1 << 1, 0xa, 2 << 2, 7, 8];
    assert!(not_canonical::<Registers>(&twice), "a dot below one key and among several below another");
}

#[test]
fn causal_pasts_that_contradict_themselves_are_refused() {
    let refused = not_canonical::<Causal>;
    assert!(refused(&[0, 0, 1 << 1, 0xa, 4]), "a dot that lives and was not seen");
    assert!(refused(&[0, 1, 1 << 1, 0xa, 4]), "a dot that is dead and was not seen");
    assert!(refused(&[1 << 1, 0xa, 8, 0, 1, 1, 0xa, 0]), "all the dots of a replica live, and a few were seen");
    assert!(refused(&[1 << 1, 0xa, 8, 2, 0]), "dots that neither live nor are dead");
    assert!(refused(&[1 << 1, 0xa, 8, 0, 1 << 1, 0xa, 8]), "all that live, where none is dead");
    assert!(read::<Causal>(&[1 << 1, 0xa, 8, 1, 0]).is_ok_and(|causal| causal.dead().is_empty()));
    // What comes of merging is taken, also where it is absurd.
    assert!(
        read::<Causal>(&[1, 1, 0xa, 0, 1, 0]).is_ok() && read::<Causal>(&[1, 1, 0xa, 0, 0, 1 << 1, 0xa, 4]).is_ok()
    );
}

#[test]
fn parts_that_say_nothing_are_refused() {
    let not_canonical = |error: Option<DecodeError>| matches!(error, Some(DecodeError::NotCanonical { .. }));
    assert!(not_canonical(read::<GCounter>(&[1 << 1, 0xa, 0]).err()), "a count of 0");
    assert!(not_canonical(read::<GMap<u64, GCounter>>(&[1, 7, 0]).err()), "a key whose value is bottom");
    assert!(not_canonical(read::<IVar<u64>>(&[2, 7, 7]).err()), "a conflict of one value with itself");
    assert!(not_canonical(read::<IVar<u64>>(&[2, 8, 7]).err()), "a conflict, the greater value first");
    assert!(not_canonical(read::<MaxRegister<i64>>(&[1]).err()), "a value below the least");
}

#[test]
fn a_claimed_size_is_refused_before_memory_is_taken() {
    let huge = [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1];
    assert!(matches!(read::<AwSet<u64>>(&huge), Err(DecodeError::TooLong { .. })));
    assert!(matches!(read::<GCounter>(&huge), Err(DecodeError::TooLong { .. })));
    assert!(matches!(read::<DotSet>(&huge), Err(DecodeError::TooLong { .. })));
    assert!(matches!(read::<Derived<u64>>(&huge), Err(DecodeError::TooLong { .. })));
}

#[test]
fn a_derived_addition_names_its_base_in_one_byte() {
    let (base, dot) = (BaseId(0x77), Dot::new(A, 5));
    let mut delta = Derived::new();
    delta.see_live(base, dot);
    delta.add_support(9u64, Support::event(base, dot));
    let expected = [
        1, 0x77, 0, // one base, nothing but what supports name
        1, 9, 1, // one element, with one support
        1, 1, 0xa, 5, // of one event: base 0, live; its dot
    ];
    assert_eq!(wire(&delta), expected);
    assert_eq!(read(&expected), Ok(delta));
}

#[test]
fn derived_sets_that_contradict_themselves_are_refused() {
    let refused = |bytes: &[u8]| matches!(read::<Derived<u64>>(bytes), Err(DecodeError::NotCanonical { .. }));
    assert!(refused(&[1, 7, 0, 0]), "a base of which nothing is said");
    assert!(refused(&[1, 7, 4, 0]), "an unknown flag");
    assert!(refused(&[1, 7, 1, 0, 0]), "a flag for dead dots, and there are none");
    assert!(refused(&[1, 7, 3, 2, 0xa, 4, 2, 0xa, 4, 0]), "a dot both dead and live");
    assert!(refused(&[1, 7, 1, 2, 0xa, 4, 1, 9, 1, 1, 1, 0xa, 1]), "a support that is dead");
    assert!(refused(&[1, 7, 0, 2, 8, 1, 1, 1, 0xa, 5, 9, 1, 1, 0, 0xa, 5]), "a dot both live and never seen");
    assert!(refused(&[1, 7, 0, 1, 9, 1, 1, 3, 0xa, 5]), "a base that is not in the table");
    assert!(refused(&[1, 7, 0, 1, 9, 0]), "an element without a support");
    assert!(refused(&[1, 7, 0, 1, 9, 1, 2, 1, 0xa, 5, 1, 0xa, 5]), "an event twice");
}
