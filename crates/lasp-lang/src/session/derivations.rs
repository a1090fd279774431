//! The operations that derive a variable from others: their inputs, functions and aggregates.

use super::operations::{Result, not_a_variable, value, variable, with_arity};
use super::world::World;
use crate::fault::Problem;
use crate::function::Function;
use crate::host::Host;
use crate::show::{short, type_name};
use crate::suggest::nearest;
use crate::term::{Term, Variable};
use lasp_dataflow::{Aggregate, Call, Facet, FunctionError, Operator, Type, Value};
use std::sync::Arc;

/// The aggregates that have a name.
pub(crate) const AGGREGATES: [&str; 5] = ["count", "sum", "min", "max", "avg"];

/// What an aggregate can be.
pub(crate) const AGGREGATE_FORMS: &str = "it takes count, sum, min, max, avg, {sum, F} of what F makes of each element, {count, P} of those for which P is true, \
     a list of several, {F, Init} or {F, Init, Inverse}";

/// Aggregates that one operation computes at once (guess: as many as a table has columns).
const AGGREGATES_MAX: usize = 64;

/// How a derivation takes its arguments, by position.
pub(crate) struct Shape {
    /// The variables it is derived from.
    pub(crate) inputs: &'static [usize],
    /// Functions of one element.
    pub(crate) functions: &'static [usize],
    /// The variable to derive into, where there may be one.
    pub(crate) into: Option<usize>,
    /// What it takes of its inputs; `None` where any variable will do.
    pub(crate) facet: Option<Facet>,
}

/// The shape of the derivation called `name`.
pub(crate) fn shape(name: &str) -> Option<Shape> {
    let elements = Some(Facet::Elements);
    let shape = |inputs, functions, into, facet| Some(Shape { inputs, functions, into, facet });
    match name {
        "map" | "filter" | "flat_map" => shape(&[0], &[1], Some(2), elements),
        "union" | "intersection" | "difference" | "product" => shape(&[0, 1], &[], Some(2), elements),
        "join" => shape(&[0, 2], &[1, 3], Some(4), elements),
        "fold" => shape(&[0], &[], Some(2), elements),
        "group" => shape(&[0], &[1], None, elements),
        "keys" => shape(&[0], &[], Some(1), Some(Facet::Keys)),
        "entries" => shape(&[0], &[], Some(1), elements),
        "vertices" => shape(&[0], &[], Some(1), Some(Facet::Vertices)),
        "edges" => shape(&[0], &[], Some(1), Some(Facet::Edges)),
        "reached" => shape(&[0], &[], Some(2), None),
        _ => None,
    }
}

/// Whether an operation derives a variable.
pub(crate) fn is_derivation(name: &str) -> bool {
    shape(name).is_some()
}

/// Whether the derivation called `name` can take a variable of type `ty`, and what to do if not.
///
/// # Errors
/// What it takes, and a hint.
pub(crate) fn takes(name: &str, ty: &Type) -> std::result::Result<(), (String, &'static str)> {
    let Some(facet) = shape(name).and_then(|shape| shape.facet) else { return Ok(()) };
    let facets = ty.facets();
    if facets.contains(&facet) || name == "map" && facets.is_empty() {
        return Ok(());
    }
    let (wanted, hint) = match name {
        "keys" | "entries" => ("a map", "maps are `gmap(T)`, `awmap(T)`, `mvmap`, and what `group` gives"),
        "vertices" | "edges" => ("a graph", "graphs are `ggraph`, `twopgraph` and `awgraph`"),
        _ if facets.is_empty() => {
            ("a collection", "collections are sets and maps; of a single value, `map` computes another")
        }
        _ => ("a collection", "a graph has two: `vertices(G)` and `edges(G)`"),
    };
    Err((format!("`{name}` takes {wanted}"), hint))
}

/// The type that the derivation called `name` can be derived into.
pub(crate) fn target(name: &str) -> Type {
    match name {
        "reached" => Type::Boolean,
        "fold" => Type::Summary,
        _ => Type::AwSet,
    }
}

impl<H: Host> World<H> {
    pub(super) fn derive(&mut self, node: usize, name: &str, args: &[Term]) -> Result<Term> {
        let shape = shape(name).ok_or_else(|| Problem::new(format!("`{name}` derives nothing")))?;
        let mut inputs = Vec::new();
        for position in shape.inputs {
            let input = variable(args, *position)?;
            self.must_be_taken(name, input)?;
            inputs.push(input.handle);
        }
        let operator = self.operator(name, args)?;
        let into = match shape.into.and_then(|position| args.get(position)) {
            None => None,
            Some(Term::Variable(into)) => {
                self.must_be_target(name, *into)?;
                Some(into.handle)
            }
            Some(other) => return Err(not_a_variable(other)),
        };
        let handle = self.host.derive(node, operator, &inputs, into)?;
        self.derived_by(name, handle, args);
        self.follows(node, handle, &inputs, into.is_none());
        if into.is_none() && !matches!(self.host.type_of(handle), Type::AwSet | Type::Boolean) {
            self.folds.insert(handle);
        }
        Ok(Term::Variable(Variable { handle, node }))
    }

