//! From a function's syntax tree to its compiled form.
//!
//! Whether a variable in a pattern binds or compares depends on what is bound before it, as the machine finds at run time;
//! here it is followed along. What one branch of a `case` binds and another does not is no longer known afterwards: a
//! function that goes on to use it is left to the machine.

use super::suits::suits;
use super::{
    Body, Branch, CaseClause, Code, Comprehension, Constant, Cost, Entry, FunClause, Guard, Library, Literal, Node,
    Pat, Place, Produced, Scalar, Step, StepKind,
};
use crate::ast::{self, Binary, Callee, Clause, Expr, ExprKind, Fun, MapEntry, Name, Pattern, PatternKind, Qualifier};
use crate::function::Function;
use crate::library::{self, Direct};
use crate::machine::{Machine, literal_value};
use crate::source::Span;
use crate::term::Term;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Only the machine can evaluate it.
struct Unknown;

type Result<T> = std::result::Result<T, Unknown>;

/// A name in sight.
#[derive(Clone)]
struct Bound {
    name: Name,
    place: Place,
    /// Whether it is bound whatever branch was taken.
    surely: bool,
}

struct Compiler {
    /// Names in sight, innermost last.
    names: Vec<Bound>,
    /// Slots that earlier clauses of the enclosing choices gave to names: the same name gets the same slot in each.
    reserved: Vec<(Name, usize)>,
    slots: usize,
    /// How often each name occurs: what occurs once need not be bound.
    mentioned: BTreeMap<Name, usize>,
    /// Steps of the block that is being compiled.
    cost: u64,
    /// Nesting of the expression that is being compiled, and the deepest so far.
    depth: u32,
    deepest: u32,
}

pub(super) fn function(fun: &Fun, captured: Vec<Name>) -> Option<Code> {
    if fun.effect.is_some() {
        return None;
    }
    let names = captured.iter().enumerate().map(|(position, name)| {
        let place = Place::Captured(position);
        Bound { name: name.clone(), place, surely: true }
    });
    let names = names.collect();
    let mut mentioned = BTreeMap::new();
    fun.each_mention(&mut |name| *mentioned.entry(name.clone()).or_default() += 1);
    let mut compiler = Compiler { names, reserved: Vec::new(), slots: 0, mentioned, cost: 0, depth: 0, deepest: 0 };
    let clauses = fun.clauses.iter().map(|clause| compiler.fun_clause(clause)).collect::<Result<Box<[_]>>>().ok()?;
    let Compiler { slots, deepest, .. } = compiler;
    let at_a_glance = suits(&clauses, slots, deepest);
    Some(Code { captured: captured.into(), arity: fun.arity, clauses, slots, depth: deepest, at_a_glance })
}

impl Compiler {
    // ---- names ----

