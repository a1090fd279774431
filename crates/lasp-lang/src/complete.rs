//! What could stand at a place of a program that is being typed: names, operations, types, and what an operation takes there.
//!
//! Decided by the tokens before the place alone, since what is typed is rarely complete.

use crate::check::Analysis;
use crate::lexer::tokenize;
use crate::signature;
use crate::source::{Source, Span};
use crate::token::{Keyword, Symbol, Token};
use lasp_dataflow::Type;
use std::sync::Arc;

/// The aggregates that `fold` and `group` know by name.
const AGGREGATES: [(&str, &str); 5] = [
    ("count", "how many elements there are"),
    ("sum", "their sum"),
    ("min", "the least"),
    ("max", "the greatest"),
    ("avg", "their mean"),
];

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An operation that a variable's type offers, inside `update`.
    Update,
    /// What `fold` sums up by.
    Aggregate,
    /// A bound name.
    Binding,
    /// A type.
    Type,
    /// An operation on variables or nodes.
    Operation,
    /// A library function.
    Function,
    /// A reserved word.
    Keyword,
}

/// Something that could stand at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// What it is.
    pub kind: Kind,
    /// The text that replaces what was typed of it.
    pub text: String,
    /// Its form or type.
    pub form: String,
    /// What it does.
    pub does: String,
}

impl Candidate {
    fn new(kind: Kind, text: impl Into<String>, form: impl Into<String>, does: impl Into<String>) -> Self {
        Self { kind, text: text.into(), form: form.into(), does: does.into() }
    }
}

/// A name that is bound where one types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The name.
    pub name: String,
    /// What it stands for, in words.
    pub what: String,
    /// The type, if it is a dataflow variable.
    pub ty: Option<Type>,
}

impl Known {
    /// The variables that `text` binds, as far as it can be read; of two with the same name the later one comes last.
    pub fn in_text(text: &str) -> Vec<Self> {
        let analysis = Analysis::of(&Source::new("", text));
        let bound = analysis.occurrences.into_iter().filter(|found| found.bound_at == Some(found.span));
        bound.map(|found| Self { name: found.name.to_string(), what: found.what, ty: found.ty }).collect()
    }
}

/// What could stand at byte `at` of `text` in place of the word before it: where that word starts, and the candidates that
/// begin like it, the likeliest kinds first. Nothing inside texts and comments.
pub fn complete(text: &str, at: usize, known: &[Known]) -> (usize, Vec<Candidate>) {
    let before = text.get(..at).unwrap_or(text);
    let start = word_start(before);
    let word = &before[start..];
    let Some(context) = Context::of(&before[..start]) else {
        return (start, Vec::new());
    };
    let (mut candidates, only) = context.special(known);
    if !only {
        candidates.extend(known.iter().map(|k| Candidate::new(Kind::Binding, &k.name, &k.what, "")));
        candidates.extend(everything());
    }
    candidates.retain(|candidate| candidate.text.starts_with(word));
    candidates.sort();
    candidates.dedup_by(|a, b| a.text == b.text);
    (start, candidates)
}

fn everything() -> impl Iterator<Item = Candidate> {
    let ours = |word: &&Keyword| **word < Keyword::Receive;
    let keywords = Keyword::ALL.iter().filter(ours).map(|word| Candidate::new(Kind::Keyword, word.as_str(), "", ""));
    callables().chain(keywords)
}

fn callables() -> impl Iterator<Item = Candidate> {
    signature::all().map(|signature| {
        let kind = if signature::is_operation(signature.name) { Kind::Operation } else { Kind::Function };
        let close = if signature.args_max == 0 { ")" } else { "" };
        Candidate::new(kind, format!("{}({close}", signature.name), signature.form, signature.does)
    })
}

fn types() -> impl Iterator<Item = Candidate> {
    Type::names().map(|name| {
        let plain = Type::new(name, Vec::new()).is_ok();
        let text = if plain { name.to_owned() } else { format!("{name}(") };
        let forms = (0..3).find_map(|n| Type::new(name, vec![Type::AwSet; n]).ok()).map(|ty| forms(&ty));
        Candidate::new(Kind::Type, text, "a type", forms.unwrap_or_default())
    })
}

/// All names that are read as types.
pub fn type_names() -> impl Iterator<Item = &'static str> {
    Type::names_and_aliases()
}

fn forms(ty: &Type) -> String {
    ty.catalogue().iter().map(|op| op.form).collect::<Vec<_>>().join(", ")
}

/// Where the name that ends `before` starts; `lists:su` is one.
fn word_start(before: &str) -> usize {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '@');
    let after = before.char_indices().rev().find(|(_, c)| !is_name(*c));
    after.map_or(0, |(at, c)| at + c.len_utf8())
}

/// A bracket that is open at the place.
#[derive(Debug)]
struct Frame {
    open: Symbol,
    /// What is called, for a parenthesis.
    called: Option<Arc<str>>,
    /// How many commas stand before the place.
    index: usize,
    /// The first item where it is a single name.
    first: Option<Token>,
}

