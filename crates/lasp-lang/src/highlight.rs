//! What the parts of a program's text are, for colouring: by the lexer alone, so that it works on half a program.

use crate::lexer::tokenize;
use crate::library;
use crate::signature;
use crate::source::{Source, Span};
use crate::token::{Symbol, Token};
use lasp_dataflow::Type;

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `% to the end of the line`, and a first line `#!...`.
    Comment,
    /// A reserved word.
    Keyword,
    /// An operation on variables or nodes, where it is called.
    Operation,
    /// A library function, where it is called.
    Function,
    /// A type's name.
    Type,
    /// A variable.
    Variable,
    /// Any other atom.
    Atom,
    /// `true` and `false`.
    Boolean,
    /// A number.
    Number,
    /// Text or bytes in quotes.
    Text,
    /// An operator or bracket.
    Symbol,
}

/// The coloured parts of `text`, ascending and apart; what lies between them is white space or cannot be read.
pub fn classify(text: &str) -> Vec<(Span, Class)> {
    let source = Source::new("", text);
    let (tokens, _) = tokenize(&source);
    let mut parts = Vec::with_capacity(tokens.len());
    let mut at = 0;
    for (position, (token, span)) in tokens.iter().enumerate() {
        comments(text, at, span.start as usize, &mut parts);
        at = span.end as usize;
        if let Some(class) = class(token, span, position, &tokens, &source) {
            parts.push((*span, class));
        }
    }
    parts
}

/// The comments between two tokens.
fn comments(text: &str, from: usize, to: usize, parts: &mut Vec<(Span, Class)>) {
    let mut start = from;
    for line in text.get(from..to).unwrap_or("").split_inclusive('\n') {
        let opening = if start == 0 && line.starts_with("#!") { Some(0) } else { line.find('%') };
        if let Some(opening) = opening {
            let end = start + line.trim_end_matches(['\n', '\r']).len();
            parts.push((Span::new((start + opening) as u32, end as u32), Class::Comment));
        }
        start += line.len();
    }
}

fn class(token: &Token, span: &Span, position: usize, tokens: &[(Token, Span)], source: &Source) -> Option<Class> {
    Some(match token {
        Token::Atom(_) if source.slice(*span).starts_with('\'') => Class::Atom,
        Token::Atom(name) if matches!(&**name, "true" | "false") => Class::Boolean,
        Token::Atom(name) => name_class(name, position, tokens),
        Token::Variable(_) => Class::Variable,
        Token::Integer(_) | Token::IntegerMinMagnitude | Token::Float(_) => Class::Number,
        Token::Text(_) | Token::ByteText(_) => Class::Text,
        Token::Keyword(_) => Class::Keyword,
        Token::Symbol(Symbol::Colon) if position > 0 && is_qualified(position - 1, tokens) => Class::Function,
        Token::Symbol(_) | Token::FormEnd => Class::Symbol,
        Token::EndOfFile => return None,
    })
}

/// An atom: called, a type, or just an atom.
fn name_class(name: &str, position: usize, tokens: &[(Token, Span)]) -> Class {
    if is_qualified(position, tokens) || (position >= 2 && is_qualified(position - 2, tokens)) {
        return Class::Function;
    }
    let follows = |symbol| matches!(tokens.get(position + 1), Some((Token::Symbol(next), _)) if *next == symbol);
    let called = follows(Symbol::OpenParen);
    match (called, Type::names_and_aliases().any(|ty| ty == name)) {
        (true, _) if library::find(name).is_some() => Class::Function,
        (true, _) if signature::is_operation(name) => Class::Operation,
        (_, true) if !follows(Symbol::OpenBracket) => Class::Type,
        _ => Class::Atom,
    }
}

/// Whether a library function such as `lists:sum` starts here.
fn is_qualified(position: usize, tokens: &[(Token, Span)]) -> bool {
    match tokens.get(position..position + 3) {
        Some([(Token::Atom(module), _), (Token::Symbol(Symbol::Colon), _), (Token::Atom(name), _)]) => {
            library::find(&format!("{module}:{name}")).is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(&str, Class)> {
        classify(text).into_iter().map(|(span, class)| (&text[span.range()], class)).collect()
    }

    #[test]
    fn every_kind_of_part_is_told_apart() {
        use Class::*;
        assert_eq!(
            parts("#!lasp\nS = declare(set), % \"no text\"\n'set' lists:sum(true) fun 16#f \"%\"."),
            [
                ("#!lasp", Comment),
                ("S", Variable),
                ("=", Symbol),
                ("declare", Operation),
                ("(", Symbol),
                ("set", Type),
                (")", Symbol),
                (",", Symbol),
                ("% \"no text\"", Comment),
                ("'set'", Atom),
                ("lists", Function),
                (":", Function),
                ("sum", Function),
                ("(", Symbol),
                ("true", Boolean),
                (")", Symbol),
                ("fun", Keyword),
                ("16#f", Number),
                ("\"%\"", Text),
                (".", Symbol),
            ]
        );
    }

    #[test]
    fn half_a_program_is_coloured_as_far_as_it_goes() {
        assert_eq!(parts("X = \"né").last(), Some(&("\"né", Class::Text)));
        assert_eq!(
            parts("max(1) max"),
            [
                ("max", Class::Function),
                ("(", Class::Symbol),
                ("1", Class::Number),
                (")", Class::Symbol),
                ("max", Class::Type),
            ]
        );
    }
}
