//! What a program denotes: each operator over whole standard collections, written without the engine.
//!
//! Nothing here is incremental, nothing is replicated, and nothing of the engine is called but its values and their order.

use crate::functions::Fun;
use crate::program::{Agg, Limit, Spec};
use crate::values::parameter;
use lasp_dataflow::{F64, Facet, Output, Type, Value};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Set = BTreeSet<Value>;

/// A deliberate mistake, to see it found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mistake {
    #[default]
    None,
    /// Filters let everything through.
    FiltersAreOpen,
    /// An intersection is a union.
    IntersectionsAreUnions,
    /// Counts are one too high from three on.
    CountsAreOff,
    /// Of concurrent results of a fold the greatest is taken.
    ResultsAreNotKeptApart,
}

/// What `spec` makes of its inputs' values, of which the first has type `ty` if it is declared; `None` where there is no
/// result, because a function failed on a value that is no collection.
pub(crate) fn evaluate(spec: &Spec, inputs: &[Option<&Output>], ty: Option<&Type>, mistake: Mistake) -> Option<Output> {
    if let Spec::Reached(limit) = spec {
        return Some(Output::Value(Value::Bool(inputs[0].is_some_and(|input| is_reached(limit, input, ty)))));
    }
    let inputs: Vec<&Output> = inputs.iter().copied().collect::<Option<_>>()?;
    let elements = |at: usize| elements_of(inputs[at], Facet::Elements);
    let result = match spec {
        Spec::View(facet) => elements_of(inputs[0], *facet),
        Spec::Map(fun) if is_scalar(inputs[0], ty) => return fun.eval(&[inputs[0].to_value()]).ok().map(output_of),
        Spec::Map(fun) => elements(0).into_iter().filter_map(|x| fun.eval(&[x]).ok()).collect(),
        Spec::Filter(_) if mistake == Mistake::FiltersAreOpen => elements(0),
        Spec::Filter(fun) => elements(0).into_iter().filter(|x| says_yes(fun, x)).collect(),
        Spec::FlatMap(fun) => elements(0).into_iter().flat_map(|x| images(fun, x)).collect(),
        Spec::Union => elements(0).union(&elements(1)).cloned().collect(),
        Spec::Intersection if mistake == Mistake::IntersectionsAreUnions => {
            elements(0).union(&elements(1)).cloned().collect()
        }
        Spec::Intersection => elements(0).intersection(&elements(1)).cloned().collect(),
        Spec::Difference => elements(0).difference(&elements(1)).cloned().collect(),
        Spec::Product => pairs(&elements(0), &elements(1), |_, _| true),
        Spec::Join(left, right) => pairs(&elements(0), &elements(1), |x, y| keys_match(left, right, x, y)),
        Spec::Fold(agg) => return fold(agg, elements(0).into_iter().collect(), mistake).map(output_of),
        Spec::Group(key, agg) => return Some(group(key, agg, elements(0), mistake)),
        Spec::Follow | Spec::Reached(_) => return Some(inputs[0].clone()),
    };
    Some(Output::Set(result.into_iter().collect()))
}

fn group(key: &Fun, agg: &Agg, elements: Set, mistake: Mistake) -> Output {
    let mut groups: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
    for x in elements {
        if let Ok(key) = key.eval(std::slice::from_ref(&x)) {
            groups.entry(key).or_default().push(x);
        }
    }
    let results = groups.into_iter().filter_map(|(key, xs)| Some((key, output_of(fold(agg, xs, mistake)?))));
    Output::Map(results.collect())
}

/// Whether a variable is no collection: one without parts, or a result that is one value.
fn is_scalar(output: &Output, ty: Option<&Type>) -> bool {
    match ty {
        Some(ty) => ty.facets().is_empty(),
        None => matches!(output, Output::Value(_) | Output::Unset),
    }
}

/// The atom `undefined` stands for no result.
pub(crate) fn output_of(result: Value) -> Output {
    if result == Value::atom("undefined") { Output::Unset } else { Output::Value(result) }
}

/// A part of a value as a set.
pub(crate) fn elements_of(output: &Output, facet: Facet) -> Set {
    match (output, facet) {
        (Output::Set(items) | Output::Many(items), Facet::Elements) => items.iter().cloned().collect(),
        (Output::Map(entries), Facet::Elements) => {
            entries.iter().map(|(key, value)| Value::pair(key.clone(), value.to_value())).collect()
        }
        (Output::Map(entries), Facet::Keys) => entries.iter().map(|(key, _)| key.clone()).collect(),
        (graph, Facet::Vertices | Facet::Edges) => part_of(graph, facet.name()).into_iter().flatten().collect(),
        // A multi-value register with one value, and without any.
        (Output::Value(value), Facet::Elements) => Set::from([value.clone()]),
        _ => Set::new(),
    }
}

