//! A program as data: variables, and derivations between them, which replica has which.
//!
//! A variable may only follow from variables before it, so that there is no cycle. Parts of a program can be switched off,
//! which is how counterexamples shrink: names and numbers of the others stay as they were.

use crate::functions::Fun;
use crate::values::parameter;
use lasp_dataflow::{Aggregate, Facet, Operator, State, Threshold, Type, Value};
use std::collections::BTreeSet;
use std::fmt;

/// Some replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replicas(pub(crate) u8);

impl Replicas {
    pub(crate) fn contains(self, replica: usize) -> bool {
        self.0 >> replica & 1 == 1
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        (0..8).filter(move |&replica| self.contains(replica))
    }
}

/// What a variable is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Declared at these replicas; `local` ones are not replicated.
    Declared { ty: Type, local: bool },
    /// The local result of a derivation.
    Result,
}

/// When a variable's value is read and compared. Views are computed when they are first read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// After every step.
    Always,
    /// When the schedule says so, and at the end.
    WhenAsked,
    /// At the end only.
    AtTheEnd,
    /// Not at all; what follows from it is.
    Never,
}

#[derive(Clone, Debug)]
pub(crate) struct Var {
    pub(crate) kind: Kind,
    /// Where it is.
    pub(crate) at: Replicas,
    pub(crate) reading: Reading,
    /// Whether updates are made to it.
    pub(crate) updated: bool,
    pub(crate) on: bool,
}

impl Var {
    /// The type of a variable that is declared.
    pub(crate) fn ty(&self) -> Option<&Type> {
        match &self.kind {
            Kind::Declared { ty, .. } => Some(ty),
            Kind::Result => None,
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        !matches!(self.kind, Kind::Declared { local: false, .. })
    }
}

/// How an aggregate sums up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Agg {
    Count,
    Sum,
    Min,
    Max,
    Avg,
    Of(Fun, Box<Self>),
    All(Vec<Self>),
    Custom { step: Fun, init: Value, inverse: Option<Fun> },
}

/// What to wait for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Limit {
    AtLeast(i64),
    MoreThan(i64),
    Contains(Vec<Value>, bool),
    Holds(Value),
    Reach(Value),
    Pass(Value),
}

/// Which function of its inputs a variable is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spec {
    View(Facet),
    Map(Fun),
    Filter(Fun),
    FlatMap(Fun),
    Union,
    Intersection,
    Difference,
    Product,
    Join(Fun, Fun),
    Fold(Agg),
    Group(Fun, Agg),
    Reached(Limit),
    /// `bind_to`
    Follow,
}

/// An operator without its functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    View,
    Map,
    Filter,
    FlatMap,
    Union,
    Intersection,
    Difference,
    Product,
    Join,
    Fold,
    Group,
    Reached,
    Follow,
}

impl Shape {
    pub(crate) fn of(spec: &Spec) -> Self {
        match spec {
            Spec::View(_) => Self::View,
            Spec::Map(_) => Self::Map,
            Spec::Filter(_) => Self::Filter,
            Spec::FlatMap(_) => Self::FlatMap,
            Spec::Union => Self::Union,
            Spec::Intersection => Self::Intersection,
            Spec::Difference => Self::Difference,
            Spec::Product => Self::Product,
            Spec::Join(..) => Self::Join,
            Spec::Fold(_) => Self::Fold,
            Spec::Group(..) => Self::Group,
            Spec::Reached(_) => Self::Reached,
            Spec::Follow => Self::Follow,
        }
    }

    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Union | Self::Intersection | Self::Difference | Self::Product | Self::Join)
    }

    /// Whether what it gives can be derived into a replicated set.
    pub(crate) fn goes_into_sets(self) -> bool {
        !matches!(self, Self::Difference | Self::Fold | Self::Group | Self::Reached)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Derivation {
    pub(crate) spec: Spec,
    pub(crate) inputs: Vec<usize>,
    pub(crate) output: usize,
    /// Who derives.
    pub(crate) at: Replicas,
    /// Not from the start, but where the schedule says so.
    pub(crate) late: bool,
    /// Whether the result has a name.
    pub(crate) named: bool,
    pub(crate) on: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) replicas: usize,
    pub(crate) vars: Vec<Var>,
    pub(crate) derivations: Vec<Derivation>,
    /// Whether equal functions are known to be equal.
    pub(crate) named_functions: bool,
    /// What the updates are about.
    pub(crate) pool: Vec<Value>,
}

impl Program {
    /// Whether a derivation and everything that it needs is switched on.
    pub(crate) fn has(&self, derivation: &Derivation) -> bool {
        derivation.on && derivation.inputs.iter().chain([&derivation.output]).all(|&var| self.vars[var].on)
    }

