//! From text to the parser's tree, within limits, and from the parser's places to byte offsets.

use crate::error::{Result, Span, SqlError};
use sqlparser::ast::{Ident, Spanned, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{self, Location, Token, TokenWithSpan, Tokenizer};

/// The longest text that is read (guess: far above what a person writes).
pub const BYTES_MAX: usize = 64 << 10;
/// The most tokens: trees of operators are as deep as their chains are long (guess; tried on a stack of 2 MiB).
const TOKENS_MAX: usize = 4096;
/// How deep parentheses and `not` may nest.
const DEPTH_MAX: usize = 40;

/// A text with its tokens, for finding places.
pub(crate) struct Text<'a> {
    sql: &'a str,
    /// The offset of each line's first byte.
    lines: Vec<usize>,
    tokens: Vec<TokenWithSpan>,
}

impl<'a> Text<'a> {
    /// Reads one statement.
    pub(crate) fn parse(sql: &'a str) -> Result<(Self, Statement)> {
        let lines = std::iter::once(0).chain(sql.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut text = Self { sql, lines, tokens: Vec::new() };
        if sql.len() > BYTES_MAX {
            return Err(SqlError::new(text.whole(), format!("the text has {} bytes; at most {BYTES_MAX}", sql.len())));
        }
        let dialect = PostgreSqlDialect {};
        text.tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|error| {
            let start = text.offset(error.location);
            SqlError::new(text.from(start), lower_first(&error.message))
        })?;
        text.tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
        if text.tokens.len() > TOKENS_MAX {
            return Err(SqlError::new(text.whole(), format!("the text has more than {TOKENS_MAX} words and signs")));
        }
        let tokens = text.tokens.clone();
        let mut parser = Parser::new(&dialect).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens);
        let statement = parser.parse_statement().map_err(|error| text.parser_error(error))?;
        while parser.consume_token(&Token::SemiColon) {}
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            return Err(SqlError::new(text.span(rest.span), format!("the statement ends before `{}`", rest.token))
                .hint("one statement a text"));
        }
        Ok((text, statement))
    }

    pub(crate) fn whole(&self) -> Span {
        Span { start: 0, end: self.sql.len() as u32 }
    }

    /// From `start` to the end of that word.
    fn from(&self, start: usize) -> Span {
        let rest = self.sql.get(start..).unwrap_or("");
        let len = rest.find(char::is_whitespace).unwrap_or(rest.len());
        Span { start: start as u32, end: (start + len) as u32 }
    }

    /// Lines and columns count from 1, columns in characters.
    fn offset(&self, location: Location) -> usize {
        let line = (location.line as usize).saturating_sub(1);
        let Some(&start) = self.lines.get(line) else { return self.sql.len() };
        let rest = &self.sql[start..];
        let column = (location.column as usize).saturating_sub(1);
        rest.char_indices().nth(column).map_or(self.sql.len(), |(at, _)| start + at)
    }

    /// The parser's span in bytes; where it has none, the whole text.
    pub(crate) fn span(&self, span: tokenizer::Span) -> Span {
        if span.start.line == 0 {
            return self.whole();
        }
        let (start, end) = (self.offset(span.start), self.offset(span.end));
        Span { start: start as u32, end: end.max(start) as u32 }
    }

    pub(crate) fn of(&self, node: &impl Spanned) -> Span {
        self.span(node.span())
    }

    pub(crate) fn ident(&self, ident: &Ident) -> Span {
        self.span(ident.span)
    }

    /// The first place of a word, for clauses that the parser gives no place.
    pub(crate) fn word(&self, word: &str) -> Span {
        let is_word = |token: &&TokenWithSpan| matches!(&token.token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word));
        self.tokens.iter().find(is_word).map_or_else(|| self.whole(), |token| self.span(token.span))
    }

    fn parser_error(&self, error: ParserError) -> SqlError {
        let message = match error {
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
            ParserError::RecursionLimitExceeded => {
                return SqlError::new(self.whole(), format!("this nests more than {DEPTH_MAX} levels deep"));
            }
        };
        match message.rsplit_once(" at Line: ") {
            Some((message, place)) => {
                let mut numbers = place.split(", Column: ").map(|n| n.trim().parse::<u64>().unwrap_or(1));
                let (line, column) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1));
                let start = self.offset(Location { line, column });
                let token = self.tokens.iter().map(|token| self.span(token.span)).find(|s| s.start as usize == start);
                SqlError::new(token.unwrap_or_else(|| self.from(start)), lower_first(message))
            }
            None => {
                let end = self.sql.trim_end().len() as u32;
                SqlError::new(Span { start: end, end }, lower_first(&message))
            }
        }
    }
}

fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// What a name means: as it is written in quotes, else in lower-case.
pub(crate) fn name(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}