    fn find(&self, name: &str, from: usize) -> Option<&Bound> {
        self.names[from..].iter().rev().find(|bound| *bound.name == *name)
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    fn bind(&mut self, name: &Name, fresh: bool) -> usize {
        let reserved = self.reserved.iter().find(|(known, _)| known == name).map(|(_, slot)| *slot);
        let slot = match reserved {
            Some(slot) if !fresh => slot,
            _ => self.slot(),
        };
        self.names.push(Bound { name: name.clone(), place: Place::Slot(slot), surely: true });
        slot
    }

    fn place(&self, name: &str) -> Result<Place> {
        match self.find(name, 0) {
            Some(Bound { place, surely: true, .. }) => Ok(*place),
            _ => Err(Unknown),
        }
    }

    // ---- blocks ----

    /// What `compile` gives, and the steps it takes.
    fn block<T>(&mut self, compile: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, Cost)> {
        let outer = std::mem::take(&mut self.cost);
        let result = compile(self)?;
        let cost = std::mem::replace(&mut self.cost, outer);
        Ok((result, Cost(cost)))
    }

    fn body(&mut self, body: &[Expr]) -> Result<Body> {
        let (nodes, cost) = self.block(|c| c.all(body))?;
        let (first, last) = split_last(nodes)?;
        Ok(Body { cost, first, last })
    }

    fn guard(&mut self, alternatives: &[Vec<Expr>]) -> Result<Guard> {
        let mark = self.names.len();
        let mut compiled = Vec::new();
        for all in alternatives {
            compiled.push(self.all(all)?);
            self.names.truncate(mark);
        }
        Ok(Guard(compiled.into()))
    }

    fn fun_clause(&mut self, clause: &Clause) -> Result<FunClause> {
        let outside = self.names.len();
        let ((patterns, guard), cost) = self.block(|c| {
            let patterns =
                clause.patterns.iter().map(|pattern| c.pattern(pattern, Some(outside))).collect::<Result<_>>()?;
            Ok((patterns, c.guard(&clause.guard)?))
        })?;
        let body = self.body(&clause.body)?;
        self.names.truncate(outside);
        Ok(FunClause { patterns, guard, cost, body })
    }

    /// Compiles alternatives of which one is taken; afterwards is bound what each of them binds.
    fn branches<T>(
        &mut self,
        clauses: &[Clause],
        mut each: impl FnMut(&mut Self, &Clause) -> Result<T>,
    ) -> Result<Box<[T]>> {
        let (mark, reserved) = (self.names.len(), self.reserved.len());
        let mut compiled = Vec::new();
        let mut bound: Vec<Vec<Bound>> = Vec::new();
        for clause in clauses {
            compiled.push(each(self, clause)?);
            let names = self.names.split_off(mark);
            for Bound { name, place, .. } in &names {
                if let Place::Slot(slot) = place
                    && self.reserved.iter().all(|(known, _)| known != name)
                {
                    self.reserved.push((name.clone(), *slot));
                }
            }
            bound.push(names);
        }
        self.reserved.truncate(reserved);
        for names in &bound {
            for Bound { name, place, .. } in names {
                if self.find(name, mark).is_none() {
                    let everywhere =
                        |names: &Vec<Bound>| names.iter().any(|b| b.name == *name && b.surely && b.place == *place);
                    let surely = bound.iter().all(everywhere);
                    self.names.push(Bound { name: name.clone(), place: *place, surely });
                }
            }
        }
        Ok(compiled.into())
    }

    // ---- expressions ----

    fn all(&mut self, exprs: &[Expr]) -> Result<Box<[Node]>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn boxed(&mut self, expr: &Expr) -> Result<Box<Node>> {
        self.expr(expr).map(Box::new)
    }

    fn expr(&mut self, expr: &Expr) -> Result<Node> {
        self.cost += 1;
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let node = self.kind(&expr.kind)?;
        self.depth -= 1;
        Ok(folded(node))
    }

    fn kind(&mut self, kind: &ExprKind) -> Result<Node> {
        Ok(match kind {
            ExprKind::Literal(literal) => Node::Const(Box::new(Constant(Term::scalar(literal_value(literal))))),
            ExprKind::Variable(name) => Node::Read(self.place(name)?),
            ExprKind::Tuple(items) => Node::Tuple(self.all(items)?),
            ExprKind::List { items, tail } => {
                let items = self.all(items)?;
                Node::List(items, tail.as_ref().map(|tail| self.boxed(tail)).transpose()?)
            }
            ExprKind::Collection(kind, items) => Node::Collection(*kind, self.all(items)?),
            ExprKind::Map { base, entries } => {
                let base = base.as_ref().map(|base| self.boxed(base)).transpose()?;
                Node::Map(base, entries.iter().map(|entry| self.entry(entry)).collect::<Result<_>>()?)
            }
            ExprKind::Bytes(items) => Node::Bytes(self.all(items)?),
            ExprKind::Unary(operator, operand) => Node::Unary(*operator, self.boxed(operand)?),
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right)?,
            ExprKind::Match(pattern, value) => {
                let value = self.expr(value)?;
                Node::Match(Box::new((self.pattern(pattern, None)?, value)))
            }
            ExprKind::Fun(fun) => self.literal(fun)?,
            ExprKind::FunRef { name, arity } => match library::find(name) {
                Some(builtin) if builtin.signature.takes(*arity) => {
                    Node::Const(Box::new(Constant(Term::Function(Function::Builtin(builtin, *arity)))))
                }
                _ => Node::Fail,
            },
            ExprKind::Case(subject, clauses) => self.case(subject, clauses)?,
            ExprKind::If(clauses) => Node::If(self.branches(clauses, |c, clause| {
                let (guard, cost) = c.block(|c| c.guard(&clause.guard))?;
                Ok((guard, cost, c.body(&clause.body)?))
            })?),
            ExprKind::Block(body) => {
                let (first, last) = split_last(self.all(body)?)?;
                Node::Block(first, Box::new(last))
            }
            ExprKind::Comprehension(produced, qualifiers) => self.comprehension(produced, qualifiers)?,
            ExprKind::Call(callee, args) => self.call(callee, args)?,
            ExprKind::Broken => Node::Fail,
        })
    }