    /// The derivations at a replica, inputs before what follows from them.
    pub(crate) fn derivations_at(&self, replica: usize) -> Vec<usize> {
        let mut ids: Vec<usize> = (0..self.derivations.len())
            .filter(|&id| self.derivations[id].at.contains(replica) && self.has(&self.derivations[id]))
            .collect();
        ids.sort_by_key(|&id| (self.derivations[id].output, id));
        ids
    }

    /// Whether a variable is the local result that says whether a threshold is reached.
    pub(crate) fn is_flag(&self, var: usize) -> bool {
        let made = self.derivations.iter().find(|derivation| derivation.output == var);
        self.vars[var].kind == Kind::Result && made.is_some_and(|made| matches!(made.spec, Spec::Reached(_)))
    }

    /// The declared variables that a variable is computed from, and it itself if it is declared.
    pub(crate) fn bases_of(&self, var: usize) -> BTreeSet<usize> {
        let mut bases = BTreeSet::new();
        let mut open = vec![var];
        while let Some(var) = open.pop() {
            match self.vars[var].kind {
                Kind::Declared { .. } => _ = bases.insert(var),
                Kind::Result => {
                    let made = self.derivations.iter().filter(|derivation| derivation.output == var);
                    open.extend(made.flat_map(|derivation| &derivation.inputs));
                }
            }
        }
        bases
    }

    /// Whether facts tell what a summary shows: nothing is ever derived into what it is folded from.
    pub(crate) fn is_told(&self, summary: usize) -> bool {
        let folds = self.derivations.iter().filter(|derivation| derivation.output == summary);
        let mut bases = folds.flat_map(|fold| self.bases_of(fold.inputs[0]));
        bases.all(|base| !self.derivations.iter().any(|derivation| derivation.output == base))
    }

    /// Whether something, somewhere, derives into a variable.
    pub(crate) fn is_target(&self, var: usize) -> bool {
        self.derivations.iter().any(|derivation| derivation.output == var && self.has(derivation))
    }
}

pub(crate) fn name_of(var: usize) -> String {
    format!("v{var}")
}

impl Agg {
    pub(crate) fn aggregate(&self, named: bool) -> Aggregate {
        match self {
            Self::Count => Aggregate::Count,
            Self::Sum => Aggregate::Sum,
            Self::Min => Aggregate::Min,
            Self::Max => Aggregate::Max,
            Self::Avg => Aggregate::Avg,
            Self::Of(fun, agg) => Aggregate::Of(fun.call(named), Box::new(agg.aggregate(named))),
            Self::All(all) => Aggregate::All(all.iter().map(|agg| agg.aggregate(named)).collect()),
            Self::Custom { step, init, inverse } => Aggregate::Custom {
                step: step.call(named),
                init: init.clone(),
                inverse: inverse.as_ref().map(|inverse| inverse.call(named)),
            },
        }
    }
}

impl Limit {
    /// Whether who waits for this wants at least so much; anything at all, where nothing is said.
    pub(crate) fn demands(&self, least: Option<i64>) -> bool {
        let Some(least) = least else { return true };
        match self {
            Self::AtLeast(n) | Self::MoreThan(n) => *n >= least,
            Self::Contains(elements, more) => elements.len() as i64 + i64::from(*more) >= least,
            Self::Holds(_) | Self::Reach(_) | Self::Pass(_) => false,
        }
    }

    /// As the graph takes it; `None` where values of the type cannot say it.
    pub(crate) fn threshold(&self, ty: &Type) -> Option<Threshold> {
        Some(match self {
            Self::AtLeast(n) => Threshold::AtLeast(*n),
            Self::MoreThan(n) => Threshold::MoreThan(*n),
            Self::Contains(elements, more) => Threshold::Contains { elements: elements.clone(), more: *more },
            Self::Holds(value) => Threshold::Holds(value.clone()),
            Self::Reach(_) | Self::Pass(_) if !is_its_value(ty) => return None,
            Self::Reach(value) => Threshold::State(State::from_value(ty, value).ok()?),
            Self::Pass(value) => Threshold::Strict(State::from_value(ty, value).ok()?),
        })
    }
}

/// Whether a state of this type is no more than its value, so that the order of values is that of states.
fn is_its_value(ty: &Type) -> bool {
    match ty.name() {
        "gset" | "max" | "min" | "ivar" | "boolean" => true,
        "gmap" => is_its_value(&parameter(ty, 0)),
        "pair" => is_its_value(&parameter(ty, 0)) && is_its_value(&parameter(ty, 1)),
        _ => false,
    }
}

