//! Expressions by binding power, and the bracketed forms.

use super::{Lost, Parser, Result};
use crate::ast::{
    Binary, Callee, Clause, Collection, Expr, ExprKind, Fun, Literal, MapEntry, Produced, Qualifier, Unary,
};
use crate::signature;
use crate::source::Span;
use crate::token::{Keyword, Symbol, Token};
use std::sync::Arc;

/// How tightly an operator binds, and to which side it groups. Erlang's order.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
    /// Comparisons do not chain.
    Neither,
}

const PREFIX_POWER: u8 = 8;

fn infix(token: &Token) -> Option<(Binary, u8, Side)> {
    use Side::{Left, Neither, Right};
    Some(match token {
        Token::Keyword(word) => match word {
            Keyword::Orelse => (Binary::Orelse, 2, Left),
            Keyword::Andalso => (Binary::Andalso, 3, Left),
            Keyword::Or => (Binary::Or, 6, Left),
            Keyword::Xor => (Binary::Xor, 6, Left),
            Keyword::And => (Binary::And, 7, Left),
            Keyword::Div => (Binary::Div, 7, Left),
            Keyword::Rem => (Binary::Rem, 7, Left),
            _ => return None,
        },
        Token::Symbol(symbol) => match symbol {
            Symbol::EqualEqual => (Binary::Equal, 4, Neither),
            Symbol::NotEqual => (Binary::NotEqual, 4, Neither),
            Symbol::ExactEqual => (Binary::ExactEqual, 4, Neither),
            Symbol::ExactNotEqual => (Binary::ExactNotEqual, 4, Neither),
            Symbol::Less => (Binary::Less, 4, Neither),
            Symbol::LessEqual => (Binary::LessEqual, 4, Neither),
            Symbol::Greater => (Binary::Greater, 4, Neither),
            Symbol::GreaterEqual => (Binary::GreaterEqual, 4, Neither),
            Symbol::PlusPlus => (Binary::Append, 5, Right),
            Symbol::MinusMinus => (Binary::Without, 5, Right),
            Symbol::Plus => (Binary::Add, 6, Left),
            Symbol::Minus => (Binary::Subtract, 6, Left),
            Symbol::Star => (Binary::Multiply, 7, Left),
            Symbol::Slash => (Binary::Divide, 7, Left),
            _ => return None,
        },
        _ => return None,
    })
}

impl Parser {
    /// Whether the current token can begin an expression.
    pub(super) fn starts_expr(&self) -> bool {
        match self.peek() {
            Token::FormEnd | Token::EndOfFile => false,
            Token::Symbol(symbol) => matches!(
                symbol,
                Symbol::OpenParen
                    | Symbol::OpenBracket
                    | Symbol::OpenBrace
                    | Symbol::BytesOpen
                    | Symbol::Hash
                    | Symbol::Minus
            ),
            Token::Keyword(word) => {
                matches!(word, Keyword::Fun | Keyword::Case | Keyword::If | Keyword::Begin | Keyword::Not)
            }
            _ => true,
        }
    }

