//! Rust types as values and back, by serde.

use lasp_dataflow::{F64, FromValueError, MAX_VALUE_DEPTH, ToValueError, Value, from_value, to_value};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Every kind of type that serde knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    flag: bool,
    small: (i8, i16, i32, u8, u16, u32),
    large: (i64, u64, i128, u128),
    float: f64,
    short_float: f32,
    letter: char,
    text: String,
    bytes: Raw,
    unit: (),
    marker: Marker,
    metres: Metres,
    point: Point,
    list: Vec<Shape>,
    set: BTreeSet<Color>,
    map: BTreeMap<(i64, String), Option<Vec<u8>>>,
    maybe: Option<Color>,
    perhaps: Option<Option<Option<bool>>>,
    nothing: Option<()>,
    odd: Option<Odd>,
    odd_pair: Option<(Odd, i64)>,
    boxed: Box<[Option<Metres>]>,
    #[serde(flatten)]
    flat: Flat,
    tagged: Tagged,
    untagged: Vec<Untagged>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Metres(i64);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Point(i64, i64);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Color {
    Red,
    Other(u8, u8, u8),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Empty,
    Circle(f64),
    Box { width: i64, label: Option<String> },
    Pair(Box<Self>, Box<Self>),
}

/// Variants that look like the marks of options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(non_camel_case_types, reason = "as the marks are written")]
enum Odd {
    undefined,
    some,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    inner: Shape,
    may: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Tagged {
    A { x: Option<i64> },
    B(Vec<Color>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    Shape(Shape),
}

/// Bytes as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Raw;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Raw, E> {
                Ok(Raw(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(Visitor)
    }
}

fn color() -> impl Strategy<Value = Color> {
    prop_oneof![Just(Color::Red), any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Other(r, g, b))]
}

fn odd() -> impl Strategy<Value = Odd> {
    prop_oneof![Just(Odd::undefined), Just(Odd::some)]
}

fn finite() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO).prop_map(|x| x + 0.0)
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Empty),
        finite().prop_map(Shape::Circle),
        (any::<i64>(), any::<Option<String>>()).prop_map(|(width, label)| Shape::Box { width, label }),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), inner).prop_map(|(left, right)| Shape::Pair(Box::new(left), Box::new(right)))
    })
}

fn everything() -> impl Strategy<Value = Everything> {
    let scalars = (any::<bool>(), any::<(i8, i16, i32, u8, u16, u32)>(), any::<(i64, u64, i128, u128)>());
    let floats = (finite(), any::<f32>().prop_filter("finite", |x| x.is_finite()).prop_map(|x| x + 0.0));
    let texts = (any::<char>(), any::<String>(), vec(any::<u8>(), 0..20));
    let collections = (
        vec(shape(), 0..4),
        btree_set(color(), 0..4),
        btree_map(any::<(i64, String)>(), any::<Option<Vec<u8>>>(), 0..4),
    );
    let options = (
        option::of(color()),
        any::<Option<Option<Option<bool>>>>(),
        any::<Option<()>>(),
        option::of(odd()),
        option::of((odd(), any::<i64>())),
        vec(option::of(any::<i64>().prop_map(Metres)), 0..4),
    );
    let flat = (shape(), any::<Option<i64>>()).prop_map(|(inner, may)| Flat { inner, may });
    let tagged =
        prop_oneof![any::<Option<i64>>().prop_map(|x| Tagged::A { x }), vec(color(), 0..3).prop_map(Tagged::B)];
    let untagged = prop_oneof![
        any::<i64>().prop_map(Untagged::Number),
        // Not the texts that are variants' names, which such a type cannot tell apart in any format.
        "[a-z]*".prop_map(Untagged::Text),
        finite().prop_map(|r| Untagged::Shape(Shape::Circle(r))),
    ];
    let representations = (flat, tagged, vec(untagged, 0..4));
    (scalars, floats, texts, any::<(i64, i64, i64)>(), collections, options, representations).prop_map(
        |(scalars, floats, texts, numbers, collections, options, representations)| Everything {
            flag: scalars.0,
            small: scalars.1,
            large: scalars.2,
            float: floats.0,
            short_float: floats.1,
            letter: texts.0,
            text: texts.1,
            bytes: Raw(texts.2),
            unit: (),
            marker: Marker,
            metres: Metres(numbers.0),
            point: Point(numbers.1, numbers.2),
            list: collections.0,
            set: collections.1,
            map: collections.2,
            maybe: options.0,
            perhaps: options.1,
            nothing: options.2,
            odd: options.3,
            odd_pair: options.4,
            boxed: options.5.into(),
            flat: representations.0,
            tagged: representations.1,
            untagged: representations.2,
        },
    )
}

