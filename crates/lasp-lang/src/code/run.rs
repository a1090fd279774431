//! Evaluating compiled code.

use super::cell::Cell;
use super::{Body, Branch, Code, Comprehension, Entry, FunClause, Guard, Literal, Node, Place, Produced, Result, Step};
use super::{StepKind, Stop};
use crate::ast::{Binary, Collection, Unary};
use crate::env::Env;
use crate::function::{Closure, Function};
use crate::library::Builtin;
use crate::machine::arithmetic::{self, Number, calculate, holds};
use crate::machine::{DEPTH_MAX, Machine, comparison_steps};
use crate::source::Span;
use crate::term::{Shape, Term, compare};
use lasp_dataflow::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a function is called with.
#[derive(Clone, Copy)]
enum Args<'a> {
    Values(&'a [Value]),
    Terms(&'a [Term]),
}

impl Args<'_> {
    fn len(self) -> usize {
        match self {
            Self::Values(args) => args.len(),
            Self::Terms(args) => args.len(),
        }
    }
}

/// A call under way.
pub(super) struct Run<'a, 'm, 'w> {
    pub(super) closure: &'a Closure,
    /// What is bound, by slot.
    pub(super) frame: &'m mut [Cell<'a>],
    pub(super) machine: &'m mut Machine<'w>,
}

pub(super) fn call(code: &Code, closure: &Closure, args: &[Term], machine: &mut Machine<'_>) -> Result<Term> {
    enter(code, closure, machine, Args::Terms(args))
}

#[inline]
pub(super) fn call_values(code: &Code, closure: &Closure, args: &[Value], machine: &mut Machine<'_>) -> Result<Value> {
    machine.charge(1, Span::default())?;
    enter(code, closure, machine, Args::Values(args))
}

/// What a call gives. Booleans and integers get there without a cell.
trait Outcome: Sized {
    fn of(cell: Cell<'_>) -> Result<Self>;
    fn bool(value: bool) -> Self;
    fn int(value: i64) -> Self;
}

impl Outcome for Value {
    fn of(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Borrowed(value, _) => Ok(value.clone()),
            Cell::Own(Term::Data(value, _)) => Ok(value),
            Cell::Own(term) => term.to_value().map_err(|_| Stop::Failed),
        }
    }

    fn bool(value: bool) -> Self {
        Self::Bool(value)
    }

    fn int(value: i64) -> Self {
        Self::Int(value)
    }
}

impl Outcome for Term {
    fn of(cell: Cell<'_>) -> Result<Self> {
        Ok(cell.into_term())
    }

    fn bool(value: bool) -> Self {
        Self::scalar(value)
    }

    fn int(value: i64) -> Self {
        Self::scalar(value)
    }
}

/// Makes a frame, on the stack where it is small, and runs in it.
fn enter<'a, O: Outcome>(code: &'a Code, closure: &'a Closure, machine: &mut Machine<'_>, args: Args<'a>) -> Result<O> {
    if args.len() != code.arity {
        return Err(Stop::Failed);
    }
    let outside = machine.depth;
    machine.depth = outside + 1 + code.depth;
    if machine.depth > DEPTH_MAX {
        return Err(Stop::Undecided);
    }
    let result = match code.slots {
        0..=2 => run(code, closure, machine, &mut [const { Cell::UNSET }; 2], args),
        3..=6 => run(code, closure, machine, &mut [const { Cell::UNSET }; 6], args),
        7..=16 => run(code, closure, machine, &mut [const { Cell::UNSET }; 16], args),
        slots => {
            let mut frame: Vec<Cell<'a>> = (0..slots).map(|_| Cell::UNSET).collect();
            run(code, closure, machine, &mut frame, args)
        }
    };
    machine.depth = outside;
    result
}

#[inline]
fn run<'a, O: Outcome>(
    code: &'a Code,
    closure: &'a Closure,
    machine: &mut Machine<'_>,
    frame: &mut [Cell<'a>],
    args: Args<'a>,
) -> Result<O> {
    let mut run = Run { closure, frame, machine };
    for clause in &code.clauses {
        run.pay(clause.cost.0)?;
        if run.takes(clause, args)? {
            return run.outcome(&clause.body);
        }
    }
    Err(Stop::Failed)
}

