//! Functions as values: a literal with what it captured, or a library function.
//!
//! A pure one is a [`Call`] that derivations can use: total, as each call has a step limit, and the same on every node.

use crate::ast::Fun;
use crate::code::{Code, Done, Kind, unset};
use crate::env::Env;
use crate::fault::Fault;
use crate::library::Builtin;
use crate::machine::{CALL_STEPS, Machine};
use crate::source::Source;
use crate::term::Term;
use crate::{equi_join, identity};
use lasp_dataflow::{Call, EquiJoin, FunctionError, Value};
use std::fmt;
use std::sync::Arc;

/// Something that can be called.
#[derive(Clone)]
pub enum Function {
    /// A function literal.
    Closure(Arc<Closure>),
    /// A library function.
    Builtin(&'static Builtin, usize),
}

/// A function literal with its surroundings.
pub struct Closure {
    /// Its text.
    pub fun: Arc<Fun>,
    /// The program it stands in.
    pub source: Arc<Source>,
    /// What it uses of its surroundings.
    pub captured: Env,
    depth: u32,
    compiled: bool,
}

impl Closure {
    /// `fun` as it stands in `source`, with what it uses of its surroundings.
    pub fn new(fun: &Arc<Fun>, source: Arc<Source>, captured: Env) -> Self {
        let code = fun.compile(|| captured.iter().map(|(name, _)| name.clone()).collect());
        let compiled = code.is_some_and(|code| code.fits(captured.iter().map(|(name, _)| name)));
        let depth = captured.iter().map(|(_, term)| levels_below(term)).max().unwrap_or(0);
        Self { fun: fun.clone(), source, captured, depth, compiled }
    }

    /// Its compiled form, if it can have one.
    pub(crate) fn code(&self) -> Option<&Code> {
        self.fun.compiled().filter(|_| self.compiled)
    }

    /// How deep what it captured nests.
    pub fn depth(&self) -> u32 {
        self.depth
    }
}

/// What a captured term adds to the depth of the function. A value counts as one level, whatever it has inside: its own
/// depth is bounded, and it holds no functions.
fn levels_below(term: &Term) -> u32 {
    match term {
        Term::Function(_) | Term::Mixed(..) => term.shape().depth + 1,
        _ => 1,
    }
}

impl Function {
    /// How many arguments it takes.
    pub fn arity(&self) -> usize {
        match self {
            Self::Closure(closure) => closure.fun.arity,
            Self::Builtin(_, arity) => *arity,
        }
    }

    /// How deep what it captured nests.
    pub fn depth(&self) -> u32 {
        match self {
            Self::Closure(closure) => closure.depth,
            Self::Builtin(..) => 0,
        }
    }

    /// The program it stands in.
    pub fn source(&self) -> Option<&Arc<Source>> {
        match self {
            Self::Closure(closure) => Some(&closure.source),
            Self::Builtin(..) => None,
        }
    }

    /// With the place in this function's program; in another program's text the place is told in words.
    fn error(&self, fault: &Fault) -> FunctionError {
        match self {
            Self::Closure(closure) if Arc::ptr_eq(&closure.source, &fault.source) => {
                let at = (fault.span.start, fault.span.end);
                FunctionError::new(fault.message.as_str()).at(at.0, at.1).in_program(closure.source.clone())
            }
            Self::Closure(_) => FunctionError::new(fault.one_line()),
            Self::Builtin(..) => FunctionError::new(fault.message.as_str()),
        }
    }

    /// The operation it performs, if it is an action and no pure function.
    pub fn effect(&self) -> Option<&str> {
        match self {
            Self::Closure(closure) => closure.fun.effect.as_ref().map(|(name, _)| &**name),
            Self::Builtin(..) => None,
        }
    }
}

/// Its source text on one line.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(builtin, arity) => write!(f, "fun {}/{arity}", builtin.signature.name),
            Self::Closure(closure) => {
                let text = closure.source.slice(closure.fun.span);
                let words: Vec<&str> = text.split_whitespace().collect();
                f.write_str(&words.join(" "))
            }
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({self})")
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Closure({})", self.source.slice(self.fun.span))
    }
}

impl Call for Function {
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        if let Self::Closure(closure) = self
            && let Some(code) = closure.code()
        {
            let mut seen = unset();
            if let Some(done) = code.glance(closure, args, CALL_STEPS, &mut seen) {
                return Ok(value_of(done, seen));
            }
            if let Some(value) = code.call_values(closure, args, CALL_STEPS) {
                return Ok(value);
            }
        }
        self.call_by_tree(args, CALL_STEPS)
    }

    fn describe(&self) -> String {
        self.to_string()
    }

    fn identity(&self) -> Option<Arc<str>> {
        identity::of_function(self).map(Into::into)
    }

    fn equi_join(&self) -> Option<EquiJoin> {
        match self {
            Self::Closure(closure) => equi_join::of(closure),
            Self::Builtin(..) => None,
        }
    }
}

impl Function {
    /// The value by its compiled form alone. `None` if it has none, or gave up: then the tree says what there is to say.
    pub fn call_compiled(&self, args: &[Value], steps: u64) -> Option<Value> {
        let Self::Closure(closure) = self else {
            return None;
        };
        let (code, mut seen) = (closure.code()?, unset());
        match code.glance(closure, args, steps, &mut seen) {
            Some(done) => Some(value_of(done, seen)),
            None => code.call_values(closure, args, steps),
        }
    }

    /// The value by walking the tree alone, which is what a call means; the compiled form is the same, faster.
    ///
    /// # Errors
    /// What failed and where, or that `steps` did not suffice.
    pub fn call_by_tree(&self, args: &[Value], steps: u64) -> Result<Value, FunctionError> {
        let args: Vec<Term> = args.iter().cloned().map(Term::unmeasured).collect();
        let mut machine = Machine::tree(steps);
        let result = machine.call_from_outside(self, args).map_err(|fault| self.error(&fault))?;
        let value = result.to_value();
        value.map_err(|odd| FunctionError::new(format!("the result has {} in it, which is no value", odd.kind())))
    }
}

#[inline]
fn value_of(done: Done, seen: &Value) -> Value {
    match done.kind {
        Kind::Int => Value::Int(done.as_int()),
        Kind::Bool => Value::Bool(done.as_bool()),
        _ => seen.clone(),
    }
}
