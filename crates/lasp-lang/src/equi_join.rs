//! Predicates over pairs that demand the equality of something of the first and something of the second, taken apart, so
//! that a filter over a product becomes a join.
//!
//! A predicate `fun({X, Y}) when G -> A andalso B end` is true for a pair exactly if the patterns match and every one of G,
//! A and B gives true, in whichever order they are evaluated: they have no effects, and what fails is not true either. So
//! the equalities between the halves may be taken out. Where a key has no value, the predicate would have been true for no
//! partner. Steps are counted for each part by itself. Further clauses that give false, as in `fun({{K, _}, {K, _}}) -> true; (_) ->
//! false end`, change nothing of that.

use crate::ast::{Binary, Callee, Clause, Expr, ExprKind, Fun, Literal, Name, Pattern, PatternKind};
use crate::function::{Closure, Function};
use crate::identity;
use crate::parse::finish_fun;
use crate::source::Source;
use crate::term::Term;
use lasp_dataflow::{Call, EquiJoin, F64, FunctionError, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The keys and the rest of `closure`, if it is such a predicate.
pub(crate) fn of(closure: &Closure) -> Option<EquiJoin> {
    let [clause, others @ ..] = &closure.fun.clauses[..] else {
        return None;
    };
    if !others.iter().all(gives_false) {
        return None;
    }
    let ([pattern], [body]) = (&clause.patterns[..], &clause.body[..]) else {
        return None;
    };
    if closure.fun.effect.is_some() || !closure.captured.iter().all(|(_, term)| has_plain_results(term)) {
        return None;
    }
    let halves = Halves::of(pattern)?;
    let conjuncts = conjuncts(clause, body);
    if conjuncts.iter().any(|conjunct| binds(conjunct.expr)) {
        return None;
    }
    let mut keys: Vec<KeyPair> = halves.shared.iter().map(|name| KeyPair::shared(name, pattern)).collect();
    let mut rest = Vec::new();
    let mut first_of_all = false;
    for (position, conjunct) in conjuncts.iter().enumerate() {
        match halves.equality(conjunct.expr) {
            Some(key) => {
                first_of_all |= position == 0 && clause.guard.is_empty();
                keys.push(key);
            }
            None => rest.push(conjunct),
        }
    }
    if keys.is_empty() {
        return None;
    }
    // Then the predicate fails for every pair with an element that has no key: that is worth a report.
    let reports = first_of_all && keys.len() == 1 && others.is_empty();
    let rest = (!rest.is_empty() || clause.guard.len() > 1)
        .then(|| Arc::new(rest_of(closure, (clause, others), &rest)) as lasp_dataflow::Function);
    Some(EquiJoin {
        left_key: Arc::new(Key::new(closure, &halves.left, &keys, Side::Left, reports)),
        right_key: Arc::new(Key::new(closure, &halves.right, &keys, Side::Right, reports)),
        rest,
    })
}

/// Whether the clause gives false wherever it matches.
fn gives_false(clause: &Clause) -> bool {
    matches!(&clause.body[..], [Expr { kind: ExprKind::Literal(Literal::Bool(false)), .. }])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The patterns of the two elements of a pair, and the names in them.
struct Halves {
    left: Pattern,
    right: Pattern,
    left_names: BTreeSet<Name>,
    right_names: BTreeSet<Name>,
    /// Names in both: an equality, too.
    shared: BTreeSet<Name>,
    /// The name of the pair as a whole.
    whole: Option<Name>,
    /// Whether elements are named as `element(1, Pair)`.
    by_element: bool,
}

impl Halves {
    fn of(pattern: &Pattern) -> Option<Self> {
        let (left, right, whole, by_element) = match &pattern.kind {
            PatternKind::Variable(name) => {
                let half = |n| Pattern { kind: PatternKind::Variable(half_name(name, n)), span: pattern.span };
                (half(1), half(2), Some(name.clone()), true)
            }
            PatternKind::Tuple(fields) => match &fields[..] {
                [left, right] => (left.clone(), right.clone(), None, false),
                _ => return None,
            },
            _ => return None,
        };
        let (left_names, right_names) = (names_of_pattern(&left), names_of_pattern(&right));
        let shared: BTreeSet<Name> = left_names.intersection(&right_names).cloned().collect();
        let halves = Self { left, right, left_names, right_names, shared, whole, by_element };
        // The keys of map patterns may look at what the other half binds.
        let mut apart = true;
        halves.right.each_expr(&mut |key| apart &= names_of(key).is_disjoint(&halves.left_names));
        halves.left.each_expr(&mut |key| apart &= names_of(key).is_disjoint(&halves.right_names));
        apart.then_some(halves)
    }

    /// The keys that the expression demands to be equal, if it does.
    fn equality(&self, expr: &Expr) -> Option<KeyPair> {
        let ExprKind::Binary(operator @ (Binary::Equal | Binary::ExactEqual), one, other) = &expr.kind else {
            return None;
        };
        let (one, other) = (self.by_halves(one), self.by_halves(other));
        if makes_types(&one) || makes_types(&other) {
            return None;
        }
        let by_number = *operator == Binary::Equal;
        if self.is_of(&one, Side::Left) && self.is_of(&other, Side::Right) {
            return Some(KeyPair { left: one, right: other, by_number });
        }
        (self.is_of(&one, Side::Right) && self.is_of(&other, Side::Left)).then_some(KeyPair {
            left: other,
            right: one,
            by_number,
        })
    }

    /// With `element(1, Pair)` and `element(2, Pair)` as variables, where the pair has a name only.
    fn by_halves(&self, expr: &Expr) -> Expr {
        let mut expr = expr.clone();
        if let Some(whole) = self.whole.as_ref().filter(|_| self.by_element) {
            name_halves(&mut expr, whole);
        }
        expr
    }

    /// Whether the expression looks at this half and not at the other.
    fn is_of(&self, expr: &Expr, side: Side) -> bool {
        let names = names_of(expr);
        let (own, other) = match side {
            Side::Left => (&self.left_names, &self.right_names),
            Side::Right => (&self.right_names, &self.left_names),
        };
        let foreign = names.iter().any(|name| other.contains(name) || self.whole.as_ref() == Some(name));
        !foreign && !names.is_disjoint(own)
    }
}

/// A name that no program can write.
fn half_name(pair: &str, half: usize) -> Name {
    format!("element({half}, {pair})").into()
}

/// Two expressions that must be equal.
struct KeyPair {
    left: Expr,
    right: Expr,
    /// By `==`, to which an integer is equal to the float of the same number.
    by_number: bool,
}

impl KeyPair {
    fn shared(name: &Name, pattern: &Pattern) -> Self {
        let variable = || Expr::new(ExprKind::Variable(name.clone()), pattern.span);
        Self { left: variable(), right: variable(), by_number: false }
    }
}

/// A part of the predicate that must be true.
struct Conjunct<'a> {
    expr: &'a Expr,
    in_guard: bool,
}

fn conjuncts<'a>(clause: &'a Clause, body: &'a Expr) -> Vec<Conjunct<'a>> {
    fn split<'a>(expr: &'a Expr, in_guard: bool, found: &mut Vec<Conjunct<'a>>) {
        match &expr.kind {
            ExprKind::Binary(Binary::Andalso | Binary::And, left, right) => {
                split(left, in_guard, found);
                split(right, in_guard, found);
            }
            ExprKind::Literal(Literal::Bool(true)) => {}
            _ => found.push(Conjunct { expr, in_guard }),
        }
    }
    let mut found = Vec::new();
    if let [all] = &clause.guard[..] {
        all.iter().for_each(|condition| split(condition, true, &mut found));
    }
    split(body, false, &mut found);
    found
}

