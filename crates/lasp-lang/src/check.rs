//! What can be known about a program before it runs: names, arities, types of variables, operations they offer.
//!
//! The checker never rejects what could run: where something is not known it says nothing. It goes on after every error.

mod calls;
mod derivations;
mod flow;
mod literals;
mod scope;

use crate::ast::{
    Binary, Callee, Clause, Expr, ExprKind, Fun, Literal, Name, Pattern, PatternKind, Produced, Program, Qualifier,
};
use crate::diagnostic::Diagnostic;
use crate::env::Env;
use crate::lexer::tokenize;
use crate::library;
use crate::parse::parse;
use crate::show::type_name;
use crate::source::{Source, Span};
use crate::suggest::nearest;
use crate::token::Token;
use lasp_dataflow::Type;
use scope::Scope;
use std::collections::BTreeMap;

pub use crate::installable::installable;

/// Everything that is wrong with a program, by place.
pub fn diagnose(source: &Source) -> Vec<Diagnostic> {
    let parsed = parse(source);
    let mut diagnostics = parsed.diagnostics;
    diagnostics.extend(Checker::default().check(&parsed.program, source));
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    bounded(diagnostics)
}

/// The first thousand, and how many more there are: nobody reads them all, and each is shown with its lines.
pub(crate) fn bounded(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    const SHOWN_MAX: usize = 1_000;
    // A warning must not push out the errors.
    if diagnostics.len() > SHOWN_MAX {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.span.start));
        let more = diagnostics.split_off(SHOWN_MAX);
        if let Some(first) = more.first() {
            let message = format!("{} more are not shown; this is the first of them: {}", more.len(), first.message);
            diagnostics.push(Diagnostic { message, ..first.clone() });
        }
    }
    diagnostics
}

/// What is known of an expression's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Known {
    /// Nothing.
    Unknown,
    /// A variable of this type.
    Variable {
        /// The type.
        ty: Type,
        /// Whether each node has one for itself, or derives it from such a one.
        dynamic: bool,
    },
    /// A function of this many arguments.
    Function(usize),
    /// Something that is no variable and no function: its kind with the article.
    Value(&'static str),
}

impl Known {
    /// A variable that all nodes have.
    fn variable(ty: Type) -> Self {
        Self::Variable { ty, dynamic: false }
    }

    fn is_dynamic(&self) -> bool {
        matches!(self, Self::Variable { dynamic: true, .. })
    }

    fn describe(&self) -> String {
        match self {
            Self::Unknown => "a value".to_owned(),
            Self::Variable { ty, .. } => format!("a variable of type {}", type_name(ty)),
            Self::Function(1) => "a function of one argument".to_owned(),
            Self::Function(arity) => format!("a function of {arity} arguments"),
            Self::Value(kind) => (*kind).to_owned(),
        }
    }
}

/// A place where a program's variable stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Its name.
    pub name: Name,
    /// Where.
    pub span: Span,
    /// Where it is bound: the same place in a pattern that binds it; `None` if that is not in this text.
    pub bound_at: Option<Span>,
    /// Its type, if it is known to be a dataflow variable.
    pub ty: Option<Type>,
    /// What is known of it, in words.
    pub what: String,
}

/// All that can be said about a text without running it.
#[derive(Debug)]
pub struct Analysis {
    /// The program, as far as it could be read.
    pub program: Program,
    /// What is wrong with it, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Its variables, by place.
    pub occurrences: Vec<Occurrence>,
    /// For places that bind a variable which other clauses bind, too: the place that stands for all of them.
    joined: BTreeMap<Span, Span>,
}

impl Analysis {
    /// Reads and checks a program.
    pub fn of(source: &Source) -> Self {
        let parsed = parse(source);
        let mut checker = Checker { occurrences: Some(Vec::new()), ..Checker::default() };
        let mut diagnostics = parsed.diagnostics;
        diagnostics.extend(checker.check(&parsed.program, source));
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        let diagnostics = bounded(diagnostics);
        let mut occurrences = checker.occurrences.unwrap_or_default();
        occurrences.sort_by_key(|occurrence| occurrence.span);
        occurrences.dedup();
        // An inner `case` comes before the one around it.
        let joined = checker.scope.joined().iter().copied().collect();
        Self { program: parsed.program, diagnostics, occurrences, joined }
    }

