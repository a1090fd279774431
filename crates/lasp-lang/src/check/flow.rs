//! Which variables a program's straight line declares and derives from one another: names declared with two types, and
//! derivations that would be a cycle.
//!
//! Only what runs for certain, and only once, is looked at: the forms themselves, not what stands in functions, branches and
//! comprehensions. Where something in there might undeclare a variable, nothing is said at all.

use super::Checker;
use crate::ast::{Callee, Expr, ExprKind, Literal, Name, PatternKind, Program};
use crate::diagnostic::Diagnostic;
use crate::session::shape;
use crate::show::type_name;
use crate::source::Span;
use lasp_dataflow::Type;
use std::collections::{BTreeMap, BTreeSet};

/// A dataflow variable of the text, by the order in which they come.
type Id = usize;

/// Names that a text declares at most, and derivations it has, for this to be looked at (guess: searching for cycles must stay
/// cheap beside the rest).
const NODES_MAX: usize = 10_000;

/// Variables looked at in one search for a cycle (guess, as above).
const SEARCHED_MAX: usize = 1_000;

/// What is wrong with the dataflow of `program`, as far as its text shows it.
pub(super) fn diagnose(program: &Program) -> Vec<Diagnostic> {
    let mut flow = Flow::default();
    for expr in program.forms.iter().flat_map(|form| &form.body) {
        if flow.is_lost || flow.variables.len() > NODES_MAX {
            break;
        }
        flow.expr(expr);
    }
    flow.diagnostics
}

/// A variable under the name that it was declared with.
#[derive(Debug)]
struct Declared {
    id: Id,
    ty: Option<Type>,
    at: Span,
}

/// That a variable follows from another.
#[derive(Clone, Copy, Debug)]
struct Edge {
    from: Id,
    at: Span,
}

#[derive(Debug, Default)]
struct Flow {
    /// By id: what to call it, and what it follows from.
    variables: Vec<(Option<Name>, Vec<Edge>)>,
    declared: BTreeMap<Name, Declared>,
    /// The variables of the program that stand for one.
    bound: BTreeMap<Name, Id>,
    /// Whether it is no longer known what there is.
    is_lost: bool,
    diagnostics: Vec<Diagnostic>,
}

impl Flow {
    fn fresh(&mut self, name: Option<Name>) -> Id {
        self.variables.push((name, Vec::new()));
        self.variables.len() - 1
    }

    fn called(&self, id: Id, otherwise: &str) -> String {
        let name = self.variables.get(id).and_then(|(name, _)| name.clone());
        name.map_or_else(|| otherwise.to_owned(), |name| name.to_string())
    }

    /// The variable that the expression's value is, if that is known.
    fn expr(&mut self, expr: &Expr) -> Option<Id> {
        match &expr.kind {
            ExprKind::Variable(name) => self.bound.get(name).copied(),
            ExprKind::Match(pattern, value) => {
                let id = self.expr(value);
                if let (PatternKind::Variable(name), Some(id)) = (&pattern.kind, id) {
                    self.variables[id].0.get_or_insert_with(|| name.clone());
                    self.bound.insert(name.clone(), id);
                }
                id
            }
            ExprKind::Block(body) => body.iter().fold(None, |_, expr| self.expr(expr)),
            ExprKind::Call(Callee::Named(name, _), args) if !args.is_empty() => self.call(name, args, expr.span),
            _ => {
                self.uncertain(expr);
                None
            }
        }
    }

    fn call(&mut self, name: &str, args: &[Expr], at: Span) -> Option<Id> {
        if name == "on" {
            args.iter().for_each(|arg| self.uncertain(arg));
            return None;
        }
        let ids: Vec<Option<Id>> = args.iter().map(|arg| self.expr(arg)).collect();
        match name {
            "declare" | "declare_dynamic" => self.declare(args, at),
            "undeclare" => {
                self.undeclare(ids[0]);
                None
            }
            "crash" | "restart" => {
                self.is_lost = true;
                None
            }
            "update" | "bind" => ids[0],
            "bind_to" if args.len() == 2 => {
                self.derive(&ids[1..], ids[0], at);
                ids[0]
            }
            _ => {
                let shape = shape(name)?;
                let inputs: Vec<Option<Id>> =
                    shape.inputs.iter().map(|&input| ids.get(input).copied().flatten()).collect();
                match shape.into.filter(|&into| into < args.len()) {
                    Some(into) => {
                        self.derive(&inputs, ids[into], at);
                        ids[into]
                    }
                    None => {
                        // Nothing follows from it yet: there is no cycle to look for.
                        let id = self.fresh(None);
                        self.follow(&inputs, id, at);
                        Some(id)
                    }
                }
            }
        }
    }

