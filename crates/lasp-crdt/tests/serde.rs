//! States in documents of other formats: `cargo test -p lasp-crdt --features serde --test serde`.

use lasp_crdt::{
    AwMap, AwSet, BaseId, Basis, Boolean, BoundedCounter, Causal, Delta, Derived, Dot, DotSet, DwFlag, Encode, EwFlag,
    GCounter, GGraph, GMap, GSet, IVar, Lattice, LexCounter, LexPair, LwwRegister, MaxRegister, MinRegister, MvMap,
    MvRegister, Pair, PnCounter, ReplicaId, RwSet, Stamp, Sum, Summary, Support, Timestamp, TwoPGraph, TwoPSet, codec,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;

const A: ReplicaId = ReplicaId(1);
const B: ReplicaId = ReplicaId(0xfeed_0000_0000_0300);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// It comes back from JSON, where it is the text of its encoding, and from postcard, where it is its encoding behind
/// the length.
fn check<T: Encode + Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let bytes = codec::to_bytes(value);

    let json = serde_json::to_string(value).expect("serializes");
    assert_eq!(json, format!("\"{}\"", hex(&bytes)));
    assert_eq!(&serde_json::from_str::<T>(&json).expect("deserializes"), value);
    let buffered = serde_json::to_value(value).expect("serializes");
    assert_eq!(&serde_json::from_value::<T>(buffered).expect("deserializes"), value);

    let compact = postcard::to_allocvec(value).expect("serializes");
    assert!(compact.ends_with(&bytes) && compact.len() <= bytes.len() + 2, "nothing but a length is added");
    assert_eq!(&postcard::from_bytes::<T>(&compact).expect("deserializes"), value);
}

fn check_state<T>(state: &T)
where
    T: Delta + Encode + Serialize + DeserializeOwned + Debug,
    T::Digest: Encode + Serialize + DeserializeOwned + Debug,
{
    check(state);
    check(&state.digest());
    check(&T::default());
}

fn set() -> AwSet<u64> {
    let mut set = AwSet::new();
    set.merge(set.add_all(A, 0..20));
    set.merge(set.add(B, 7));
    set.merge(set.remove(&3));
    set
}

#[test]
fn states_and_digests_are_their_encodings() {
    let count = GCounter::new().increment(B, 300);
    check_state(&GSet::from_iter(["a".to_owned(), "b".to_owned()]));
    check_state(&set());
    check_state(&count);
    check_state(&PnCounter::new().decrement(A, 2));
    check_state(&MaxRegister::new().write(5i64));
    check_state(&Boolean::new().enable());
    check_state(&IVar::new().set("once".to_owned()).expect("not set"));
    let mut derived = Derived::new();
    derived.see_live(BaseId(9), Dot::new(A, 1));
    derived.add_support(7u64, Support::event(BaseId(9), Dot::new(A, 1)));
    check_state(&derived);

    check_state(&MinRegister::new().write(5i64));
    check_state(&LexCounter::new().decrement(A, 2));
    check_state(&BoundedCounter::new().increment(B, 3));
    check_state(&EwFlag::new().enable(A));
    check_state(&DwFlag::new().disable(B));
    check_state(&MvRegister::new().write(A, "red".to_owned()));
    check_state(&RwSet::new().remove(B, "red".to_owned()));
    check_state(&AwMap::<String, AwSet<u64>>::new().apply("key".to_owned(), |set| set.add(A, 7)));
    check_state(&AwMap::<u64, AwMap<u64, RwSet<u64>>>::new().apply(1, |map| map.apply(2, |set| set.add(A, 7))));
    check_state(&MvMap::new().write(A, "key".to_owned(), 7u64));
    check_state(&DotSet::single(Dot::new(A, 5)));
    check_state(&Causal::from_parts(DotSet::single(Dot::new(A, 5)), DotSet::single(Dot::new(B, 1))));

    let stamp = Stamp { time: Timestamp(5), replica: B };
    check(&stamp);
    check(&GMap::single("key".to_owned(), set()));
    check(&LwwRegister::new().write(stamp, 1u64));
    check(&Summary::new().write(Basis::new(), 1u64));
    check(&Pair { first: count, second: set() });
    check(set().context());
    check(&TwoPSet::new().add(7u64));
    check(&GGraph::new().add_edge(1u64, 2));
    check(&TwoPGraph::new().add_vertices([1u64, 2]));
    check(&LexPair::new(MaxRegister::new().write(5u64), GSet::from_iter([7u64])));
    check(&Sum::<GSet<u64>, GCounter>::High(GCounter::new().increment(A, 1)));
    check(&Sum::<GSet<u64>, GCounter>::default());
}

