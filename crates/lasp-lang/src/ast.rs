//! What a program is after parsing. Every node keeps its span.
//!
//! Expressions know their own depth, which the parser bounds, so that everything that walks a tree (the checker, the
//! evaluator, even the destructor) may recurse.

use crate::code::Code;
use crate::source::Span;
use crate::token::Keyword;
use std::sync::{Arc, OnceLock};

/// A program: its forms in order.
#[derive(Debug)]
pub struct Program {
    /// The forms, including the broken ones.
    pub forms: Vec<Form>,
}

/// Expressions separated by commas and ended by `.`; its value is that of the last one.
#[derive(Debug)]
pub struct Form {
    /// The expressions, at least one unless broken.
    pub body: Vec<Expr>,
    /// From the first token to the `.`.
    pub span: Span,
    /// Whether part of it could not be parsed.
    pub broken: bool,
}

/// A name of a variable or atom.
pub type Name = Arc<str>;

/// An expression with its place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
    depth: u16,
}

impl Expr {
    /// The deepest tree the parser lets through.
    pub const DEPTH_MAX: u16 = 200;

    /// A node over its children.
    pub fn new(kind: ExprKind, span: Span) -> Self {
        let mut deepest = 0;
        kind.each_child(&mut |child| deepest = deepest.max(child.depth));
        Self { kind, span, depth: deepest.saturating_add(1) }
    }

    /// How many nodes the longest path down has, this one included.
    pub fn depth(&self) -> u16 {
        self.depth
    }
}

/// The kinds of expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number, text, bytes, atom or boolean.
    Literal(Literal),
    /// A variable.
    Variable(Name),
    /// `{A, B}`.
    Tuple(Vec<Expr>),
    /// `[A, B | Tail]`.
    List {
        /// The leading elements.
        items: Vec<Expr>,
        /// What follows them.
        tail: Option<Box<Expr>>,
    },
    /// `set[A, B]` or `mv[A, B]`: the printed form of query results, readable again.
    Collection(Collection, Vec<Expr>),
    /// `#{K => V}` or `Base#{K => V, K := V}`.
    Map {
        /// The map that is updated.
        base: Option<Box<Expr>>,
        /// The entries in order.
        entries: Vec<MapEntry>,
    },
    /// `<<"ab", 255>>`.
    Bytes(Vec<Expr>),
    /// `-X`, `not X`.
    Unary(Unary, Box<Expr>),
    /// `A + B` and so on.
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// `Pattern = Value`.
    Match(Box<Pattern>, Box<Expr>),
    /// `fun(X) -> X end`.
    Fun(Arc<Fun>),
    /// `fun lists:sum/1`.
    FunRef {
        /// The function's full name.
        name: Name,
        /// How many arguments.
        arity: usize,
    },
    /// `case X of ... end`.
    Case(Box<Expr>, Vec<Clause>),
    /// `if G -> E; ... end`; clauses without patterns.
    If(Vec<Clause>),
    /// `begin A, B end`.
    Block(Vec<Expr>),
    /// `[E || ...]` or `#{K => V || ...}`.
    Comprehension(Box<Produced>, Vec<Qualifier>),
    /// `f(A)`, `lists:sum(L)`, `F(A)`.
    Call(Callee, Vec<Expr>),
    /// What could not be parsed; never evaluated.
    Broken,
}

