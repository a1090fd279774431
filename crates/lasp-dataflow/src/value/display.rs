//! Values as Lasp's surface syntax: what is printed reads back as the same value.

use super::Value;
use std::fmt::{self, Display, Formatter, Write as _};

/// Words that are not atoms unless quoted: those of the language, and those of Erlang that it explains.
const RESERVED: [&str; 29] = [
    "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch", "div", "else",
    "end", "false", "fun", "if", "maybe", "not", "of", "or", "orelse", "receive", "rem", "true", "try", "when", "xor",
];

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Atom(name) if is_bare_atom(name) => f.write_str(name),
            Self::Atom(name) => write_quoted(f, name, '\''),
            Self::Text(text) => write_quoted(f, text, '"'),
            Self::Bytes(bytes) => write_bytes(f, bytes),
            Self::Tuple(items) => write_list(f, "{", items.iter(), "}"),
            Self::List(items) => write_list(f, "[", items.iter(), "]"),
            Self::Map(entries) => write_map(f, entries.iter()),
        }
    }
}

/// `open`, the items with commas between, `close`.
pub(crate) fn write_list<T: Display>(
    f: &mut Formatter<'_>,
    open: &str,
    items: impl Iterator<Item = T>,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for (i, item) in items.enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    f.write_str(close)
}

/// `#{k => v, ...}`.
pub(crate) fn write_map<K: Display, V: Display>(
    f: &mut Formatter<'_>,
    entries: impl Iterator<Item = (K, V)>,
) -> fmt::Result {
    f.write_str("#{")?;
    for (i, (key, value)) in entries.enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}{key} => {value}")?;
    }
    f.write_char('}')
}

fn is_bare_atom(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '@';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(word) && !RESERVED.contains(&name)
}

/// Text between `quote`s; escapes are `\\`, the quote, `\n`, `\r`, `\t` and `\x{hex}` for other control characters.
fn write_quoted(f: &mut Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c == quote => write!(f, "\\{c}")?,
            c if c.is_control() => write!(f, "\\x{{{:x}}}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char(quote)
}

/// `<<"...">>`; bytes that are no printable ASCII as `\x{hex}`.
fn write_bytes(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("<<\"")?;
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => write!(f, "\\{}", char::from(byte))?,
            b' '..=b'~' => f.write_char(char::from(byte))?,
            _ => write!(f, "\\x{{{byte:x}}}")?,
        }
    }
    f.write_str("\">>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_surface_syntax() {
        let cases = [
            (Value::Bool(true), "true"),
            (Value::Int(-7), "-7"),
            (Value::atom("red"), "red"),
            (Value::atom("Red"), "'Red'"),
            (Value::atom("end"), "'end'"),
            (Value::atom(""), "''"),
            (Value::text("a \"b\"\n\u{1}"), r#""a \"b\"\n\x{1}""#),
            (Value::text("grün 🌲"), "\"grün 🌲\""),
            (Value::bytes(*b"ok\x00\""), r#"<<"ok\x{0}\"">>"#),
            (Value::tuple([Value::atom("a"), Value::Int(1)]), "{a, 1}"),
            (Value::list([1, 2]), "[1, 2]"),
            (Value::map([(Value::atom("k"), Value::text("v"))]), "#{k => \"v\"}"),
            (Value::list(Vec::<Value>::new()), "[]"),
        ];
        for (value, shown) in cases {
            assert_eq!(value.to_string(), shown);
        }
    }
}