/// The brackets that are open at a place, outermost first.
#[derive(Debug)]
struct Context {
    frames: Vec<Frame>,
}

impl Context {
    /// `None` inside texts and comments.
    fn of(before: &str) -> Option<Self> {
        let source = Source::new("", before);
        let (tokens, _) = tokenize(&source);
        if in_text_or_comment(before, &tokens) {
            return None;
        }
        let mut frames: Vec<Frame> = Vec::new();
        for (position, (token, _)) in tokens.iter().enumerate() {
            match token {
                Token::Symbol(open @ (Symbol::OpenParen | Symbol::OpenBrace | Symbol::OpenBracket)) => {
                    frames.push(Frame::new(*open, position, &tokens));
                }
                Token::Symbol(Symbol::CloseParen | Symbol::CloseBrace | Symbol::CloseBracket) => drop(frames.pop()),
                Token::Symbol(Symbol::Comma) => frames.iter_mut().next_back().into_iter().for_each(|f| f.index += 1),
                Token::FormEnd => frames.clear(),
                _ => {}
            }
        }
        Some(Self { frames })
    }

    /// Candidates that belong just here, and whether nothing else does.
    fn special(&self, known: &[Known]) -> (Vec<Candidate>, bool) {
        let Some(innermost) = self.frames.last() else {
            return (Vec::new(), false);
        };
        if let Some((ty, inside_tuple)) = self.updated(known) {
            return (operations(&ty, inside_tuple), inside_tuple);
        }
        match (innermost.called.as_deref(), innermost.index) {
            (Some("declare"), _) => (types().collect(), false),
            (Some(name), _) if Type::names_and_aliases().any(|ty| ty == name) && !matches!(name, "max" | "min") => {
                (types().collect(), false)
            }
            (Some("fold"), 1) | (Some("group"), 2) => {
                let words = AGGREGATES.map(|(name, does)| Candidate::new(Kind::Aggregate, name, "an aggregate", does));
                (words.into(), false)
            }
            (Some("help"), 0) => (types().chain(callables()).map(topic).collect(), true),
            _ => (Vec::new(), false),
        }
    }

    /// The type whose operations can stand here, and whether the brace of the operation is open already.
    fn updated(&self, known: &[Known]) -> Option<(Type, bool)> {
        let call = self.frames.iter().rposition(|frame| frame.called.as_deref() == Some("update"))?;
        let (call, inner) = self.frames[call..].split_first()?;
        let Some(Token::Variable(name)) = &call.first else {
            return None;
        };
        if call.index != 1 {
            return None;
        }
        let mut ty = known.iter().rev().find(|k| k.name == **name)?.ty.clone()?;
        for (depth, frame) in inner.iter().enumerate() {
            if frame.open != Symbol::OpenBrace {
                return None;
            }
            if frame.index == 0 {
                return (depth + 1 == inner.len()).then_some((ty, true));
            }
            ty = frame.inner_type(&ty)?;
        }
        Some((ty, false))
    }
}

impl Frame {
    fn new(open: Symbol, position: usize, tokens: &[(Token, Span)]) -> Self {
        let token = |at: usize| tokens.get(at).map(|(token, _)| token);
        let called = match position.checked_sub(1).and_then(token) {
            Some(Token::Atom(name)) if open == Symbol::OpenParen => Some(name.clone()),
            _ => None,
        };
        let alone = matches!(token(position + 2), Some(Token::Symbol(Symbol::Comma)));
        let first = if alone { token(position + 1).cloned() } else { None };
        Self { open, called, index: 0, first }
    }

    /// The type of what the operation in this brace acts on, at the place inside it.
    fn inner_type(&self, ty: &Type) -> Option<Type> {
        let Some(Token::Atom(head)) = &self.first else {
            return None;
        };
        match (ty, &**head, self.index) {
            (Type::GMap(value) | Type::AwMap(value), "apply", 2) => Some((**value).clone()),
            (Type::MvMap, "apply", 2) => Some(Type::MvRegister),
            (Type::Pair(first, _), "fst", 1) => Some((**first).clone()),
            (Type::Pair(_, second), "snd", 1) => Some((**second).clone()),
            _ => None,
        }
    }
}

/// The operations of a type: whole ones, or what follows the brace.
fn operations(ty: &Type, inside_tuple: bool) -> Vec<Candidate> {
    let mut found = Vec::new();
    for op in ty.catalogue() {
        let tuple = op.form.strip_prefix('{');
        let name = tuple.unwrap_or(op.form).split([',', '}']).next().unwrap_or(op.form);
        match (tuple, inside_tuple) {
            (Some(_), true) => found.push(Candidate::new(Kind::Update, format!("{name}, "), op.form, op.does)),
            (Some(_), false) => found.push(Candidate::new(Kind::Update, format!("{{{name}, "), op.form, op.does)),
            (None, false) => found.push(Candidate::new(Kind::Update, name, op.form, op.does)),
            (None, true) => {}
        }
    }
    found
}