impl<'a> Run<'a, '_, '_> {
    fn takes(&mut self, clause: &'a FunClause, args: Args<'a>) -> Result<bool> {
        match args {
            Args::Values(args) => {
                for (pattern, arg) in clause.patterns.iter().zip(args) {
                    if !self.matches_borrowed(pattern, arg, Shape::UNMEASURED.of_part(arg))? {
                        return Ok(false);
                    }
                }
            }
            Args::Terms(args) => {
                for (pattern, arg) in clause.patterns.iter().zip(args) {
                    if !self.matches(pattern, &Cell::borrowed(arg))? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(clause.guard.0.is_empty() || self.guard(&clause.guard)?)
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

    fn outcome<O: Outcome>(&mut self, body: &'a Body) -> Result<O> {
        self.pay(body.cost.0)?;
        for node in &body.first {
            self.eval(node)?;
        }
        match &body.last {
            node @ (Node::Compare(..) | Node::Andalso(_) | Node::Orelse(_)) => {
                if let Some(truth) = self.condition(node)? {
                    return Ok(O::bool(truth));
                }
            }
            node @ Node::Calculate(..) => {
                if let Some(int) = self.int(node) {
                    return Ok(O::int(int));
                }
            }
            _ => {}
        }
        O::of(self.eval(&body.last)?)
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
            Node::Int(int) => Ok(Cell::number_of(Number::Int(*int))),
            Node::Const(constant) => Ok(Cell::borrowed(&constant.0)),
            Node::Read(place) => Ok(self.read(*place)),
            Node::Calculate(operator, operands) => match self.int(node) {
                Some(int) => Ok(Cell::number_of(Number::Int(int))),
                None => Ok(Cell::number_of(self.calculate(*operator, operands)?)),
            },
            Node::Compare(operator, operands) => Ok(Cell::bool(self.compare(*operator, operands)?)),
            Node::Andalso(both) => self.short_circuit(&both.0, &both.1, false),
            Node::Orelse(both) => self.short_circuit(&both.0, &both.1, true),
            Node::Tuple(items) => self.tuple(items),
            Node::Case(subject, clauses) => self.case(subject, clauses),
            Node::If(clauses) => self.if_(clauses),
            Node::Builtin(library, args) => self.library_call(library.0, args),
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

    fn library_call(&mut self, builtin: &'static Builtin, args: &'a [Node]) -> Result<Cell<'a>> {
        let result = match args {
            [one] => {
                let mut args = [self.eval(one)?.into_term()];
                self.machine.builtin(builtin, &mut args, Span::default())?
            }
            [one, other] => {
                let mut args = [self.eval(one)?.into_term(), self.eval(other)?.into_term()];
                self.machine.builtin(builtin, &mut args, Span::default())?
            }
            _ => {
                let mut args = self.terms(args)?;
                self.machine.builtin(builtin, &mut args, Span::default())?
            }
        };
        Ok(Cell::Own(result))
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

    /// The integer that variables, constants and operators alone give; `None` may also mean that they fail.
    fn int(&self, node: &'a Node) -> Option<i64> {
        match node {
            Node::Int(int) => Some(*int),
            Node::Read(Place::Slot(slot)) => match self.frame[*slot].data() {
                Some(Value::Int(int)) => Some(*int),
                _ => None,
            },
            Node::Read(Place::Captured(position)) => self.closure.captured.at(*position).as_int(),
            Node::Calculate(operator, operands) => {
                let (left, right) = (self.int(&operands[0])?, self.int(&operands[1])?);
                match operator {
                    Binary::Add => left.checked_add(right),
                    Binary::Subtract => left.checked_sub(right),
                    Binary::Multiply => left.checked_mul(right),
                    Binary::Div => left.checked_div(right),
                    Binary::Rem if right != 0 => Some(left.wrapping_rem(right)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Looks for a number first, which needs no cell.
    fn operand(&mut self, node: &'a Node) -> Result<Operand<'a>> {
        match node {
            Node::Read(Place::Slot(slot)) => match &self.frame[*slot] {
                Cell::Borrowed(Value::Int(int), _) => Ok(Operand::Number(Number::Int(*int))),
                cell => Ok(Operand::of(cell.copy())),
            },
            Node::Int(int) => Ok(Operand::Number(Number::Int(*int))),
            Node::Const(constant) => Ok(Operand::of(Cell::borrowed(&constant.0))),
            Node::Calculate(operator, operands) => self.calculate(*operator, operands).map(Operand::Number),
            other => Ok(Operand::of(self.eval(other)?)),
        }
    }

    fn number(&mut self, node: &'a Node) -> Result<Number> {
        match node {
            Node::Int(int) => Ok(Number::Int(*int)),
            Node::Read(Place::Slot(slot)) => self.frame[*slot].number(),
            Node::Calculate(operator, operands) => self.calculate(*operator, operands),
            other => self.eval(other)?.number(),
        }
    }

    fn calculate(&mut self, operator: Binary, operands: &'a [Node; 2]) -> Result<Number> {
        let left = self.number(&operands[0])?;
        let right = self.number(&operands[1])?;
        calculate(operator, left, right).map_err(|_| Stop::Failed)
    }

    fn compare(&mut self, operator: Binary, operands: &'a [Node; 2]) -> Result<bool> {
        if let (Some(left), Some(right)) = (self.int(&operands[0]), self.int(&operands[1])) {
            return Ok(match operator {
                Binary::ExactEqual => left == right,
                Binary::ExactNotEqual => left != right,
                other => holds(other, left.cmp(&right)),
            });
        }
        self.compare_other(operator, operands)
    }

    fn compare_other(&mut self, operator: Binary, operands: &'a [Node; 2]) -> Result<bool> {
        let left = self.operand(&operands[0])?;
        let right = self.operand(&operands[1])?;
        if let (Operand::Number(left), Operand::Number(right)) = (&left, &right) {
            return Ok(compare_numbers(operator, *left, *right));
        }
        self.compare_cells(operator, left.into_cell(), right.into_cell())
    }

    fn compare_cells(&mut self, operator: Binary, left: Cell<'a>, right: Cell<'a>) -> Result<bool> {
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
            Node::Andalso(both) | Node::Orelse(both) => match self.condition(&both.0)? {
                None => Err(Stop::Failed),
                Some(value) if value == matches!(node, Node::Orelse(_)) => Ok(Some(value)),
                Some(_) => {
                    self.pay(both.1.cost.0)?;
                    self.condition(&both.1.node)
                }
            },
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
                        if self.matches_borrowed(pattern, item, shape.of_part(item))? {
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

/// An operand of a comparison.
enum Operand<'a> {
    Number(Number),
    Other(Cell<'a>),
}

impl<'a> Operand<'a> {
    fn of(cell: Cell<'a>) -> Self {
        cell.number().map_or(Self::Other(cell), Self::Number)
    }

    fn into_cell(self) -> Cell<'a> {
        match self {
            Self::Number(number) => Cell::number_of(number),
            Self::Other(cell) => cell,
        }
    }
}

fn compare_numbers(operator: Binary, left: Number, right: Number) -> bool {
    match (operator, left, right) {
        (Binary::ExactEqual, Number::Int(a), Number::Int(b)) => a == b,
        (Binary::ExactNotEqual, Number::Int(a), Number::Int(b)) => a != b,
        (operator, Number::Int(a), Number::Int(b)) => holds(operator, a.cmp(&b)),
        (Binary::ExactEqual, ..) => left.value() == right.value(),
        (Binary::ExactNotEqual, ..) => left.value() != right.value(),
        _ => holds(operator, compare(&left.value(), &right.value())),
    }
}

/// Whether comparing it with anything is as good as free.
fn is_small(cell: &Cell<'_>) -> bool {
    matches!(cell.data(), Some(Value::Int(_) | Value::Float(_) | Value::Bool(_)))
}
