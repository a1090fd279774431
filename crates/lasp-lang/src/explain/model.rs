//! What an explanation consists of: the dataflow as it was written, and as it is run.

use crate::host::Size;
use std::fmt;

/// Numbers a variable in an [`Explanation`].
pub type VariableId = usize;

/// The dataflow of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Variables in the order in which the program made them.
    pub variables: Vec<Variable>,
    /// What follows from what, as written.
    pub derivations: Vec<Derivation>,
    /// What waits for variables or follows them.
    pub reactions: Vec<Reaction>,
    /// What is run for the derivations.
    pub plan: Plan,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name it is bound to, else the one it is declared under, else `#` and a number.
    pub name: String,
    /// The type; `value` for a scalar that a fold gives.
    pub ty: String,
    /// Where it comes from.
    pub origin: Origin,
    /// How it changes.
    pub growth: Growth,
    /// How large it was at the end, where that is known.
    pub size: Size,
    /// The last failure of a function that derives it, with the number of failures.
    pub failures: Option<(u64, String)>,
}

/// Where a variable comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Declared, under this name if it has one, and whether something is derived into it.
    Declared {
        /// The name.
        name: Option<String>,
        /// Whether something is derived into it.
        derived_into: bool,
    },
    /// The result of a derivation without a target: each node computes it for itself.
    Derived,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared { name, derived_into } => {
                f.write_str("declared")?;
                name.as_ref().map_or(Ok(()), |name| write!(f, " as {name:?}"))?;
                if *derived_into { f.write_str(" and derived into") } else { Ok(()) }
            }
            Self::Derived => f.write_str("derived, local to its node"),
        }
    }
}

/// How a variable's value changes as its state grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// The value itself only grows.
    Value,
    /// The state (dots, contexts) only grows; the value may go back.
    Metadata,
    /// The value is replaced by newer ones.
    Replaced,
}

impl Growth {
    /// In one word, for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Metadata => "metadata",
            Self::Replaced => "replaced",
        }
    }

    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Value => "monotone in its value: a threshold once met stays met",
            Self::Metadata => "monotone in its metadata only: its value may go back, a threshold is met at a moment",
            Self::Replaced => "not monotone: a newer result replaces it, a threshold is met at a moment",
        }
    }
}

/// A derivation as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derivation {
    /// The node that it was set up at.
    pub node: usize,
    /// The operator's name, `map`.
    pub operator: &'static str,
    /// Whether it is derived into a declared variable, which other nodes hear of.
    pub replicates: bool,
    /// The operator with its functions, `map(fun(X) -> X * 2 end)`.
    pub what: String,
    /// What it is derived from.
    pub inputs: Vec<VariableId>,
    /// What it gives.
    pub output: VariableId,
    /// Its algebra: `morphism`, `bimorphism`, ...
    pub class: &'static str,
    /// What a change costs.
    pub cost: &'static str,
}

/// Something that waits for a variable or follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Where.
    pub node: usize,
    /// The variable.
    pub variable: VariableId,
    /// `a threshold on`, `a stream of`.
    pub what: &'static str,
}

/// The operators that run, in an order in which each comes after those it takes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The operators.
    pub steps: Vec<Step>,
}

/// An operator that runs: for one derivation, or for several at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does, `map(fun(X) -> X * 2 end)`; the stages of a fused chain one after the other.
    pub stages: Vec<String>,
    /// What it takes.
    pub inputs: Vec<Input>,
    /// The variables that show its result; none for one that only other steps take.
    pub gives: Vec<VariableId>,
    /// Whether it keeps its result, or passes changes on alone.
    pub materialized: bool,
    /// What the optimiser made it of, if it did anything: `3 in one`, `a filter over a product`.
    pub made: Option<String>,
}

/// What a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The changes of a variable, or of a part of it: `keys`.
    Variable(VariableId, Option<&'static str>),
    /// The changes that another step passes on, by its place in the plan.
    Step(usize),
}

impl Plan {
    /// What runs where nothing is optimised: every derivation by itself.
    pub fn as_written(derivations: &[Derivation]) -> Self {
        let step = |derivation: &Derivation| Step {
            stages: vec![derivation.what.clone()],
            inputs: derivation.inputs.iter().map(|input| Input::Variable(*input, None)).collect(),
            gives: vec![derivation.output],
            materialized: true,
            made: None,
        };
        Self { steps: derivations.iter().map(step).collect() }
    }

    /// Whether the optimiser changed anything.
    pub fn is_optimised(&self) -> bool {
        self.steps.iter().any(|step| step.made.is_some() || !step.materialized)
    }
}
