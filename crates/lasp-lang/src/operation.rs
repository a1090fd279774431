//! One operation on a variable of a known type, read from text: what the command line and tools take.

use crate::check::Checker;
use crate::diagnostic::Diagnostic;
use crate::env::Env;
use crate::machine::{FORM_STEPS, Machine};
use crate::parse::parse;
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
    let source = source(text);
    read(ty, &source).map_err(|diagnostics| (source, diagnostics))
}

fn read(ty: &Type, source: &Arc<Source>) -> Result<Op, Vec<Diagnostic>> {
    if source.text().trim_matches(['.', ' ', '\n']).is_empty() {
        return Err(vec![not_one(Span::default(), "nothing")]);
    }
    let parsed = parse(source);
    if !parsed.diagnostics.is_empty() {
        return Err(parsed.diagnostics);
    }
    let [form] = &parsed.program.forms[..] else {
        return Err(vec![not_one(Span::default(), "several")]);
    };
    let [expr] = &form.body[..] else { return Err(vec![not_one(form.span, "several")]) };
    let diagnostics = Checker::default().check_operation(ty, expr);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    let mut machine = Machine::pure_in(source.clone(), FORM_STEPS);
    let term = machine.body(&form.body, &mut Env::default()).map_err(|fault| vec![fault.diagnostic()])?;
    let wrong = |message: String| Diagnostic::error(expr.span, message);
    let value = term.to_value().map_err(|odd| vec![wrong(format!("{} is no operation", odd.kind()))])?;
    let op = Op::from_value(ty, &value);
    op.map_err(|error| vec![wrong(error.to_string()).maybe_hint(operation_hint(ty, &value))])
}

/// A program of one form; a comment at the end must not swallow its `.`.
fn source(text: &str) -> Arc<Source> {
    let text = text.trim();
    let end = match text {
        _ if text.ends_with('.') => "",
        _ if text.contains('%') => "\n.",
        _ => " .",
    };
    Source::new("operation", format!("{text}{end}"))
}

fn not_one(span: Span, found: &str) -> Diagnostic {
    Diagnostic::error(span, format!("expected one operation, found {found}")).hint("for instance {add, 1} or increment")
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