fn arb_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        finite().prop_map(|x| Value::Float(F64::new(x).expect("finite"))),
        "[a-z]{0,9}".prop_map(Value::atom),
        Just(Value::atom("undefined")),
        any::<String>().prop_map(Value::text),
        vec(any::<u8>(), 0..9).prop_map(Value::bytes),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::tuple),
            vec(inner.clone(), 0..4).prop_map(Value::list),
            inner.clone().prop_map(|inner| Value::pair(Value::atom("some"), inner)),
            btree_map(inner.clone(), inner, 0..4).prop_map(Value::map),
        ]
    })
}

proptest! {
    #[test]
    fn every_type_is_read_back_as_it_was(it in everything()) {
        let value = to_value(&it).expect("has a value");
        prop_assert_eq!(from_value::<Everything>(&value), Ok(it.clone()));
        prop_assert_eq!(to_value(&it), Ok(value));
    }

    /// Different Rust values, different values: what sets hold must not coincide.
    #[test]
    fn different_ones_have_different_values(a in any::<Option<Option<u64>>>(), b in any::<Option<Option<u64>>>()) {
        prop_assert_eq!(a == b, to_value(&a) == to_value(&b));
    }

    #[test]
    fn a_value_is_itself_also_within_other_types(value in arb_value()) {
        prop_assert_eq!(to_value(&value), Ok(value.clone()));
        prop_assert_eq!(from_value::<Value>(&value), Ok(value.clone()));
        let within = (1, Some(vec![Some(value.clone()), None]));
        let written = to_value(&within).expect("has a value");
        prop_assert_eq!(from_value(&written), Ok(within));
        let json = serde_json::to_string(&value).expect("bytes");
        prop_assert_eq!(serde_json::from_str::<Value>(&json).expect("bytes"), value);
    }

    /// Whatever another program put there: an error or a value of the type, no panic and no endless recursion.
    #[test]
    fn any_value_may_be_read_as_any_type(value in arb_value()) {
        if let Ok(it) = from_value::<Everything>(&value) {
            prop_assert!(to_value(&it).is_ok());
        }
        if let Ok(it) = from_value::<Vec<Option<Shape>>>(&value) {
            prop_assert!(to_value(&it).is_ok());
        }
        _ = from_value::<Endless>(&value);
        _ = from_value::<Untagged>(&value);
    }

    #[test]
    #[expect(clippy::disallowed_types, reason = "that its order does not matter is what is tested")]
    fn maps_have_no_order(entries in vec(any::<(u8, i64)>(), 0..20)) {
        let hashed: std::collections::HashMap<u8, i64> = entries.iter().copied().collect();
        let sorted: BTreeMap<u8, i64> = entries.into_iter().collect();
        prop_assert_eq!(to_value(&hashed), to_value(&sorted));
    }
}

/// Holds itself in a newtype and an option, which leave no trace.
#[derive(Debug, Serialize, Deserialize)]
struct Endless(Option<Box<Self>>);

fn shown<T: Serialize>(rust: T) -> String {
    to_value(&rust).expect("has a value").to_string()
}

