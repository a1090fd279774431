//! From characters to tokens. Never fails: what cannot be read is reported and skipped, or read as what was meant.

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::token::{Keyword, Symbol, Token};

/// All tokens of `source` with their places, the last one [`Token::EndOfFile`]; and what could not be read.
pub fn tokenize(source: &Source) -> (Vec<(Token, Span)>, Vec<Diagnostic>) {
    let mut lexer = Lexer::new(source.text());
    lexer.run();
    (lexer.tokens, lexer.diagnostics)
}

/// Spellings of other languages that people's fingers know: text, what it is read as, hint.
const FOREIGN: &[(&str, Option<Token>, &str)] = &[
    ("!==", Some(Token::Symbol(Symbol::ExactNotEqual)), "not equal is written `/=`, exactly not equal `=/=`"),
    ("===", Some(Token::Symbol(Symbol::ExactEqual)), "equality is written `==`, exact equality `=:=`"),
    ("!=", Some(Token::Symbol(Symbol::NotEqual)), "not equal is written `/=`"),
    ("<=", Some(Token::Symbol(Symbol::LessEqual)), "less or equal is written `=<`"),
    ("&&", Some(Token::Keyword(Keyword::Andalso)), "conjunction is written `andalso`"),
    ("**", Some(Token::Symbol(Symbol::Star)), "there is no power operator"),
    ("//", None, "a comment starts with `%`"),
    ("!", Some(Token::Keyword(Keyword::Not)), "negation is written `not`"),
    ("&", Some(Token::Keyword(Keyword::Andalso)), "conjunction is written `andalso`"),
];

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    inside_bytes: bool,
    tokens: Vec<(Token, Span)>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, inside_bytes: false, tokens: Vec::new(), diagnostics: Vec::new() }
    }

    fn run(&mut self) {
        if self.text.len() > Source::BYTES_MAX {
            let message = format!("the program has {} bytes; at most {} are read", self.text.len(), Source::BYTES_MAX);
            self.diagnostics.push(Diagnostic::error(Span::default(), message));
            self.text = "";
        }
        if let Some(rest) = self.text.strip_prefix('\u{feff}') {
            self.at = self.text.len() - rest.len(); // the mark with which some editors begin a file
        }
        if self.rest().starts_with("#!") {
            self.skip_line();
        }
        while let Some(next) = self.peek() {
            self.one(next);
        }
        self.push(Token::EndOfFile, self.at);
    }

    fn one(&mut self, next: char) {
        match next {
            '%' => self.skip_line(),
            _ if next.is_whitespace() => self.at += next.len_utf8(),
            '0'..='9' => self.number(),
            '"' => self.text_literal(),
            '\'' => self.quoted_atom(),
            '$' => self.character(),
            '_' => self.variable(),
            _ if next.is_uppercase() => self.variable(),
            _ if next.is_lowercase() => self.word(),
            '.' => self.form_end(),
            _ => self.symbol(next),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn span_from(&self, start: usize) -> Span {
        Span::new(start as u32, self.at as u32)
    }

    fn push(&mut self, token: Token, start: usize) {
        self.tokens.push((token, self.span_from(start)));
    }

    fn error(&mut self, start: usize, message: impl Into<String>) -> &mut Diagnostic {
        let span = self.span_from(start);
        self.diagnostics.push(Diagnostic::error(span, message));
        self.diagnostics.last_mut().expect("just pushed")
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find('\n').unwrap_or_else(|| self.rest().len());
    }

    /// Letters, digits, `_` and `@` from here on.
    fn name(&mut self) -> &'a str {
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '@')).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    fn variable(&mut self) {
        let start = self.at;
        let name = self.name();
        self.push(Token::Variable(name.into()), start);
    }

    fn word(&mut self) {
        let start = self.at;
        let name = self.name();
        let token = Keyword::parse(name).map_or_else(|| Token::Atom(name.into()), Token::Keyword);
        self.push(token, start);
    }

    fn form_end(&mut self) {
        let start = self.at;
        self.at += 1;
        let follows = self.peek();
        if follows.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            let hint = "a `.` ends a form and is followed by white space; there are no fields or methods";
            self.error(start, "`.` in the middle of a form").hint = Some(hint.to_owned());
        }
        self.inside_bytes = false;
        self.push(Token::FormEnd, start);
    }

    fn symbol(&mut self, next: char) {
        let start = self.at;
        if let Some((text, token, hint)) = FOREIGN.iter().find(|(text, ..)| self.rest().starts_with(text)) {
            self.at += text.len();
            let diagnostic = self.error(start, format!("`{text}` is not part of the language"));
            diagnostic.hint = Some((*hint).to_owned());
            match token {
                Some(token) => self.push(token.clone(), start),
                None => self.skip_line(),
            }
            return;
        }
        let Some(symbol) = Symbol::ALL.iter().copied().find(|s| self.rest().starts_with(s.as_str())) else {
            self.at += next.len_utf8();
            self.error(start, format!("unexpected character `{}`", next.escape_debug()));
            return;
        };
        self.at += symbol.as_str().len();
        match symbol {
            Symbol::BytesOpen => self.inside_bytes = true,
            Symbol::BytesClose => self.inside_bytes = false,
            _ => {}
        }
        self.push(Token::Symbol(symbol), start);
    }

    fn character(&mut self) {
        let start = self.at;
        self.at += 1;
        let value = match self.peek() {
            Some('\\') => self.escape().map(|c| c as i64),
            Some(c) if !c.is_control() => {
                self.at += c.len_utf8();
                Some(c as i64)
            }
            _ => {
                self.error(start, "`$` without a character after it");
                None
            }
        };
        self.push(Token::Integer(value.unwrap_or(0)), start);
    }

    fn text_literal(&mut self) {
        let start = self.at;
        if self.inside_bytes {
            let bytes = self.quoted_bytes();
            self.push(Token::ByteText(bytes.into()), start);
            return;
        }
        let text = self.quoted('"', "text");
        self.push(Token::Text(text.into()), start);
    }

    fn quoted_atom(&mut self) {
        let start = self.at;
        let text = self.quoted('\'', "quoted atom");
        self.push(Token::Atom(text.into()), start);
    }

    /// The content between two `quote`s, escapes resolved.
    fn quoted(&mut self, quote: char, what: &str) -> String {
        let start = self.at;
        let mut content = String::new();
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    self.unterminated(start, quote, what);
                    return content;
                }
                Some('\\') => content.extend(self.escape()),
                Some(c) => {
                    self.at += c.len_utf8();
                    if c == quote {
                        return content;
                    }
                    content.push(c);
                }
            }
        }
    }

    /// As [`Self::quoted`] between `<<` and `>>`: `\xHH` below 256 is one byte, everything else its UTF-8.
    fn quoted_bytes(&mut self) -> Vec<u8> {
        let start = self.at;
        let mut content = Vec::new();
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    self.unterminated(start, '"', "bytes");
                    return content;
                }
                Some('\\') => {
                    let one_byte = self.rest().starts_with("\\x");
                    match self.escape() {
                        Some(c) if one_byte && (c as u32) < 256 => content.push(c as u32 as u8),
                        Some(c) => content.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                        None => {}
                    }
                }
                Some(c) => {
                    self.at += c.len_utf8();
                    if c == '"' {
                        return content;
                    }
                    content.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
    }

    fn unterminated(&mut self, start: usize, quote: char, what: &str) {
        let opening = Span::new(start as u32, start as u32 + 1);
        self.diagnostics.push(
            Diagnostic::error(opening, format!("this {what} has no closing `{quote}`"))
                .label("opened here")
                .hint(format!("write `\\{quote}` for a quote inside")),
        );
    }

    /// A backslash and what it escapes.
    fn escape(&mut self) -> Option<char> {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.peek() else {
            self.error(start, "`\\` at the end of the program");
            return None;
        };
        self.at += c.len_utf8();
        match c {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            '0' => Some('\0'),
            'e' => Some('\u{1b}'),
            's' => Some(' '),
            'x' => self.hex_escape(start),
            '\\' | '"' | '\'' => Some(c),
            _ => {
                let diagnostic = self.error(start, format!("unknown escape `\\{}`", c.escape_debug()));
                diagnostic.hint = Some("known are \\n \\t \\r \\0 \\e \\s \\\\ \\\" \\' \\xHH \\x{HEX}".to_owned());
                Some(c)
            }
        }
    }

    fn hex_escape(&mut self, start: usize) -> Option<char> {
        let rest = self.rest();
        let (digits, len) = match rest.strip_prefix('{').and_then(|r| r.find('}').map(|end| (&r[..end], end + 2))) {
            Some(braced) => braced,
            None => {
                let len = rest.chars().take(2).take_while(char::is_ascii_hexdigit).count();
                (&rest[..len], len)
            }
        };
        self.at += len;
        let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        if code.is_none() {
            let diagnostic = self.error(start, "this escape names no character");
            diagnostic.hint = Some("write \\xHH with two hexadecimal digits, or \\x{HEX}".to_owned());
        }
        code
    }

    /// Digits with `_` between them; the text without the `_`.
    fn digits(&mut self, radix: u32) -> String {
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_digit(radix) || c == '_')).unwrap_or(rest.len());
        // A trailing `_` belongs to what follows.
        let len = rest[..len].trim_end_matches('_').len();
        self.at += len;
        rest[..len].replace('_', "")
    }

    fn number(&mut self) {
        let start = self.at;
        let whole = self.digits(10);
        let after = self.rest();
        if let Some(based) = after.strip_prefix('#')
            && based.starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            self.based_integer(start, &whole);
        } else if after.strip_prefix('.').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit())) {
            self.float(start, whole);
        } else {
            self.integer(start, &whole, 10);
        }
        if self.peek().is_some_and(|c| c.is_alphabetic() || c == '_') {
            let tail = self.at;
            let name = self.name();
            let diagnostic = self.error(tail, format!("`{name}` directly after a number"));
            diagnostic.hint = Some("put a space or an operator between them".to_owned());
        }
    }

    fn based_integer(&mut self, start: usize, base: &str) {
        self.at += 1;
        match base.parse::<u32>() {
            Ok(radix @ 2..=36) => {
                let digits = self.digits(radix);
                self.integer(start, &digits, radix);
            }
            _ => {
                self.name();
                self.error(start, "the base of a number is 2 to 36");
                self.push(Token::Integer(0), start);
            }
        }
    }

    fn integer(&mut self, start: usize, digits: &str, radix: u32) {
        let token = match u64::from_str_radix(digits, radix) {
            Ok(value) if value <= i64::MAX as u64 => Token::Integer(value as i64),
            Ok(value) if value == 1 << 63 => Token::IntegerMinMagnitude,
            Ok(_) | Err(_) => {
                let diagnostic = self.error(start, "this integer does not fit in 64 bits");
                diagnostic.hint = Some("integers go from -9223372036854775808 to 9223372036854775807".to_owned());
                Token::Integer(0)
            }
        };
        self.push(token, start);
    }

    fn float(&mut self, start: usize, mut digits: String) {
        self.at += 1;
        digits.push('.');
        digits += &self.digits(10);
        let rest = self.rest();
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if unsigned.starts_with(|c: char| c.is_ascii_digit()) {
                let sign_len = exponent.len() - unsigned.len();
                self.at += 1 + sign_len;
                digits.push('e');
                digits += &exponent[..sign_len];
                digits += &self.digits(10);
            }
        }
        let value = digits.parse::<f64>().ok().filter(|v| v.is_finite());
        if value.is_none() {
            self.error(start, "this float is too large");
        }
        self.push(Token::Float(value.unwrap_or(0.0)), start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn tokens(text: &str) -> Vec<Token> {
        let (tokens, diagnostics) = tokenize(&Source::new("t", text));
        assert_eq!(diagnostics, [], "{text}");
        tokens.into_iter().map(|(token, _)| token).collect()
    }

    fn first_error(text: &str) -> String {
        tokenize(&Source::new("t", text)).1.remove(0).message
    }

    #[test]
    fn literals_of_every_kind() {
        use Token::*;
        assert_eq!(
            tokens("1_000 16#fF $a $\\n 1.5e-3 \"a\\\"\\x{e9}\" 'an atom' abc Xy_1 _ 9223372036854775808"),
            [
                Integer(1000),
                Integer(255),
                Integer(97),
                Integer(10),
                Float(0.0015),
                Text("a\"é".into()),
                Atom("an atom".into()),
                Atom("abc".into()),
                Variable("Xy_1".into()),
                Variable("_".into()),
                IntegerMinMagnitude,
                EndOfFile
            ]
        );
    }

    #[test]
    fn a_dot_after_digits_is_a_float_only_before_a_digit() {
        use Token::*;
        assert_eq!(tokens("1. 2"), [Integer(1), FormEnd, Integer(2), EndOfFile]);
        assert_eq!(tokens("1.5. % c"), [Float(1.5), FormEnd, EndOfFile]);
    }

    #[test]
    fn byte_escapes_are_bytes_and_text_escapes_are_characters() {
        assert_eq!(tokens("<<\"\\xff\">>")[1], Token::ByteText(Arc::from([0xff_u8])));
        assert_eq!(tokens("\"\\xff\"")[0], Token::Text("ÿ".into()));
    }

    #[test]
    fn foreign_operators_are_named_and_read_as_meant() {
        let (tokens, diagnostics) = tokenize(&Source::new("t", "X <= 1 && Y != 2"));
        assert_eq!(diagnostics.len(), 3);
        assert!(diagnostics[0].hint.as_deref().is_some_and(|h| h.contains("`=<`")));
        assert_eq!(tokens[1].0, Token::Symbol(Symbol::LessEqual));
        assert_eq!(tokens[3].0, Token::Keyword(Keyword::Andalso));
    }

    #[test]
    fn what_cannot_be_read_is_reported() {
        assert_eq!(first_error("99999999999999999999"), "this integer does not fit in 64 bits");
        assert_eq!(first_error("\"abc"), "this text has no closing `\"`");
        assert_eq!(first_error("1.0e999"), "this float is too large");
        assert_eq!(first_error("12abc"), "`abc` directly after a number");
        assert_eq!(first_error("\"\\q\""), "unknown escape `\\q`");
        assert_eq!(first_error("X @ Y"), "unexpected character `@`");
    }
}
