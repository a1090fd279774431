//! Evaluating compiled code: calls, limits, expressions and choices.

use super::cell::Cell;
use super::done::{Done, Kind};
use super::operators::Look;
use super::{Body, Code, FunClause, Node, Place, Result, Stop};
use crate::function::Closure;
use crate::machine::arithmetic::Number;
use crate::machine::{DEPTH_MAX, Machine, comparison_steps};
use crate::source::Span;
use crate::term::{Shape, Term};
use lasp_dataflow::Value;

/// What a function is called with.
#[derive(Clone, Copy)]
pub(super) enum Args<'a, 'm> {
    Values(&'a [Value]),
    Terms(&'a [Term]),
    Cells(&'m [Cell<'a>]),
}

impl Args<'_, '_> {
    fn len(self) -> usize {
        match self {
            Self::Values(args) => args.len(),
            Self::Terms(args) => args.len(),
            Self::Cells(args) => args.len(),
        }
    }
}

/// A call under way.
pub(super) struct Run<'a, 'm, 'w> {
    pub(super) closure: &'a Closure,
    /// What was captured just before the call, where no closure was made for it; else the closure has it.
    pub(super) captured: &'m [Cell<'a>],
    /// What is bound, by slot.
    pub(super) frame: &'m mut [Cell<'a>],
    pub(super) machine: &'m mut Machine<'w>,
}

pub(super) fn call(code: &Code, closure: &Closure, args: &[Term], machine: &mut Machine<'_>) -> Result<Term> {
    let mut out = Cell::UNSET;
    let done = enter(code, closure, &[], machine, Args::Terms(args), &mut out);
    Ok(out.resolved(done)?.into_term())
}

pub(super) fn call_values(code: &Code, closure: &Closure, args: &[Value], steps: u64) -> Option<Value> {
    let machine = &mut Machine::compiled(steps);
    machine.charge(1, Span::default()).ok()?;
    let mut out = Cell::UNSET;
    let done = enter(code, closure, &[], machine, Args::Values(args), &mut out);
    match done.kind {
        Kind::Int => Some(Value::Int(done.as_int())),
        Kind::Bool => Some(Value::Bool(done.as_bool())),
        Kind::Elsewhere => out.into_value(),
        Kind::Failed | Kind::Undecided => None,
    }
}

/// Makes a frame, on the stack where it is small, and runs in it. What is no small value is left in `out`.
pub(super) fn enter<'a>(
    code: &'a Code,
    closure: &'a Closure,
    captured: &[Cell<'a>],
    machine: &mut Machine<'_>,
    args: Args<'a, '_>,
    out: &mut Cell<'a>,
) -> Done {
    if args.len() != code.arity {
        return Done::stopped(Stop::Failed);
    }
    let outside = machine.depth;
    machine.depth = outside + 1 + code.depth;
    if machine.depth > DEPTH_MAX {
        return Done::stopped(Stop::Undecided);
    }
    let done = match code.slots {
        0..=2 => {
            let frame = &mut [const { Cell::UNSET }; 2];
            Run { closure, captured, frame, machine: &mut *machine }.clauses(code, args, out)
        }
        3..=6 => {
            let frame = &mut [const { Cell::UNSET }; 6];
            Run { closure, captured, frame, machine: &mut *machine }.clauses(code, args, out)
        }
        7..=16 => {
            let frame = &mut [const { Cell::UNSET }; 16];
            Run { closure, captured, frame, machine: &mut *machine }.clauses(code, args, out)
        }
        slots => {
            let frame = &mut (0..slots).map(|_| Cell::UNSET).collect::<Vec<_>>();
            Run { closure, captured, frame, machine: &mut *machine }.clauses(code, args, out)
        }
    };
    machine.depth = outside;
    done
}

impl<'a> Run<'a, '_, '_> {
    fn clauses(&mut self, code: &'a Code, args: Args<'a, '_>, out: &mut Cell<'a>) -> Done {
        for clause in &code.clauses {
            let taken = self.pay(clause.cost.0).and_then(|()| self.takes(clause, args));
            match taken {
                Ok(true) => return self.outcome(&clause.body, out),
                Ok(false) => {}
                Err(stop) => return Done::stopped(stop),
            }
        }
        Done::stopped(Stop::Failed)
    }

