//! The lexical alphabet of the language.

use std::fmt;
use std::sync::Arc;

/// What a token is, with its value where it has one.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// `add`, `'Quoted atom'`.
    Atom(Arc<str>),
    /// `X`, `_Rest`; the anonymous `_` too.
    Variable(Arc<str>),
    /// `42`, `16#FF`, `$a`, `1_000`.
    Integer(i64),
    /// The magnitude 2^63, which only a minus sign before it makes an integer.
    IntegerMinMagnitude,
    /// `1.5e-3`, always finite.
    Float(f64),
    /// `"text"`.
    Text(Arc<str>),
    /// The text between quotes just after `<<`, as bytes (`\xHH` gives one byte).
    ByteText(Arc<[u8]>),
    /// A reserved word.
    Keyword(Keyword),
    /// Punctuation and operators.
    Symbol(Symbol),
    /// The `.` that ends a form.
    FormEnd,
    /// After the last token.
    EndOfFile,
}

impl Token {
    /// How a diagnostic names it.
    pub fn describe(&self) -> String {
        match self {
            Self::Atom(name) => format!("atom `{name}`"),
            Self::Variable(name) => format!("variable `{name}`"),
            Self::Integer(value) => format!("`{value}`"),
            Self::IntegerMinMagnitude => "`9223372036854775808`".to_owned(),
            Self::Float(value) => format!("`{value:?}`"),
            Self::Text(_) => "text".to_owned(),
            Self::ByteText(_) => "bytes".to_owned(),
            Self::Keyword(word) => format!("`{word}`"),
            Self::Symbol(symbol) => format!("`{symbol}`"),
            Self::FormEnd => "`.`".to_owned(),
            Self::EndOfFile => "the end of the program".to_owned(),
        }
    }
}

macro_rules! spelled {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* #[doc = concat!("`", $text, "`")] $variant,)* }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// How it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

spelled! {
    /// Words that cannot be atoms without quotes.
    Keyword {
        Fun = "fun", Case = "case", Of = "of", If = "if", When = "when", End = "end", Begin = "begin",
        Div = "div", Rem = "rem", Not = "not", And = "and", Or = "or", Xor = "xor",
        Andalso = "andalso", Orelse = "orelse",
        // Erlang's, not ours: reserved so that a diagnostic can say so.
        Receive = "receive", Try = "try", Catch = "catch", After = "after", Maybe = "maybe",
        Band = "band", Bor = "bor", Bxor = "bxor", Bnot = "bnot", Bsl = "bsl", Bsr = "bsr",
    }
}

impl Keyword {
    /// The keyword spelled `word`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|keyword| keyword.as_str() == word)
    }
}

spelled! {
    /// Punctuation and operators. In `ALL`, a symbol stands before every prefix of itself, so that the first match is
    /// the longest.
    Symbol {
        ExactEqual = "=:=", ExactNotEqual = "=/=",
        Arrow = "->", LeftArrow = "<-", MapArrow = "=>", MapMatch = ":=", BarBar = "||",
        EqualEqual = "==", NotEqual = "/=", LessEqual = "=<", GreaterEqual = ">=",
        BytesOpen = "<<", BytesClose = ">>", PlusPlus = "++", MinusMinus = "--",
        OpenParen = "(", CloseParen = ")", OpenBracket = "[", CloseBracket = "]", OpenBrace = "{", CloseBrace = "}",
        Comma = ",", Semicolon = ";", Colon = ":", Bar = "|", Hash = "#",
        Equal = "=", Less = "<", Greater = ">", Plus = "+", Minus = "-", Star = "*", Slash = "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_symbols_come_before_their_prefixes() {
        for (at, symbol) in Symbol::ALL.iter().enumerate() {
            for later in &Symbol::ALL[at + 1..] {
                assert!(!later.as_str().starts_with(symbol.as_str()), "{symbol} hides {later}");
            }
        }
    }
}