// ---- what expressions mention ----

fn names_of_pattern(pattern: &Pattern) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    pattern.each_variable(&mut |name, _| names.extend([name.clone()]));
    names
}

/// Every name in the expression, also those that functions inside it bind for themselves.
fn names_of(expr: &Expr) -> BTreeSet<Name> {
    fn walk(expr: &Expr, names: &mut BTreeSet<Name>) {
        match &expr.kind {
            ExprKind::Variable(name) => names.extend([name.clone()]),
            ExprKind::Fun(fun) => names.extend(fun.free.iter().cloned()),
            kind => kind.each_pattern(&mut |pattern| names.extend(names_of_pattern(pattern))),
        }
        expr.kind.each_child(&mut |child| walk(child, names));
    }
    let mut names = BTreeSet::new();
    walk(expr, &mut names);
    names
}

/// Whether it may bind variables for what is evaluated after it.
fn binds(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Match(..) | ExprKind::Case(..) => true,
        ExprKind::Fun(_) | ExprKind::Comprehension(..) => false,
        kind => {
            let mut found = false;
            kind.each_child(&mut |child| found |= binds(child));
            found
        }
    }
}

/// Whether it may give a type: those are equal to each other, and no values.
fn makes_types(expr: &Expr) -> bool {
    const TYPES: [&str; 3] = ["gmap", "awmap", "pair"];
    let here = match &expr.kind {
        ExprKind::Call(Callee::Named(name, _), _) | ExprKind::FunRef { name, .. } => TYPES.contains(&&**name),
        _ => false,
    };
    let mut found = here;
    expr.kind.each_child(&mut |child| found |= makes_types(child));
    found
}

