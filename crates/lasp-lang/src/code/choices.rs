//! Guards, `case`, `if` and conditions of compiled code.

use super::cell::Cell;
use super::operators::Look;
use super::run::Run;
use super::{Body, Branch, CaseClause, Cost, Guard, Node, Result, Stop};
use lasp_dataflow::Value;

impl<'a> Run<'a, '_, '_> {
    /// Whether one of the alternatives holds; what fails is false.
    pub(super) fn guard(&mut self, guard: &'a Guard) -> Result<bool> {
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

    /// What is evaluated of a `case`.
    pub(super) fn case(&mut self, subject: &'a Node, clauses: &'a [CaseClause]) -> Result<&'a Body> {
        let subject = self.eval(subject)?;
        for clause in clauses {
            self.pay(clause.cost.0)?;
            if self.matches(&clause.pattern, &subject)? && self.guard(&clause.guard)? {
                return Ok(&clause.body);
            }
        }
        Err(Stop::Failed)
    }

    /// What is evaluated of an `if`.
    pub(super) fn if_(&mut self, clauses: &'a [(Guard, Cost, Body)]) -> Result<&'a Body> {
        for (guard, cost, body) in clauses {
            self.pay(cost.0)?;
            if self.guard(guard)? {
                return Ok(body);
            }
        }
        Err(Stop::Failed)
    }

    /// The value of a condition, if it is a boolean.
    pub(super) fn condition(&mut self, node: &'a Node) -> Result<Option<bool>> {
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
            Node::Read(place) => Ok(self.seen(*place).and_then(truth)),
            Node::Const(constant) => Ok(constant.0.as_bool()),
            Node::Builtin(library, args) => match self.direct_test(&library.0.direct, args) {
                Some(truth) => Ok(Some(truth)),
                None => Ok(self.library_call(library.0, args)?.bool_value()),
            },
            other => Ok(self.eval(other)?.bool_value()),
        }
    }

    pub(super) fn short_circuit(&mut self, left: &'a Node, right: &'a Branch, decisive: bool) -> Result<Cell<'a>> {
        match self.condition(left)? {
            None => Err(Stop::Failed),
            Some(value) if value == decisive => Ok(Cell::bool(value)),
            Some(_) => {
                self.pay(right.cost.0)?;
                self.eval(&right.node)
            }
        }
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        _ => None,
    }
}
