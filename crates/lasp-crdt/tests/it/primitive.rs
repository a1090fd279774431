//! Encodings of standard types: what they take, what they refuse, and that no count makes the decoder take memory.

use lasp_crdt::codec::{from_bytes, to_bytes};
use lasp_crdt::{Decode, DecodeError, Encode, GSet, laws};
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

fn check<T: Encode + Decode + PartialEq + Debug>(values: impl IntoIterator<Item = T>) {
    values.into_iter().for_each(|value| laws::check_codec(&value));
}

#[test]
fn numbers_round_trip_at_every_width_and_refuse_what_is_wider() {
    check(u8::MIN..=u8::MAX);
    check(i8::MIN..=i8::MAX);
    check((0..16).map(|bit| 1u16 << bit).chain([0, u16::MAX]));
    check((0..32).map(|bit| 1u32 << bit).chain([0, u32::MAX]));
    check((0..128).flat_map(|bit| [1u128 << bit, (1 << bit) - 1]).chain([u128::MAX]));
    check((0..16).flat_map(|bit| [i16::MIN >> bit, i16::MAX >> bit]));
    check((0..32).flat_map(|bit| [i32::MIN >> bit, i32::MAX >> bit]));
    check((0..128).flat_map(|bit| [i128::MIN >> bit, i128::MAX >> bit]));
    let wide = to_bytes(&(1u64 << 32));
    assert_eq!(from_bytes::<u32>(&wide), Err(DecodeError::BadVarint { at: 0 }));
    assert_eq!(from_bytes::<u16>(&wide), Err(DecodeError::BadVarint { at: 0 }));
    assert_eq!(from_bytes::<i32>(&wide), Err(DecodeError::BadVarint { at: 0 }));
    assert_eq!(from_bytes::<i16>(&to_bytes(&-32_769i64)), Err(DecodeError::BadVarint { at: 0 }));
}

#[test]
fn wide_numbers_have_one_form() {
    assert_eq!(to_bytes(&u128::MAX).len(), 19);
    assert_eq!((to_bytes(&127u128).len(), to_bytes(&-64i128).len(), to_bytes(&64i128).len()), (1, 1, 2));
    let mut over = vec![0xff; 18];
    over.push(4);
    assert_eq!(from_bytes::<u128>(&over), Err(DecodeError::BadVarint { at: 0 }), "129 bits");
    assert_eq!(from_bytes::<u128>(&[0x80, 0]), Err(DecodeError::BadVarint { at: 0 }), "padded");
    assert_eq!(from_bytes::<u128>(&[0xff; 30]), Err(DecodeError::BadVarint { at: 0 }), "without end");
    for value in [0u64, 1, 127, 128, u64::MAX] {
        assert_eq!(to_bytes(&u128::from(value)), to_bytes(&value), "one form at every width");
        assert_eq!(to_bytes(&i128::from(value as i64)), to_bytes(&(value as i64)));
    }
}

#[test]
fn characters_are_scalar_values() {
    check(['\0', 'a', 'ß', '€', '\u{d7ff}', '\u{e000}', '🦀', char::MAX]);
    for bad in [0xd800u32, 0xdfff, 0x11_0000, u32::MAX] {
        let refused = Err(DecodeError::BadTag { what: "character", tag: bad.into(), at: 0 });
        assert_eq!(from_bytes::<char>(&to_bytes(&bad)), refused);
    }
}

#[test]
fn texts_and_boxes_are_what_they_hold() {
    for text in ["", "x", "zwölf Boxkämpfer"] {
        check([Box::<str>::from(text)]);
        check([Arc::<str>::from(text)]);
        assert_eq!(to_bytes(&Box::<str>::from(text)), to_bytes(&text.to_owned()));
    }
    assert_eq!(from_bytes::<Arc<str>>(&[1, 0xff]), Err(DecodeError::BadUtf8 { at: 0 }));
    check([Box::new(7u64)]);
    assert_eq!(to_bytes(&Box::new(7u64)), [7]);
}

#[test]
fn a_box_in_itself_nests_no_deeper_than_allowed() {
    #[derive(Debug, PartialEq)]
    struct Chain(Option<Box<Self>>);
    impl Encode for Chain {
        fn encode(&self, w: &mut lasp_crdt::Writer<'_>) {
            self.0.encode(w);
        }
    }
    impl Decode for Chain {
        fn decode(r: &mut lasp_crdt::Reader<'_>) -> Result<Self, DecodeError> {
            Decode::decode(r).map(Self)
        }
    }
    check([Chain(Some(Box::new(Chain(None))))]);
    assert!(matches!(from_bytes::<Chain>(&[1; 10_000]), Err(DecodeError::TooDeep { .. })));
}

#[test]
fn collections_round_trip_and_stay_in_order() {
    check([vec![], vec![3u64, 1, 3]]);
    check([vec![vec!["a".to_owned()], vec![]]]);
    check([BTreeSet::from([1u64, 300]), BTreeSet::new()]);
    check([BTreeSet::from([Reverse(1u64), Reverse(3)])]);
    check([BTreeMap::from([('k', (1u8, "v".to_owned()))])]);
    check([[7u8; 5]]);
    assert_eq!(to_bytes(&[7u8, 8]), [7, 8]);
    assert_eq!(to_bytes(&BTreeSet::from([Reverse(1u64), Reverse(3)])), [2, 3, 1], "ascending as reversed");
    let refused = |bytes: &[u8]| matches!(from_bytes::<BTreeSet<u64>>(bytes), Err(DecodeError::NotCanonical { .. }));
    assert!(refused(&[2, 3, 3]) && refused(&[2, 3, 1]));
}

#[test]
fn tuples_are_their_sides() {
    type Twelve = (u8, u16, u32, u64, i8, i16, i32, i64, bool, char, (), String);
    check::<Twelve>([(1, 2, 3, 4, -1, -2, -3, -4, true, 'x', (), "end".to_owned())]);
    check([(7u64,)]);
    assert_eq!(to_bytes(&(7u64, true, 'a')), [7, 1, 97]);
}

/// A type of one value takes a byte, or a count of 2⁴⁰ units would be five bytes that take as long as you like to read.
#[test]
fn counts_of_what_holds_nothing_are_bounded_by_the_input() {
    check([vec![(); 3], vec![]]);
    check([vec![[0u8; 0]; 3]]);
    check([GSet::from_iter([()])]);
    let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0, 0];
    let too_long = DecodeError::TooLong { what: "items", len: 1 << 40, at: 0 };
    assert_eq!(from_bytes::<Vec<()>>(&huge), Err(too_long.clone()));
    assert_eq!(from_bytes::<Vec<[u8; 0]>>(&huge), Err(too_long.clone()));
    assert_eq!(from_bytes::<Vec<((), Box<()>)>>(&huge), Err(too_long));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
        laws::check_decoder::<u128>(&bytes);
        laws::check_decoder::<i128>(&bytes);
        laws::check_decoder::<char>(&bytes);
        laws::check_decoder::<Vec<Option<u16>>>(&bytes);
        laws::check_decoder::<BTreeSet<(i8, Box<str>)>>(&bytes);
        laws::check_decoder::<(u32, [u8; 3], Vec<()>)>(&bytes);
    }
}
