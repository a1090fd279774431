//! Calls in compiled code: of library functions, directly on values where they can be, and of functions as values.

use super::cell::Cell;
use super::operators::direct_steps;
use super::run::Run;
use super::{Literal, Node, Result, Stop};
use crate::env::Env;
use crate::function::{Closure, Function};
use crate::library::{Builtin, Direct};
use crate::source::Span;
use crate::term::Term;
use lasp_dataflow::Value;
use std::sync::Arc;

impl<'a> Run<'a, '_, '_> {
    pub(super) fn library_call(&mut self, builtin: &'static Builtin, args: &'a [Node]) -> Result<Cell<'a>> {
        if let Direct::Walk(walk) = builtin.direct
            && let Some(result) = self.walk(walk, builtin, args)
        {
            return result;
        }
        let result = match args {
            [one] => {
                let one = self.eval(one)?;
                if let Some(result) = self.direct_one(builtin, &one)? {
                    return Ok(result);
                }
                self.machine.builtin(builtin, &mut [one.into_term()], Span::default())?
            }
            [one, other] => {
                let (one, other) = (self.eval(one)?, self.eval(other)?);
                if let Some(result) = self.direct_two(builtin, &one, &other)? {
                    return Ok(result);
                }
                self.machine.builtin(builtin, &mut [one.into_term(), other.into_term()], Span::default())?
            }
            _ => {
                let mut args = self.terms(args)?;
                self.machine.builtin(builtin, &mut args, Span::default())?
            }
        };
        Ok(Cell::Own(result))
    }

    fn direct_one(&mut self, builtin: &Builtin, one: &Cell<'a>) -> Result<Option<Cell<'a>>> {
        let Some(value) = one.data() else {
            return Ok(None);
        };
        let found = match &builtin.direct {
            Direct::Test(test) => test(value).map(Cell::bool),
            Direct::Int(measure) => measure(value).map(Cell::int),
            Direct::First(part) => one.part_by(part),
            _ => None,
        };
        self.pay(direct_steps(value))?;
        Ok(found)
    }

    fn direct_two(&mut self, builtin: &Builtin, one: &Cell<'a>, other: &Cell<'a>) -> Result<Option<Cell<'a>>> {
        let (Some(left), Some(right)) = (one.data(), other.data()) else {
            return Ok(None);
        };
        let found = match (&builtin.direct, left, right) {
            (Direct::Tests(test), ..) => test(left, right).map(Cell::bool),
            (Direct::Ints(measure), Value::Int(left), Value::Int(right)) => measure(*left, *right).map(Cell::int),
            (Direct::Part(part), ..) => other.part_by(|whole| part(left, whole)),
            _ => return Ok(None),
        };
        self.pay(direct_steps(left) + direct_steps(right))?;
        Ok(found)
    }

    fn terms(&mut self, nodes: &'a [Node]) -> Result<Vec<Term>> {
        let mut terms = Vec::with_capacity(nodes.len());
        for node in nodes {
            terms.push(self.eval(node)?.into_term());
        }
        Ok(terms)
    }

    pub(super) fn call(&mut self, function: &'a Node, args: &'a [Node]) -> Result<Cell<'a>> {
        let function = self.eval(function)?;
        let args = self.terms(args)?;
        match function {
            Cell::Own(Term::Function(function)) => {
                Ok(Cell::Own(self.machine.apply(&function, args, Span::default())?))
            }
            _ => Err(Stop::Failed),
        }
    }

    pub(super) fn literal(&mut self, literal: &'a Literal) -> Result<Cell<'a>> {
        let captured = literal.captured.iter().map(|(name, place)| (name.clone(), self.read(*place).into_term()));
        let captured = Env::of(captured.collect());
        let closure = Closure::new(&literal.fun, self.closure.source.clone(), captured);
        self.admit(Term::Function(Function::Closure(Arc::new(closure))))
    }
}