    /// Every place where the variable of an occurrence stands, that one included.
    pub fn same_variable(&self, of: &Occurrence) -> Vec<&Occurrence> {
        let variable = self.variable(of);
        let is_same = |other: &&Occurrence| other.name == of.name && self.variable(other) == variable;
        self.occurrences.iter().filter(is_same).collect()
    }

    /// The place that stands for all that bind the variable.
    fn variable(&self, of: &Occurrence) -> Option<Span> {
        let mut place = of.bound_at?;
        while let Some(next) = self.joined.get(&place).filter(|next| **next != place) {
            place = *next;
        }
        Some(place)
    }

    /// The variable at a byte offset; at its end counts, too.
    pub fn occurrence_at(&self, offset: u32) -> Option<&Occurrence> {
        self.occurrences.iter().rev().find(|found| (found.span.start..=found.span.end).contains(&offset))
    }
}

/// How many of the latest names are tried for a hint (guess).
const NAMES_TRIED_MAX: usize = 200;

/// Checks forms one after the other, remembering what they bind.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    scope: Scope,
    diagnostics: Vec<Diagnostic>,
    occurrences: Option<Vec<Occurrence>>,
}

impl Checker {
    /// All that is wrong with `program`, whose text is `source`. What it binds is known to the next call.
    pub fn check(&mut self, program: &Program, source: &Source) -> Vec<Diagnostic> {
        self.scope.forget_places();
        for form in &program.forms {
            if form.broken {
                self.assume_bound(source.slice(form.span));
            }
            self.body(&form.body);
        }
        self.diagnostics.extend(flow::diagnose(program));
        #[cfg(feature = "sql")]
        self.diagnostics.extend(crate::sql::diagnose(program, source));
        std::mem::take(&mut self.diagnostics)
    }

    /// Takes every variable in a form that could not be read as bound, so as not to complain about the consequences.
    fn assume_bound(&mut self, text: &str) {
        for (token, _) in tokenize(&Source::new("", text)).0 {
            if let Token::Variable(name) = token
                && self.scope.get(&name).is_none()
            {
                self.scope.bind(name, Known::Unknown, None);
            }
        }
    }

    /// What is wrong with `expr` as an operation of variables of type `ty`.
    pub(crate) fn check_operation(&mut self, ty: &Type, expr: &Expr) -> Vec<Diagnostic> {
        self.expr(expr);
        self.written_operation(ty, expr);
        std::mem::take(&mut self.diagnostics)
    }

    /// The type that `expr` spells out, and what is wrong with it.
    pub(crate) fn check_type(&mut self, expr: &Expr) -> (Option<Type>, Vec<Diagnostic>) {
        (self.written_type(expr), std::mem::take(&mut self.diagnostics))
    }

    /// Drops what `env` does not bind: after a form has failed.
    pub fn forget_unbound(&mut self, env: &Env) {
        self.scope.retain(|name| env.get(name).is_some());
    }

    /// Drops one name.
    pub fn forget(&mut self, name: &str) {
        self.scope.retain(|known| known != name);
    }

    /// Remembers where a variable stands, for those who ask about it.
    fn note(&mut self, name: Name, span: Span, known: &Known) {
        let Some(occurrences) = &mut self.occurrences else {
            return;
        };
        let bound_at = self.scope.place(&name);
        let ty = if let Known::Variable { ty, .. } = known { Some(ty.clone()) } else { None };
        occurrences.push(Occurrence { name, span, bound_at, ty, what: known.describe() });
    }