impl Spec {
    /// As the graph takes it, on an input of type `ty`; `None` of `bind_to`, and where the type has no such threshold.
    pub(crate) fn operator(&self, ty: &Type, named: bool) -> Option<Operator> {
        Some(match self {
            Self::View(facet) => Operator::View(*facet),
            Self::Map(fun) => Operator::Map(fun.call(named)),
            Self::Filter(fun) => Operator::Filter(fun.call(named)),
            Self::FlatMap(fun) => Operator::FlatMap(fun.call(named)),
            Self::Union => Operator::Union,
            Self::Intersection => Operator::Intersection,
            Self::Difference => Operator::Difference,
            Self::Product => Operator::Product,
            Self::Join(left, right) => Operator::Join { left_key: left.call(named), right_key: right.call(named) },
            Self::Fold(agg) => Operator::Fold(agg.aggregate(named)),
            Self::Group(key, agg) => Operator::Group { key: key.call(named), aggregate: agg.aggregate(named) },
            Self::Reached(limit) => Operator::Reached(Box::new(limit.threshold(ty)?)),
            Self::Follow => return None,
        })
    }
}

impl fmt::Display for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.iter().map(|replica| (replica + 1).to_string()).collect();
        f.write_str(&all.join(", "))
    }
}

impl fmt::Display for Agg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => f.write_str("count"),
            Self::Sum => f.write_str("sum"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Avg => f.write_str("avg"),
            Self::Of(fun, agg) => write!(f, "{{{agg}, {fun}}}"),
            Self::All(all) => {
                let all: Vec<String> = all.iter().map(Self::to_string).collect();
                write!(f, "[{}]", all.join(", "))
            }
            Self::Custom { step, init, inverse } => {
                write!(f, "{{{step}, {init}")?;
                inverse.as_ref().map_or(Ok(()), |inverse| write!(f, ", {inverse}"))?;
                f.write_str("}")
            }
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(n) => write!(f, "{{value, {n}}}"),
            Self::MoreThan(n) => write!(f, "{{strict, {{value, {n}}}}}"),
            Self::Contains(elements, false) => write!(f, "{}", Value::list(elements.iter().cloned())),
            Self::Contains(elements, true) => write!(f, "{{strict, {}}}", Value::list(elements.iter().cloned())),
            Self::Holds(value) | Self::Reach(value) => write!(f, "{value}"),
            Self::Pass(value) => write!(f, "{{strict, {value}}}"),
        }
    }
}

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = |at: usize| name_of(self.inputs[at]);
        match &self.spec {
            Spec::View(facet) => write!(f, "{}({})", facet.name(), input(0)),
            Spec::Map(fun) => write!(f, "map({}, {fun})", input(0)),
            Spec::Filter(fun) => write!(f, "filter({}, {fun})", input(0)),
            Spec::FlatMap(fun) => write!(f, "flat_map({}, {fun})", input(0)),
            Spec::Union => write!(f, "union({}, {})", input(0), input(1)),
            Spec::Intersection => write!(f, "intersection({}, {})", input(0), input(1)),
            Spec::Difference => write!(f, "difference({}, {})", input(0), input(1)),
            Spec::Product => write!(f, "product({}, {})", input(0), input(1)),
            Spec::Join(left, right) => write!(f, "join({}, {left}, {}, {right})", input(0), input(1)),
            Spec::Fold(agg) => write!(f, "fold({}, {agg})", input(0)),
            Spec::Group(key, agg) => write!(f, "group({}, {key}, {agg})", input(0)),
            Spec::Reached(limit) => write!(f, "reached({}, {limit})", input(0)),
            Spec::Follow => write!(f, "bind_to({})", input(0)),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions = if self.named_functions { "functions known by their text" } else { "functions unknown" };
        writeln!(f, "  %% {} replicas, {functions}", self.replicas)?;
        for (at, var) in self.vars.iter().enumerate().filter(|(_, var)| var.on) {
            let Kind::Declared { ty, local } = &var.kind else { continue };
            let local = if *local { ", local" } else { "" };
            writeln!(f, "  {} = declare({ty}{local})  %% at {}, read {:?}", name_of(at), var.at, var.reading)?;
        }
        let derivations = self.derivations.iter().enumerate().filter(|(_, derivation)| self.has(derivation));
        for (id, derivation) in derivations {
            let output = &self.vars[derivation.output];
            let sign = if output.kind == Kind::Result { "=" } else { "<-" };
            write!(f, "  d{id}: {} {sign} {derivation}  %% at {}", name_of(derivation.output), derivation.at)?;
            let late = if derivation.late { ", later" } else { "" };
            let named = if derivation.named { ", named" } else { "" };
            writeln!(f, "{late}{named}, read {:?}", output.reading)?;
        }
        Ok(())
    }
}