    fn declare(&mut self, args: &[Expr], at: Span) -> Option<Id> {
        let (name, ty) = match args {
            [_] => return Some(self.fresh(None)),
            [name, ty] => (literal_name(name)?, Checker::default().check_type(ty).0),
            _ => return None,
        };
        if let Some(known) = self.declared.get_mut(&name) {
            match (&known.ty, ty) {
                (Some(held), Some(wanted)) if *held != wanted => {
                    let (held, wanted) = (type_name(held), type_name(&wanted));
                    let message = format!("{name} is already declared as {held}, not {wanted}");
                    let clash = Diagnostic::error(at, message)
                        .label(format!("declared as {wanted}"))
                        .related(known.at, format!("declared as {held} here"))
                        .hint("a name stands for one variable in the whole cluster: take another name");
                    self.diagnostics.push(clash);
                }
                (None, ty) => known.ty = ty,
                _ => {}
            }
            return Some(known.id);
        }
        let id = self.fresh(Some(name.clone()));
        self.declared.insert(name, Declared { id, ty, at });
        Some(id)
    }

    fn undeclare(&mut self, gone: Option<Id>) {
        match gone {
            Some(gone) => self.declared.retain(|_, declared| declared.id != gone),
            None => self.is_lost = true,
        }
    }

    /// `into` follows from `inputs`, unless it would follow from itself.
    fn derive(&mut self, inputs: &[Option<Id>], into: Option<Id>, at: Span) {
        let Some(into) = into else { return };
        for &from in inputs.iter().flatten() {
            match self.way(into, from) {
                None => {}
                Some(way) => return self.cycle(into, from, &way, at),
            }
        }
        self.follow(inputs, into, at);
    }

    fn follow(&mut self, inputs: &[Option<Id>], into: Id, at: Span) {
        self.variables[into].1.extend(inputs.iter().flatten().map(|&from| Edge { from, at }));
    }

    /// The derivations by which `to` follows from `from`, the latest first; empty if they are the same.
    fn way(&self, from: Id, to: Id) -> Option<Vec<Edge>> {
        let mut reached: BTreeMap<Id, Edge> = BTreeMap::new();
        let mut seen = BTreeSet::from([to]);
        let mut open = vec![to];
        while let Some(id) = open.pop() {
            if id == from {
                return Some(steps(&reached, from, to));
            }
            if seen.len() > SEARCHED_MAX {
                return None;
            }
            for edge in &self.variables[id].1 {
                if seen.insert(edge.from) {
                    reached.insert(edge.from, Edge { from: id, at: edge.at });
                    open.push(edge.from);
                }
            }
        }
        None
    }

    fn cycle(&mut self, into: Id, from: Id, way: &[Edge], at: Span) {
        let (into, from) = (self.called(into, "what it derives into"), self.called(from, "its input"));
        let cycle = match way.first() {
            None => Diagnostic::error(at, format!("the derivation would be a cycle: {into} would follow from itself")),
            Some(first) => {
                let message = format!("the derivation would be a cycle: {from} already follows from {into}");
                let how = match way.len() {
                    1 => format!("{from} follows from {into} here"),
                    n => format!("{from} follows from {into} by {n} derivations, of which this is one"),
                };
                Diagnostic::error(at, message).related(first.at, how)
            }
        };
        self.diagnostics.push(cycle.hint("derive into another variable, or leave it out and take the result"));
    }

    /// What may or may not run: all that matters is whether it could take a variable away.
    fn uncertain(&mut self, expr: &Expr) {
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            if let ExprKind::Call(Callee::Named(name, _), _) = &expr.kind
                && matches!(&**name, "undeclare" | "crash" | "restart")
            {
                self.is_lost = true;
            }
            expr.kind.each_child(&mut |child| open.push(child));
        }
    }
}

/// The derivations on the way from `from` to `to`, of which `reached` tells the next one.
fn steps(reached: &BTreeMap<Id, Edge>, from: Id, to: Id) -> Vec<Edge> {
    let mut way = Vec::new();
    let mut id = from;
    while id != to {
        let Some(edge) = reached.get(&id) else { break };
        way.push(*edge);
        id = edge.from;
    }
    way
}

fn literal_name(expr: &Expr) -> Option<Name> {
    match &expr.kind {
        ExprKind::Literal(Literal::Atom(name) | Literal::Text(name)) => Some(name.clone()),
        _ => None,
    }
}
