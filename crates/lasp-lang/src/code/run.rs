//! Evaluating compiled code.

use super::cell::Cell;
use super::{Body, Branch, Code, Comprehension, Entry, FunClause, Guard, Literal, Node, Place, Produced, Result, Step};
use super::{StepKind, Stop};
use crate::ast::{Binary, Collection, Unary};
use crate::env::Env;
use crate::function::{Closure, Function};
use crate::machine::arithmetic::{self, calculate, holds};
use crate::machine::{DEPTH_MAX, Machine, comparison_steps};
use crate::source::Span;
use crate::term::{Shape, Term, compare};
use lasp_dataflow::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A call under way.
pub(super) struct Run<'a, 'm, 'w> {
    pub(super) closure: &'a Closure,
    /// What is bound, by slot.
    pub(super) frame: &'m mut [Cell<'a>],
    pub(super) machine: &'m mut Machine<'w>,
}

pub(super) fn call(code: &Code, closure: &Closure, args: &[Term], machine: &mut Machine<'_>) -> Result<Term> {
    let result = enter(code, closure, machine, &|index| args.get(index).map(Cell::borrowed), args.len());
    result.map(Cell::into_term)
}

pub(super) fn call_values(code: &Code, closure: &Closure, args: &[Value], machine: &mut Machine<'_>) -> Result<Value> {
    machine.charge(1, Span::default())?;
    let result = enter(code, closure, machine, &|index| args.get(index).map(Cell::argument), args.len());
    match result? {
        Cell::Borrowed(value, _) => Ok(value.clone()),
        Cell::Own(Term::Data(value, _)) => Ok(value),
        Cell::Own(term) => term.to_value().map_err(|_| Stop::Failed),
    }
}

/// Makes a frame, on the stack where it is small, and runs in it.
fn enter<'a>(
    code: &'a Code,
    closure: &'a Closure,
    machine: &mut Machine<'_>,
    argument: &dyn Fn(usize) -> Option<Cell<'a>>,
    given: usize,
) -> Result<Cell<'a>> {
    if given != code.arity {
        return Err(Stop::Failed);
    }
    let outside = machine.depth;
    machine.depth = outside + 1 + code.depth;
    if machine.depth > DEPTH_MAX {
        return Err(Stop::Undecided);
    }
    let result = match code.slots {
        0..=4 => run(code, closure, machine, &mut [const { Cell::UNSET }; 4], argument),
        5..=16 => run(code, closure, machine, &mut [const { Cell::UNSET }; 16], argument),
        slots => {
            let mut frame: Vec<Cell<'a>> = (0..slots).map(|_| Cell::UNSET).collect();
            run(code, closure, machine, &mut frame, argument)
        }
    };
    machine.depth = outside;
    result
}

fn run<'a>(
    code: &'a Code,
    closure: &'a Closure,
    machine: &mut Machine<'_>,
    frame: &mut [Cell<'a>],
    argument: &dyn Fn(usize) -> Option<Cell<'a>>,
) -> Result<Cell<'a>> {
    let mut run = Run { closure, frame, machine };
    for clause in &code.clauses {
        run.pay(clause.cost.0)?;
        if run.takes(clause, argument)? {
            return run.body(&clause.body);
        }
    }
    Err(Stop::Failed)
}

impl<'a> Run<'a, '_, '_> {
    fn takes(&mut self, clause: &'a FunClause, argument: &dyn Fn(usize) -> Option<Cell<'a>>) -> Result<bool> {
        for (index, pattern) in clause.patterns.iter().enumerate() {
            let arg = argument(index).ok_or(Stop::Failed)?;
            if !self.matches(pattern, &arg)? {
                return Ok(false);
            }
        }
        self.guard(&clause.guard)
    }

    // ---- limits ----

    pub(super) fn pay(&mut self, steps: u64) -> Result<()> {
        self.machine.steps_left = self.machine.steps_left.checked_sub(steps).ok_or(Stop::Undecided)?;
        Ok(())
    }

    pub(super) fn pay_comparison(&mut self, left: &Cell<'a>, right: &Cell<'a>) -> Result<()> {
        if is_small(left) || is_small(right) {
            return Ok(());
        }
        self.pay(comparison_steps(&left.copy().into_term(), &right.copy().into_term()))
    }

    /// The term, measured, as something is built of it.
    fn weighed(&mut self, cell: Cell<'a>) -> Result<Term> {
        Ok(self.machine.weigh(cell.into_term(), Span::default())?)
    }

