//! The operations that each type offers, as text: what `help(Type)` shows and what errors list.

use crate::types::Type;

/// One operation of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpForm {
    /// How it is written, `{add, E}`.
    pub form: &'static str,
    /// What it does.
    pub does: &'static str,
}

const fn op(form: &'static str, does: &'static str) -> OpForm {
    OpForm { form, does }
}

const ADD: OpForm = op("{add, E}", "adds E; a list adds each of its elements");
const ADD_ELEMENT: OpForm = op("{add_element, E}", "adds E, also where it is a list");
const ADD_ALL: OpForm = op("{add_all, L}", "adds each element of the list L");
const RMV: OpForm = op("{rmv, E}", "removes E");
const RMV_ALL: OpForm = op("{rmv_all, L}", "removes each element of the list L");
const INCREMENT: OpForm = op("increment", "adds one");
const INCREMENT_BY: OpForm = op("{increment, N}", "adds N");
const DECREMENT: OpForm = op("decrement", "takes one off");
const DECREMENT_BY: OpForm = op("{decrement, N}", "takes N off");

const CLEAR: OpForm = op("clear", "removes all that is there");
const SET: OpForm = op("{set, X}", "writes X");
const TRUE: OpForm = op("true", "the same as enable");
const FALSE: OpForm = op("false", "the same as disable");
const APPLY: OpForm = op("{apply, Key, Op}", "applies Op to the state under Key");
const RMV_KEY: OpForm = op("{rmv_key, Key}", "removes Key and what is known here of the state under it");
const RMV_KEYS: OpForm = op("{rmv_keys, L}", "removes each key of the list L");
const ADD_VERTEX: OpForm = op("{add_vertex, V}", "adds the vertex V");
const ADD_VERTICES: OpForm = op("{add_vertices, L}", "adds each vertex of the list L");
const RMV_VERTICES: OpForm = op("{rmv_vertices, L}", "removes each vertex of the list L");
const ADD_EDGES: OpForm = op("{add_edges, L}", "adds each edge {V, W} of the list L");
const RMV_EDGE: OpForm = op("{rmv_edge, {V, W}}", "removes the edge from V to W");
const RMV_EDGES: OpForm = op("{rmv_edges, L}", "removes each edge {V, W} of the list L");

const GSET: &[OpForm] = &[ADD, ADD_ELEMENT, ADD_ALL];
const AWSET: &[OpForm] = &[ADD, ADD_ELEMENT, ADD_ALL, RMV, RMV_ALL, CLEAR];
const TWOPSET: &[OpForm] = &[
    op("{add, E}", "adds E, unless it was removed; a list adds each of its elements"),
    ADD_ELEMENT,
    ADD_ALL,
    op("{rmv, E}", "removes E for good, though it may not be there yet"),
    op("{rmv_all, L}", "removes each element of the list L for good"),
];
const RWSET: &[OpForm] = &[
    ADD,
    ADD_ELEMENT,
    ADD_ALL,
    op("{rmv, E}", "removes E, also where it is added at the same time"),
    op("{rmv_all, L}", "removes each element of the list L, also where it is added at the same time"),
    op("clear", "removes all that is there, but for what is added at the same time"),
];
const GCOUNTER: &[OpForm] = &[INCREMENT, INCREMENT_BY];
const PNCOUNTER: &[OpForm] = &[INCREMENT, INCREMENT_BY, DECREMENT, DECREMENT_BY];
const BCOUNTER: &[OpForm] = &[
    op("increment", "adds one, and the right to take it off here"),
    op("{increment, N}", "adds N, and the right to take them off here"),
    op("decrement", "takes one off; refused where this replica has no right to"),
    op("{decrement, N}", "takes N off; refused where this replica has the right to fewer"),
    op("{move, N, ToNode}", "gives the right to take N off to another node; refused where this replica has fewer"),
];
const MAX: &[OpForm] = &[op("{set, X}", "keeps the greater of X and the value so far")];
const MIN: &[OpForm] = &[op("{set, X}", "keeps the lesser of X and the value so far")];
const BOOLEAN: &[OpForm] = &[op("true", "raises the flag"), op("enable", "the same")];
const EWFLAG: &[OpForm] = &[
    op("enable", "enables the flag, also where it is disabled at the same time"),
    TRUE,
    op("disable", "disables the flag"),
    FALSE,
];
const DWFLAG: &[OpForm] = &[
    op("enable", "enables the flag"),
    TRUE,
    op("disable", "disables the flag, also where it is enabled at the same time"),
    FALSE,
];
const IVAR: &[OpForm] = &[op("{set, X}", "sets the value, once")];
const LWWREGISTER: &[OpForm] = &[SET];
const MVREGISTER: &[OpForm] = &[
    op("{set, X}", "writes X in place of the values that are known here"),
    op("clear", "removes the values that are known here"),
];
const GMAP: &[OpForm] = &[APPLY];
const AWMAP: &[OpForm] = &[APPLY, RMV_KEY, RMV_KEYS, CLEAR];
const MVMAP: &[OpForm] = &[
    op("{set, Key, X}", "writes X under Key in place of the values that are known here"),
    op("{apply, Key, Op}", "applies Op, an operation of mvregister, under Key"),
    RMV_KEY,
    RMV_KEYS,
    CLEAR,
];
const PAIR: &[OpForm] = &[op("{fst, Op}", "applies Op to the first"), op("{snd, Op}", "applies Op to the second")];
const GGRAPH: &[OpForm] = &[
    ADD_VERTEX,
    ADD_VERTICES,
    op("{add_edge, {V, W}}", "adds the edge from V to W, and both vertices"),
    op("{add_edges, L}", "adds each edge {V, W} of the list L, and its vertices"),
];
const TWOPGRAPH: &[OpForm] = &[
    op("{add_vertex, V}", "adds the vertex V, unless it was removed"),
    op("{add_vertices, L}", "adds each vertex of the list L, unless it was removed"),
    op("{rmv_vertex, V}", "removes the vertex V for good; refused while it has edges"),
    RMV_VERTICES,
    op("{add_edge, {V, W}}", "adds the edge from V to W, unless it was removed; refused where V or W is not there"),
    ADD_EDGES,
    op("{rmv_edge, {V, W}}", "removes the edge from V to W for good"),
    RMV_EDGES,
];
const AWGRAPH: &[OpForm] = &[
    ADD_VERTEX,
    ADD_VERTICES,
    op("{rmv_vertex, V}", "removes the vertex V, which hides its edges"),
    RMV_VERTICES,
    op("{add_edge, {V, W}}", "adds the edge from V to W, which is hidden while V or W is not there"),
    ADD_EDGES,
    RMV_EDGE,
    RMV_EDGES,
    CLEAR,
];

