//! Function literals in compiled form: a tree of nodes with every variable's place resolved, constants folded, and steps
//! counted by block instead of by node.
//!
//! It serves the calls that derivations make for each element. It gives the values that walking the syntax tree gives, and
//! no messages: where it fails, or cannot tell whether a limit is kept, the call is evaluated again by the
//! [machine](crate::machine), which says what happened and where. That is safe as nothing in it has effects. Steps are
//! never undercounted, so a value that it gives is one that the machine would have given within the limits.
//!
//! Arguments are borrowed: taking a large element apart copies nothing and measures nothing.
//!
//! A call is tried in up to three ways, each of which gives the same value or none: at first sight ([`glance`]) if the
//! function only looks at its arguments, then by [`run`], then by the machine.

mod build;
mod calls;
mod cell;
mod choices;
mod compile;
mod comprehension;
mod done;
mod glance;
mod matching;
mod operators;
mod run;
mod suits;
mod walk;

pub(crate) use done::{Done, Kind};
pub(crate) use glance::unset;

use crate::ast::{Binary, Collection, Fun, Name, Unary};
use crate::fault::Fault;
use crate::function::Closure;
use crate::library::Builtin;
use crate::machine::Machine;
use crate::term::Term;
use lasp_dataflow::Value;
use std::fmt;
use std::sync::Arc;

/// The compiled form of a function literal.
pub(crate) struct Code {
    /// The names it was compiled to find captured, in this order.
    captured: Box<[Name]>,
    arity: usize,
    clauses: Box<[FunClause]>,
    /// How many variables it binds at most.
    slots: usize,
    /// How deep its expressions nest.
    depth: u32,
    /// Whether it only looks at its arguments.
    at_a_glance: bool,
}

/// Leaves out names and places: functions that share it, and what they captured, compute the same.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fun/{} {:?}", self.arity, self.clauses)
    }
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// An expression failed; in a guard that is false.
    Failed,
    /// A limit may have been reached, or an effect is due: a guard does not swallow it.
    Undecided,
}

impl From<Box<Fault>> for Stop {
    fn from(fault: Box<Fault>) -> Self {
        if fault.limit { Self::Undecided } else { Self::Failed }
    }
}

type Result<T> = std::result::Result<T, Stop>;

impl Code {
    /// Compiles `fun` as it stands where exactly the names `captured` are bound, of those that it mentions. `None` for
    /// actions, and for what only the machine understands, such as variables that are bound in some branches only.
    pub(crate) fn compile(fun: &Fun, captured: Vec<Name>) -> Option<Self> {
        compile::function(fun, captured)
    }

    /// Whether it was compiled for a closure that captured these names.
    pub(crate) fn fits<'a>(&self, captured: impl Iterator<Item = &'a Name>) -> bool {
        self.captured.iter().eq(captured)
    }

    /// Calls it with terms.
    pub(crate) fn call(&self, closure: &Closure, args: &[Term], machine: &mut Machine<'_>) -> Result<Term> {
        run::call(self, closure, args, machine)
    }

    /// Calls it with values from outside, at first sight: see [`glance`]. A value that is not new is then in `seen`.
    #[inline]
    pub(crate) fn glance<'v>(
        &'v self,
        closure: &'v Closure,
        args: &'v [Value],
        mut steps: u64,
        seen: &mut &'v Value,
    ) -> Option<Done> {
        let around = glance::Around { env: &closure.captured, cells: &[] };
        // The call itself.
        steps = steps.checked_sub(1)?;
        match args {
            _ if !self.at_a_glance => None,
            [one] => glance::call(self, &around, &[one], &mut steps, seen),
            [one, other] => glance::call(self, &around, &[one, other], &mut steps, seen),
            _ => None,
        }
    }

    /// Calls it with values from outside.
    pub(crate) fn call_values(&self, closure: &Closure, args: &[Value], steps: u64) -> Option<Value> {
        run::call_values(self, closure, args, steps)
    }
}

/// Steps that a block takes, whichever way it goes inside; not part of what a function computes.
#[derive(Clone, Copy, Default)]
struct Cost(u64);

impl fmt::Debug for Cost {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// Where a variable's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Bound in this call.
    Slot(usize),
    /// Captured when the closure was made.
    Captured(usize),
}