    #[inline]
    fn takes(&mut self, clause: &'a FunClause, args: Args<'a, '_>) -> Result<bool> {
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
            Args::Cells(args) => {
                for (pattern, arg) in clause.patterns.iter().zip(args) {
                    if !self.matches(pattern, arg)? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(clause.guard.0.is_empty() || self.guard(&clause.guard)?)
    }

    // ---- limits ----

    #[inline]
    pub(super) fn pay(&mut self, steps: u64) -> Result<()> {
        self.machine.steps_left = self.machine.steps_left.checked_sub(steps).ok_or(Stop::Undecided)?;
        Ok(())
    }

    pub(super) fn pay_comparison(&mut self, left: &Cell<'a>, right: &Cell<'a>) -> Result<()> {
        if left.is_small() || right.is_small() {
            return Ok(());
        }
        self.pay(comparison_steps(&left.copy().into_term(), &right.copy().into_term()))
    }

    /// The term, measured, as something is built of it.
    pub(super) fn weighed(&mut self, cell: Cell<'a>) -> Result<Term> {
        Ok(self.machine.weigh(cell.into_term(), Span::default())?)
    }

    pub(super) fn admit(&mut self, term: Term) -> Result<Cell<'a>> {
        Ok(Cell::Own(self.machine.admit(term, Span::default())?))
    }

    // ---- results ----

    fn outcome(&mut self, body: &'a Body, out: &mut Cell<'a>) -> Done {
        match self.begin(body).and_then(|()| self.small(&body.last)) {
            Ok(Some(small)) => small,
            Ok(None) => self.large(&body.last, out),
            Err(stop) => Done::stopped(stop),
        }
    }

    /// The value of expressions that mostly give a number or a boolean, if it is one.
    fn small(&mut self, node: &'a Node) -> Result<Option<Done>> {
        match node {
            Node::Compare(operator, operands) => self.compare(*operator, operands).map(|truth| Some(Done::bool(truth))),
            Node::Andalso(_) | Node::Orelse(_) => Ok(self.condition(node)?.map(Done::bool)),
            Node::Calculate(..) => Ok(self.int(node).map(Done::int)),
            Node::Builtin(library, args) => match self.direct_test(&library.0.direct, args) {
                Some(truth) => Ok(Some(Done::bool(truth))),
                None => Ok(self.int(node).map(Done::int)),
            },
            _ => Ok(None),
        }
    }

    fn large(&mut self, node: &'a Node, out: &mut Cell<'a>) -> Done {
        let chosen = match node {
            Node::If(clauses) => self.if_(clauses),
            Node::Case(subject, clauses) => self.case(subject, clauses),
            _ => {
                return match self.eval(node) {
                    Ok(cell) => out.hold(cell),
                    Err(stop) => Done::stopped(stop),
                };
            }
        };
        match chosen {
            Ok(body) => self.outcome(body, out),
            Err(stop) => Done::stopped(stop),
        }
    }

    // ---- expressions ----

    pub(super) fn read(&self, place: Place) -> Cell<'a> {
        match place {
            Place::Slot(slot) => self.frame[slot].copy(),
            Place::Captured(position) => match self.captured.get(position) {
                Some(cell) => cell.copy(),
                None => Cell::borrowed(self.closure.captured.at(position)),
            },
        }
    }

    /// The value of a variable, where it is, if it is a value.
    #[inline]
    pub(super) fn seen(&self, place: Place) -> Option<&Value> {
        match place {
            Place::Slot(slot) => self.frame[slot].data(),
            Place::Captured(position) => match self.captured.get(position) {
                Some(cell) => cell.data(),
                None => self.closure.captured.at(position).data_ref(),
            },
        }
    }

    /// Pays for `body`, and evaluates all but its last expression.
    fn begin(&mut self, body: &'a Body) -> Result<()> {
        self.pay(body.cost.0)?;
        for node in &body.first {
            self.eval(node)?;
        }
        Ok(())
    }

    fn body(&mut self, body: &'a Body) -> Result<Cell<'a>> {
        self.begin(body)?;
        self.eval(&body.last)
    }

    fn sequence(&mut self, first: &'a [Node], last: &'a Node) -> Result<Cell<'a>> {
        for node in first {
            self.eval(node)?;
        }
        self.eval(last)
    }

    pub(super) fn eval(&mut self, node: &'a Node) -> Result<Cell<'a>> {
        match node {
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
            Node::Case(subject, clauses) => {
                let chosen = self.case(subject, clauses)?;
                self.body(chosen)
            }
            Node::If(clauses) => {
                let chosen = self.if_(clauses)?;
                self.body(chosen)
            }
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
}