    /// An expression, matches included.
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.nested(|parser| {
            let left = parser.operators(0)?;
            if !parser.at_symbol(Symbol::Equal) {
                return Ok(left);
            }
            let pattern = parser.pattern_from(left)?;
            parser.bump();
            let value = parser.expr()?;
            let span = pattern.span.to(value.span);
            parser.node(ExprKind::Match(Box::new(pattern), Box::new(value)), span)
        })
    }

    /// A node, unless the tree gets too deep.
    fn node(&mut self, kind: ExprKind, span: Span) -> Result<Expr> {
        let expr = Expr::new(kind, span);
        if expr.depth() <= Expr::DEPTH_MAX {
            return Ok(expr);
        }
        let message = format!("this expression is more than {} levels deep", Expr::DEPTH_MAX);
        self.report(span, message, "", Some("bind parts of it to variables"));
        Err(Lost)
    }

    fn operators(&mut self, power_min: u8) -> Result<Expr> {
        let mut left = self.prefix()?;
        let mut compared = None;
        while let Some((operator, power, side)) = infix(self.peek()) {
            if power < power_min {
                break;
            }
            if side == Side::Neither
                && let Some(first) = compared.replace(operator)
            {
                let hint = format!("write `A {} B andalso B {} C`", Binary::as_str(first), operator.as_str());
                let at = self.span();
                self.report(at, "comparisons do not chain", "", Some(&hint));
                return Err(Lost);
            }
            self.bump();
            let right = self.nested(|parser| parser.operators(if side == Side::Right { power } else { power + 1 }))?;
            let span = left.span.to(right.span);
            left = self.node(ExprKind::Binary(operator, Box::new(left), Box::new(right)), span)?;
        }
        Ok(left)
    }

    fn prefix(&mut self) -> Result<Expr> {
        let start = self.span();
        let operator = match self.peek() {
            Token::Symbol(Symbol::Minus) => Unary::Minus,
            Token::Symbol(Symbol::Plus) => Unary::Plus,
            Token::Keyword(Keyword::Not) => Unary::Not,
            _ => return self.postfix(),
        };
        self.bump();
        if operator == Unary::Minus
            && let Some(literal) = self.negative_literal()
        {
            return self.node(ExprKind::Literal(literal), start.to(self.previous_span()));
        }
        let operand = self.nested(|parser| parser.operators(PREFIX_POWER))?;
        let span = start.to(operand.span);
        self.node(ExprKind::Unary(operator, Box::new(operand)), span)
    }

    fn negative_literal(&mut self) -> Option<Literal> {
        let literal = match *self.peek() {
            Token::Integer(value) => Literal::Int(-value),
            Token::IntegerMinMagnitude => Literal::Int(i64::MIN),
            Token::Float(value) => Literal::Float(-value),
            _ => return None,
        };
        self.bump();
        Some(literal)
    }

    /// A primary followed by calls and map updates.
    fn postfix(&mut self) -> Result<Expr> {
        let mut expr = self.primary()?;
        loop {
            if self.at_symbol(Symbol::OpenParen) {
                let args = self.arguments()?;
                let span = expr.span.to(self.previous_span());
                expr = self.node(ExprKind::Call(Callee::Value(Box::new(expr)), args), span)?;
            } else if self.at_symbol(Symbol::Hash) && *self.peek_second() == Token::Symbol(Symbol::OpenBrace) {
                expr = self.map(Some(expr))?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr> {
        let span = self.span();
        let kind = match self.peek().clone() {
            Token::Integer(value) => ExprKind::Literal(Literal::Int(value)),
            Token::Float(value) => ExprKind::Literal(Literal::Float(value)),
            Token::Text(text) => ExprKind::Literal(Literal::Text(text)),
            Token::ByteText(bytes) => ExprKind::Literal(Literal::Bytes(bytes)),
            Token::Variable(name) => ExprKind::Variable(name),
            Token::IntegerMinMagnitude => {
                self.report(span, "this integer does not fit in 64 bits", "", None);
                ExprKind::Broken
            }
            Token::Atom(name) => return self.atom_or_call(&name),
            Token::Symbol(Symbol::OpenParen) => return self.parenthesized(),
            Token::Symbol(Symbol::OpenBrace) => {
                let items = self.bracketed(Symbol::CloseBrace, "tuple")?;
                return self.node(ExprKind::Tuple(items), span.to(self.previous_span()));
            }
            Token::Symbol(Symbol::OpenBracket) => return self.list(),
            Token::Symbol(Symbol::BytesOpen) => {
                let items = self.bracketed(Symbol::BytesClose, "bytes")?;
                return self.node(ExprKind::Bytes(items), span.to(self.previous_span()));
            }
            Token::Symbol(Symbol::Hash) => return self.map(None),
            Token::Keyword(Keyword::Fun) => return self.fun(),
            Token::Keyword(Keyword::Case) => return self.case(),
            Token::Keyword(Keyword::If) => return self.if_(),
            Token::Keyword(Keyword::Begin) => {
                self.bump();
                let body = self.body()?;
                self.close(Token::Keyword(Keyword::End), span, "`begin`");
                return self.node(ExprKind::Block(body), span.to(self.previous_span()));
            }
            _ => return Err(self.unexpected("an expression")),
        };
        self.bump();
        self.node(kind, span)
    }

    fn parenthesized(&mut self) -> Result<Expr> {
        let opened = self.span();
        self.bump();
        let mut inner = self.expr()?;
        self.close(Token::Symbol(Symbol::CloseParen), opened, "`(`");
        inner.span = opened.to(self.previous_span());
        Ok(inner)
    }

    // ---- sequences ----

    /// An opening bracket, expressions, the closing one.
    fn bracketed(&mut self, close: Symbol, what: &str) -> Result<Vec<Expr>> {
        let opened = self.span();
        self.bump();
        let mut items = Vec::new();
        if !self.at_symbol(close) {
            self.separated(&mut items)?;
        }
        self.close(Token::Symbol(close), opened, what);
        Ok(items)
    }

    fn arguments(&mut self) -> Result<Vec<Expr>> {
        self.bracketed(Symbol::CloseParen, "`(`")
    }

    /// Expressions with commas between them; a forgotten comma is reported and taken as written.
    fn separated(&mut self, items: &mut Vec<Expr>) -> Result<()> {
        loop {
            items.push(self.expr()?);
            if self.eat_symbol(Symbol::Comma) {
                if !self.starts_expr() && !matches!(self.peek(), Token::Symbol(Symbol::Plus)) {
                    self.dangling_comma()?;
                    return Ok(());
                }
            } else if matches!(self.peek(), Token::Atom(name) if &**name == "else") {
                let hint = "the clause for everything else is `; true -> ...`, and in a `case` it is `; _ -> ...`";
                self.report(self.span(), "there is no `else`", "", Some(hint));
                self.bump();
            } else if self.starts_expr() {
                let at = self.span();
                let found = self.peek().describe();
                self.report(at, format!("expected `,` before {found}"), "", Some("separate them with a comma"));
            } else {
                return Ok(());
            }
        }
    }

    /// After a comma, at something that is no expression.
    fn dangling_comma(&mut self) -> Result<()> {
        let closes = match self.peek() {
            Token::Symbol(symbol) => matches!(
                symbol,
                Symbol::CloseParen | Symbol::CloseBracket | Symbol::CloseBrace | Symbol::BytesClose | Symbol::Semicolon
            ),
            Token::Keyword(word) => *word == Keyword::End,
            _ => false,
        };
        if !closes {
            return Err(self.unexpected("an expression after `,`"));
        }
        let span = self.previous_span();
        self.report(span, "nothing follows this `,`", "expected an expression after it", Some("remove the comma"));
        Ok(())
    }

    /// The expressions of a clause.
    fn body(&mut self) -> Result<Vec<Expr>> {
        let mut items = Vec::new();
        self.separated(&mut items)?;
        Ok(items)
    }

    // ---- atoms and calls ----

    fn atom_or_call(&mut self, name: &Arc<str>) -> Result<Expr> {
        let span = self.span();
        self.bump();
        match self.peek() {
            Token::Symbol(Symbol::OpenParen) => self.named_call(name.clone(), span),
            Token::Symbol(Symbol::Colon) => {
                self.bump();
                let Token::Atom(function) = self.peek().clone() else {
                    return Err(self.unexpected(&format!("a function of module `{name}`")));
                };
                self.bump();
                let full: Arc<str> = format!("{name}:{function}").into();
                let span = span.to(self.previous_span());
                if !self.at_symbol(Symbol::OpenParen) {
                    return Err(self.unexpected(&format!("`(` after `{full}`")));
                }
                self.named_call(full, span)
            }
            Token::Symbol(Symbol::OpenBracket) => match &**name {
                "set" => self.collection(Collection::Set, span),
                "mv" => self.collection(Collection::Many, span),
                _ => Err(self.unexpected(&format!("`,` or `.` after atom `{name}`"))),
            },
            _ => {
                let literal = match &**name {
                    "true" => Literal::Bool(true),
                    "false" => Literal::Bool(false),
                    _ => Literal::Atom(name.clone()),
                };
                self.node(ExprKind::Literal(literal), span)
            }
        }
    }

    fn collection(&mut self, kind: Collection, start: Span) -> Result<Expr> {
        let items = self.bracketed(Symbol::CloseBracket, "`[`")?;
        self.node(ExprKind::Collection(kind, items), start.to(self.previous_span()))
    }

    fn named_call(&mut self, name: Arc<str>, span: Span) -> Result<Expr> {
        let args = self.arguments()?;
        // In a bracket or a clause it is a guard.
        if self.at_symbol(Symbol::Arrow) && self.open == 0 {
            let hint = "functions have no names of their own; bind one to a variable: `F = fun(X) -> ... end`";
            let at = self.span();
            self.report(at, format!("`{name}` cannot be defined here"), "", Some(hint));
            return Err(Lost);
        }
        let whole = span.to(self.previous_span());
        self.node(ExprKind::Call(Callee::Named(name, span), args), whole)
    }

    // ---- brackets ----

    fn list(&mut self) -> Result<Expr> {
        let opened = self.span();
        self.bump();
        let mut items = Vec::new();
        let mut tail = None;
        if !self.at_symbol(Symbol::CloseBracket) {
            self.separated(&mut items)?;
            if self.at_symbol(Symbol::BarBar) {
                return self.list_comprehension(items, opened);
            }
            if self.eat_symbol(Symbol::Bar) {
                tail = Some(Box::new(self.expr()?));
            }
        }
        self.close(Token::Symbol(Symbol::CloseBracket), opened, "list");
        self.node(ExprKind::List { items, tail }, opened.to(self.previous_span()))
    }

    fn list_comprehension(&mut self, mut items: Vec<Expr>, opened: Span) -> Result<Expr> {
        if items.len() != 1 {
            let at = self.span();
            self.report(at, "a comprehension has one expression before `||`", "", Some("put them into a tuple"));
            return Err(Lost);
        }
        let element = items.pop().expect("one item");
        let qualifiers = self.qualifiers()?;
        self.close(Token::Symbol(Symbol::CloseBracket), opened, "comprehension");
        let span = opened.to(self.previous_span());
        self.node(ExprKind::Comprehension(Box::new(Produced::Element(element)), qualifiers), span)
    }

    fn qualifiers(&mut self) -> Result<Vec<Qualifier>> {
        self.bump();
        let mut qualifiers = Vec::new();
        loop {
            qualifiers.push(self.qualifier()?);
            if !self.eat_symbol(Symbol::Comma) {
                return Ok(qualifiers);
            }
        }
    }

    fn qualifier(&mut self) -> Result<Qualifier> {
        let first = self.expr()?;
        if self.eat_symbol(Symbol::LeftArrow) {
            let pattern = self.pattern_from(first)?;
            return Ok(Qualifier::Generate(pattern, self.expr()?));
        }
        if self.eat_symbol(Symbol::MapMatch) {
            let key = self.pattern_from(first)?;
            let value = self.expr()?;
            let value = self.pattern_from(value)?;
            self.expect_symbol(Symbol::LeftArrow, "and a map")?;
            return Ok(Qualifier::GenerateEntries(key, value, self.expr()?));
        }
        Ok(Qualifier::Filter(first))
    }

    fn map(&mut self, base: Option<Expr>) -> Result<Expr> {
        let hash = self.span();
        let start = base.as_ref().map_or(hash, |base| base.span);
        self.bump();
        let opened = self.span();
        self.expect_symbol(Symbol::OpenBrace, "after `#`")?;
        let mut entries = Vec::new();
        while !self.at_symbol(Symbol::CloseBrace) {
            entries.push(self.map_entry()?);
            if self.at_symbol(Symbol::BarBar) && entries.len() == 1 && base.is_none() {
                return self.map_comprehension(entries, hash);
            }
            if !self.eat_symbol(Symbol::Comma) {
                break;
            }
            if self.at_symbol(Symbol::CloseBrace) {
                self.dangling_comma()?;
            }
        }
        self.close(Token::Symbol(Symbol::CloseBrace), opened, "map");
        let kind = ExprKind::Map { base: base.map(Box::new), entries };
        self.node(kind, start.to(self.previous_span()))
    }

    fn map_entry(&mut self) -> Result<MapEntry> {
        let key = self.nested(|parser| parser.operators(0))?;
        let must_exist = self.at_symbol(Symbol::MapMatch);
        if !must_exist && !self.at_symbol(Symbol::MapArrow) {
            return Err(self.unexpected("`=>` between key and value"));
        }
        self.bump();
        Ok(MapEntry { key, value: self.expr()?, must_exist })
    }

    fn map_comprehension(&mut self, mut entries: Vec<MapEntry>, hash: Span) -> Result<Expr> {
        let MapEntry { key, value, .. } = entries.pop().expect("one entry");
        let qualifiers = self.qualifiers()?;
        self.close(Token::Symbol(Symbol::CloseBrace), hash, "comprehension");
        let span = hash.to(self.previous_span());
        self.node(ExprKind::Comprehension(Box::new(Produced::Entry(key, value)), qualifiers), span)
    }

    // ---- clauses ----

    fn case(&mut self) -> Result<Expr> {
        let opened = self.span();
        self.bump();
        let subject = self.expr()?;
        if !self.eat_keyword(Keyword::Of) {
            return Err(self.unexpected("`of`"));
        }
        let clauses = self.clauses(|parser| {
            let pattern = parser.expr()?;
            Ok(vec![parser.pattern_from(pattern)?])
        })?;
        self.close(Token::Keyword(Keyword::End), opened, "`case`");
        self.node(ExprKind::Case(Box::new(subject), clauses), opened.to(self.previous_span()))
    }

    fn if_(&mut self) -> Result<Expr> {
        let opened = self.span();
        self.bump();
        let mut clauses = Vec::new();
        loop {
            let start = self.span();
            let guard = self.guard()?;
            clauses.push(self.clause_after_guard(start, Vec::new(), guard)?);
            if !self.eat_symbol(Symbol::Semicolon) {
                break;
            }
        }
        self.close(Token::Keyword(Keyword::End), opened, "`if`");
        self.node(ExprKind::If(clauses), opened.to(self.previous_span()))
    }

    fn clauses(
        &mut self,
        mut patterns: impl FnMut(&mut Self) -> Result<Vec<crate::ast::Pattern>>,
    ) -> Result<Vec<Clause>> {
        let mut clauses = Vec::new();
        loop {
            let start = self.span();
            let patterns = patterns(self)?;
            let guard = if self.eat_keyword(Keyword::When) { self.guard()? } else { Vec::new() };
            clauses.push(self.clause_after_guard(start, patterns, guard)?);
            if !self.eat_symbol(Symbol::Semicolon) {
                return Ok(clauses);
            }
            if *self.peek() == Token::Keyword(Keyword::End) {
                let span = self.previous_span();
                self.report(span, "no clause follows this `;`", "", Some("the last clause has no `;` after it"));
                return Ok(clauses);
            }
        }
    }

    fn clause_after_guard(
        &mut self,
        start: Span,
        patterns: Vec<crate::ast::Pattern>,
        guard: Vec<Vec<Expr>>,
    ) -> Result<Clause> {
        self.expect_symbol(Symbol::Arrow, "before the body of the clause")?;
        let body = self.body()?;
        Ok(Clause { patterns, guard, body, span: start.to(self.previous_span()) })
    }

    /// `A, B; C`: alternatives of conjunctions.
    fn guard(&mut self) -> Result<Vec<Vec<Expr>>> {
        let mut alternatives = Vec::new();
        loop {
            let mut all = Vec::new();
            self.separated(&mut all)?;
            alternatives.push(all);
            if !self.eat_symbol(Symbol::Semicolon) {
                return Ok(alternatives);
            }
        }
    }

    fn fun(&mut self) -> Result<Expr> {
        let opened = self.span();
        self.bump();
        match self.peek().clone() {
            Token::Atom(name) => return self.fun_ref(name, opened),
            Token::Variable(_) => {
                let hint = "a function cannot call itself by name: use lists:foldl, a comprehension, or a dataflow";
                let at = self.span();
                self.report(at, "functions have no names of their own", "", Some(hint));
                return Err(Lost);
            }
            _ => {}
        }
        let clauses = self.clauses(|parser| {
            if !parser.at_symbol(Symbol::OpenParen) {
                return Err(parser.unexpected("`(` and the function's parameters"));
            }
            let params = parser.arguments()?;
            parser.patterns_from(params)
        })?;
        self.close(Token::Keyword(Keyword::End), opened, "`fun`");
        let span = opened.to(self.previous_span());
        let arity = clauses[0].patterns.len();
        if let Some(odd) = clauses.iter().find(|clause| clause.patterns.len() != arity) {
            let message = format!("this clause takes {} arguments, the first one {arity}", odd.patterns.len());
            self.error_at = None;
            self.report(odd.span, message, "", Some("all clauses of a function take the same number of arguments"));
            return Err(Lost);
        }
        self.node(ExprKind::Fun(Arc::new(finish_fun(clauses, arity, span))), span)
    }

    /// `fun lists:sum/1`.
    fn fun_ref(&mut self, mut name: Arc<str>, opened: Span) -> Result<Expr> {
        self.open = self.open.saturating_sub(1); // this `fun` has no `end`
        self.bump();
        if self.eat_symbol(Symbol::Colon) {
            let Token::Atom(function) = self.peek().clone() else {
                return Err(self.unexpected("a function name"));
            };
            self.bump();
            name = format!("{name}:{function}").into();
        }
        self.expect_symbol(Symbol::Slash, "and the number of arguments")?;
        let Token::Integer(arity) = *self.peek() else {
            return Err(self.unexpected("the number of arguments"));
        };
        self.bump();
        let span = opened.to(self.previous_span());
        self.node(ExprKind::FunRef { name, arity: usize::try_from(arity).unwrap_or(usize::MAX) }, span)
    }
}

/// Works out what the function captures and whether it has effects.
pub(crate) fn finish_fun(clauses: Vec<Clause>, arity: usize, span: Span) -> Fun {
    let mut free = Vec::new();
    let mut effect = None;
    for clause in &clauses {
        clause.patterns.iter().for_each(|pattern| pattern.each_variable(&mut |name, _| free.push(name.clone())));
        clause.each_expr(&mut |expr| gather(expr, &mut free, &mut effect));
    }
    free.sort();
    free.dedup();
    Fun::new(clauses, arity, span, free, effect)
}

fn gather(expr: &Expr, free: &mut Vec<Arc<str>>, effect: &mut Option<(Arc<str>, Span)>) {
    match &expr.kind {
        ExprKind::Variable(name) => free.push(name.clone()),
        ExprKind::Fun(fun) => {
            free.extend(fun.free.iter().cloned());
            if effect.is_none() {
                effect.clone_from(&fun.effect);
            }
            return;
        }
        ExprKind::Call(Callee::Named(name, span), _) if signature::is_operation(name) && effect.is_none() => {
            *effect = Some((name.clone(), *span));
        }
        _ => expr.kind.each_pattern(&mut |pattern| pattern.each_variable(&mut |name, _| free.push(name.clone()))),
    }
    expr.kind.each_child(&mut |child| gather(child, free, effect));
}