    fn admit(&mut self, term: Term) -> Result<Cell<'a>> {
        Ok(Cell::Own(self.machine.admit(term, Span::default())?))
    }

    // ---- expressions ----

    pub(super) fn read(&self, place: Place) -> Cell<'a> {
        match place {
            Place::Slot(slot) => self.frame[slot].copy(),
            Place::Captured(position) => Cell::borrowed(self.closure.captured.at(position)),
        }
    }

    fn body(&mut self, body: &'a Body) -> Result<Cell<'a>> {
        self.pay(body.cost.0)?;
        self.sequence(&body.first, &body.last)
    }

    fn sequence(&mut self, first: &'a [Node], last: &'a Node) -> Result<Cell<'a>> {
        for node in first {
            self.eval(node)?;
        }
        self.eval(last)
    }

    fn branch(&mut self, branch: &'a Branch) -> Result<Cell<'a>> {
        self.pay(branch.cost.0)?;
        self.eval(&branch.node)
    }

    pub(super) fn eval(&mut self, node: &'a Node) -> Result<Cell<'a>> {
        match node {
            Node::Const(constant) => Ok(Cell::borrowed(&constant.0)),
            Node::Read(place) => Ok(self.read(*place)),
            Node::Calculate(operator, operands) => self.calculate(*operator, operands),
            Node::Compare(operator, operands) => Ok(Cell::bool(self.compare(*operator, operands)?)),
            Node::Andalso(both) => self.short_circuit(&both.0, &both.1, false),
            Node::Orelse(both) => self.short_circuit(&both.0, &both.1, true),
            Node::Tuple(items) => self.tuple(items),
            Node::Case(subject, clauses) => self.case(subject, clauses),
            Node::If(clauses) => self.if_(clauses),
            Node::Builtin(library, args) => {
                let args = self.terms(args)?;
                Ok(Cell::Own(self.machine.builtin(library.0, args, Span::default())?))
            }
            Node::Match(both) => {
                let value = self.eval(&both.1)?;
                if self.matches(&both.0, &value)? { Ok(value) } else { Err(Stop::Failed) }
            }
            Node::Block(first, last) => self.sequence(first, last),
            _ => self.eval_rare(node),
        }
    }

    /// Apart, so that the frequent ones need little of the stack.
    fn eval_rare(&mut self, node: &'a Node) -> Result<Cell<'a>> {
        match node {
            Node::Comprehension(comprehension) => self.comprehension(comprehension),
            Node::Call(function, args) => self.call(function, args),
            Node::List(items, tail) => self.list(items, tail.as_deref()),
            Node::Map(base, entries) => self.map(base.as_deref(), entries),
            Node::Unary(operator, operand) => self.unary(*operator, operand),
            Node::Binary(operator, operands) => {
                let (left, right) = (self.eval(&operands[0])?.into_term(), self.eval(&operands[1])?.into_term());
                Ok(Cell::Own(self.machine.operate_on(*operator, left, right, Span::default())?))
            }
            Node::Closure(literal) => self.literal(literal),
            Node::Collection(kind, items) => self.collection(*kind, items),
            Node::Bytes(items) => self.bytes(items),
            _ => Err(Stop::Failed),
        }
    }

    fn terms(&mut self, nodes: &'a [Node]) -> Result<Vec<Term>> {
        let mut terms = Vec::with_capacity(nodes.len());
        for node in nodes {
            terms.push(self.eval(node)?.into_term());
        }
        Ok(terms)
    }

    fn call(&mut self, function: &'a Node, args: &'a [Node]) -> Result<Cell<'a>> {
        let function = self.eval(function)?;
        let args = self.terms(args)?;
        match function {
            Cell::Own(Term::Function(function)) => {
                Ok(Cell::Own(self.machine.apply(&function, args, Span::default())?))
            }
            _ => Err(Stop::Failed),
        }
    }

    fn literal(&mut self, literal: &'a Literal) -> Result<Cell<'a>> {
        let captured = literal.captured.iter().map(|(name, place)| (name.clone(), self.read(*place).into_term()));
        let captured = Env::of(captured.collect());
        let closure = Closure::new(&literal.fun, self.closure.source.clone(), captured);
        self.admit(Term::Function(Function::Closure(Arc::new(closure))))
    }

    // ---- operators ----

    /// Both operands, the left one evaluated first.
    fn operands(&mut self, operands: &'a [Node; 2]) -> Result<[Cell<'a>; 2]> {
        Ok([self.eval(&operands[0])?, self.eval(&operands[1])?])
    }

    fn number(&mut self, node: &'a Node) -> Result<arithmetic::Number> {
        match node {
            Node::Read(Place::Slot(slot)) => self.frame[*slot].number(),
            other => self.eval(other)?.number(),
        }
    }

    fn calculate(&mut self, operator: Binary, operands: &'a [Node; 2]) -> Result<Cell<'a>> {
        let left = self.number(&operands[0])?;
        let right = self.number(&operands[1])?;
        let value = calculate(operator, left, right).map_err(|_| Stop::Failed)?;
        Ok(Cell::Own(Term::Data(value, Shape::SCALAR)))
    }

    fn compare(&mut self, operator: Binary, operands: &'a [Node; 2]) -> Result<bool> {
        let [left, right] = self.operands(operands)?;
        if let (Some(Value::Int(a)), Some(Value::Int(b))) = (left.data(), right.data()) {
            return Ok(match operator {
                Binary::ExactEqual => a == b,
                Binary::ExactNotEqual => a != b,
                other => holds(other, a.cmp(b)),
            });
        }
        self.pay_comparison(&left, &right)?;
        match (operator, left.data(), right.data()) {
            (Binary::ExactEqual, Some(a), Some(b)) => Ok(a == b),
            (Binary::ExactNotEqual, Some(a), Some(b)) => Ok(a != b),
            (operator, Some(a), Some(b)) => Ok(holds(operator, compare(a, b))),
            (operator, ..) => {
                let result = self.machine.operate_on(operator, left.into_term(), right.into_term(), Span::default())?;
                result.as_bool().ok_or(Stop::Failed)
            }
        }
    }

    /// The value of a condition.
    fn condition(&mut self, node: &'a Node) -> Result<Option<bool>> {
        match node {
            Node::Compare(operator, operands) => self.compare(*operator, operands).map(Some),
            other => Ok(self.eval(other)?.bool_value()),
        }
    }

    fn short_circuit(&mut self, left: &'a Node, right: &'a Branch, decisive: bool) -> Result<Cell<'a>> {
        match self.condition(left)? {
            None => Err(Stop::Failed),
            Some(value) if value == decisive => Ok(Cell::bool(value)),
            Some(_) => self.branch(right),
        }
    }

    fn unary(&mut self, operator: Unary, operand: &'a Node) -> Result<Cell<'a>> {
        let operand = self.eval(operand)?;
        if let (Unary::Not, Some(value)) = (operator, operand.bool_value()) {
            return Ok(Cell::bool(!value));
        }
        arithmetic::unary(operator, &operand.into_term()).map(Cell::Own).map_err(|_| Stop::Failed)
    }

    // ---- structures ----

    fn tuple(&mut self, items: &'a [Node]) -> Result<Cell<'a>> {
        match items {
            [a, b] => {
                let (a, b) = (self.eval(a)?, self.eval(b)?);
                let (a, b) = (self.weighed(a)?, self.weighed(b)?);
                let shape = Shape::over([a.shape(), b.shape()].into_iter());
                match (a, b) {
                    (Term::Data(a, _), Term::Data(b, _)) => self.admit(Term::Data(Value::pair(a, b), shape)),
                    (a, b) => self.admit(Term::tuple(vec![a, b])),
                }
            }
            items => {
                let items = self.parts(items)?;
                self.admit(Term::tuple(items))
            }
        }
    }

    /// Terms that something is built of.
    fn parts(&mut self, nodes: &'a [Node]) -> Result<Vec<Term>> {
        let mut parts = Vec::with_capacity(nodes.len());
        for node in nodes {
            let cell = self.eval(node)?;
            parts.push(self.weighed(cell)?);
        }
        Ok(parts)
    }

    fn list(&mut self, items: &'a [Node], tail: Option<&'a Node>) -> Result<Cell<'a>> {
        let mut elements = self.parts(items)?;
        if let Some(tail) = tail {
            let rest = self.eval(tail)?;
            let rest = self.weighed(rest)?.as_list().ok_or(Stop::Failed)?;
            self.pay(rest.len() as u64)?;
            elements.extend(rest);
        }
        self.admit(Term::list(elements))
    }

    fn collection(&mut self, kind: Collection, items: &'a [Node]) -> Result<Cell<'a>> {
        let items = self.parts(items)?;
        let values = items.iter().map(|item| item.to_value().map_err(|_| Stop::Failed)).collect::<Result<_>>()?;
        let term = match (kind, Term::set(values)) {
            (Collection::Many, Term::Set(values, shape)) => Term::Many(values, shape),
            (_, set) => set,
        };
        self.admit(term)
    }

    fn value(&mut self, node: &'a Node) -> Result<Value> {
        let cell = self.eval(node)?;
        let term = self.weighed(cell)?;
        term.to_value().map_err(|_| Stop::Failed)
    }

    fn map(&mut self, base: Option<&'a Node>, entries: &'a [Entry]) -> Result<Cell<'a>> {
        let mut map = BTreeMap::new();
        if let Some(base) = base {
            let base = self.eval(base)?;
            let base = self.weighed(base)?;
            self.pay(u64::from(base.shape().weight))?;
            map = base.as_map().ok_or(Stop::Failed)?;
        }
        for entry in entries {
            let key = self.value(&entry.key)?;
            let value = self.eval(&entry.value)?;
            let value = self.weighed(value)?;
            if entry.must_exist && !map.contains_key(&key) {
                return Err(Stop::Failed);
            }
            map.insert(key, value);
        }
        self.admit(Term::map(map))
    }

    fn bytes(&mut self, items: &'a [Node]) -> Result<Cell<'a>> {
        let mut bytes = Vec::new();
        for item in items {
            match self.eval(item)?.data() {
                Some(Value::Bytes(part)) => bytes.extend_from_slice(part),
                Some(Value::Text(text)) => bytes.extend_from_slice(text.as_bytes()),
                Some(Value::Int(byte @ 0..=255)) => bytes.push(*byte as u8),
                _ => return Err(Stop::Failed),
            }
        }
        Ok(Cell::Own(Term::scalar(Value::bytes(bytes))))
    }

    // ---- choices ----

    /// Whether one of the alternatives holds; what fails is false.
    fn guard(&mut self, guard: &'a Guard) -> Result<bool> {
        for all in &guard.0 {
            if self.all_true(all)? {
                return Ok(true);
            }
        }
        Ok(guard.0.is_empty())
    }

    fn all_true(&mut self, conditions: &'a [Node]) -> Result<bool> {
        for condition in conditions {
            match self.condition(condition) {
                Ok(Some(true)) => {}
                Ok(_) | Err(Stop::Failed) => return Ok(false),
                Err(Stop::Undecided) => return Err(Stop::Undecided),
            }
        }
        Ok(true)
    }

    fn case(&mut self, subject: &'a Node, clauses: &'a [super::CaseClause]) -> Result<Cell<'a>> {
        let subject = self.eval(subject)?;
        for clause in clauses {
            self.pay(clause.cost.0)?;
            if self.matches(&clause.pattern, &subject)? && self.guard(&clause.guard)? {
                return self.body(&clause.body);
            }
        }
        Err(Stop::Failed)
    }

    fn if_(&mut self, clauses: &'a [(Guard, super::Cost, Body)]) -> Result<Cell<'a>> {
        for (guard, cost, body) in clauses {
            self.pay(cost.0)?;
            if self.guard(guard)? {
                return self.body(body);
            }
        }
        Err(Stop::Failed)
    }

    // ---- comprehensions ----

    fn comprehension(&mut self, comprehension: &'a Comprehension) -> Result<Cell<'a>> {
        match &comprehension.produced {
            Produced::Element(element) => {
                let mut items = Vec::new();
                self.generate(&comprehension.steps, &mut |run| {
                    run.pay(comprehension.cost.0)?;
                    let item = run.eval(element)?;
                    items.push(run.weighed(item)?);
                    Ok(())
                })?;
                self.admit(Term::list(items))
            }
            Produced::Entry(key, value) => {
                let mut entries = BTreeMap::new();
                self.generate(&comprehension.steps, &mut |run| {
                    run.pay(comprehension.cost.0)?;
                    let key = run.value(key)?;
                    let value = run.eval(value)?;
                    entries.insert(key, run.weighed(value)?);
                    Ok(())
                })?;
                self.admit(Term::map(entries))
            }
        }
    }

    fn generate(&mut self, steps: &'a [Step], produce: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let Some((first, later)) = steps.split_first() else {
            return produce(self);
        };
        self.pay(first.cost.0)?;
        match &first.kind {
            StepKind::Filter(condition) => match self.condition(condition)? {
                Some(true) => self.generate(later, produce),
                Some(false) => Ok(()),
                None => Err(Stop::Failed),
            },
            StepKind::Generate(pattern, cost, list) => match self.eval(list)? {
                Cell::Borrowed(Value::List(items), shape) => {
                    for item in items.iter() {
                        self.pay(cost.0)?;
                        if self.matches(pattern, &Cell::part(item, shape))? {
                            self.generate(later, produce)?;
                        }
                    }
                    Ok(())
                }
                Cell::Borrowed(..) => Err(Stop::Failed),
                Cell::Own(term) => {
                    for index in 0..term.list_len().ok_or(Stop::Failed)? {
                        self.pay(cost.0)?;
                        let item = Cell::Own(term.list_get(index).expect("it has so many"));
                        if self.matches(pattern, &item)? {
                            self.generate(later, produce)?;
                        }
                    }
                    Ok(())
                }
            },
            StepKind::Entries(key, value, cost, map) => {
                let map = self.eval(map)?;
                let entries = map.into_term().as_map().ok_or(Stop::Failed)?;
                for (k, v) in entries {
                    self.pay(cost.0)?;
                    if self.matches(key, &Cell::Own(Term::data(k)))? && self.matches(value, &Cell::Own(v))? {
                        self.generate(later, produce)?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Whether comparing it with anything is as good as free.
fn is_small(cell: &Cell<'_>) -> bool {
    matches!(cell.data(), Some(Value::Int(_) | Value::Float(_) | Value::Bool(_)))
}