/// A part of a graph, by its name.
fn part_of(graph: &Output, name: &str) -> Option<Vec<Value>> {
    match graph.to_value() {
        Value::Map(parts) => parts.get(&Value::atom(name)).map(|part| items_of(part).to_vec()),
        _ => None,
    }
}

fn says_yes(fun: &Fun, x: &Value) -> bool {
    fun.eval(std::slice::from_ref(x)) == Ok(Value::Bool(true))
}

fn images(fun: &Fun, x: Value) -> Vec<Value> {
    match fun.eval(&[x]) {
        Ok(Value::List(items)) => items.to_vec(),
        _ => vec![],
    }
}

fn pairs(left: &Set, right: &Set, keep: impl Fn(&Value, &Value) -> bool) -> Set {
    let all = left.iter().flat_map(|x| right.iter().map(move |y| (x, y)));
    all.filter(|(x, y)| keep(x, y)).map(|(x, y)| Value::pair(x.clone(), y.clone())).collect()
}

fn keys_match(left: &Fun, right: &Fun, x: &Value, y: &Value) -> bool {
    match (left.eval(std::slice::from_ref(x)), right.eval(std::slice::from_ref(y))) {
        (Ok(x), Ok(y)) => x == y,
        _ => false,
    }
}

/// An aggregate over values, which may repeat; `None` where there is no result.
fn fold(agg: &Agg, values: Vec<Value>, mistake: Mistake) -> Option<Value> {
    let undefined = || Value::atom("undefined");
    let numbers = || values.iter().filter(|x| matches!(x, Value::Int(_) | Value::Float(_))).collect::<Vec<_>>();
    Some(match agg {
        Agg::Count if mistake == Mistake::CountsAreOff && values.len() >= 3 => Value::Int(values.len() as i64 + 1),
        Agg::Count => Value::Int(values.len() as i64),
        Agg::Sum => sum(&numbers())?,
        Agg::Min => values.into_iter().min().unwrap_or_else(undefined),
        Agg::Max => values.into_iter().max().unwrap_or_else(undefined),
        Agg::Avg => match numbers().as_slice() {
            [] => undefined(),
            some => Value::Float(F64::new(exact_sum(some) / some.len() as f64)?),
        },
        Agg::Of(fun, agg) => {
            let images = values.into_iter().filter_map(|x| fun.eval(&[x]).ok()).collect();
            fold(agg, images, mistake)?
        }
        Agg::All(all) => {
            let results: Option<Vec<Value>> = all.iter().map(|agg| fold(agg, values.clone(), mistake)).collect();
            Value::tuple(results?)
        }
        Agg::Custom { step, init, .. } => {
            let take = |sum: Value, x: Value| step.eval(&[x, sum.clone()]).unwrap_or(sum);
            values.into_iter().fold(init.clone(), take)
        }
    })
}

fn sum(numbers: &[&Value]) -> Option<Value> {
    let integers: Vec<i64> = numbers.iter().filter_map(|x| i64::try_from(*x).ok()).collect();
    if integers.len() == numbers.len() {
        return integers.into_iter().try_fold(0i64, i64::checked_add).map(Value::Int);
    }
    F64::new(exact_sum(numbers)).map(Value::Float)
}

/// The sum of numbers, rounded once: Shewchuk's expansions (1997), as Python's `fsum` rounds them.
fn exact_sum(numbers: &[&Value]) -> f64 {
    let mut partials: Vec<f64> = Vec::new();
    for number in numbers {
        match number {
            Value::Float(x) => grow(&mut partials, x.get()),
            // Two halves, each exact as a float.
            Value::Int(n) => {
                grow(&mut partials, (n >> 32) as f64 * 4_294_967_296.0);
                grow(&mut partials, (n & 0xffff_ffff) as f64);
            }
            _ => {}
        }
    }
    rounded(&partials)
}

/// Adds a float to an expansion: floats that do not overlap, ascending by magnitude.
fn grow(partials: &mut Vec<f64>, mut x: f64) {
    let mut kept = Vec::new();
    for &y in partials.iter() {
        let (large, small) = if x.abs() < y.abs() { (y, x) } else { (x, y) };
        let high = large + small;
        let low = small - (high - large);
        if low != 0.0 {
            kept.push(low);
        }
        x = high;
    }
    kept.push(x);
    *partials = kept;
}

fn rounded(partials: &[f64]) -> f64 {
    let mut rest = partials.iter().rev();
    let mut high = rest.next().copied().unwrap_or(0.0);
    let mut low = 0.0;
    let mut below = 0.0;
    for &x in rest.by_ref() {
        let sum = high + x;
        low = x - (sum - high);
        high = sum;
        if low != 0.0 {
            below = rest.next().copied().unwrap_or(0.0);
            break;
        }
    }
    // Half of a last digit, and something beyond it: round that way.
    if (low < 0.0 && below < 0.0) || (low > 0.0 && below > 0.0) {
        let twice = low * 2.0;
        let sum = high + twice;
        if twice == sum - high {
            return sum;
        }
    }
    high
}