    fn operator(&self, name: &str, args: &[Term]) -> Result<Operator> {
        let function = |position: usize| pure(name, &args[position], 1);
        Ok(match name {
            "map" => Operator::Map(function(1)?),
            "filter" => Operator::Filter(function(1)?),
            "flat_map" => Operator::FlatMap(function(1)?),
            "union" => Operator::Union,
            "intersection" => Operator::Intersection,
            "difference" => Operator::Difference,
            "product" => Operator::Product,
            "join" => Operator::Join { left_key: function(1)?, right_key: function(3)? },
            "keys" => Operator::View(Facet::Keys),
            "entries" => Operator::View(Facet::Elements),
            "vertices" => Operator::View(Facet::Vertices),
            "edges" => Operator::View(Facet::Edges),
            "reached" => Operator::Reached(Box::new(self.threshold(variable(args, 0)?, &args[1])?)),
            "group" => Operator::Group { key: function(1)?, aggregate: aggregate(name, &args[2])? },
            _ => Operator::Fold(aggregate(name, &args[1])?),
        })
    }

    fn must_be_taken(&self, name: &str, variable: Variable) -> Result<()> {
        let ty = self.host.type_of(variable.handle);
        takes(name, &ty).map_err(|(wanted, hint)| {
            Problem::new(format!("{wanted}, found a variable of type {}", type_name(&ty))).hint(hint)
        })
    }

    fn must_be_target(&self, name: &str, into: Variable) -> Result<()> {
        let (ty, wanted) = (self.host.type_of(into.handle), target(name));
        if ty == wanted {
            return Ok(());
        }
        let (ty, wanted) = (type_name(&ty), type_name(&wanted));
        Err(Problem::new(format!("`{name}` derives into a {wanted}, found a variable of type {ty}")))
    }
}

// ---- functions ----

fn pure(name: &str, term: &Term, arity: usize) -> Result<lasp_dataflow::Function> {
    pure_function(name, with_arity(name, term, arity)?).map(|function| Arc::new(function) as _)
}

fn pure_function(name: &str, function: Function) -> Result<Function> {
    if let Some(effect) = function.effect() {
        return Err(Problem::new(format!("the function of `{name}` must be pure, this one uses `{effect}`")).hint(
            "it runs on every node whenever an element comes or goes; put actions into `stream` or `invariant`",
        ));
    }
    Ok(function)
}

// ---- aggregates ----

fn aggregate(name: &str, term: &Term) -> Result<Aggregate> {
    let mut left = AGGREGATES_MAX;
    nested(name, term, &mut left)
}

fn nested(name: &str, term: &Term, left: &mut usize) -> Result<Aggregate> {
    *left = left
        .checked_sub(1)
        .ok_or_else(|| Problem::new(format!("`{name}` computes at most {AGGREGATES_MAX} aggregates at once")))?;
    if let Some(all) = term.as_list() {
        return Ok(Aggregate::All(all.iter().map(|one| nested(name, one, left)).collect::<Result<_>>()?));
    }
    match term.as_tuple().as_deref() {
        Some([step @ Term::Function(_), init, inverse @ ..]) if inverse.len() <= 1 => {
            custom(name, step, init, inverse.first())
        }
        Some([of, function]) => Ok(match of {
            // A count of what the function makes of each element would be a count of the elements.
            Term::Data(Value::Atom(count), _) if &**count == "count" => {
                let predicate = pure_function(name, with_arity(name, function, 1)?)?;
                Aggregate::Of(Arc::new(OneIf(predicate)), Box::new(Aggregate::Sum))
            }
            of => Aggregate::Of(pure(name, function, 1)?, Box::new(nested(name, of, left)?)),
        }),
        _ => named(name, term),
    }
}

fn custom(name: &str, step: &Term, init: &Term, inverse: Option<&Term>) -> Result<Aggregate> {
    let step = pure(name, step, 2).map_err(|problem| match step {
        Term::Function(function) if function.arity() == 1 => {
            problem.hint("`{sum, F}` sums what F makes of each element; `{F, Init}` calls F(X, Acc)")
        }
        _ => problem,
    })?;
    let inverse = inverse.map(|inverse| pure(name, inverse, 2)).transpose()?;
    Ok(Aggregate::Custom { step, init: value(init)?, inverse })
}

fn named(name: &str, term: &Term) -> Result<Aggregate> {
    let asked = match term {
        Term::Data(Value::Atom(asked), _) => &**asked,
        _ => "",
    };
    Ok(match asked {
        "count" => Aggregate::Count,
        "sum" => Aggregate::Sum,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "avg" => Aggregate::Avg,
        _ => {
            let near = nearest(asked, AGGREGATES).map(|near| format!("did you mean `{near}`?"));
            let problem = Problem::new(format!("`{name}` cannot aggregate by {}", short(term)));
            return Err(problem.hint(near.unwrap_or_else(|| AGGREGATE_FORMS.to_owned())));
        }
    })
}

/// 1 where a predicate holds, else 0: their sum counts.
struct OneIf(Function);

impl Call for OneIf {
    fn call(&self, args: &[Value]) -> std::result::Result<Value, FunctionError> {
        match self.0.call(args)? {
            Value::Bool(holds) => Ok(Value::Int(holds.into())),
            other => Err(FunctionError::new(format!("a predicate is true or false, found {} {other}", other.kind()))),
        }
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn identity(&self) -> Option<Arc<str>> {
        self.0.identity().map(|identity| format!("one if {identity}").into())
    }
}
