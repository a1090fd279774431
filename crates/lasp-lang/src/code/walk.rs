//! Library functions that call a function for each element of a list, where that function is written in their call: it
//! runs where it stands, without becoming a term, and so do its arguments. Steps are paid as the library pays them.

use super::cell::Cell;
use super::done::Kind;
use super::glance::{self, Around};
use super::run::{Args, Run, enter};
use super::{Code, Literal, Node, Result, Stop};
use crate::library::{Builtin, Walk};
use crate::machine::DEPTH_MAX;
use crate::source::Span;
use crate::term::{Shape, Term};
use lasp_dataflow::Value;

/// A function captures at most so many variables to be run in place (guess).
const CAPTURED_MAX: usize = 4;

/// A function literal with what it captured.
struct Inner<'a> {
    code: &'a Code,
    captured: [Cell<'a>; CAPTURED_MAX],
    /// How many it captured.
    many: usize,
}

impl<'a> Run<'a, '_, '_> {
    /// The result of the library function that `walk` is; `None` where the library itself has to be called.
    pub(super) fn walk(&mut self, walk: Walk, builtin: &'static Builtin, args: &'a [Node]) -> Option<Result<Cell<'a>>> {
        match (walk, args) {
            (Walk::Member, [wanted, list]) => Some(self.member(builtin, wanted, list)),
            (Walk::FoldLeft | Walk::FoldRight, [Node::Closure(literal), accumulator, list]) => {
                let inner = self.inner(literal)?;
                Some(self.fold(&inner, accumulator, list, walk == Walk::FoldRight))
            }
            (_, [Node::Closure(literal), list]) => {
                let inner = self.inner(literal)?;
                Some(match walk {
                    Walk::Map => self.map_each(&inner, list),
                    Walk::Filter => self.filter(&inner, list),
                    _ => self.search(&inner, list, walk == Walk::Any),
                })
            }
            _ => None,
        }
    }

    fn inner(&self, literal: &'a Literal) -> Option<Inner<'a>> {
        let names = literal.captured.iter().map(|(name, _)| name);
        let code = literal.fun.compiled().filter(|code| code.fits(names))?;
        let mut captured = [const { Cell::UNSET }; CAPTURED_MAX];
        if literal.captured.len() > captured.len() {
            return None;
        }
        for (cell, (_, place)) in captured.iter_mut().zip(&literal.captured) {
            *cell = self.read(*place);
            // These nest functions in functions, which has its own limit.
            if matches!(cell, Cell::Own(Term::Function(_) | Term::Mixed(..))) {
                return None;
            }
        }
        Some(Inner { code, captured, many: literal.captured.len() })
    }

    // ---- the walks ----

    fn fold(&mut self, inner: &Inner<'a>, start: &'a Node, list: &'a Node, backwards: bool) -> Result<Cell<'a>> {
        let mut accumulator = self.eval(start)?;
        let list = self.eval(list)?;
        let len = self.elements(&list)?;
        for step in 0..len {
            let item = element(&list, if backwards { len - 1 - step } else { step })?;
            accumulator = self.call_inner(inner, &[item, accumulator])?;
        }
        self.admitted(accumulator)
    }

    fn map_each(&mut self, inner: &Inner<'a>, list: &'a Node) -> Result<Cell<'a>> {
        let list = self.eval(list)?;
        let len = self.elements(&list)?;
        let mut images = Vec::with_capacity(len);
        for index in 0..len {
            images.push(self.call_inner(inner, &[element(&list, index)?])?.into_term());
        }
        self.admit(Term::list(images))
    }

    fn filter(&mut self, inner: &Inner<'a>, list: &'a Node) -> Result<Cell<'a>> {
        let list = self.eval(list)?;
        let list = self.weighed_cell(list)?;
        let mut kept = Vec::new();
        for index in 0..self.elements(&list)? {
            let item = element(&list, index)?;
            if self.ask(inner, &item)? {
                kept.push(item.into_term());
            }
        }
        self.admit(Term::list(kept))
    }

    /// Whether the answer is `wanted` for an element.
    fn search(&mut self, inner: &Inner<'a>, list: &'a Node, wanted: bool) -> Result<Cell<'a>> {
        let list = self.eval(list)?;
        for index in 0..self.elements(&list)? {
            if self.ask(inner, &element(&list, index)?)? == wanted {
                return Ok(Cell::bool(wanted));
            }
        }
        Ok(Cell::bool(!wanted))
    }

    fn member(&mut self, builtin: &'static Builtin, wanted: &'a Node, list: &'a Node) -> Result<Cell<'a>> {
        let (wanted, list) = (self.eval(wanted)?, self.eval(list)?);
        let wanted = self.weighed_cell(wanted)?;
        let list = self.weighed_cell(list)?;
        if let (Some(items), Some(value)) = (list.elements(), wanted.data()) {
            self.elements(&list)?;
            return Ok(Cell::bool(items.contains(value)));
        }
        let args = &mut [wanted.into_term(), list.into_term()];
        Ok(Cell::Own(self.machine.builtin(builtin, args, Span::default())?))
    }

    // ---- steps ----

    /// How many elements `list` has, which are paid for.
    fn elements(&mut self, list: &Cell<'a>) -> Result<usize> {
        let len = list.list_len().ok_or(Stop::Failed)?;
        self.pay((u64::from(list.shape_known().weight) / 16).max(len as u64))?;
        Ok(len)
    }

    /// As [`Self::weighed`], without making a term of what is none.
    fn weighed_cell(&mut self, cell: Cell<'a>) -> Result<Cell<'a>> {
        match cell {
            Cell::Borrowed(value, shape) if !shape.is_measured() => {
                let shape = Shape::measure(value);
                self.pay(u64::from(shape.weight.min(Shape::WEIGHT_MAX) / 16))?;
                Ok(Cell::Borrowed(value, shape))
            }
            Cell::Own(Term::Data(_, shape)) if !shape.is_measured() => Ok(Cell::Own(self.weighed(cell)?)),
            measured => Ok(measured),
        }
    }

    fn admitted(&mut self, cell: Cell<'a>) -> Result<Cell<'a>> {
        if cell.shape_known().fits() { Ok(cell) } else { self.admit(cell.into_term()) }
    }

    fn call_inner(&mut self, inner: &Inner<'a>, args: &[Cell<'a>]) -> Result<Cell<'a>> {
        // As this also looks whether someone wants it to stop.
        self.machine.charge(1, Span::default())?;
        let captured = &inner.captured[..inner.many];
        if let Some(result) = self.glance(inner.code, captured, args) {
            return Ok(result);
        }
        let mut out = Cell::UNSET;
        let done = enter(inner.code, self.closure, captured, self.machine, Args::Cells(args), &mut out);
        let result = out.resolved(done)?;
        self.weighed_cell(result)
    }

    /// A small result, at first sight.
    fn glance(&mut self, code: &Code, captured: &[Cell<'a>], args: &[Cell<'a>]) -> Option<Cell<'a>> {
        let around = Around { env: &self.closure.captured, cells: captured };
        let (mut out, mut steps) = (glance::unset(), self.machine.steps_left);
        let done = match args {
            _ if !code.at_a_glance || self.machine.depth + 1 + code.depth > DEPTH_MAX => return None,
            [one] => glance::call(code, &around, &[one.data()?], &mut steps, &mut out)?,
            [one, other] => glance::call(code, &around, &[one.data()?, other.data()?], &mut steps, &mut out)?,
            _ => return None,
        };
        let result = match done.kind {
            Kind::Int => Cell::int(done.as_int()),
            Kind::Bool => Cell::bool(done.as_bool()),
            _ => return None,
        };
        self.machine.steps_left = steps;
        Some(result)
    }

    fn ask(&mut self, inner: &Inner<'a>, item: &Cell<'a>) -> Result<bool> {
        let answer = self.call_inner(inner, &[item.copy()])?;
        answer.bool_value().ok_or(Stop::Failed)
    }
}

fn element<'a>(list: &Cell<'a>, index: usize) -> Result<Cell<'a>> {
    match list {
        Cell::Borrowed(Value::List(items), shape) => items.get(index).map(|item| Cell::part(item, *shape)),
        Cell::Borrowed(..) => None,
        Cell::Own(term) => term.list_get(index).map(Cell::Own),
    }
    .ok_or(Stop::Failed)
}