/// Whether a value has come this far.
pub(crate) fn is_reached(limit: &Limit, output: &Output, ty: Option<&Type>) -> bool {
    match limit {
        Limit::AtLeast(n) => number_of(output, ty).is_some_and(|x| x >= Value::Int(*n)),
        // Integers sort just below equal floats.
        Limit::MoreThan(n) => number_of(output, ty).is_some_and(|x| match x {
            Value::Float(x) => x.cmp_int(*n).is_gt(),
            x => x > Value::Int(*n),
        }),
        Limit::Contains(elements, more) => {
            let facet = if matches!(output, Output::Map(_)) { Facet::Keys } else { Facet::Elements };
            let held = elements_of(output, facet);
            elements.iter().all(|x| held.contains(x)) && (!more || held.len() > elements.len())
        }
        Limit::Holds(value) => *output == Output::Value(value.clone()),
        Limit::Reach(value) => ty.is_some_and(|ty| is_at_least(ty, output, value)),
        Limit::Pass(value) => ty.is_some_and(|ty| is_at_least(ty, output, value) && !is_at_most(ty, output, value)),
    }
}

/// A register's or counter's number; of a collection, how large it is.
fn number_of(output: &Output, ty: Option<&Type>) -> Option<Value> {
    match output {
        // Set to two values, it is above both.
        Output::Many(items) if ty == Some(&Type::IVar) => number_of(&Output::Value(items.last()?.clone()), ty),
        Output::Value(value @ (Value::Int(_) | Value::Float(_))) => Some(value.clone()),
        // Which of several results it will be is not known yet.
        Output::Many(_) if ty == Some(&Type::Summary) => None,
        Output::Set(items) | Output::Many(items) => Some(Value::Int(items.len() as i64)),
        Output::Map(entries) => Some(Value::Int(entries.len() as i64)),
        other => part_of(other, Facet::Vertices.name()).map(|vertices| Value::Int(vertices.len() as i64)),
    }
}

/// The order of the types whose states are their values: whether what is held is at or above `value`.
fn is_at_least(ty: &Type, held: &Output, value: &Value) -> bool {
    match (ty.name(), held) {
        ("gset", Output::Set(held)) => items_of(value).iter().all(|x| held.contains(x)),
        ("max", Output::Value(held)) => held >= value,
        ("min", Output::Value(held)) => held <= value,
        ("ivar", Output::Value(held)) => held == value,
        // Two were set at once: above both and what lies between them.
        ("ivar", Output::Many(held)) => held.first() <= Some(value) && Some(value) <= held.last(),
        ("boolean", Output::Value(held)) => *value == Value::Bool(false) || held == value,
        ("gmap", Output::Map(held)) => {
            let inner = parameter(ty, 0);
            let bottom = inner.initial_output();
            let part = |key: &Value| held.iter().find(|(other, _)| other == key).map_or(&bottom, |(_, part)| part);
            entries_of(value).iter().all(|(key, value)| is_at_least(&inner, part(key), value))
        }
        ("pair", Output::Pair(first, second)) => match items_of(value) {
            [x, y] => is_at_least(&parameter(ty, 0), first, x) && is_at_least(&parameter(ty, 1), second, y),
            _ => false,
        },
        // Below everything, but for what says nothing.
        ("boolean", Output::Unset) => *value == Value::Bool(false),
        _ => false,
    }
}

/// Whether what is held is at or below `value`.
fn is_at_most(ty: &Type, held: &Output, value: &Value) -> bool {
    match (ty.name(), held) {
        (_, Output::Unset) => true,
        ("gset", Output::Set(held)) => held.iter().all(|x| items_of(value).contains(x)),
        ("max", Output::Value(held)) => held <= value,
        ("min", Output::Value(held)) => held >= value,
        ("boolean", Output::Value(held)) => *held == Value::Bool(false) || held == value,
        ("ivar", Output::Value(held)) => held == value,
        ("gmap", Output::Map(held)) => {
            let inner = parameter(ty, 0);
            let entries = entries_of(value);
            let part = |key: &Value| entries.iter().find(|(other, _)| other == key).map(|(_, part)| part);
            held.iter().all(|(key, held)| part(key).is_some_and(|value| is_at_most(&inner, held, value)))
        }
        ("pair", Output::Pair(first, second)) => match items_of(value) {
            [x, y] => is_at_most(&parameter(ty, 0), first, x) && is_at_most(&parameter(ty, 1), second, y),
            _ => false,
        },
        _ => false,
    }
}

fn items_of(value: &Value) -> &[Value] {
    match value {
        Value::List(items) | Value::Tuple(items) => items,
        _ => &[],
    }
}

fn entries_of(value: &Value) -> Vec<(Value, Value)> {
    match value {
        Value::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        _ => vec![],
    }
}