#[test]
fn types_look_as_documented() {
    assert_eq!(shown((true, -7, 1.5, 'x', "text")), r#"{true, -7, 1.5, "x", "text"}"#);
    assert_eq!(shown(Raw(b"raw".to_vec())), r#"<<"raw">>"#);
    assert_eq!(shown(()), "{}");
    assert_eq!(shown(Marker), "'Marker'");
    assert_eq!(shown(Metres(3)), "3");
    assert_eq!(shown(Point(1, 2)), "{1, 2}");
    assert_eq!(shown(vec![1, 2]), "[1, 2]");
    assert_eq!(shown(BTreeMap::from([("k", 1)])), r#"#{"k" => 1}"#);
    assert_eq!(shown(Shape::Empty), "'Empty'");
    assert_eq!(shown(Shape::Circle(2.0)), "#{'Circle' => 2.0}");
    assert_eq!(shown(Color::Other(1, 2, 3)), "#{'Other' => {1, 2, 3}}");
    let labelled = Shape::Box { width: 3, label: Some("x".to_owned()) };
    assert_eq!(shown(labelled), r#"#{'Box' => #{label => "x", width => 3}}"#);
    assert_eq!(shown([None, Some(None), Some(Some(1))]), "{undefined, {some, undefined}, 1}");
    assert_eq!(to_value(&u64::MAX), Ok(Value::bytes([255; 8])));
}

#[test]
fn what_has_no_place_among_values_is_refused() {
    let refused = |error: ToValueError| error.to_string();
    for x in [f64::NAN, f64::INFINITY] {
        let error = to_value(&(1, vec![x])).map_err(refused).expect_err("refused");
        assert_eq!(error, format!("{x} is no finite number: floats have a total order here, in which it has no place"));
    }
    assert_eq!(to_value(&-0.0), to_value(&0.0));
    let mut deep = Shape::Empty;
    for _ in 0..10_000 {
        deep = Shape::Pair(Box::new(deep), Box::new(Shape::Empty));
    }
    assert_eq!(to_value(&deep), Err(ToValueError::TooDeep));
    std::mem::forget(deep); // dropping it would recurse as deep
    let mut deepest = Value::Int(1);
    for _ in 0..MAX_VALUE_DEPTH {
        deepest = Value::list([deepest]);
    }
    assert!(to_value(&deepest).is_ok());
    let mut endless = Endless(None);
    for _ in 0..1_000 {
        endless = Endless(Some(Box::new(endless)));
    }
    assert_eq!(to_value(&endless).map_err(refused), Err("the value nests more than 40 levels deep".to_owned()));
}

fn problem<T: DeserializeOwned + Debug>(value: impl Serialize) -> String {
    let value = to_value(&value).expect("has a value");
    from_value::<T>(&value).map_err(|error: FromValueError| error.to_string()).expect_err("refused")
}

#[test]
fn a_value_of_another_shape_is_refused_with_what_and_where() {
    assert_eq!(problem::<i64>("x"), "expected an integer, found a text \"x\"");
    assert_eq!(problem::<(i64, i64)>(1), "expected a tuple of 2, found an integer 1");
    assert_eq!(problem::<Vec<(i64, bool)>>(vec![(1, "x")]), "expected a boolean, found a text \"x\" in 1.2");
    assert_eq!(problem::<Flat>(BTreeMap::from([("may", 1)])), "missing field `inner`");
    assert_eq!(problem::<Color>("Blue"), "unknown variant `Blue`, expected `Red` or `Other`");
    assert_eq!(problem::<Color>("Other"), "expected fields of 'Other', found only its name");
    assert_eq!(
        problem::<Shape>(BTreeMap::from([("Box", BTreeMap::from([("width", "wide")]))])),
        "expected an integer, found a text \"wide\" in Box.\"width\""
    );
    assert!(problem::<u8>(300).starts_with("invalid value: integer `300`, expected u8"));
    assert!(problem::<u32>(-1).starts_with("invalid value: integer `-1`, expected u32"));
    assert_eq!(problem::<Endless>(1), "too many newtypes and options around one value");
    let bytes = Value::bytes([0; 8]);
    assert_eq!(problem::<u64>(Raw(vec![0; 8])), format!("expected an integer of 64 bits, found bytes {bytes}"));
}

/// What programs in the language write need not be what Rust would.
#[test]
fn reading_is_wider_than_writing() {
    assert_eq!(from_value::<String>(&Value::atom("red")), Ok("red".to_owned()));
    assert_eq!(from_value::<Color>(&Value::text("Red")), Ok(Color::Red));
    assert_eq!(from_value::<f64>(&Value::Int(2)), Ok(2.0));
    assert!(from_value::<f64>(&Value::Int(i64::MAX)).is_err());
    let map = Value::map([(Value::atom("k"), Value::Int(1))]);
    assert_eq!(from_value::<Vec<(String, i64)>>(&map), Ok(vec![("k".to_owned(), 1)]));
}
