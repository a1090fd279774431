//! Plans carried out on whole collections, without a graph: each operator by its definition.

use lasp_dataflow::{Aggregate, F64, Function, FunctionError, Operator, Value};
use lasp_sql::{Columns, NoTable, View, compile};
use std::collections::{BTreeMap, BTreeSet};

/// What a variable holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Set(BTreeSet<Value>),
    Scalar(Value),
}

/// The tables of a test.
pub(crate) type Tables = BTreeMap<&'static str, Vec<Value>>;

/// A row: columns that are atoms.
pub(crate) fn row<const N: usize>(columns: [(&str, Value); N]) -> Value {
    Value::map(columns.map(|(name, value)| (Value::atom(name), value)))
}

/// The view over tables whose columns are not known, and what failed on the way.
pub(crate) fn run_with_errors(sql: &str, tables: &Tables) -> (BTreeSet<Value>, Vec<FunctionError>) {
    let catalog = |name: &str| {
        let missing = || NoTable { message: format!("there is no table `{name}`"), hint: None };
        tables.contains_key(name).then_some(Columns::Any).ok_or_else(missing)
    };
    let view = compile(sql, &catalog).unwrap_or_else(|error| panic!("{sql}: {error}"));
    perform(&view, tables)
}

pub(crate) fn perform(view: &View, tables: &Tables) -> (BTreeSet<Value>, Vec<FunctionError>) {
    let inputs: Vec<Data> =
        view.tables.iter().map(|table| Data::Set(tables[&**table].iter().cloned().collect())).collect();
    let mut errors = Vec::new();
    let result = view.apply(&inputs, |operator, inputs| Ok::<_, ()>(derive(operator, inputs, &mut errors)));
    match result.expect("nothing is refused") {
        Data::Set(set) => (set, errors),
        Data::Scalar(value) => panic!("a view is a set, found {value}"),
    }
}

/// The view, where nothing fails.
pub(crate) fn run(sql: &str, tables: &Tables) -> BTreeSet<Value> {
    let (rows, errors) = run_with_errors(sql, tables);
    assert_eq!(errors, [], "{sql}");
    rows
}

type Errors = Vec<FunctionError>;

fn derive(operator: &Operator, inputs: &[Data], errors: &mut Errors) -> Data {
    let set = |at: usize| match &inputs[at] {
        Data::Set(set) => set,
        Data::Scalar(value) => panic!("{operator:?} of the scalar {value}"),
    };
    let made: BTreeSet<Value> = match operator {
        Operator::View(_) => match &inputs[0] {
            Data::Scalar(value) => [value.clone()].into(),
            Data::Set(set) => set.clone(),
        },
        Operator::Map(f) => set(0).iter().filter_map(|x| call(f, x, errors)).collect(),
        Operator::Filter(f) => {
            let holds = |x: &&Value| call(f, x, errors) == Some(Value::Bool(true));
            set(0).iter().filter(holds).cloned().collect()
        }
        Operator::Union => set(0) | set(1),
        Operator::Intersection => set(0) & set(1),
        Operator::Difference => set(0) - set(1),
        Operator::Product => {
            set(0).iter().flat_map(|x| set(1).iter().map(|y| Value::pair(x.clone(), y.clone()))).collect()
        }
        Operator::Join { left_key, right_key } => {
            let mut index: BTreeMap<Value, Vec<&Value>> = BTreeMap::new();
            for y in set(1) {
                if let Some(key) = call(right_key, y, errors) {
                    index.entry(key).or_default().push(y);
                }
            }
            let mut pairs = BTreeSet::new();
            for x in set(0) {
                let partners = call(left_key, x, errors).and_then(|key| index.get(&key));
                pairs.extend(partners.into_iter().flatten().map(|y| Value::pair(x.clone(), (*y).clone())));
            }
            pairs
        }
        Operator::Group { key, aggregate: how } => {
            let mut groups: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
            for x in set(0) {
                if let Some(key) = call(key, x, errors) {
                    groups.entry(key).or_default().push(x.clone());
                }
            }
            groups.into_iter().map(|(key, rows)| Value::pair(key, aggregate(how, &rows, errors))).collect()
        }
        Operator::Fold(how) => {
            let rows: Vec<Value> = set(0).iter().cloned().collect();
            return Data::Scalar(aggregate(how, &rows, errors));
        }
        other => panic!("views do not use {other:?}"),
    };
    Data::Set(made)
}

fn call(f: &Function, x: &Value, errors: &mut Errors) -> Option<Value> {
    f.call(std::slice::from_ref(x)).map_err(|error| errors.push(error)).ok()
}

fn aggregate(how: &Aggregate, rows: &[Value], errors: &mut Errors) -> Value {
    let unset = || Value::atom("undefined");
    match how {
        Aggregate::Count => Value::from(rows.len() as u64),
        Aggregate::Sum => sum(rows),
        Aggregate::Min => rows.iter().min().cloned().unwrap_or_else(unset),
        Aggregate::Max => rows.iter().max().cloned().unwrap_or_else(unset),
        Aggregate::Of(f, how) => {
            let images: Vec<Value> = rows.iter().filter_map(|x| call(f, x, errors)).collect();
            aggregate(how, &images, errors)
        }
        Aggregate::All(all) => Value::Tuple(all.iter().map(|how| aggregate(how, rows, errors)).collect()),
        other => panic!("views do not use {other:?}"),
    }
}

fn sum(rows: &[Value]) -> Value {
    let number = |value: &Value| match value {
        Value::Int(n) => *n as f64,
        Value::Float(x) => x.get(),
        other => panic!("{other} in a sum"),
    };
    if rows.iter().all(|value| matches!(value, Value::Int(_))) {
        return Value::Int(rows.iter().map(|value| number(value) as i64).sum());
    }
    Value::Float(F64::new(rows.iter().map(number).sum()).expect("finite"))
}
