//! The first attempt at a call: for functions that only look at their arguments, and give a number, a boolean or a value
//! that is there already. Every variable is a reference; nothing is copied, built or owned, so that a call costs little
//! more than what it looks at. Where that will not do, as for floats and failures, [`Run`](super::run::Run) starts anew.

use super::cell::Cell;
use super::done::Done;
use super::operators::{Look, default_of, is_short};
use super::{Body, CaseClause, Code, Cost, FunClause, Guard, Node, Pat, Place};
use crate::ast::Unary;
use crate::env::Env;
use crate::library::Direct;
use lasp_dataflow::Value;

/// Functions with more variables are not looked at here (guess).
pub(super) const SLOTS_MAX: usize = 8;

static UNSET: Value = Value::Bool(false);

/// A reference to nothing in particular.
pub(crate) fn unset() -> &'static Value {
    &UNSET
}

/// A call under way.
struct Glance<'v, 'f> {
    /// What is bound, by slot.
    frame: &'f mut [&'v Value],
    around: &'f Around<'v>,
    steps_left: u64,
}

/// What the function captured: cells, or, if there are none, what its closure holds.
#[derive(Clone, Copy)]
pub(super) struct Around<'v> {
    pub(super) env: &'v Env,
    pub(super) cells: &'v [Cell<'v>],
}

/// What `code` gives, its steps taken off `steps`; of what is neither an integer nor a boolean, the value is in `out`.
#[inline]
pub(super) fn call<'v>(
    code: &'v Code,
    around: &Around<'v>,
    args: &[&'v Value],
    steps: &mut u64,
    out: &mut &'v Value,
) -> Option<Done> {
    if args.len() != code.arity {
        return None;
    }
    if code.slots <= 4 {
        let mut glance = Glance { frame: &mut [&UNSET; 4], around, steps_left: *steps };
        glance.clauses(&code.clauses, args, steps, out)
    } else {
        let mut glance = Glance { frame: &mut [&UNSET; SLOTS_MAX], around, steps_left: *steps };
        glance.clauses(&code.clauses, args, steps, out)
    }
}