    fn entry(&mut self, entry: &MapEntry) -> Result<Entry> {
        Ok(Entry { key: self.expr(&entry.key)?, value: self.expr(&entry.value)?, must_exist: entry.must_exist })
    }

    fn binary(&mut self, operator: Binary, left: &Expr, right: &Expr) -> Result<Node> {
        use Binary as B;
        let first = self.expr(left)?;
        if let B::Andalso | B::Orelse = operator {
            // What the right side binds is bound only if it was evaluated.
            let mark = self.names.len();
            let (node, cost) = self.block(|c| c.expr(right))?;
            self.names[mark..].iter_mut().for_each(|bound| bound.surely = false);
            let both = Box::new((first, Branch { cost, node }));
            return Ok(if operator == B::Andalso { Node::Andalso(both) } else { Node::Orelse(both) });
        }
        let operands = Box::new([first, self.expr(right)?]);
        Ok(match operator {
            B::Add | B::Subtract | B::Multiply | B::Divide | B::Div | B::Rem => Node::Calculate(operator, operands),
            B::Append | B::Without | B::And | B::Or | B::Xor => Node::Binary(operator, operands),
            _ => Node::Compare(operator, operands),
        })
    }

    fn literal(&mut self, fun: &Arc<Fun>) -> Result<Node> {
        let mut captured = Vec::new();
        for name in &fun.free {
            if self.find(name, 0).is_some() {
                captured.push((name.clone(), self.place(name)?));
            }
        }
        fun.compile(|| captured.iter().map(|(name, _)| name.clone()).collect());
        Ok(Node::Closure(Literal { fun: fun.clone(), captured: captured.into() }))
    }

    fn case(&mut self, subject: &Expr, clauses: &[Clause]) -> Result<Node> {
        let subject = self.boxed(subject)?;
        let clauses = self.branches(clauses, |c, clause| {
            let ((pattern, guard), cost) =
                c.block(|c| Ok((c.pattern(&clause.patterns[0], None)?, c.guard(&clause.guard)?)))?;
            Ok(CaseClause { pattern, guard, cost, body: c.body(&clause.body)? })
        })?;
        Ok(Node::Case(subject, clauses))
    }

    fn comprehension(&mut self, produced: &ast::Produced, qualifiers: &[Qualifier]) -> Result<Node> {
        let mark = self.names.len();
        let steps = qualifiers.iter().map(|qualifier| self.qualifier(qualifier)).collect::<Result<_>>()?;
        let (produced, cost) = self.block(|c| {
            Ok(match produced {
                ast::Produced::Element(element) => Produced::Element(c.expr(element)?),
                ast::Produced::Entry(key, value) => Produced::Entry(c.expr(key)?, c.expr(value)?),
            })
        })?;
        self.names.truncate(mark);
        Ok(Node::Comprehension(Box::new(Comprehension { produced, cost, steps })))
    }

    fn qualifier(&mut self, qualifier: &Qualifier) -> Result<Step> {
        let (kind, cost) = self.block(|c| match qualifier {
            Qualifier::Filter(condition) => Ok(StepKind::Filter(c.expr(condition)?)),
            Qualifier::Generate(pattern, list) => {
                let list = c.expr(list)?;
                let outside = c.names.len();
                let (pattern, cost) = c.block(|c| c.pattern(pattern, Some(outside)))?;
                Ok(StepKind::Generate(pattern, cost, list))
            }
            Qualifier::GenerateEntries(key, value, map) => {
                let map = c.expr(map)?;
                let outside = c.names.len();
                let ((key, value), cost) =
                    c.block(|c| Ok((c.pattern(key, Some(outside))?, c.pattern(value, Some(outside))?)))?;
                Ok(StepKind::Entries(key, value, cost, map))
            }
        })?;
        Ok(Step { cost, kind })
    }