/// What `ty` offers.
pub(crate) fn of(ty: &Type) -> &'static [OpForm] {
    match ty {
        Type::GSet => GSET,
        Type::AwSet => AWSET,
        Type::TwoPSet => TWOPSET,
        Type::RwSet => RWSET,
        Type::GCounter => GCOUNTER,
        Type::PnCounter | Type::LexCounter => PNCOUNTER,
        Type::BCounter => BCOUNTER,
        Type::Max => MAX,
        Type::Min => MIN,
        Type::Boolean => BOOLEAN,
        Type::EwFlag => EWFLAG,
        Type::DwFlag => DWFLAG,
        Type::IVar => IVAR,
        Type::LwwRegister => LWWREGISTER,
        Type::MvRegister => MVREGISTER,
        Type::Summary => &[],
        Type::GMap(_) => GMAP,
        Type::AwMap(_) => AWMAP,
        Type::MvMap => MVMAP,
        Type::Pair(..) => PAIR,
        Type::GGraph => GGRAPH,
        Type::TwoPGraph => TWOPGRAPH,
        Type::AwGraph => AWGRAPH,
    }
}

/// The forms of `ty` in one line, for error messages.
pub(crate) fn forms(ty: &Type) -> String {
    if of(ty).is_empty() {
        return "none, since only folds write it".to_owned();
    }
    of(ty).iter().map(|op| op.form).collect::<Vec<_>>().join(", ")
}

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour to make `a` into `b`
/// (optimal string alignment).
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let replaced = row[j] + usize::from(x != y);
            let mut best = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if j > 0 && last == Some(y) && b[j - 1] == x {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(x);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Op;
    use crate::value::Value;

    /// The form with something in place of each argument, for a type whose nested types are sets.
    fn example(form: &str) -> Value {
        let argument = |text: &str| match text {
            "N" => Value::Int(1),
            "L" => Value::list([Value::pair(Value::Int(1), Value::Int(2))]),
            "Op" => Value::tuple([Value::atom("add"), Value::Int(1)]),
            "{V, W}" => Value::pair(Value::Int(1), Value::Int(2)),
            _ => Value::Int(1),
        };
        match form.strip_prefix('{').and_then(|form| form.strip_suffix('}')) {
            None if form == "true" || form == "false" => Value::Bool(form == "true"),
            None => Value::atom(form),
            Some(inner) => {
                let (name, arguments) = inner.split_once(", ").expect("a name and arguments");
                let arguments = if arguments == "{V, W}" { vec![arguments] } else { arguments.split(", ").collect() };
                let all = arguments.into_iter().map(argument);
                Value::tuple(std::iter::once(Value::atom(name)).chain(all))
            }
        }
    }

    #[test]
    fn every_operation_of_the_catalogue_is_read() {
        for name in Type::names() {
            let arity = usize::from(["gmap", "awmap"].contains(&name)) + 2 * usize::from(name == "pair");
            let ty = Type::new(name, vec![Type::AwSet; arity]).expect("a type");
            for OpForm { form, does } in ty.catalogue() {
                assert!(!does.is_empty());
                let written = match (&ty, *form) {
                    (Type::MvMap, "{apply, Key, Op}") => Value::tuple([
                        Value::atom("apply"),
                        Value::Int(1),
                        Value::tuple([Value::atom("set"), Value::Int(1)]),
                    ]),
                    _ => example(form),
                };
                assert!(Op::from_value(&ty, &written).is_ok(), "{form} of {ty}, as {written}");
            }
        }
    }

    #[test]
    fn distance_counts_single_edits() {
        let cases =
            [("", "abc", 3), ("gset", "gset", 0), ("gest", "gset", 1), ("gst", "gset", 1), ("awest", "gset", 3)];
        for (a, b, n) in cases {
            assert_eq!(distance(a, b), n, "{a} to {b}");
            assert_eq!(distance(b, a), n, "{b} to {a}");
        }
    }
}