impl<'v> Glance<'v, '_> {
    fn clauses(
        &mut self,
        clauses: &'v [FunClause],
        args: &[&'v Value],
        steps: &mut u64,
        out: &mut &'v Value,
    ) -> Option<Done> {
        for clause in clauses {
            self.pay(clause.cost.0)?;
            if self.takes(clause, args)? {
                let done = self.result(&clause.body, out)?;
                *steps = self.steps_left;
                return Some(done);
            }
        }
        None
    }

    #[inline(always)]
    fn takes(&mut self, clause: &'v FunClause, args: &[&'v Value]) -> Option<bool> {
        for (pattern, arg) in clause.patterns.iter().zip(args) {
            if !self.match_one(pattern, arg)? {
                return Some(false);
            }
        }
        self.holds(&clause.guard)
    }

    fn result(&mut self, mut body: &'v Body, out: &mut &'v Value) -> Option<Done> {
        loop {
            self.pay(body.cost.0)?;
            body = match &body.last {
                Node::Compare(operator, operands) => return self.compare_seen(*operator, operands).map(Done::bool),
                Node::Calculate(operator, operands) => return self.int_calculated(*operator, operands).map(Done::int),
                node @ (Node::Andalso(_) | Node::Orelse(_) | Node::Unary(..)) => {
                    return self.truth_made(node).map(Done::bool);
                }
                Node::If(clauses) => self.chosen_if(clauses)?,
                Node::Case(subject, clauses) => self.chosen_case(self.value(subject)?, clauses)?,
                node @ Node::Builtin(library, args) => {
                    return match &library.0.direct {
                        direct @ (Direct::Test(_) | Direct::Tests(_)) => self.direct_test(direct, args).map(Done::bool),
                        direct @ (Direct::Int(_) | Direct::Ints(_)) => self.direct_int(direct, args).map(Done::int),
                        _ => self.found(node, out),
                    };
                }
                node => return self.found(node, out),
            };
        }
    }

    fn chosen_if(&mut self, clauses: &'v [(Guard, Cost, Body)]) -> Option<&'v Body> {
        for (guard, cost, body) in clauses {
            self.pay(cost.0)?;
            if self.holds(guard)? {
                return Some(body);
            }
        }
        None
    }

    fn chosen_case(&mut self, subject: &'v Value, clauses: &'v [CaseClause]) -> Option<&'v Body> {
        for clause in clauses {
            self.pay(clause.cost.0)?;
            if self.match_one(&clause.pattern, subject)? && self.holds(&clause.guard)? {
                return Some(&clause.body);
            }
        }
        None
    }

    fn found(&self, node: &'v Node, out: &mut &'v Value) -> Option<Done> {
        Some(match self.value(node)? {
            Value::Int(int) => Done::int(*int),
            Value::Bool(truth) => Done::bool(*truth),
            value => {
                *out = value;
                Done::ELSEWHERE
            }
        })
    }

    #[inline(always)]
    fn seen(&self, place: Place) -> Option<&'v Value> {
        match place {
            Place::Slot(slot) => Some(self.frame[slot]),
            Place::Captured(position) => match self.around.cells.get(position) {
                Some(cell) => cell.data(),
                None => self.around.env.at(position).data_ref(),
            },
        }
    }

    /// A value that is there already.
    #[inline(always)]
    fn value(&self, node: &'v Node) -> Option<&'v Value> {
        match node {
            Node::Read(place) => self.seen(*place),
            Node::Const(constant) => constant.0.data_ref(),
            Node::Builtin(library, args) => self.part(&library.0.direct, args),
            _ => None,
        }
    }

    #[inline(never)]
    fn part(&self, direct: &Direct, args: &'v [Node]) -> Option<&'v Value> {
        match (direct, args) {
            (Direct::First(part), [whole]) => part(self.value(whole)?),
            (Direct::Part(part), [which, whole]) => part(self.value(which)?, self.value(whole)?),
            (Direct::Part(part), [which, whole, default]) => {
                let (which, whole, default) = (self.value(which)?, self.value(whole)?, self.value(default)?);
                part(which, whole).or_else(|| default_of(whole, default))
            }
            _ => None,
        }
    }

    // ---- conditions ----

    #[inline(always)]
    fn holds(&mut self, guard: &'v Guard) -> Option<bool> {
        if guard.0.is_empty() {
            return Some(true);
        }
        for all in &guard.0 {
            if self.all_true(all)? {
                return Some(true);
            }
        }
        Some(false)
    }

    fn all_true(&mut self, conditions: &'v [Node]) -> Option<bool> {
        for condition in conditions {
            if !self.truth(condition)? {
                return Some(false);
            }
        }
        Some(true)
    }

    #[inline(always)]
    fn truth(&mut self, node: &'v Node) -> Option<bool> {
        match node {
            Node::Compare(operator, operands) => self.compare_seen(*operator, operands),
            node => self.truth_made(node),
        }
    }

    /// Apart, as it calls itself.
    #[inline(never)]
    fn truth_made(&mut self, node: &'v Node) -> Option<bool> {
        match node {
            Node::Compare(operator, operands) => self.compare_seen(*operator, operands),
            Node::Andalso(both) | Node::Orelse(both) => {
                let left = self.truth(&both.0)?;
                if left == matches!(node, Node::Orelse(_)) {
                    return Some(left);
                }
                self.pay(both.1.cost.0)?;
                self.truth(&both.1.node)
            }
            Node::Unary(Unary::Not, operand) => self.truth(operand).map(|truth| !truth),
            Node::Builtin(library, args) if library.0.direct.is_test() => self.direct_test(&library.0.direct, args),
            node => match self.value(node)? {
                Value::Bool(truth) => Some(*truth),
                _ => None,
            },
        }
    }

    // ---- patterns ----

    fn matches(&mut self, pattern: &'v Pat, value: &'v Value) -> Option<bool> {
        Some(match pattern {
            Pat::Any => true,
            Pat::Bind(slot) => {
                self.frame[*slot] = value;
                true
            }
            Pat::Literal(literal) => *value == literal.0,
            Pat::Tuple(patterns) => match value {
                Value::Tuple(fields) if fields.len() == patterns.len() => {
                    return self.match_all(patterns, fields);
                }
                _ => false,
            },
            Pat::List(patterns, tail) => match value {
                Value::List(items) if items.len() == patterns.len() => return self.match_all(patterns, items),
                Value::List(items) if tail.is_some() && items.len() > patterns.len() => {
                    self.pay((items.len() - patterns.len()) as u64)?;
                    return self.match_all(patterns, items);
                }
                _ => false,
            },
            Pat::Map(entries) => {
                let Value::Map(map) = value else {
                    return Some(false);
                };
                for (key, pattern) in entries {
                    match map.get(self.value(key)?) {
                        Some(found) if self.matches(pattern, found)? => {}
                        _ => return Some(false),
                    }
                }
                true
            }
            Pat::Same(place) => {
                let bound = self.seen(*place)?;
                if !is_short(bound) && !is_short(value) {
                    return None;
                }
                bound == value
            }
            Pat::Both(both) => self.matches(&both[0], value)? && self.matches(&both[1], value)?,
            Pat::Prefix(..) => return None,
        })
    }

    /// As [`Self::matches`] for the patterns of parameters and of a `case`, with the most frequent ones in place.
    #[inline(always)]
    fn match_one(&mut self, pattern: &'v Pat, value: &'v Value) -> Option<bool> {
        match (pattern, value) {
            (Pat::Any, _) => Some(true),
            (Pat::Bind(slot), _) => {
                self.frame[*slot] = value;
                Some(true)
            }
            (Pat::Tuple(patterns), Value::Tuple(fields)) if patterns.len() == fields.len() => {
                self.match_all(patterns, fields)
            }
            (Pat::Tuple(_), _) => Some(false),
            (other, _) => self.matches(other, value),
        }
    }

    #[inline(always)]
    fn match_all(&mut self, patterns: &'v [Pat], values: &'v [Value]) -> Option<bool> {
        for (pattern, value) in patterns.iter().zip(values) {
            let matched = match pattern {
                Pat::Any => true,
                Pat::Bind(slot) => {
                    self.frame[*slot] = value;
                    true
                }
                other => self.matches(other, value)?,
            };
            if !matched {
                return Some(false);
            }
        }
        Some(true)
    }
}

impl<'v> Look<'v> for Glance<'v, '_> {
    #[inline(always)]
    fn leaf<'s>(&'s self, node: &'v Node) -> Option<&'s Value> {
        self.value(node)
    }

    #[inline(always)]
    fn pay(&mut self, steps: u64) -> Option<()> {
        self.steps_left = self.steps_left.checked_sub(steps)?;
        Some(())
    }
}
