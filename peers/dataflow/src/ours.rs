//! A graph with a view.

use crate::shape::{SHARED, Shape};
use lasp_crdt::{ReplicaId, Stamp};
use lasp_dataflow::{
    Aggregate, Function, FunctionError, Graph, Name, Op, Operator, Output, Target, Type, Value, VarId, function,
};
use std::hint::black_box;

/// A graph with one or two sets and a view of them.
pub(crate) struct Rig {
    graph: Graph,
    shape: Shape,
    first: VarId,
    /// The stages of the view; the last is the view itself.
    stages: Vec<VarId>,
    size: u64,
}

impl Rig {
    /// Sets of `size` elements without a view.
    pub(crate) fn bare(shape: Shape, size: u64) -> Self {
        let mut graph = Graph::new(ReplicaId(1));
        let first = graph.declare(Name::new("first").expect("a name"), Type::AwSet).expect("a free name");
        let mut rig = Self { graph, shape, first, stages: Vec::new(), size: shape.first(size) };
        rig.add_all(0..rig.size);
        rig
    }

    /// Sets of `size` elements and a view that somebody has read.
    pub(crate) fn new(shape: Shape, size: u64) -> Self {
        let mut rig = Self::bare(shape, size);
        rig.derive();
        rig
    }

    /// The same, where every stage was read on its own.
    pub(crate) fn with_stages_read(shape: Shape, size: u64) -> Self {
        let mut rig = Self::new(shape, size);
        for stage in rig.stages.clone() {
            assert!(rig.look_at(stage) > 0);
        }
        rig
    }

    /// Makes the view and computes it.
    pub(crate) fn derive(&mut self) {
        let second = self.shape.second(self.size).map(|elements| {
            let second = self.graph.declare(Name::new("second").expect("a name"), Type::AwSet).expect("a free name");
            let all = elements.map(|n| self.shape.second_element(n)).collect();
            self.graph.update(second, &Op::AddAll(all), Stamp::default()).expect("sets can be added to");
            second
        });
        for operator in operators(self.shape) {
            let last = self.stages.last().copied().unwrap_or(self.first);
            let inputs: Vec<VarId> = std::iter::once(last).chain(second).take(operator.arity()).collect();
            self.stages.push(self.graph.derive(operator, &inputs, Target::Local(None)).expect("sets"));
        }
        self.look();
        self.graph.drain();
    }

    /// How many results there are, having computed them all.
    pub(crate) fn look(&mut self) -> usize {
        let view = *self.stages.last().expect("a view");
        self.look_at(view)
    }

    fn look_at(&mut self, view: VarId) -> usize {
        self.graph.cardinality(view).unwrap_or_else(|| usize::from(self.graph.read(view) != Some(Output::Unset)))
    }

    /// Adds elements in one update.
    pub(crate) fn add_all(&mut self, elements: impl IntoIterator<Item = u64>) {
        let all = elements.into_iter().map(|n| self.shape.element(n)).collect();
        self.apply(&Op::AddAll(all));
    }

    /// Applies an update to the first set, with its effects taken out.
    pub(crate) fn apply(&mut self, op: &Op) {
        self.graph.update(self.first, op, Stamp::default()).expect("sets take this");
        black_box(self.graph.drain());
    }

    /// An update of the `n`-th element, a [relevant](Shape::relevant) one: what to do, and what to see then.
    pub(crate) fn prepare(&self, n: u64, adds: bool) -> Change {
        let element = self.shape.element(n);
        let op = if adds { Op::Add(element) } else { Op::Remove(element) };
        Change { op, sees: self.shape.image(n), there: adds || self.shape.outlives(n, self.size) }
    }

    /// Updates, and reads what follows.
    pub(crate) fn change(&mut self, change: &Change) {
        self.apply(&change.op);
        let view = *self.stages.last().expect("a view");
        match &change.sees {
            Some(image) => assert_eq!(self.graph.contains(view, image), change.there, "{:?}: {image}", self.shape),
            None => assert!(matches!(black_box(self.graph.read(view)), Some(Output::Value(_)))),
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

/// A prepared update.
pub(crate) struct Change {
    op: Op,
    sees: Option<Value>,
    there: bool,
}

fn operators(shape: Shape) -> Vec<Operator> {
    match shape {
        Shape::MapFilter => vec![Operator::Map(number(|n| n * 3)), Operator::Filter(predicate(|n| n % 2 == 0))],
        Shape::Distinct => {
            vec![Operator::Filter(predicate(|n| n % 2 == 0)), Operator::Map(number(|n| n / SHARED as i64))]
        }
        Shape::Count => vec![Operator::Fold(Aggregate::Count)],
        Shape::Sum => vec![Operator::Fold(Aggregate::Sum)],
        Shape::Intersection => vec![Operator::Intersection],
        Shape::Union => vec![Operator::Union],
        Shape::Join => vec![Operator::Join { left_key: key(), right_key: key() }],
        Shape::Chain(length) => (0..length).map(|_| Operator::Map(number(|n| n + 1))).collect(),
        Shape::Product => vec![Operator::Product],
    }
}

fn int(value: &Value) -> Result<i64, FunctionError> {
    i64::try_from(value).map_err(|error| error.to_string().into())
}

fn number(f: fn(i64) -> i64) -> Function {
    function(move |args| Ok(Value::Int(f(int(&args[0])?))))
}

fn predicate(f: fn(i64) -> bool) -> Function {
    function(move |args| Ok(Value::Bool(f(int(&args[0])?))))
}

/// The first of a pair.
fn key() -> Function {
    function(|args| match &args[0] {
        Value::Tuple(pair) => Ok(pair[0].clone()),
        other => Err(format!("{other} is no pair").into()),
    })
}
