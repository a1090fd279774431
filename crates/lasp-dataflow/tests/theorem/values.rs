//! Random elements, and random operations on variables of every type, in the language's forms.

use crate::rng::Rng;
use lasp_dataflow::{F64, Type, Value};

/// The types of inputs with their weights. Those that this build does not know are passed over.
const TYPES: &[(usize, &str)] = &[
    (12, "awset"),
    (5, "gset"),
    (3, "twopset"),
    (3, "rwset"),
    (2, "gcounter"),
    (2, "pncounter"),
    (1, "lexcounter"),
    (1, "bcounter"),
    (2, "max"),
    (1, "min"),
    (1, "boolean"),
    (1, "ewflag"),
    (1, "dwflag"),
    (1, "ivar"),
    (2, "lwwregister"),
    (2, "mvregister"),
    (1, "gmap(max)"),
    (1, "gmap(pncounter)"),
    (1, "gmap(awset)"),
    (1, "gmap(pair(boolean, boolean))"),
    (2, "awmap(pncounter)"),
    (2, "awmap(awset)"),
    (1, "awmap(lwwregister)"),
    (2, "mvmap"),
    (1, "pair(awset, gcounter)"),
    (2, "ggraph"),
    (2, "twopgraph"),
    (2, "awgraph"),
];

/// A type that variables of this build can have.
pub(crate) fn random_type(rng: &mut Rng) -> Type {
    let known: Vec<(usize, Type)> =
        TYPES.iter().filter_map(|(weight, text)| Some((*weight, text.parse().ok()?))).collect();
    rng.weighted(&known)
}

fn float(x: f64) -> Value {
    Value::Float(F64::new(x).expect("finite"))
}

/// An element: mostly a small integer, so that elements coincide and functions have something to work on.
fn random_element(rng: &mut Rng, depth: usize) -> Value {
    let small = rng.below(6) as i64;
    match rng.below(if depth == 0 { 20 } else { 26 }) {
        0..12 => Value::Int(small),
        12 => Value::Int(-small),
        13 => float(small as f64),
        14 => float([0.1, 0.2, 0.3, 2.5, -0.75][rng.below(5)]),
        15 => float([1e16, -1e16, 1e300, -1e300, 5e-324][rng.below(5)]),
        16 => Value::atom(["a", "b"][rng.below(2)]),
        17 => Value::text(["a", "t"][rng.below(2)]),
        18 => Value::Bool(rng.percent(50)),
        19 => Value::bytes(*b"a"),
        20..23 => Value::pair(random_element(rng, depth - 1), random_element(rng, depth - 1)),
        23 | 24 => Value::list([random_element(rng, depth - 1)]),
        _ => Value::map([(Value::atom("k"), random_element(rng, depth - 1))]),
    }
}

/// The few elements that one program is about.
pub(crate) fn random_pool(rng: &mut Rng) -> Vec<Value> {
    let only_integers = rng.percent(35);
    let size = rng.within(2, 7);
    (0..size).map(|_| if only_integers { Value::Int(rng.below(7) as i64) } else { random_element(rng, 2) }).collect()
}

pub(crate) fn random_of(rng: &mut Rng, pool: &[Value]) -> Value {
    if rng.percent(5) { random_element(rng, 1) } else { rng.pick(pool).cloned().unwrap_or(Value::Int(0)) }
}

fn form(name: &str, arguments: impl IntoIterator<Item = Value>) -> Value {
    Value::tuple(std::iter::once(Value::atom(name)).chain(arguments))
}

/// A form of an operation of `ty`, which may yet be refused by the state.
pub(crate) fn random_op(rng: &mut Rng, ty: &Type, pool: &[Value]) -> Value {
    let x = random_of(rng, pool);
    let several = |rng: &mut Rng| {
        let count = rng.within(0, 4);
        Value::list((0..count).map(|_| random_of(rng, pool)).collect::<Vec<_>>())
    };
    match ty.name() {
        "gset" => match rng.below(4) {
            0 => form("add_all", [several(rng)]),
            _ => form("add_element", [x]),
        },
        "set" | "twopset" | "rwset" => match rng.below(10) {
            0 => form("add_all", [several(rng)]),
            1 => form("rmv_all", [several(rng)]),
            2..5 => form("rmv", [x]),
            _ => form("add_element", [x]),
        },
        "gcounter" => form("increment", [Value::Int(rng.below(3) as i64)]),
        "pncounter" | "lexcounter" | "bcounter" => {
            form(["increment", "decrement"][rng.below(2)], [Value::Int(rng.below(3) as i64)])
        }
        "boolean" => Value::atom("enable"),
        "ewflag" | "dwflag" => Value::atom(["enable", "disable"][rng.below(2)]),
        "max" | "min" | "ivar" | "lwwregister" | "mvregister" => form("set", [x]),
        "ggraph" | "twopgraph" | "awgraph" => {
            let to = random_of(rng, pool);
            random_graph_op(rng, ty, x, to)
        }
        "mvmap" if rng.percent(25) => form("rmv_key", [x]),
        "mvmap" => form("set", [x, random_of(rng, pool)]),
        "awmap" if rng.percent(25) => form("rmv_key", [x]),
        "gmap" | "awmap" => form("apply", [x, random_op(rng, &parameter(ty, 0), pool)]),
        "pair" => {
            let side = rng.below(2);
            form(["fst", "snd"][side], [random_op(rng, &parameter(ty, side), pool)])
        }
        _ => Value::atom("nothing"),
    }
}

fn random_graph_op(rng: &mut Rng, ty: &Type, from: Value, to: Value) -> Value {
    let removes = ty.name() != "ggraph" && rng.percent(30);
    match (rng.percent(50), removes) {
        (true, false) => form("add_vertex", [from]),
        (true, true) => form("rmv_vertex", [from]),
        (false, false) => form("add_edge", [Value::pair(from, to)]),
        (false, true) => form("rmv_edge", [Value::pair(from, to)]),
    }
}

/// A parameter of a type, read off its text.
pub(crate) fn parameter(ty: &Type, at: usize) -> Type {
    let text = ty.to_string();
    let inner = text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).expect("a type with parameters");
    let mut depth = 0;
    let comma = inner.bytes().position(|byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        byte == b',' && depth == 0
    });
    let part = match (comma, at) {
        (Some(comma), 0) => &inner[..comma],
        (Some(comma), _) => &inner[comma + 1..],
        (None, _) => inner,
    };
    part.parse().expect("part of a type")
}
