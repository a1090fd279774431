//! One operation on a variable of a known type, or one type, read from text: what the command line and tools take.

use crate::ast::Program;
use crate::check::Checker;
use crate::diagnostic::Diagnostic;
use crate::env::Env;
use crate::machine::{FORM_STEPS, Machine};
use crate::parse::{Parsed, parse};
use crate::session::operation_hint;
use crate::source::{Source, Span};
use lasp_dataflow::{Op, Type};
use std::sync::Arc;

/// Reads `text`, a pure expression such as `{add, 1 + 1}`, as an operation of variables of type `ty`. A `.` at its end is
/// allowed.
///
/// # Errors
/// What is wrong, by place in the source beside it.
pub fn operation(ty: &Type, text: &str) -> Result<Op, (Arc<Source>, Vec<Diagnostic>)> {
    let source = source("operation", text);
    read(ty, &source).map_err(|diagnostics| (source, diagnostics))
}

/// Reads `text` as a type such as `gmap(set)`.
///
/// # Errors
/// What is wrong, by place in the source beside it.
pub fn type_from(text: &str) -> Result<Type, (Arc<Source>, Vec<Diagnostic>)> {
    let source = source("type", text);
    read_type(&source).map_err(|diagnostics| (source, diagnostics))
}

fn read_type(source: &Arc<Source>) -> Result<Type, Vec<Diagnostic>> {
    let program = one(source, "type", "for instance set or gmap(gcounter)")?;
    let expr = &program.forms[0].body[0];
    let (ty, diagnostics) = Checker::default().check_type(expr);
    ty.ok_or_else(|| match diagnostics.is_empty() {
        true => vec![Diagnostic::error(expr.span, "this is no type")],
        false => diagnostics,
    })
}

fn read(ty: &Type, source: &Arc<Source>) -> Result<Op, Vec<Diagnostic>> {
    let program = one(source, "operation", "for instance {add, 1} or increment")?;
    let body = &program.forms[0].body;
    let expr = &body[0];
    let diagnostics = Checker::default().check_operation(ty, expr);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    let mut machine = Machine::pure_in(source.clone(), FORM_STEPS);
    let term = machine.body(body, &mut Env::default()).map_err(|fault| vec![fault.diagnostic()])?;
    let wrong = |message: String| Diagnostic::error(expr.span, message);
    let value = term.to_value().map_err(|odd| vec![wrong(format!("{} is no operation", odd.kind()))])?;
    let op = Op::from_value(ty, &value);
    op.map_err(|error| vec![wrong(error.to_string()).maybe_hint(operation_hint(ty, &value))])
}

/// A program of one form; a comment at the end must not swallow its `.`.
fn source(name: &str, text: &str) -> Arc<Source> {
    let text = text.trim();
    let end = match text {
        _ if text.ends_with('.') => "",
        _ if text.contains('%') => "\n.",
        _ => " .",
    };
    Source::new(name, format!("{text}{end}"))
}

/// The program of `source`, if it is one expression.
fn one(source: &Arc<Source>, what: &str, example: &str) -> Result<Program, Vec<Diagnostic>> {
    let not_one =
        |span, found| vec![Diagnostic::error(span, format!("expected one {what}, found {found}")).hint(example)];
    if source.text().trim_matches(['.', ' ', '\n']).is_empty() {
        return Err(not_one(Span::default(), "nothing"));
    }
    let Parsed { program, diagnostics, .. } = parse(source);
    match &program.forms[..] {
        _ if !diagnostics.is_empty() => Err(diagnostics),
        [form] if form.body.len() == 1 => Ok(program),
        [form] => Err(not_one(form.span, "several")),
        _ => Err(not_one(Span::default(), "several")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::render_all;
    use lasp_dataflow::Value;

    fn wrong(ty: &Type, text: &str) -> String {
        let (source, diagnostics) = operation(ty, text).expect_err("refused");
        render_all(&diagnostics, &source, false)
    }

    #[test]
    fn an_operation_is_a_pure_expression() {
        assert_eq!(operation(&Type::AwSet, "{add, 1 + 2}"), Ok(Op::Add(Value::Int(3))));
        assert_eq!(operation(&Type::GCounter, " increment . "), Ok(Op::Increment(1)));
        assert_eq!(operation(&Type::GCounter, "{increment, 5} % five"), Ok(Op::Increment(5)));
    }

    #[test]
    fn a_type_is_read_or_its_nearest_name_told() {
        assert_eq!(type_from("gmap(gcounter)"), Ok(Type::GMap(Box::new(Type::GCounter))));
        let (source, diagnostics) = type_from("gcountr").expect_err("refused");
        assert!(render_all(&diagnostics, &source, false).contains("gcounter"));
        assert!(type_from("X").is_err() && type_from("1 + 1").is_err());
    }

    #[test]
    fn what_is_no_operation_is_told_with_its_place_and_a_hint() {
        let error = wrong(&Type::AwSet, "{ad, 1}");
        assert!(error.contains("set has no operation `ad`") && error.contains("did you mean `add`?"), "{error}");
        assert!(wrong(&Type::AwSet, "{add, 1").contains("^"));
        assert!(wrong(&Type::AwSet, "").contains("found nothing"));
        assert!(wrong(&Type::AwSet, "{add, 1}, {add, 2}").contains("found several"));
        assert!(wrong(&Type::AwSet, "{add, X}").contains("`X`"));
        assert!(wrong(&Type::AwSet, "{add, 1 div 0}").contains("zero"));
        assert!(wrong(&Type::AwSet, "{add, declare(set)}").contains("pure"));
        assert!(wrong(&Type::GCounter, "{increment, -1}").contains("increment"));
        assert!(wrong(&Type::AwSet, "fun(X) -> X end").contains("function"));
    }
}