    fn error(&mut self, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic::error(span, message));
        self.diagnostics.last_mut().expect("just pushed")
    }

    /// How many names in sight are worth a look for a hint: none once there are so many errors that nobody reads them.
    fn names_tried(&self) -> usize {
        const HINTED_MAX: usize = 100;
        if self.diagnostics.len() < HINTED_MAX { NAMES_TRIED_MAX } else { 0 }
    }

    /// What `V` of `undeclare(V)` stood for is no more: nothing is known of a variable that is declared anew.
    fn forget_type(&mut self, name: &Name) {
        let place = self.scope.place(name);
        if self.scope.get(name).is_some() {
            self.scope.bind(name.clone(), Known::Unknown, place);
        }
    }

    fn body(&mut self, body: &[Expr]) -> Known {
        body.iter().fold(Known::Unknown, |_, expr| self.expr(expr))
    }

    fn all(&mut self, exprs: &[Expr]) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &Expr) -> Known {
        match &expr.kind {
            ExprKind::Literal(literal) => Known::Value(literal_kind(literal)),
            ExprKind::Variable(name) => self.variable(name, expr.span),
            ExprKind::Tuple(items) => {
                self.all(items);
                Known::Value("a tuple")
            }
            ExprKind::List { items, tail } => {
                self.all(items);
                tail.iter().for_each(|tail| drop(self.expr(tail)));
                Known::Value("a list")
            }
            ExprKind::Collection(_, items) => {
                self.all(items);
                Known::Value("a set")
            }
            ExprKind::Bytes(items) => {
                self.all(items);
                Known::Value("bytes")
            }
            ExprKind::Map { .. } => {
                expr.kind.each_child(&mut |child| drop(self.expr(child)));
                Known::Value("a map")
            }
            ExprKind::Unary(_, operand) => {
                self.operand(operand, "an operator");
                Known::Unknown
            }
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right),
            ExprKind::Match(pattern, value) => {
                let known = self.expr(value);
                self.pattern(pattern, known.clone());
                known
            }
            ExprKind::Fun(fun) => {
                self.fun(fun);
                Known::Function(fun.arity)
            }
            ExprKind::FunRef { name, arity } => {
                self.fun_ref(name, *arity, expr.span);
                Known::Function(*arity)
            }
            ExprKind::Case(subject, clauses) => {
                self.subject(subject, clauses);
                self.branches(clauses)
            }
            ExprKind::If(clauses) => self.branches(clauses),
            ExprKind::Block(body) => self.body(body),
            ExprKind::Comprehension(produced, qualifiers) => self.comprehension(produced, qualifiers),
            ExprKind::Call(Callee::Named(name, span), args) => self.named_call(name, *span, args, expr.span),
            ExprKind::Call(Callee::Value(callee), args) => self.value_call(callee, args, expr.span),
            ExprKind::Broken => Known::Unknown,
        }
    }

    fn variable(&mut self, name: &str, span: Span) -> Known {
        if name == "_" {
            self.error(span, "`_` has no value").hint = Some("`_` stands only in patterns".to_owned());
            return Known::Unknown;
        }
        if let Some(known) = self.scope.get(name).cloned() {
            self.note(name.into(), span, &known);
            return known;
        }
        let unsafe_at = self.scope.unsafe_at(name);
        let near = nearest(name, self.scope.names().take(self.names_tried()));
        let lower = name.to_lowercase();
        let hint = match near {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if Type::names_and_aliases().any(|ty| ty == lower) => Some(format!("the type is written `{lower}`")),
            None => None,
        };
        let diagnostic = self.error(span, format!("variable `{name}` is unbound"));
        diagnostic.label = "not bound here".to_owned();
        match unsafe_at {
            Some(at) => {
                diagnostic.related = Some((at, "bound only in some of the clauses".to_owned()));
                diagnostic.hint = Some("bind it in every clause, or use the value of the `case` or `if`".to_owned());
            }
            None => diagnostic.hint = hint,
        }
        // Complain once.
        self.scope.bind(name.into(), Known::Unknown, None);
        Known::Unknown
    }

    /// A variable where its value is meant.
    fn operand(&mut self, operand: &Expr, what: &str) -> Known {
        let known = self.expr(operand);
        if let Known::Variable { .. } = known {
            let diagnostic = self.error(operand.span, format!("{what} takes values, and this is a variable"));
            diagnostic.hint = Some("`query(V)` gives the current value".to_owned());
        }
        known
    }

    fn binary(&mut self, operator: Binary, left: &Expr, right: &Expr) -> Known {
        use Binary as B;
        match operator {
            B::Andalso | B::Orelse | B::And | B::Or | B::Xor => {
                self.condition(left);
                self.condition(right);
                Known::Value("a boolean")
            }
            B::Add | B::Subtract | B::Multiply | B::Divide | B::Div | B::Rem => {
                let what = format!("`{}`", operator.as_str());
                for side in [left, right] {
                    let known = self.operand(side, &what);
                    if let Known::Value(kind) = known
                        && !matches!(kind, "an integer" | "a float" | "a number")
                    {
                        let joins = operator == B::Add && kind == "a text";
                        let diagnostic = self.error(side.span, format!("{what} takes numbers, found {kind}"));
                        diagnostic.hint = joins.then(|| "texts are joined with `++`".to_owned());
                    }
                }
                Known::Value("a number")
            }
            B::Append | B::Without => {
                let what = format!("`{}`", operator.as_str());
                self.operand(left, &what);
                self.operand(right, &what);
                Known::Unknown
            }
            _ => {
                self.expr(left);
                self.expr(right);
                Known::Value("a boolean")
            }
        }
    }

    /// A match where a comparison is meant.
    fn no_comparison(&mut self, pattern: &Pattern, value: &Expr) {
        let operator = Span::new(pattern.span.end, value.span.start);
        let diagnostic = self.error(operator, "`=` binds; a condition compares with `==`");
        diagnostic.label = "found `=`, expected `==`".to_owned();
        diagnostic.hint = Some("did you mean `==`?".to_owned());
    }

    /// What a `case` looks at: its value is that of the right side of a `=`, which `true` and `false` alone seldom match.
    fn subject(&mut self, subject: &Expr, clauses: &[Clause]) {
        let known = self.expr(subject);
        let ExprKind::Match(pattern, value) = &subject.kind else { return };
        let is_boolean = |clause: &Clause| {
            matches!(clause.patterns.first().map(|p| &p.kind), Some(PatternKind::Literal(Literal::Bool(_))))
        };
        if matches!(known, Known::Value(kind) if kind != "a boolean") && clauses.iter().any(is_boolean) {
            self.no_comparison(pattern, value);
        }
    }

    /// An expression that decides something: `=` there is `==` mistyped.
    fn condition(&mut self, condition: &Expr) {
        if let ExprKind::Match(pattern, value) = &condition.kind {
            self.no_comparison(pattern, value);
            self.expr(value);
            pattern.each_variable(&mut |name, _| {
                if self.scope.get(name).is_none() {
                    self.scope.bind(name.clone(), Known::Unknown, None);
                }
            });
            return;
        }
        if let Known::Value(kind) = self.expr(condition)
            && kind != "a boolean"
        {
            let is_else = matches!(&condition.kind, ExprKind::Literal(Literal::Atom(name)) if &**name == "else");
            let diagnostic = self.error(condition.span, format!("a condition is true or false, found {kind}"));
            diagnostic.hint = is_else.then(|| "the clause for everything else is `true -> ...`".to_owned());
        }
    }

    // ---- patterns and clauses ----

    fn pattern(&mut self, pattern: &Pattern, known: Known) {
        if let PatternKind::Variable(name) = &pattern.kind {
            self.bind(name, known, pattern.span);
            return;
        }
        pattern.each_expr(&mut |key| drop(self.expr(key)));
        pattern.each_variable(&mut |name, place| self.bind(name, Known::Unknown, place));
    }

    /// A variable of a pattern: bound here, or compared with what it is bound to.
    fn bind(&mut self, name: &Name, known: Known, place: Span) {
        let known = match self.scope.get(name) {
            // One that was only taken as bound is learnt about here.
            Some(earlier) if *earlier != Known::Unknown || self.scope.place(name).is_some() => earlier.clone(),
            _ => {
                self.scope.bind(name.clone(), known.clone(), Some(place));
                known
            }
        };
        self.note(name.clone(), place, &known);
    }

    /// Patterns that hide what is around them.
    fn fresh_patterns<'a>(&mut self, patterns: impl IntoIterator<Item = &'a Pattern>) {
        for pattern in patterns {
            pattern.each_expr(&mut |key| drop(self.expr(key)));
            pattern.each_variable(&mut |name, span| {
                if self.scope.get(name).is_some_and(|known| *known != Known::Unknown) {
                    let message = format!("`{name}` hides the variable of the same name outside");
                    self.diagnostics.push(Diagnostic::warning(span, message));
                }
                self.scope.bind(name.clone(), Known::Unknown, Some(span));
                self.note(name.clone(), span, &Known::Unknown);
            });
        }
    }

    fn guard(&mut self, guard: &[Vec<Expr>]) {
        guard.iter().flatten().for_each(|condition| self.condition(condition));
    }

    fn fun(&mut self, fun: &Fun) {
        for clause in &fun.clauses {
            let mark = self.scope.mark();
            self.fresh_patterns(&clause.patterns);
            self.guard(&clause.guard);
            self.body(&clause.body);
            self.scope.forget_after(mark);
        }
    }

    /// The clauses of a `case` or `if`; what all of them bind stays bound.
    fn branches(&mut self, clauses: &[Clause]) -> Known {
        let mark = self.scope.mark();
        let mut result = None;
        let mut bound = Vec::new();
        for clause in clauses {
            clause.patterns.iter().for_each(|pattern| self.pattern(pattern, Known::Unknown));
            self.guard(&clause.guard);
            let known = self.body(&clause.body);
            result = Some(match result {
                None => known,
                Some(earlier) if earlier == known => known,
                Some(_) => Known::Unknown,
            });
            bound.push(self.scope.take_after(mark));
        }
        self.scope.export(&bound, clauses.iter().map(|clause| clause.span));
        result.unwrap_or(Known::Unknown)
    }

    fn comprehension(&mut self, produced: &Produced, qualifiers: &[Qualifier]) -> Known {
        let mark = self.scope.mark();
        for qualifier in qualifiers {
            match qualifier {
                Qualifier::Filter(condition) => self.condition(condition),
                Qualifier::Generate(pattern, list) => {
                    self.operand(list, "`<-`");
                    self.fresh_patterns([pattern]);
                }
                Qualifier::GenerateEntries(key, value, map) => {
                    self.operand(map, "`<-`");
                    self.fresh_patterns([key, value]);
                }
            }
        }
        let kind = match produced {
            Produced::Element(element) => {
                self.expr(element);
                "a list"
            }
            Produced::Entry(key, value) => {
                self.expr(key);
                self.expr(value);
                "a map"
            }
        };
        self.scope.forget_after(mark);
        Known::Value(kind)
    }

    fn fun_ref(&mut self, name: &str, arity: usize, span: Span) {
        if library::find(name).is_some_and(|builtin| builtin.signature.takes(arity)) {
            return;
        }
        let near = nearest(name, library::all().map(|builtin| builtin.signature.name));
        let hint = match library::find(name) {
            Some(builtin) => Some(format!("`{name}` takes {}", builtin.signature.arity_text())),
            None => near.map(|near| format!("did you mean `{near}`?")),
        };
        self.error(span, format!("no function `{name}/{arity}`")).hint = hint;
    }
}

fn literal_kind(literal: &Literal) -> &'static str {
    match literal {
        Literal::Bool(_) => "a boolean",
        Literal::Int(_) => "an integer",
        Literal::Float(_) => "a float",
        Literal::Atom(_) => "an atom",
        Literal::Text(_) => "a text",
        Literal::Bytes(_) => "bytes",
    }
}
