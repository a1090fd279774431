//! Functions as values: a literal with what it captured, or a library function.
//!
//! A pure one is a [`Call`] that derivations can use: total, as each call has a step limit, and the same on every node.

use crate::ast::Fun;
use crate::env::Env;
use crate::fault::Fault;
use crate::library::Builtin;
use crate::machine::{CALL_STEPS, Machine};
use crate::source::Source;
use crate::term::Term;
use lasp_dataflow::{Call, FunctionError, Value};
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
}

impl Closure {
    /// `fun` as it stands in `source`, with what it uses of `env`.
    pub fn new(fun: &Arc<Fun>, source: &Arc<Source>, env: &Env) -> Self {
        let captured = env.capture(&fun.free);
        let depth = captured.iter().map(|(_, term)| term.shape().depth + 1).max().unwrap_or(0);
        Self { fun: fun.clone(), source: source.clone(), captured, depth }
    }

    /// How deep what it captured nests.
    pub fn depth(&self) -> u32 {
        self.depth
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
                FunctionError::new(fault.message.as_str()).at(fault.span.start, fault.span.end)
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
        let args: Vec<Term> = args.iter().cloned().map(Term::data).collect();
        let mut machine = Machine::pure(CALL_STEPS);
        let result = machine.call_from_outside(self, args).map_err(|fault| self.error(&fault))?;
        let value = result.to_value();
        value.map_err(|odd| FunctionError::new(format!("the result has {} in it, which is no value", odd.kind())))
    }

    fn describe(&self) -> String {
        self.to_string()
    }
}