/// Whether nothing made of it is a variable or a type.
fn has_plain_results(term: &Term) -> bool {
    match term {
        Term::Data(..) | Term::Set(..) | Term::Many(..) | Term::Graph(..) => true,
        Term::Function(Function::Closure(closure)) => {
            let mut types = false;
            closure.fun.clauses.iter().for_each(|clause| clause.each_expr(&mut |expr| types |= makes_types(expr)));
            !types && closure.captured.iter().all(|(_, term)| has_plain_results(term))
        }
        Term::Function(Function::Builtin(builtin, _)) => !matches!(builtin.signature.name, "gmap" | "awmap" | "pair"),
        Term::Mixed(..) | Term::Variable(_) | Term::Type(_) => false,
    }
}

/// Puts a variable in the place of each `element(1, Pair)` and `element(2, Pair)`; not inside functions.
fn name_halves(expr: &mut Expr, pair: &Name) {
    if let ExprKind::Call(Callee::Named(name, _), args) = &expr.kind
        && &**name == "element"
        && let [Expr { kind: ExprKind::Literal(Literal::Int(half @ 1..=2)), .. }, of] = &args[..]
        && matches!(&of.kind, ExprKind::Variable(name) if name == pair)
    {
        expr.kind = ExprKind::Variable(half_name(pair, *half as usize));
        return;
    }
    match &mut expr.kind {
        ExprKind::Tuple(items) | ExprKind::Bytes(items) | ExprKind::Call(Callee::Named(..), items) => {
            items.iter_mut().for_each(|item| name_halves(item, pair));
        }
        ExprKind::List { items, tail } => {
            items.iter_mut().chain(tail.as_deref_mut()).for_each(|item| name_halves(item, pair));
        }
        ExprKind::Map { base, entries } => {
            base.iter_mut().for_each(|base| name_halves(base, pair));
            for entry in entries {
                name_halves(&mut entry.key, pair);
                name_halves(&mut entry.value, pair);
            }
        }
        ExprKind::Unary(_, operand) => name_halves(operand, pair),
        ExprKind::Binary(_, left, right) => {
            name_halves(left, pair);
            name_halves(right, pair);
        }
        _ => {}
    }
}

// ---- the functions ----

/// A function of `closure`'s program, of one argument, with other clauses.
fn with_clauses(closure: &Closure, clauses: Vec<Clause>) -> Function {
    let fun: Fun = finish_fun(clauses, 1, closure.fun.span);
    let captured = closure.captured.capture(&fun.free);
    Function::Closure(Arc::new(Closure::new(&Arc::new(fun), closure.source.clone(), captured)))
}

/// What is left of the predicate without the equalities.
fn rest_of(closure: &Closure, (clause, others): (&Clause, &[Clause]), rest: &[&Conjunct<'_>]) -> Rest {
    let part =
        |in_guard| rest.iter().filter(move |conjunct| conjunct.in_guard == in_guard).map(|conjunct| conjunct.expr);
    let guard = match &clause.guard[..] {
        [_] => Vec::from_iter(Some(part(true).cloned().collect::<Vec<_>>()).filter(|all| !all.is_empty())),
        alternatives => alternatives.to_vec(),
    };
    let both = |left: Expr, right: &Expr| {
        let span = left.span.to(right.span);
        Expr::new(ExprKind::Binary(Binary::Andalso, Box::new(left), Box::new(right.clone())), span)
    };
    let mut conditions = part(false);
    let body = match conditions.next() {
        Some(first) => conditions.fold(first.clone(), both),
        None => Expr::new(ExprKind::Literal(Literal::Bool(true)), clause.span),
    };
    let texts: Vec<String> = rest.iter().map(|conjunct| one_line(&closure.source, conjunct.expr)).collect();
    let pattern = closure.source.slice(clause.patterns[0].span);
    let guard_text = match &clause.guard[..] {
        [first, .., last] => {
            let spans = first.first().zip(last.last()).map(|(first, last)| first.span.to(last.span));
            format!(" when {}", spans.map_or("", |span| closure.source.slice(span)))
        }
        _ => String::new(),
    };
    let conditions = if texts.is_empty() { "true".to_owned() } else { texts.join(" andalso ") };
    let else_false: String = others.iter().map(|other| format!("; {}", closure.source.slice(other.span))).collect();
    let text = format!("fun({pattern}){guard_text} -> {conditions}{else_false} end");
    let clause = Clause { patterns: clause.patterns.clone(), guard, body: vec![body], span: clause.span };
    let clauses = [clause].into_iter().chain(others.iter().cloned()).collect();
    Rest { function: with_clauses(closure, clauses), text }
}

/// The source text, white space made one blank.
fn one_line(source: &Source, expr: &Expr) -> String {
    let words: Vec<&str> = source.slice(expr.span).split_whitespace().collect();
    words.join(" ")
}

/// A predicate without its equalities, with the text of what is left.
struct Rest {
    function: Function,
    text: String,
}

impl Call for Rest {
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        self.function.call(args)
    }

    fn describe(&self) -> String {
        self.text.clone()
    }

    fn identity(&self) -> Option<Arc<str>> {
        self.function.identity()
    }
}

