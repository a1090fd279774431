//! Types, operations and thresholds that are written out in the program.

use super::Checker;
use crate::ast::{Callee, Expr, ExprKind, Literal, MapEntry};
use crate::library::named_type;
use crate::machine::literal_value;
use crate::session::{operation_name, operation_names};
use crate::show::type_name;
use crate::suggest::nearest;
use lasp_dataflow::{Op, OpError, Threshold, Type, Value};

/// The value of an expression that is made of literals only.
pub(super) fn constant(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(literal) => Some(literal_value(literal)),
        ExprKind::Tuple(items) => Some(Value::Tuple(constants(items)?.into())),
        ExprKind::List { items, tail: None } => Some(Value::List(constants(items)?.into())),
        ExprKind::Map { base: None, entries } => {
            let entry = |entry: &MapEntry| Some((constant(&entry.key)?, constant(&entry.value)?));
            Some(Value::map(entries.iter().map(entry).collect::<Option<Vec<_>>>()?))
        }
        _ => None,
    }
}

fn constants(items: &[Expr]) -> Option<Vec<Value>> {
    items.iter().map(constant).collect()
}

impl Checker {
    /// The type that `expr` spells out, if it does; what is wrong with it is reported.
    pub(super) fn written_type(&mut self, expr: &Expr) -> Option<Type> {
        let (name, span, parameters) = match &expr.kind {
            ExprKind::Literal(Literal::Atom(name)) => (name, expr.span, &[][..]),
            ExprKind::Call(Callee::Named(name, span), parameters) => (name, *span, &parameters[..]),
            ExprKind::Literal(_) | ExprKind::Tuple(_) | ExprKind::List { .. } => {
                let known: Vec<&str> = Type::names().collect();
                let diagnostic = self.error(expr.span, "this is no type");
                diagnostic.label = "expected a type".to_owned();
                diagnostic.hint = Some(format!("there are {}", known.join(", ")));
                return None;
            }
            _ => {
                self.expr(expr);
                return None;
            }
        };
        let errors = self.diagnostics.len();
        let written: Vec<Option<Type>> = parameters.iter().map(|parameter| self.written_type(parameter)).collect();
        if self.diagnostics.len() > errors {
            return None;
        }
        // A parameter that is only known at run time must not hide a misspelt name.
        let known: Vec<Type> = written.iter().map(|ty| ty.clone().unwrap_or(Type::AwSet)).collect();
        match named_type(name, known) {
            Ok(ty) => written.iter().all(Option::is_some).then_some(ty),
            Err(message) => {
                let (message, hint) = match message.split_once("; ") {
                    Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
                    None => (message, None),
                };
                self.error(span, message).hint = hint;
                None
            }
        }
    }

    /// Whether variables of type `ty` offer the operation that `expr` spells out.
    pub(super) fn written_operation(&mut self, ty: &Type, expr: &Expr) {
        let (head, arguments) = match &expr.kind {
            ExprKind::Tuple(items) => match items.split_first() {
                Some((head, arguments)) => (head, arguments),
                None => return self.no_operation(ty, expr, "`{}`"),
            },
            _ => (expr, &[][..]),
        };
        let name = match &head.kind {
            ExprKind::Literal(Literal::Atom(name)) => &**name,
            ExprKind::Literal(Literal::Bool(true)) => "true",
            ExprKind::Literal(Literal::Bool(false)) => "false",
            ExprKind::Literal(_) | ExprKind::List { .. } => return self.no_operation(ty, expr, "like this"),
            _ => return,
        };
        if operation_names(ty).all(|known| known != name) {
            return self.no_operation(ty, head, &format!("`{name}`"));
        }
        match (ty, name, arguments) {
            (Type::GMap(inner) | Type::AwMap(inner), "apply", [_, operation]) => {
                self.written_operation(inner, operation)
            }
            (Type::MvMap, "apply", [_, operation]) => self.written_operation(&Type::MvRegister, operation),
            (Type::Pair(first, _), "fst", [operation]) => self.written_operation(first, operation),
            (Type::Pair(_, second), "snd", [operation]) => self.written_operation(second, operation),
            _ => {
                let Some(Err(error)) = constant(expr).map(|value| Op::from_value(ty, &value)) else {
                    return;
                };
                match error {
                    OpError::Unsupported { .. } => self.written_otherwise(ty, name, expr),
                    error => _ = self.error(expr.span, error.to_string()),
                }
            }
        }
    }

    /// An operation of the type by its name alone.
    fn written_otherwise(&mut self, ty: &Type, name: &str, at: &Expr) {
        let is_this = |form: &&str| operation_name(form) == name;
        let forms: Vec<&str> = ty.catalogue().iter().map(|op| op.form).filter(is_this).collect();
        let diagnostic = self.error(at.span, format!("`{name}` of {} is written otherwise", type_name(ty)));
        diagnostic.label = format!("expected {}", forms.join(" or "));
    }

    fn no_operation(&mut self, ty: &Type, at: &Expr, found: &str) {
        let near = nearest(found.trim_matches('`'), operation_names(ty));
        let forms: Vec<&str> = ty.catalogue().iter().map(|op| op.form).collect();
        let offers = format!("{} offers {}", type_name(ty), forms.join(", "));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`? {offers}"),
            None => offers,
        };
        let diagnostic = self.error(at.span, format!("{} has no operation {found}", type_name(ty)));
        diagnostic.label = format!("no operation of {}", type_name(ty));
        diagnostic.hint = Some(hint);
    }

    /// Whether variables of type `ty` can be waited on for what `expr` spells out.
    pub(super) fn written_threshold(&mut self, ty: &Type, expr: &Expr) {
        let Some(Err(error)) = constant(expr).map(|value| Threshold::from_value(ty, &value)) else {
            return;
        };
        let message = error.to_string();
        let (message, hint) = match message.split_once("; ") {
            Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
            None => (message, None),
        };
        self.error(expr.span, message).hint = hint;
    }
}
