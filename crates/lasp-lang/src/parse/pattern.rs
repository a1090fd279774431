//! Patterns, converted from the expressions they were read as.

use super::{Lost, Parser, Result};
use crate::ast::{Binary, Expr, ExprKind, Literal, MapEntry, Pattern, PatternKind};

impl Parser {
    /// `expr` as a pattern; anything else in it is reported.
    pub(super) fn pattern_from(&mut self, expr: Expr) -> Result<Pattern> {
        let span = expr.span;
        let kind = match expr.kind {
            ExprKind::Variable(name) if &*name == "_" => PatternKind::Any,
            ExprKind::Variable(name) => PatternKind::Variable(name),
            ExprKind::Literal(literal) => PatternKind::Literal(literal),
            ExprKind::Tuple(items) => PatternKind::Tuple(self.patterns_from(items)?),
            ExprKind::List { items, tail } => {
                let items = self.patterns_from(items)?;
                let tail = tail.map(|tail| self.pattern_from(*tail)).transpose()?.map(Box::new);
                PatternKind::List { items, tail }
            }
            ExprKind::Map { base: None, entries } => PatternKind::Map(self.entries_from(entries)?),
            ExprKind::Bytes(items) => PatternKind::Literal(self.bytes_from(&items)?),
            ExprKind::Binary(Binary::Append, left, right) => match left.kind {
                ExprKind::Literal(Literal::Text(prefix)) => {
                    PatternKind::TextPrefix(prefix, Box::new(self.pattern_from(*right)?))
                }
                _ => return Err(self.not_a_pattern(&left, "in a pattern, `++` needs a text on its left")),
            },
            ExprKind::Match(left, right) => PatternKind::Both(left, Box::new(self.pattern_from(*right)?)),
            ExprKind::Broken => return Err(Lost),
            _ => {
                let message = format!("{} is not a pattern", describe(&expr));
                return Err(self.not_a_pattern(&expr, &message));
            }
        };
        Ok(Pattern { kind, span })
    }

    pub(super) fn patterns_from(&mut self, items: Vec<Expr>) -> Result<Vec<Pattern>> {
        items.into_iter().map(|item| self.pattern_from(item)).collect()
    }

    fn entries_from(&mut self, entries: Vec<MapEntry>) -> Result<Vec<(Expr, Pattern)>> {
        entries.into_iter().map(|entry| Ok((entry.key, self.pattern_from(entry.value)?))).collect()
    }

    fn bytes_from(&mut self, items: &[Expr]) -> Result<Literal> {
        let mut bytes = Vec::new();
        for item in items {
            match &item.kind {
                ExprKind::Literal(Literal::Bytes(part)) => bytes.extend_from_slice(part),
                ExprKind::Literal(Literal::Int(byte)) if (0..256).contains(byte) => bytes.push(*byte as u8),
                _ => return Err(self.not_a_pattern(item, "bytes in a pattern are texts and numbers 0 to 255")),
            }
        }
        Ok(Literal::Bytes(bytes.into()))
    }

    fn not_a_pattern(&mut self, expr: &Expr, message: &str) -> Lost {
        let hint = "a pattern is made of variables, literals, tuples, lists and maps; put conditions after `when`";
        self.error_at = None;
        self.report(expr.span, message, "", Some(hint));
        Lost
    }
}

fn describe(expr: &Expr) -> &'static str {
    match expr.kind {
        ExprKind::Call(..) => "a call",
        ExprKind::Binary(..) | ExprKind::Unary(..) => "an operator's result",
        ExprKind::Fun(_) | ExprKind::FunRef { .. } => "a function",
        ExprKind::Case(..) | ExprKind::If(_) | ExprKind::Block(_) => "a block",
        ExprKind::Comprehension(..) => "a comprehension",
        ExprKind::Collection(..) => "a set",
        _ => "this",
    }
}