/// What must be equal of one half.
struct Key {
    /// Gives the keys in a tuple.
    keys: Function,
    by_number: Box<[bool]>,
    side: Side,
    /// Whether an element without a key is an error rather than an element without partners.
    reports: bool,
    text: String,
}

impl Key {
    fn new(closure: &Closure, pattern: &Pattern, keys: &[KeyPair], side: Side, reports: bool) -> Self {
        let exprs = keys.iter().map(|key| if side == Side::Left { &key.left } else { &key.right });
        let exprs: Vec<Expr> = exprs.cloned().collect();
        let texts: Vec<String> = exprs.iter().map(|expr| shown(closure, expr)).collect();
        let text = match (&texts[..], &pattern.kind) {
            ([one], PatternKind::Variable(name)) => format!("fun({name}) -> {one} end"),
            ([one], _) => format!("fun({}) -> {one} end", closure.source.slice(pattern.span)),
            (all, _) => format!("fun({}) -> {{{}}} end", closure.source.slice(pattern.span), all.join(", ")),
        };
        let span = closure.fun.span;
        let body = vec![Expr::new(ExprKind::Tuple(exprs), span)];
        let clause = Clause { patterns: vec![pattern.clone()], guard: Vec::new(), body, span };
        let by_number = keys.iter().map(|key| key.by_number).collect();
        Self { keys: with_clauses(closure, vec![clause]), by_number, side, reports, text }
    }

    /// Equal to no key of the other side.
    fn no_key(&self) -> Value {
        Value::atom(if self.side == Side::Left { "no key on the left" } else { "no key on the right" })
    }
}

fn shown(closure: &Closure, expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Variable(name) => name.to_string(),
        _ => one_line(&closure.source, expr),
    }
}

impl Call for Key {
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        let keys = match self.keys.call(args) {
            Ok(Value::Tuple(keys)) => keys,
            Ok(_) => return Ok(self.no_key()),
            Err(error) if self.reports => return Err(error),
            Err(_) => return Ok(self.no_key()),
        };
        let key = |(value, by_number): (&Value, &bool)| if *by_number { same_number(value) } else { value.clone() };
        Ok(Value::Tuple(keys.iter().zip(&self.by_number).map(key).collect()))
    }

    fn describe(&self) -> String {
        self.text.clone()
    }

    fn identity(&self) -> Option<Arc<str>> {
        let keys = identity::of_function(&self.keys)?;
        Some(format!("{:?} key by {:?}, {}: {keys}", self.side, self.by_number, self.reports).into())
    }
}

/// The same for two values exactly if `==` holds for them: an integer in the place of every float that is one.
fn same_number(value: &Value) -> Value {
    match value {
        Value::Float(float) => whole(*float).map_or_else(|| value.clone(), Value::Int),
        Value::Tuple(items) => Value::Tuple(items.iter().map(same_number).collect()),
        Value::List(items) => Value::List(items.iter().map(same_number).collect()),
        Value::Map(entries) => {
            let entries: Vec<(Value, Value)> =
                entries.iter().map(|(key, value)| (same_number(key), same_number(value))).collect();
            if entries.is_sorted_by(|(one, _), (next, _)| one < next) {
                return Value::map(entries);
            }
            // Keys such as 1 and 1.0 fall together, or {1, b} and {1.0, a} change places, where `==` takes them in their
            // old order. So all of them in that order, under a key that is left in no other map.
            let marker = F64::new(0.0).map_or(Value::Bool(false), Value::Float);
            let flat = entries.into_iter().flat_map(|(key, value)| [key, value]);
            Value::map([(marker, Value::List(flat.collect()))])
        }
        other => other.clone(),
    }
}

/// The integer that equals the float, if there is one.
fn whole(float: F64) -> Option<i64> {
    let int = float.get() as i64;
    float.cmp_int(int).is_eq().then_some(int)
}