    fn call(&mut self, callee: &Callee, args: &[Expr]) -> Result<Node> {
        match callee {
            Callee::Value(function) => {
                let function = self.boxed(function)?;
                Ok(Node::Call(function, self.all(args)?))
            }
            Callee::Named(name, _) => match library::find(name).filter(|builtin| builtin.signature.takes(args.len())) {
                Some(builtin) => {
                    // Parts are looked at where nothing can be paid.
                    self.cost += u64::from(matches!(builtin.direct, Direct::First(_) | Direct::Part(_)));
                    Ok(Node::Builtin(Library(builtin), self.all(args)?))
                }
                None => Err(Unknown),
            },
        }
    }

    // ---- patterns ----

    /// `fresh` is where the names begin that the pattern does not hide.
    fn pattern(&mut self, pattern: &Pattern, fresh: Option<usize>) -> Result<Pat> {
        self.cost += 1;
        Ok(match &pattern.kind {
            PatternKind::Any => Pat::Any,
            PatternKind::Variable(name) => match self.find(name, fresh.unwrap_or(0)) {
                Some(Bound { surely: true, place, .. }) => Pat::Same(*place),
                Some(_) => return Err(Unknown),
                None if self.mentioned.get(name) == Some(&1) => Pat::Any,
                None => Pat::Bind(self.bind(name, fresh.is_some())),
            },
            PatternKind::Literal(literal) => Pat::Literal(Scalar(literal_value(literal))),
            PatternKind::Tuple(items) => Pat::Tuple(self.patterns(items, fresh)?),
            PatternKind::List { items, tail } => {
                let items = self.patterns(items, fresh)?;
                Pat::List(items, tail.as_ref().map(|tail| self.pattern(tail, fresh).map(Box::new)).transpose()?)
            }
            PatternKind::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| Ok((self.expr(key)?, self.pattern(value, fresh)?)));
                Pat::Map(entries.collect::<Result<_>>()?)
            }
            PatternKind::TextPrefix(prefix, rest) => Pat::Prefix(prefix.clone(), Box::new(self.pattern(rest, fresh)?)),
            PatternKind::Both(left, right) => {
                Pat::Both(Box::new([self.pattern(left, fresh)?, self.pattern(right, fresh)?]))
            }
        })
    }

    fn patterns(&mut self, patterns: &[Pattern], fresh: Option<usize>) -> Result<Box<[Pat]>> {
        patterns.iter().map(|pattern| self.pattern(pattern, fresh)).collect()
    }
}

fn split_last(nodes: Box<[Node]>) -> Result<(Box<[Node]>, Node)> {
    let mut nodes = nodes.into_vec();
    let last = nodes.pop().ok_or(Unknown)?;
    Ok((nodes.into(), last))
}

/// The constant that an expression of constants gives, unless it fails. The steps were counted before.
fn folded(node: Node) -> Node {
    let constants: Option<Vec<Term>> = match &node {
        Node::Tuple(items) | Node::List(items, None) => items.iter().map(constant).collect(),
        Node::Calculate(_, operands) => operands.iter().map(constant).collect(),
        Node::Unary(_, operand) => constant(operand).map(|operand| vec![operand]),
        _ => None,
    };
    let Some(mut constants) = constants else {
        return node;
    };
    let machine = &mut Machine::tree(u64::from(u32::MAX));
    let result = match &node {
        Node::Tuple(_) => Some(Term::tuple(constants)),
        Node::List(..) => Some(Term::list(constants)),
        Node::Unary(operator, _) => crate::machine::arithmetic::unary(*operator, &constants[0]).ok(),
        Node::Calculate(operator, _) => {
            let (right, left) = (constants.pop(), constants.pop());
            left.zip(right).and_then(|(l, r)| machine.operate_on(*operator, l, r, Span::default()).ok())
        }
        _ => None,
    };
    match result {
        Some(term) if term.shape().fits() && matches!(term, Term::Data(..)) => Node::Const(Box::new(Constant(term))),
        _ => node,
    }
}

fn constant(node: &Node) -> Option<Term> {
    match node {
        Node::Const(constant) => Some(constant.0.clone()),
        _ => None,
    }
}
