//! SQL texts that stand in programs: what is wrong with them, and where in the program.

use crate::ast::{Callee, Expr, ExprKind, Form, Literal, Program};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use std::sync::Arc;

/// The texts that the expressions of a form hand to `sql`, with their places.
pub(crate) fn texts(form: &Form) -> Vec<(Arc<str>, Span)> {
    let mut found = Vec::new();
    let mut open: Vec<&Expr> = form.body.iter().collect();
    while let Some(expr) = open.pop() {
        if let ExprKind::Call(Callee::Named(name, _), args) = &expr.kind
            && &**name == "sql"
            && let Some(Expr { kind: ExprKind::Literal(Literal::Text(text)), span, .. }) = args.first()
        {
            found.push((text.clone(), *span));
        }
        expr.kind.each_child(&mut |child| open.push(child));
    }
    found
}

/// What is wrong with the SQL of a program, whatever its tables are.
pub(crate) fn diagnose(program: &Program, source: &Source) -> Vec<Diagnostic> {
    let wrong = |(text, literal): (Arc<str>, Span)| {
        let error = lasp_sql::check(&text).err()?;
        let span = place(source, literal, error.span);
        Some(Diagnostic::error(span, error.message).maybe_hint(error.hint))
    };
    program.forms.iter().flat_map(texts).filter_map(wrong).collect()
}

/// Where a part of a text stands in the program, given the place of the literal.
pub(crate) fn place(source: &Source, literal: Span, part: lasp_sql::Span) -> Span {
    let written = source.slice(literal);
    let at = |offset: u32| literal.start + written_offset(written, offset as usize) as u32;
    Span::new(at(part.start), at(part.end))
}

/// Where the byte at `offset` of a literal's text is written in the literal, whose escapes are longer than what they mean.
fn written_offset(literal: &str, offset: usize) -> usize {
    let mut at = 1;
    let mut meant = 0;
    while meant < offset {
        let rest = literal.get(at..).unwrap_or("");
        let Some(c) = rest.chars().next() else { break };
        let (written, means) = if c == '\\' { escape(rest) } else { (c.len_utf8(), c.len_utf8()) };
        at += written;
        meant += means;
    }
    at.min(literal.len())
}

/// How long an escape is, and how long what it means.
fn escape(rest: &str) -> (usize, usize) {
    let Some(hex) = rest.strip_prefix("\\x") else {
        let escaped = rest.chars().nth(1).map_or(0, char::len_utf8);
        return (1 + escaped, escaped);
    };
    let (digits, around) = match hex.strip_prefix('{').and_then(|braced| braced.split_once('}')) {
        Some((digits, _)) => (digits, 4),
        None => (&hex[..hex.bytes().take(2).take_while(u8::is_ascii_hexdigit).count()], 2),
    };
    let means = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).map_or(0, char::len_utf8);
    (digits.len() + around, means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_longer_than_what_they_mean() {
        let literal = r#""a\n\"b\x41\x{e9}ñc""#;
        let meant = "a\n\"bAéñc";
        for (part, written) in
            [("a", "a"), ("\n", "\\n"), ("b", "b"), ("A", "\\x41"), ("é", "\\x{e9}"), ("ñ", "ñ"), ("c", "c")]
        {
            let start = meant.find(part).expect("a part");
            let range = written_offset(literal, start)..written_offset(literal, start + part.len());
            assert_eq!(&literal[range], written);
        }
        assert_eq!(written_offset(literal, 999), literal.len());
    }
}