impl ExprKind {
    /// Visits the direct sub-expressions, those in clauses, patterns and guards included, in source order.
    pub fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::Literal(_) | Self::Variable(_) | Self::FunRef { .. } | Self::Broken => {}
            Self::Tuple(items) | Self::Collection(_, items) | Self::Bytes(items) | Self::Block(items) => {
                items.iter().for_each(visit);
            }
            Self::List { items, tail } => items.iter().chain(tail.as_deref()).for_each(visit),
            Self::Map { base, entries } => {
                base.as_deref().into_iter().for_each(&mut *visit);
                entries.iter().flat_map(|entry| [&entry.key, &entry.value]).for_each(visit);
            }
            Self::Unary(_, operand) => visit(operand),
            Self::Binary(_, left, right) => [left, right].into_iter().for_each(|e| visit(e)),
            Self::Match(pattern, value) => {
                pattern.each_expr(visit);
                visit(value);
            }
            Self::Fun(fun) => fun.clauses.iter().for_each(|clause| clause.each_expr(visit)),
            Self::Case(subject, clauses) => {
                visit(subject);
                clauses.iter().for_each(|clause| clause.each_expr(visit));
            }
            Self::If(clauses) => clauses.iter().for_each(|clause| clause.each_expr(visit)),
            Self::Comprehension(produced, qualifiers) => {
                qualifiers.iter().for_each(|qualifier| qualifier.each_expr(visit));
                produced.each_expr(visit);
            }
            Self::Call(callee, args) => {
                if let Callee::Value(function) = callee {
                    visit(function);
                }
                args.iter().for_each(visit);
            }
        }
    }

    /// Visits the patterns directly inside, except those of a function's clauses.
    pub fn each_pattern<'a>(&'a self, visit: &mut dyn FnMut(&'a Pattern)) {
        match self {
            Self::Match(pattern, _) => visit(pattern),
            Self::Case(_, clauses) => clauses.iter().flat_map(|clause| &clause.patterns).for_each(visit),
            Self::Comprehension(_, qualifiers) => {
                for qualifier in qualifiers {
                    match qualifier {
                        Qualifier::Generate(pattern, _) => visit(pattern),
                        Qualifier::GenerateEntries(key, value, _) => [key, value].into_iter().for_each(&mut *visit),
                        Qualifier::Filter(_) => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// A literal value.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `true`, `false`.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A finite float.
    Float(f64),
    /// An atom.
    Atom(Name),
    /// `"text"`.
    Text(Arc<str>),
    /// The text in `<<"...">>`.
    Bytes(Arc<[u8]>),
}

/// The collections that only queries produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// `set[...]`.
    Set,
    /// `mv[...]`: concurrent values.
    Many,
}

/// `K => V`, or `K := V` where K must be present.
#[derive(Clone, Debug)]
pub struct MapEntry {
    /// The key.
    pub key: Expr,
    /// The value.
    pub value: Expr,
    /// Written with `:=`.
    pub must_exist: bool,
}

/// Operators before one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `-X`.
    Minus,
    /// `+X`.
    Plus,
    /// `not X`.
    Not,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, always a float.
    Divide,
    /// `div`
    Div,
    /// `rem`
    Rem,
    /// `++`
    Append,
    /// `--`
    Without,
    /// `==`: numbers by value.
    Equal,
    /// `/=`
    NotEqual,
    /// `=:=`: an integer is no float.
    ExactEqual,
    /// `=/=`
    ExactNotEqual,
    /// `<`
    Less,
    /// `=<`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `and`
    And,
    /// `or`
    Or,
    /// `xor`
    Xor,
    /// `andalso`
    Andalso,
    /// `orelse`
    Orelse,
}

impl Binary {
    /// How it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Div => Keyword::Div.as_str(),
            Self::Rem => Keyword::Rem.as_str(),
            Self::Append => "++",
            Self::Without => "--",
            Self::Equal => "==",
            Self::NotEqual => "/=",
            Self::ExactEqual => "=:=",
            Self::ExactNotEqual => "=/=",
            Self::Less => "<",
            Self::LessEqual => "=<",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::And => Keyword::And.as_str(),
            Self::Or => Keyword::Or.as_str(),
            Self::Xor => Keyword::Xor.as_str(),
            Self::Andalso => Keyword::Andalso.as_str(),
            Self::Orelse => Keyword::Orelse.as_str(),
        }
    }
}

/// A function literal.
#[derive(Debug)]
pub struct Fun {
    /// Its clauses, all of one arity; at least one.
    pub clauses: Vec<Clause>,
    /// How many arguments it takes.
    pub arity: usize,
    /// From `fun` to `end`.
    pub span: Span,
    /// Variables of the surroundings that it may use, ascending.
    pub free: Vec<Name>,
    /// The first operation (`update`, `query`, ...) inside, if any: such a function is an action, not a pure function.
    pub effect: Option<(Name, Span)>,
    compiled: OnceLock<Option<Code>>,
}

impl Fun {
    /// A function literal.
    pub fn new(clauses: Vec<Clause>, arity: usize, span: Span, free: Vec<Name>, effect: Option<(Name, Span)>) -> Self {
        Self { clauses, arity, span, free, effect, compiled: OnceLock::new() }
    }

    /// Visits every mention of a variable, in patterns, expressions and the functions inside.
    pub(crate) fn each_mention(&self, visit: &mut dyn FnMut(&Name)) {
        fn walk(expr: &Expr, visit: &mut dyn FnMut(&Name)) {
            match &expr.kind {
                ExprKind::Variable(name) => visit(name),
                ExprKind::Fun(fun) => return fun.each_mention(visit),
                kind => kind.each_pattern(&mut |pattern| pattern.each_variable(&mut |name, _| visit(name))),
            }
            expr.kind.each_child(&mut |child| walk(child, visit));
        }
        for clause in &self.clauses {
            clause.patterns.iter().for_each(|pattern| pattern.each_variable(&mut |name, _| visit(name)));
            clause.each_expr(&mut |expr| walk(expr, visit));
        }
    }

    /// Compiles it, the first time, as it stands where these of its free names are bound.
    pub(crate) fn compile(&self, bound: impl FnOnce() -> Vec<Name>) -> Option<&Code> {
        self.compiled.get_or_init(|| Code::compile(self, bound())).as_ref()
    }