/// As the argument of `help`: a name with a colon must be a text.
fn topic(candidate: Candidate) -> Candidate {
    let name = candidate.text.trim_end_matches([')', '(']);
    let text = if name.contains(':') { format!("\"{name}\"") } else { name.to_owned() };
    Candidate { text, ..candidate }
}

/// Whether `before` ends inside a text, a quoted atom or a comment.
fn in_text_or_comment(before: &str, tokens: &[(Token, Span)]) -> bool {
    let end = before.len() as u32;
    let last = tokens.iter().rev().find(|(token, _)| *token != Token::EndOfFile);
    let after_last = last.map_or(0, |(_, span)| span.end as usize);
    if before.get(after_last..).is_some_and(|rest| rest.rsplit('\n').next().is_some_and(|line| line.contains('%'))) {
        return true;
    }
    let Some((Token::Text(_) | Token::ByteText(_) | Token::Atom(_), span)) = last else {
        return false;
    };
    let written = before.get(span.range()).unwrap_or("");
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''));
    span.end == end && quote.is_some_and(|quote| written.len() == 1 || !ends_with_unescaped(written, quote))
}

fn ends_with_unescaped(written: &str, quote: char) -> bool {
    let Some(inside) = written.strip_suffix(quote) else {
        return false;
    };
    (inside.len() - inside.trim_end_matches('\\').len()) % 2 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Known> {
        let variable = |name: &str, ty: &str| {
            let ty: Type = ty.parse().expect("a type");
            Known { name: name.to_owned(), what: ty.to_string(), ty: Some(ty) }
        };
        vec![variable("Clicks", "gcounter"), variable("Carts", "gmap(pair(set, max))")]
    }

    fn texts(before: &str) -> Vec<String> {
        let (_, candidates) = complete(before, before.len(), &known());
        candidates.into_iter().map(|candidate| candidate.text).collect()
    }

    #[test]
    fn names_operations_functions_and_keywords_complete() {
        assert_eq!(texts("X = Cli"), ["Clicks"]);
        assert_eq!(texts("inter"), ["interested(", "intersection("]);
        assert_eq!(texts("lists:sum"), ["lists:sum("]);
        assert_eq!(texts("cas"), ["case"]);
        assert_eq!(texts("hea"), ["heal()"]);
        assert_eq!(texts("receiv"), [""; 0]);
    }

    #[test]
    fn the_word_before_the_place_is_replaced() {
        assert_eq!(complete("é = Cli", "é = Cli".len(), &known()).0, "é = ".len());
        assert_eq!(complete("é", 1, &known()).1, [], "not on a character's border");
    }

    #[test]
    fn a_declaration_takes_types() {
        assert_eq!(texts("declare(gm"), ["gmap("]);
        assert_eq!(texts("declare(name, gc"), ["gcounter"]);
        assert_eq!(texts("declare(gmap(gs"), ["gset"]);
    }

    #[test]
    fn an_update_takes_the_operations_of_the_variables_type() {
        assert_eq!(texts("update(Clicks, inc"), ["increment"]);
        assert_eq!(texts("update(Clicks, ")[..3], ["increment", "{increment, ", "Carts"]);
        assert_eq!(texts("update(Clicks, {"), ["increment, "]);
        assert_eq!(texts("update(Carts, {apply, \"me\", {"), ["fst, ", "snd, "]);
        assert!(texts("update(Carts, {apply, \"me\", {fst, {").contains(&"rmv, ".to_owned()));
        assert_eq!(texts("update(Carts, {apply, \"me\", {snd, {"), ["set, "]);
        assert_eq!(texts("update(Clicks, increment), update(Carts, {"), ["apply, "]);
    }

    #[test]
    fn what_the_text_itself_binds_is_known() {
        let text = "S = declare(gcounter), F = fun(X) -> X end, update(S, {";
        let known = Known::in_text(text);
        assert_eq!(known.iter().map(|k| &*k.name).collect::<Vec<_>>(), ["S", "F", "X"]);
        let (_, candidates) = complete(text, text.len(), &known);
        assert_eq!(candidates[0].text, "increment, ");
    }

    #[test]
    fn folds_take_aggregates_and_help_takes_topics() {
        assert_eq!(texts("fold(Clicks, su"), ["sum"]);
        assert_eq!(texts("fold(Clicks, ")[..2], ["avg", "count"]);
        assert_eq!(texts("help(lists:su"), [""; 0], "a name with a colon is a text there");
        assert_eq!(texts("help(gc"), ["gcounter"]);
    }

    #[test]
    fn texts_and_comments_are_left_alone() {
        assert_eq!(texts("\"a Cli"), [""; 0]);
        assert_eq!(texts("X, % Cli"), [""; 0]);
        assert_eq!(texts("X, % c\n Cli"), ["Clicks"]);
        assert_eq!(texts("\"done\" ++ Cli"), ["Clicks"]);
    }
}
