//! The standard library: pure functions under their Erlang names, on values.
//!
//! Every function charges the machine for the parts it touches, so that the step limit bounds time and memory. Sets that
//! were queried are lists to all of them. Functions whose result could differ between platforms (powers, logarithms) are
//! left out on purpose: derivations run on every node and must agree.

mod folds;
mod lists;
mod maps;
mod numbers;
mod sets;
mod texts;

use crate::fault::{Problem, Trap};
use crate::function::Function;
use crate::machine::Machine;
use crate::show::short;
use crate::signature::Signature;
use crate::term::Term;
use lasp_dataflow::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

pub(crate) use numbers::{named_type, type_of};

/// The result of a library function.
pub type Result<T = Term> = std::result::Result<T, Trap>;

/// A library function.
#[derive(Debug)]
pub struct Builtin {
    /// What it is called and takes.
    pub signature: Signature,
    /// Computes it; the number of arguments is one that the signature allows.
    pub run: fn(&mut Machine<'_>, &[Term]) -> Result,
    /// Whether it looks at the surface of its arguments only, so that they need no measuring before it runs.
    pub on_surface: bool,
    /// The same on values alone.
    pub direct: Direct,
}

/// How compiled code gets what a library function gives, without making terms. Where it gives `None`, as for arguments of
/// another kind, `run` has the last word. `run` charges a step at most for it, and one more for every 16 bytes of a text;
/// a walk charges what `run` does.
#[derive(Debug)]
pub enum Direct {
    /// It does not.
    No,
    /// A yes-or-no question about a value.
    Test(fn(&Value) -> Option<bool>),
    /// About two values.
    Tests(fn(&Value, &Value) -> Option<bool>),
    /// A number that a value has.
    Int(fn(&Value) -> Option<i64>),
    /// A number that two integers have.
    Ints(fn(i64, i64) -> Option<i64>),
    /// A part of a value.
    First(for<'v> fn(&'v Value) -> Option<&'v Value>),
    /// The part of the second value that the first one names.
    Part(for<'v> fn(&Value, &'v Value) -> Option<&'v Value>),
    /// By calling a function for each element of a list.
    Walk(Walk),
}

impl Direct {
    /// Whether it gives a boolean.
    pub(crate) fn is_test(&self) -> bool {
        matches!(self, Self::Test(_) | Self::Tests(_))
    }
}

/// A library function that goes through a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the functions")]
pub enum Walk {
    Map,
    Filter,
    FoldLeft,
    FoldRight,
    All,
    Any,
    Member,
}

impl Builtin {
    const fn direct(self, direct: Direct) -> Self {
        Self { direct, ..self }
    }

    /// For functions that neither go through an argument in depth nor build something of it.
    const fn on_surface(self) -> Self {
        Self { on_surface: true, ..self }
    }
}

const fn builtin(
    name: &'static str,
    args: usize,
    form: &'static str,
    does: &'static str,
    run: fn(&mut Machine<'_>, &[Term]) -> Result,
) -> Builtin {
    between(name, (args, args), form, does, run)
}

const fn between(
    name: &'static str,
    args: (usize, usize),
    form: &'static str,
    does: &'static str,
    run: fn(&mut Machine<'_>, &[Term]) -> Result,
) -> Builtin {
    Builtin { signature: Signature::new(name, args, form, does), run, on_surface: false, direct: Direct::No }
}

const TABLES: [&[Builtin]; 6] =
    [numbers::FUNCTIONS, lists::FUNCTIONS, folds::FUNCTIONS, maps::FUNCTIONS, sets::FUNCTIONS, texts::FUNCTIONS];

/// Every library function.
pub fn all() -> impl Iterator<Item = &'static Builtin> {
    TABLES.into_iter().flatten()
}

/// The function of this name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    static BY_NAME: LazyLock<BTreeMap<&str, &Builtin>> =
        LazyLock::new(|| all().map(|builtin| (builtin.signature.name, builtin)).collect());
    BY_NAME.get(name).copied()
}

// ---- arguments ----

fn wrong(position: usize, wanted: &str, found: &Term) -> Trap {
    let ordinal = ["first", "second", "third", "fourth"].get(position).copied().unwrap_or("last");
    let shown = match found {
        Term::Variable(_) => "a variable".to_owned(),
        found => format!("{} {}", found.kind(), short(found)),
    };
    let problem = Problem::new(format!("the {ordinal} argument is {wanted}, found {shown}"));
    match found {
        Term::Variable(_) => problem.hint("use `query(V)` for the variable's current value").into(),
        _ => problem.into(),
    }
}

/// What going through all of a term costs, compared with evaluating expressions (guess: a sixteenth for each part).
fn walk(term: &Term) -> u64 {
    if term.is_measured() { u64::from(term.shape().weight) / 16 } else { 0 }
}

/// The elements of the list or set at `position`; charges for them.
fn list(machine: &mut Machine<'_>, args: &[Term], position: usize) -> Result<Vec<Term>> {
    let term = &args[position];
    let items = term.as_list().ok_or_else(|| wrong(position, "a list", term))?;
    machine.spend(walk(term).max(items.len() as u64))?;
    Ok(items)
}

/// How many elements the list or set at `position` has; charges a step for it.
fn list_len(machine: &mut Machine<'_>, args: &[Term], position: usize) -> Result<usize> {
    machine.spend(1)?;
    args[position].list_len().ok_or_else(|| wrong(position, "a list", &args[position]))
}

/// The entries of the map at `position`; charges for them.
fn map(machine: &mut Machine<'_>, args: &[Term], position: usize) -> Result<BTreeMap<Value, Term>> {
    let term = &args[position];
    let entries = term.as_map().ok_or_else(|| wrong(position, "a map", term))?;
    machine.spend(walk(term).max(entries.len() as u64))?;
    Ok(entries)
}

fn integer(args: &[Term], position: usize) -> Result<i64> {
    args[position].as_int().ok_or_else(|| wrong(position, "an integer", &args[position]))
}

/// The index that a position from 1 means.
fn index_of(position: &Value) -> Option<usize> {
    match position {
        Value::Int(position) => usize::try_from(*position).ok()?.checked_sub(1),
        _ => None,
    }
}

/// An integer that is not negative, as a size; anything larger than memory is as good as the greatest.
fn size(args: &[Term], position: usize) -> Result<usize> {
    let value = integer(args, position)?;
    usize::try_from(value).map_err(|_| wrong(position, "an integer that is not negative", &args[position]))
}

fn text(args: &[Term], position: usize) -> Result<Arc<str>> {
    args[position].as_text().cloned().ok_or_else(|| wrong(position, "a text", &args[position]))
}

fn function(args: &[Term], position: usize) -> Result<Function> {
    match &args[position] {
        Term::Function(function) => Ok(function.clone()),
        other => Err(wrong(position, "a function", other)),
    }
}

fn value(args: &[Term], position: usize) -> Result<Value> {
    args[position].to_value().map_err(|odd| wrong(position, "a value", odd))
}

/// Calls `function`; failures inside it keep their own place.
fn call(machine: &mut Machine<'_>, function: &Function, args: Vec<Term>) -> Result {
    // Something is built of the result, usually.
    Ok(machine.call_back(function, args).and_then(|term| machine.weigh_here(term))?)
}

/// As [`call`], for a function that answers yes or no.
fn ask(machine: &mut Machine<'_>, function: &Function, args: Vec<Term>) -> Result<bool> {
    let answer = call(machine, function, args)?;
    answer.as_bool().ok_or_else(|| format!("the function gives true or false, here {}", short(&answer)).into())
}