    /// The compiled form, if it has been made.
    pub(crate) fn compiled(&self) -> Option<&Code> {
        self.compiled.get()?.as_ref()
    }
}

/// `Patterns when Guard -> Body`.
#[derive(Clone, Debug)]
pub struct Clause {
    /// One pattern per argument.
    pub patterns: Vec<Pattern>,
    /// Alternatives of conjunctions; empty if there is no guard.
    pub guard: Vec<Vec<Expr>>,
    /// At least one expression.
    pub body: Vec<Expr>,
    /// The whole clause.
    pub span: Span,
}

impl Clause {
    /// Visits the expressions directly inside: in patterns, guard and body.
    pub fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.patterns.iter().for_each(|pattern| pattern.each_expr(visit));
        self.guard.iter().flatten().for_each(&mut *visit);
        self.body.iter().for_each(visit);
    }
}

/// What a comprehension yields for each combination.
#[derive(Clone, Debug)]
pub enum Produced {
    /// An element of a list.
    Element(Expr),
    /// An entry of a map; a later one replaces an earlier one with the same key.
    Entry(Expr, Expr),
}

impl Produced {
    fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::Element(element) => visit(element),
            Self::Entry(key, value) => [key, value].into_iter().for_each(visit),
        }
    }
}

/// One part of a comprehension, left of the later ones.
#[derive(Clone, Debug)]
pub enum Qualifier {
    /// `Pattern <- List`; what does not match is skipped.
    Generate(Pattern, Expr),
    /// `Key := Value <- Map`.
    GenerateEntries(Pattern, Pattern, Expr),
    /// A condition.
    Filter(Expr),
}

impl Qualifier {
    fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::Generate(pattern, list) => {
                pattern.each_expr(visit);
                visit(list);
            }
            Self::GenerateEntries(key, value, map) => {
                key.each_expr(visit);
                value.each_expr(visit);
                visit(map);
            }
            Self::Filter(condition) => visit(condition),
        }
    }
}

/// What is called.
#[derive(Clone, Debug)]
pub enum Callee {
    /// A function or operation by its full name, `update` or `lists:sum`.
    Named(Name, Span),
    /// The value of an expression.
    Value(Box<Expr>),
}

/// A pattern with its place.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of pattern.
#[derive(Clone, Debug)]
pub enum PatternKind {
    /// `_`.
    Any,
    /// A variable: binds if unbound, else must equal.
    Variable(Name),
    /// Must equal exactly.
    Literal(Literal),
    /// A tuple of this arity.
    Tuple(Vec<Pattern>),
    /// A list that starts so.
    List {
        /// The leading elements.
        items: Vec<Pattern>,
        /// What follows them; without it the list ends there.
        tail: Option<Box<Pattern>>,
    },
    /// A map that has these keys.
    Map(Vec<(Expr, Pattern)>),
    /// `"prefix" ++ Rest`.
    TextPrefix(Arc<str>, Box<Pattern>),
    /// `P = Q`: both.
    Both(Box<Pattern>, Box<Pattern>),
}

impl Pattern {
    /// Visits the expressions inside: the keys of map patterns.
    pub fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            PatternKind::Any | PatternKind::Variable(_) | PatternKind::Literal(_) => {}
            PatternKind::Tuple(items) => items.iter().for_each(|item| item.each_expr(visit)),
            PatternKind::List { items, tail } => {
                items.iter().chain(tail.as_deref()).for_each(|item| item.each_expr(visit));
            }
            PatternKind::Map(entries) => {
                for (key, value) in entries {
                    visit(key);
                    value.each_expr(visit);
                }
            }
            PatternKind::TextPrefix(_, rest) => rest.each_expr(visit),
            PatternKind::Both(left, right) => [left, right].into_iter().for_each(|p| p.each_expr(visit)),
        }
    }

    /// Visits the variables it names, with their places, in source order.
    pub fn each_variable<'a>(&'a self, visit: &mut dyn FnMut(&'a Name, Span)) {
        match &self.kind {
            PatternKind::Any | PatternKind::Literal(_) => {}
            PatternKind::Variable(name) => visit(name, self.span),
            PatternKind::Tuple(items) => items.iter().for_each(|item| item.each_variable(visit)),
            PatternKind::List { items, tail } => {
                items.iter().chain(tail.as_deref()).for_each(|item| item.each_variable(visit));
            }
            PatternKind::Map(entries) => entries.iter().for_each(|(_, value)| value.each_variable(visit)),
            PatternKind::TextPrefix(_, rest) => rest.each_variable(visit),
            PatternKind::Both(left, right) => [left, right].into_iter().for_each(|p| p.each_variable(visit)),
        }
    }
}