/// It comes back from both formats, in whatever form serde gives to tuples, options and maps.
fn check_composed<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).expect("serializes");
    assert_eq!(&serde_json::from_str::<T>(&json).expect("deserializes"), value);
    let compact = postcard::to_allocvec(value).expect("serializes");
    assert_eq!(&postcard::from_bytes::<T>(&compact).expect("deserializes"), value);
}

#[test]
fn digests_of_compositions_serialize_too() {
    check_composed(&Pair { first: GCounter::new().increment(A, 1), second: set() }.digest());
    check_composed(&LwwRegister::new().write(Stamp { time: Timestamp(5), replica: A }, 1u64).digest());
    check_composed(&GMap::single("key".to_owned(), set()).digest());
    check_composed(&TwoPSet::new().add(7u64).digest());
    check_composed(&TwoPGraph::new().add_vertices([1u64, 2]).digest());
    check_composed(&LexPair::new(MaxRegister::new().write(5u64), GSet::from_iter([7u64])).digest());
    check_composed(&(GCounter::new().increment(A, 1), Some(set()), GSet::from_iter([7u64])));
}

/// What the decoder says to bytes, in both formats.
fn refusals(bytes: &[u8]) -> [String; 2] {
    let json = serde_json::from_str::<GSet<u64>>(&format!("\"{}\"", hex(bytes)));
    let compact = [&[bytes.len() as u8], bytes].concat();
    let refused = postcard::from_bytes::<GSet<u64>>(&compact);
    [json.expect_err("refused").to_string(), refused.expect_err("refused").to_string()]
}

#[test]
fn what_the_decoder_refuses_does_not_come_in() {
    assert!(refusals(&[2, 9, 8])[0].contains("elements at byte 2 is not canonical"), "elements that descend");
    assert!(refusals(&[2, 9, 9])[0].contains("elements at byte 2 is not canonical"), "an element twice");
    assert!(refusals(&[1, 0x80, 0])[0].contains("number at byte 1 is malformed"), "an overlong number");
    assert!(refusals(&[1, 9, 9])[0].contains("1 bytes too many"), "bytes left over");
    assert!(refusals(&[0xff, 0x7f, 9])[0].contains("exceeds the input"), "a length beyond the input");
    assert!(refusals(&[])[0].contains("input ends"), "nothing at all");
}

#[test]
fn text_has_one_form() {
    let read = |text: &str| serde_json::from_str::<GSet<u64>>(text);
    assert_eq!(read("\"010f\"").expect("one element"), GSet::from_iter([15u64]));
    for other in ["\"010F\"", "\"010\"", "\"01 0f\"", "\"0x010f\"", "\"01ü\"", "[1,15]", "{\"elements\":[15]}", "271"]
    {
        let error = read(other).expect_err(other).to_string();
        assert!(error.contains("expected a canonical encoding"), "{other}: {error}");
    }
}

#[test]
fn identities_are_numbers_and_in_text_what_they_display_as() {
    let dot = Dot::new(B, 12);
    assert_eq!(serde_json::to_string(&B).expect("serializes"), "\"feed000000000300\"");
    assert_eq!(serde_json::to_string(&dot).expect("serializes"), "\"feed000000000300.12\"");
    assert_eq!(serde_json::from_str::<Dot>("\"feed000000000300.12\"").expect("comes back"), dot);
    assert_eq!(postcard::to_allocvec(&Dot::new(A, 12)).expect("serializes"), [1, 12]);
    assert_eq!(postcard::from_bytes::<Dot>(&[1, 12]).expect("comes back"), Dot::new(A, 12));
    assert_eq!(postcard::from_bytes::<ReplicaId>(&[1]).expect("comes back"), A);

    let named = BTreeMap::from([(A, "ann".to_owned()), (B, "bob".to_owned())]);
    let json = serde_json::to_string(&named).expect("serializes");
    assert_eq!(json, r#"{"1":"ann","feed000000000300":"bob"}"#);
    assert_eq!(serde_json::from_str::<BTreeMap<ReplicaId, String>>(&json).expect("comes back"), named);
}

#[test]
fn identities_that_are_none_are_refused() {
    for text in ["\"1\"", "\"1.0\"", "\"01.1\"", "\"1.+1\"", "\"A.1\"", "\"1.4611686018427387905\"", "\".1\"", "7"] {
        assert!(serde_json::from_str::<Dot>(text).is_err(), "{text}");
    }
    for text in ["\"\"", "\"+1\"", "\"01\"", "\"FF\"", "\"10000000000000000\"", "1"] {
        assert!(serde_json::from_str::<ReplicaId>(text).is_err(), "{text}");
    }
    assert!(postcard::from_bytes::<Dot>(&[1, 0]).is_err(), "counter 0");
    assert!(serde_json::from_str::<DotSet>("\"0101010000\"").is_err(), "a set of dots goes through its decoder");
}
