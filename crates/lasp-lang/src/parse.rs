//! From tokens to a tree: recursive descent, with binding powers for operators, that recovers and reports every error.
//!
//! Patterns are read as expressions first and converted, as `P = E` does not say which it is until the `=`. After an
//! error inside a bracket the reader goes on as if what was missing had been there (`end`, `)`, a comma) where that is
//! plausible; else it skips to the next `,` on the level of the form, or to the end of the form. At one place only one
//! error is reported.

mod expr;
mod pattern;

pub(crate) use expr::finish_fun;

use crate::ast::{Form, Program};
use crate::diagnostic::Diagnostic;
use crate::lexer::tokenize;
use crate::source::{Source, Span};
use crate::token::{Keyword, Symbol, Token};
use std::collections::VecDeque;

/// A program and all that is wrong with its syntax.
#[derive(Debug)]
pub struct Parsed {
    /// The forms that were found.
    pub program: Program,
    /// Lexical and syntactic errors by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the only thing wrong is that the text ends too early: a shell would ask for another line.
    pub incomplete: bool,
}

/// Parses a whole text.
pub fn parse(source: &Source) -> Parsed {
    let (tokens, diagnostics) = tokenize(source);
    let unterminated = diagnostics.iter().find(|d| d.message.contains("has no closing")).map(|d| d.span.start);
    let lexical = diagnostics.iter().map(|d| d.span).collect();
    let mut parser =
        Parser { tokens, at: 0, nesting: 0, open: 0, lexical, diagnostics, error_at: None, ended_early: false };
    let mut forms = parser.forms();
    let incomplete = unterminated.is_some() || parser.ended_early;
    let mut diagnostics = parser.diagnostics;
    // All that follows has become part of a text: that it is missing is no error of its own.
    if let Some(opening) = unterminated {
        diagnostics.retain(|d| d.span.start <= opening);
        forms.iter_mut().filter(|form| form.span.end > opening).for_each(|form| form.body.clear());
    }
    diagnostics.sort_by_key(|d| d.span.start);
    Parsed { program: Program { forms }, diagnostics, incomplete }
}

/// The error was reported; the reader must find its way back.
#[derive(Debug)]
pub(crate) struct Lost;

type Result<T> = std::result::Result<T, Lost>;

pub(crate) struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
    /// Recursion depth of the reader.
    nesting: u16,
    /// Brackets and `end`-terminated words that are open at the current token.
    open: u32,
    /// Where the lexer found errors, from the form at hand on.
    lexical: VecDeque<Span>,
    diagnostics: Vec<Diagnostic>,
    error_at: Option<usize>,
    ended_early: bool,
}

impl Parser {
    fn forms(&mut self) -> Vec<Form> {
        let mut forms = Vec::new();
        while *self.peek() != Token::EndOfFile {
            if self.eat(&Token::FormEnd) {
                self.report_at_previous("a form without an expression", "nothing stands before this `.`");
                continue;
            }
            forms.push(self.form());
        }
        forms
    }

    fn form(&mut self) -> Form {
        let start = self.span();
        let before = self.diagnostics.len();
        let mut body = Vec::new();
        self.open = 0;
        loop {
            match self.expr() {
                Ok(expr) => body.push(expr),
                Err(Lost) => self.skip_to_level(),
            }
            if !self.form_continues() {
                break;
            }
        }
        let span = start.to(self.previous_span());
        // An error of the lexer inside this form breaks it too.
        let mut lexical = false;
        while let Some(at) = self.lexical.front().filter(|at| at.start < span.end.max(span.start + 1)) {
            lexical |= span.start <= at.start && at.end <= span.end;
            self.lexical.pop_front();
        }
        Form { broken: lexical || self.diagnostics.len() > before, body, span }
    }

    /// After an expression on the level of the form: whether another follows.
    fn form_continues(&mut self) -> bool {
        loop {
            match self.peek() {
                Token::FormEnd => {
                    self.bump();
                    return false;
                }
                Token::EndOfFile => {
                    self.ended_early |= self.error_at != Some(self.at);
                    let at = self.previous_span().after();
                    self.report(
                        at,
                        "this form does not end",
                        "expected `,` or `.`",
                        Some("every form ends with a `.`"),
                    );
                    return false;
                }
                Token::Symbol(Symbol::Comma) => {
                    self.bump();
                    if *self.peek() == Token::FormEnd {
                        self.report_at_previous("nothing follows this `,`", "expected an expression after it");
                        self.diagnostics.last_mut().expect("reported").hint = Some("remove the comma".to_owned());
                        continue;
                    }
                    return true;
                }
                Token::Symbol(Symbol::Semicolon) => {
                    let hint = "`;` stands between clauses; expressions are separated by `,`, and a form ends with `.`";
                    self.report(self.span(), "expected `,` or `.`, found `;`", "", Some(hint));
                    self.bump();
                    if self.starts_expr() {
                        return true;
                    }
                    if matches!(self.peek(), Token::FormEnd | Token::EndOfFile) {
                        self.eat(&Token::FormEnd);
                        return false;
                    }
                }
                _ if self.starts_expr() => {
                    let at = self.span();
                    let found = self.peek().describe();
                    let hint = "expressions of a form are separated by `,`; a form ends with `.`";
                    self.report(at, format!("expected `,` or `.`, found {found}"), "", Some(hint));
                    return true;
                }
                _ => {
                    let _: Lost = self.unexpected("`,` or `.`");
                    self.bump();
                    self.skip_to_level();
                }
            }
        }
    }