#[derive(Debug)]
struct FunClause {
    patterns: Box<[Pat]>,
    guard: Guard,
    /// Of the patterns and the guard.
    cost: Cost,
    body: Body,
}

#[derive(Debug)]
struct CaseClause {
    pattern: Pat,
    guard: Guard,
    cost: Cost,
    body: Body,
}

/// Alternatives of conjunctions; true if there are none.
#[derive(Debug)]
struct Guard(Box<[Box<[Node]>]>);

/// Expressions one after the other, with the steps they take.
#[derive(Debug)]
struct Body {
    cost: Cost,
    first: Box<[Node]>,
    last: Node,
}

/// An expression that is evaluated or not, with its steps.
#[derive(Debug)]
struct Branch {
    cost: Cost,
    node: Node,
}

#[derive(Debug)]
enum Node {
    Const(Box<Constant>),
    Read(Place),
    Tuple(Box<[Self]>),
    List(Box<[Self]>, Option<Box<Self>>),
    Collection(Collection, Box<[Self]>),
    Map(Option<Box<Self>>, Box<[Entry]>),
    Bytes(Box<[Self]>),
    Unary(Unary, Box<Self>),
    /// `+ - * / div rem`
    Calculate(Binary, Box<[Self; 2]>),
    /// `== /= =:= =/= < =< > >=`
    Compare(Binary, Box<[Self; 2]>),
    /// All the others that take both operands.
    Binary(Binary, Box<[Self; 2]>),
    Andalso(Box<(Self, Branch)>),
    Orelse(Box<(Self, Branch)>),
    Match(Box<(Pat, Self)>),
    Closure(Literal),
    Case(Box<Self>, Box<[CaseClause]>),
    If(Box<[(Guard, Cost, Body)]>),
    Block(Box<[Self]>, Box<Self>),
    Comprehension(Box<Comprehension>),
    Builtin(Library, Box<[Self]>),
    Call(Box<Self>, Box<[Self]>),
    Fail,
}

/// A literal, or what an expression of literals gives.
struct Constant(Term);

/// Its text, with a mark of its kind where texts of two kinds look alike.
impl fmt::Debug for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Term::Type(ty) => write!(f, "type {ty}"),
            other => write!(f, "{other}"),
        }
    }
}

#[derive(Debug)]
struct Entry {
    key: Node,
    value: Node,
    must_exist: bool,
}

struct Library(&'static Builtin);

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.signature.name)
    }
}

/// A function literal inside a function, and where its captured terms come from.
struct Literal {
    fun: Arc<Fun>,
    captured: Box<[(Name, Place)]>,
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<&Place> = self.captured.iter().map(|(_, place)| place).collect();
        let names = self.captured.iter().map(|(name, _)| name);
        match self.fun.compiled().filter(|code| code.fits(names)) {
            Some(code) => write!(f, "{code:?} of {places:?}"),
            // Never equal to another one.
            None => write!(f, "{:p}", Arc::as_ptr(&self.fun)),
        }
    }
}

#[derive(Debug)]
struct Comprehension {
    /// Whether it makes a map of the pairs that are produced.
    produced: Produced,
    /// Of what is produced for each combination.
    cost: Cost,
    steps: Box<[Step]>,
}

#[derive(Debug)]
enum Produced {
    Element(Node),
    Entry(Node, Node),
}

/// A qualifier; its cost is that of its expression, which is evaluated for each combination of the qualifiers before it.
#[derive(Debug)]
struct Step {
    cost: Cost,
    kind: StepKind,
}

#[derive(Debug)]
enum StepKind {
    /// The pattern's own cost is paid for each element.
    Generate(Pat, Cost, Node),
    Entries(Pat, Pat, Cost, Node),
    Filter(Node),
}

#[derive(Debug)]
enum Pat {
    Any,
    Bind(usize),
    /// A variable that has a value already.
    Same(Place),
    Literal(Scalar),
    Tuple(Box<[Self]>),
    List(Box<[Self]>, Option<Box<Self>>),
    Map(Box<[(Node, Self)]>),
    Prefix(Arc<str>, Box<Self>),
    Both(Box<[Self; 2]>),
}

struct Scalar(Value);

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
