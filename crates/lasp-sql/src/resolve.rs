//! The parser's expressions made into ours: names found, everything else refused with its place.

use crate::error::{Result, Span, SqlError};
use crate::expr::{Aggregation, Arithmetic, At, Comparison, Expr, Kind, Op};
use crate::scope::Scope;
use crate::text::{Text, name};
use lasp_dataflow::{F64, Value};
use sqlparser::ast::{
    self, BinaryOperator, DuplicateTreatment, Expr as Sql, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    InTarget, UnaryOperator,
};

/// How deep expressions nest; a chain of one `and` or `or` is one level.
const DEPTH_MAX: usize = 100;

/// Resolves expressions of one query.
pub(crate) struct Resolver<'a> {
    pub(crate) text: &'a Text<'a>,
    pub(crate) scope: &'a Scope,
    /// Why aggregates may not stand here; `None` where they may.
    pub(crate) no_aggregates: Option<&'static str>,
}

impl Resolver<'_> {
    pub(crate) fn expr(&self, sql: &Sql) -> Result<Expr> {
        self.nested(sql, 0)
    }

    /// The conditions that must all hold.
    pub(crate) fn conditions(&self, sql: &Sql, out: &mut Vec<Expr>) -> Result<()> {
        for part in chain(sql, &BinaryOperator::And) {
            out.push(self.expr(part)?);
        }
        Ok(())
    }

    fn nested(&self, sql: &Sql, depth: usize) -> Result<Expr> {
        if depth > DEPTH_MAX {
            return Err(SqlError::new(self.text.whole(), format!("this nests more than {DEPTH_MAX} levels deep")));
        }
        let inner = |sql: &Sql| self.nested(sql, depth + 1);
        // Deep chains have no place of their own: to find it would go through all of them at each level.
        let apply = |op, args: &[&Sql]| {
            let args = args.iter().map(|arg| inner(arg)).collect::<Result<Vec<_>>>()?;
            Ok(Expr::Apply(op, args.clone(), At(span_of(&args))))
        };
        let negated = |negated: bool, expr: Result<Expr>| {
            let expr = expr?;
            let at = expr.at();
            Ok(if negated { Expr::Apply(Op::Not, vec![expr], at) } else { expr })
        };
        match sql {
            Sql::Nested(expr) => inner(expr),
            Sql::Identifier(ident) => self.scope.unqualified((&name(ident), self.text.ident(ident))),
            Sql::CompoundIdentifier(parts) => self.compound(parts),
            Sql::Value(value) => self.literal(&value.value, false, self.text.span(value.span)),
            Sql::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
                let logical = if *op == BinaryOperator::And { Op::And } else { Op::Or };
                apply(logical, &chain(sql, op))
            }
            Sql::BinaryOp { left, op, right } => apply(self.binary(op, sql)?, &[left, right]),
            Sql::UnaryOp { op: UnaryOperator::Not, expr } => apply(Op::Not, &[expr]),
            Sql::UnaryOp { op: UnaryOperator::Plus, expr } => inner(expr),
            Sql::UnaryOp { op: UnaryOperator::Minus, expr } => match &**expr {
                Sql::Value(value) => self.literal(&value.value, true, self.text.span(value.span)),
                _ => apply(Op::Negate, &[expr]),
            },
            Sql::IsNull(expr) => apply(Op::IsNull, &[expr]),
            Sql::IsNotNull(expr) => negated(true, apply(Op::IsNull, &[expr])),
            Sql::IsTrue(expr) => apply(Op::Is(true), &[expr]),
            Sql::IsNotTrue(expr) => negated(true, apply(Op::Is(true), &[expr])),
            Sql::IsFalse(expr) => apply(Op::Is(false), &[expr]),
            Sql::IsNotFalse(expr) => negated(true, apply(Op::Is(false), &[expr])),
            Sql::IsUnknown(expr) => apply(Op::IsNull, &[expr]),
            Sql::IsNotUnknown(expr) => negated(true, apply(Op::IsNull, &[expr])),
            Sql::IsDistinctFrom(a, b) => apply(Op::Distinct, &[a, b]),
            Sql::IsNotDistinctFrom(a, b) => negated(true, apply(Op::Distinct, &[a, b])),
            Sql::In { expr, target: InTarget::List(list), negated: not, global: false } => {
                negated(*not, apply(Op::In, &std::iter::once(&**expr).chain(list).collect::<Vec<_>>()))
            }
            Sql::Between { expr, negated: not, low, high } => negated(*not, apply(Op::Between, &[expr, low, high])),
            Sql::Like { negated: not, any: false, expr, pattern, escape_char } => {
                let op = self.like(escape_char.as_deref(), false)?;
                negated(*not, apply(op, &[expr, pattern]))
            }
            Sql::ILike { negated: not, any: false, expr, pattern, escape_char } => {
                let op = self.like(escape_char.as_deref(), true)?;
                negated(*not, apply(op, &[expr, pattern]))
            }
            Sql::Case { operand, conditions, else_result, .. } => {
                let mut args: Vec<&Sql> = operand.iter().map(|operand| &**operand).collect();
                args.extend(conditions.iter().flat_map(|when| [&when.condition, &when.result]));
                args.extend(else_result.as_deref());
                apply(if operand.is_some() { Op::Switch } else { Op::Case }, &args)
            }
            Sql::Function(function) => self.function(function, depth),
            other => Err(self.refused(other)),
        }
    }

    fn compound(&self, parts: &[Ident]) -> Result<Expr> {
        match parts {
            [table, column] => {
                self.scope.qualified((&name(table), self.text.ident(table)), (&name(column), self.text.ident(column)))
            }
            _ => Err(SqlError::new(self.text.ident(&parts[0]), "a column is `column` or `table.column`")),
        }
    }

    fn literal(&self, value: &ast::Value, negative: bool, span: Span) -> Result<Expr> {
        Ok(match value {
            ast::Value::Null => Expr::Null,
            ast::Value::Boolean(truth) if !negative => Expr::Constant(Value::Bool(*truth)),
            ast::Value::SingleQuotedString(text) if !negative => Expr::Constant(Value::text(text.as_str())),
            ast::Value::Number(digits, false) => {
                let digits = if negative { format!("-{digits}") } else { digits.clone() };
                Expr::Constant(number(&digits).ok_or_else(|| {
                    SqlError::new(span, "this number does not fit").hint("integers have 64 bits, floats are finite")
                })?)
            }
            _ => {
                return Err(SqlError::new(span, "this literal is not supported")
                    .hint("numbers, 'texts', true, false and null are"));
            }
        })
    }

    fn binary(&self, op: &BinaryOperator, sql: &Sql) -> Result<Op> {
        use BinaryOperator as B;
        Ok(match op {
            B::Eq => Op::Compare(Comparison::Equal),
            B::NotEq => Op::Compare(Comparison::NotEqual),
            B::Lt => Op::Compare(Comparison::Less),
            B::LtEq => Op::Compare(Comparison::LessOrEqual),
            B::Gt => Op::Compare(Comparison::Greater),
            B::GtEq => Op::Compare(Comparison::GreaterOrEqual),
            B::Plus => Op::Arithmetic(Arithmetic::Add),
            B::Minus => Op::Arithmetic(Arithmetic::Subtract),
            B::Multiply => Op::Arithmetic(Arithmetic::Multiply),
            B::Divide => Op::Arithmetic(Arithmetic::Divide),
            B::Modulo => Op::Arithmetic(Arithmetic::Modulo),
            B::StringConcat => Op::Concat,
            other => return Err(SqlError::new(self.text.of(sql), format!("the operator `{other}` is not supported"))),
        })
    }

    fn like(&self, escape: Option<&Sql>, ignore_case: bool) -> Result<Op> {
        let escape = match escape {
            None => None,
            Some(Sql::Value(value)) => match &value.value {
                ast::Value::SingleQuotedString(text) if text.chars().count() == 1 => text.chars().next(),
                _ => return Err(SqlError::new(self.text.span(value.span), "`escape` takes one character")),
            },
            Some(other) => return Err(SqlError::new(self.text.of(other), "`escape` takes one character")),
        };
        Ok(Op::Like { escape, ignore_case })
    }

    // ---- functions ----

    fn function(&self, function: &ast::Function, depth: usize) -> Result<Expr> {
        let span = self.text.of(&function.name);
        let called = match &function.name.0[..] {
            [part] => part.as_ident().map(name).unwrap_or_default(),
            _ => String::new(),
        };
        self.plain_call(function, span)?;
        let FunctionArguments::List(list) = &function.args else {
            return Err(SqlError::new(span, format!("`{called}` needs its arguments in parentheses")));
        };
        if let Some(clause) = list.clauses.first() {
            return Err(SqlError::new(span, format!("`{clause}` is not supported here")));
        }
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        if let Some(kind) = aggregate(&called) {
            return self.aggregate(kind, distinct, &list.args, function.filter.as_deref(), span, depth);
        }
        if distinct || function.filter.is_some() {
            return Err(SqlError::new(span, format!("`{called}` is no aggregate")));
        }
        let args = list.args.iter().map(|arg| self.argument(arg, span, depth)).collect::<Result<Vec<_>>>()?;
        let (op, takes) = match &*called {
            "lower" => (Op::Lower, 1..=1),
            "upper" => (Op::Upper, 1..=1),
            "length" => (Op::Length, 1..=1),
            "abs" => (Op::Abs, 1..=1),
            "nullif" => (Op::NullIf, 2..=2),
            "coalesce" => (Op::Coalesce, 1..=usize::MAX),
            _ => {
                return Err(SqlError::new(span, format!("there is no function `{}`", function.name))
                    .hint("there are lower, upper, length, abs, coalesce, nullif, count, sum, min, max, avg"));
            }
        };
        if !takes.contains(&args.len()) {
            let wanted = if *takes.start() == 1 { "one argument" } else { "two arguments" };
            return Err(SqlError::new(span, format!("`{called}` takes {wanted}, found {}", args.len())));
        }
        Ok(Expr::Apply(op, args, At(span)))
    }

    /// Refuses what may stand around a call.
    fn plain_call(&self, function: &ast::Function, span: Span) -> Result<()> {
        if function.over.is_some() {
            return Err(SqlError::new(self.text.word("over"), "window functions are not supported")
                .hint("`group by` gives one row for each group"));
        }
        let plain = !function.uses_odbc_syntax
            && function.parameters == FunctionArguments::None
            && function.within_group.is_empty()
            && function.null_treatment.is_none();
        if plain { Ok(()) } else { Err(SqlError::new(span, "this form of a call is not supported")) }
    }

    fn argument(&self, arg: &FunctionArg, span: Span, depth: usize) -> Result<Expr> {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.nested(expr, depth + 1),
            _ => Err(SqlError::new(span, "an argument is an expression")),
        }
    }

    fn aggregate(
        &self,
        kind: Kind,
        distinct: bool,
        args: &[FunctionArg],
        filter: Option<&Sql>,
        span: Span,
        depth: usize,
    ) -> Result<Expr> {
        if let Some(reason) = self.no_aggregates {
            return Err(SqlError::new(span, format!("`{}` cannot stand here", kind.name())).hint(reason));
        }
        let inside = Resolver { no_aggregates: Some("aggregates do not nest"), ..*self };
        let at = At(span);
        let mut argument = match args {
            [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] if kind == Kind::Count && !distinct => None,
            [arg] => Some(inside.argument(arg, span, depth)?),
            _ => return Err(SqlError::new(span, format!("`{}` takes one argument", kind.name()))),
        };
        if let Some(filter) = filter {
            let condition = inside.nested(filter, depth + 1)?;
            let counted = argument.unwrap_or(Expr::Constant(Value::Int(1)));
            argument = Some(Expr::Apply(Op::Case, vec![condition, counted], at));
        }
        Ok(Expr::Aggregate(Box::new(Aggregation { kind, distinct, argument, at })))
    }

    fn refused(&self, sql: &Sql) -> SqlError {
        let (span, what, hint) = match sql {
            Sql::Subquery(_) | Sql::Exists { .. } | Sql::In { .. } => {
                (self.text.of(sql), "subqueries are", "make a view of it, and join with that")
            }
            _ => (self.text.of(sql), "this expression is", "see `docs/sql.md` for what is"),
        };
        SqlError::new(span, format!("{what} not supported")).hint(hint)
    }
}

fn aggregate(name: &str) -> Option<Kind> {
    [Kind::Count, Kind::Sum, Kind::Min, Kind::Max, Kind::Avg].into_iter().find(|kind| kind.name() == name)
}

/// The operands of a chain of one operator, parentheses apart. The parser nests them to the left, thousands deep.
fn chain<'a>(sql: &'a Sql, operator: &BinaryOperator) -> Vec<&'a Sql> {
    let mut parts = Vec::new();
    let mut rest = sql;
    loop {
        match rest {
            Sql::BinaryOp { left, op, right } if op == operator => {
                parts.push(&**right);
                rest = left;
            }
            first => {
                parts.push(first);
                parts.reverse();
                return parts;
            }
        }
    }
}

fn span_of(args: &[Expr]) -> Span {
    let spans = args.iter().map(|arg| arg.at().0).filter(|span| *span != Span::default());
    spans.reduce(|a, b| Span { start: a.start.min(b.start), end: a.end.max(b.end) }).unwrap_or_default()
}

fn number(digits: &str) -> Option<Value> {
    if digits.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return digits.parse().ok().map(Value::Int);
    }
    F64::new(digits.parse().ok()?).map(Value::Float)
}