    /// Skips to a `,` outside every bracket, or to the end of the form.
    fn skip_to_level(&mut self) {
        loop {
            match self.peek() {
                Token::FormEnd | Token::EndOfFile => break,
                Token::Symbol(Symbol::Comma) if self.open == 0 => break,
                _ => self.bump(),
            }
        }
        self.open = 0;
    }

    // ---- tokens ----

    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn peek_second(&self) -> &Token {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].0
    }

    fn span(&self) -> Span {
        self.tokens[self.at].1
    }

    fn previous_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].1
    }

    fn bump(&mut self) {
        match self.tokens[self.at].0 {
            Token::EndOfFile => return,
            Token::Symbol(symbol) => match symbol {
                Symbol::OpenParen | Symbol::OpenBracket | Symbol::OpenBrace | Symbol::BytesOpen => self.open += 1,
                Symbol::CloseParen | Symbol::CloseBracket | Symbol::CloseBrace | Symbol::BytesClose => {
                    self.open = self.open.saturating_sub(1);
                }
                _ => {}
            },
            Token::Keyword(word) => match word {
                Keyword::Fun | Keyword::Case | Keyword::If | Keyword::Begin => self.open += 1,
                Keyword::Receive | Keyword::Try | Keyword::Maybe => self.open += 1,
                Keyword::End => self.open = self.open.saturating_sub(1),
                _ => {}
            },
            _ => {}
        }
        self.at += 1;
    }

    fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        if found {
            self.bump();
        }
        found
    }

    fn at_symbol(&self, symbol: Symbol) -> bool {
        *self.peek() == Token::Symbol(symbol)
    }

    fn eat_symbol(&mut self, symbol: Symbol) -> bool {
        self.eat(&Token::Symbol(symbol))
    }

    fn eat_keyword(&mut self, word: Keyword) -> bool {
        self.eat(&Token::Keyword(word))
    }

    fn expect_symbol(&mut self, symbol: Symbol, purpose: &str) -> Result<()> {
        if self.eat_symbol(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{symbol}` {purpose}")))
    }

    /// Closes what was opened at `opened`. If the closing token is missing, that is reported and taken as written.
    fn close(&mut self, token: Token, opened: Span, what: &str) {
        if self.eat(&token) {
            return;
        }
        self.ended_early |= *self.peek() == Token::EndOfFile && self.error_at != Some(self.at);
        let closing = token.describe();
        let found = self.peek().describe();
        let at = if *self.peek() == Token::EndOfFile { self.previous_span().after() } else { self.span() };
        self.report(at, format!("missing {closing}: expected {closing}, found {found}"), "", None);
        if let Some(last) = self.diagnostics.last_mut()
            && last.related.is_none()
            && last.span == at
        {
            last.label = format!("expected {closing} here");
            last.related = Some((opened, format!("{what} opened here")));
        }
        self.open = self.open.saturating_sub(1);
    }

    // ---- errors ----

    /// Reports unless this token has an error already.
    fn report(&mut self, span: Span, message: impl Into<String>, label: &str, hint: Option<&str>) {
        if self.error_at == Some(self.at) {
            return;
        }
        self.error_at = Some(self.at);
        let diagnostic = Diagnostic::error(span, message).label(label);
        self.diagnostics.push(diagnostic.maybe_hint(hint.map(str::to_owned)));
    }

    fn report_at_previous(&mut self, message: &str, label: &str) {
        let span = self.previous_span();
        self.error_at = None;
        self.report(span, message, label, None);
    }

    /// "expected X, found Y" at the current token.
    fn unexpected(&mut self, expected: &str) -> Lost {
        self.ended_early |= *self.peek() == Token::EndOfFile && self.error_at != Some(self.at);
        let found = self.peek().describe();
        let hint = foreign_hint(self.peek());
        let message = format!("expected {expected}, found {found}");
        let at = if *self.peek() == Token::EndOfFile { self.previous_span().after() } else { self.span() };
        self.report(at, message, "", hint);
        Lost
    }

    /// Runs `read` one level deeper, if the nesting allows.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        /// Recursion of the reader; a person's program stays far below (guess).
        const NESTING_MAX: u16 = 100;
        if self.nesting >= NESTING_MAX {
            let at = self.span();
            self.report(at, format!("nested more than {NESTING_MAX} levels deep"), "", None);
            return Err(Lost);
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }
}

/// What to say about tokens that Erlang has and this language has not.
fn foreign_hint(token: &Token) -> Option<&'static str> {
    let Token::Keyword(word) = token else {
        return None;
    };
    match word {
        Keyword::Receive => Some("there are no messages: wait with `read(V, Threshold)` or react with `invariant`"),
        Keyword::Try | Keyword::Catch => {
            Some("there are no exceptions: a failing function is reported by its derivation")
        }
        Keyword::After => Some("there are no timeouts: pass virtual time with `sleep(Ms)`"),
        Keyword::Maybe => Some("use `case`"),
        Keyword::Band | Keyword::Bor | Keyword::Bxor | Keyword::Bnot | Keyword::Bsl | Keyword::Bsr => {
            Some("there are no bit operations; arithmetic is + - * / div rem")
        }
        Keyword::End => Some("nothing is open that this `end` could close"),
        _ => None,
    }
}
