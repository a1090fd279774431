//! Terms as text and as JSON.
//!
//! Text is the language's own syntax and reads back; JSON is what `lasp run --json` prints: sets, lists, tuples and
//! concurrent values are arrays, maps are objects where every key is text or an atom (else arrays of pairs), graphs are
//! `{"vertices": [...], "edges": [[from, to], ...]}`, bytes are `{"bytes": "base64"}`.

use crate::term::{Mixed, Term};
use lasp_dataflow::{Type, Value};
use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter, Write};

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(value, _) => write!(f, "{value}"),
            Self::Set(items, _) => sequence(f, "set[", items.iter(), "]"),
            Self::Many(items, _) => sequence(f, "mv[", items.iter(), "]"),
            Self::Graph(graph, _) => {
                let part = |name| match graph_part(graph, name) {
                    Some(items) => items.iter(),
                    None => [].iter(),
                };
                sequence(f, "graph{vertices: [", part("vertices"), "], edges: [")?;
                sequence(f, "", part("edges"), "]}")
            }
            Self::Mixed(mixed, _) => match &**mixed {
                Mixed::Tuple(items) => sequence(f, "{", items.iter(), "}"),
                Mixed::List(items) => sequence(f, "[", items.iter(), "]"),
                Mixed::Map(entries) => {
                    f.write_str("#{")?;
                    for (i, (key, value)) in entries.iter().enumerate() {
                        let comma = if i == 0 { "" } else { ", " };
                        write!(f, "{comma}{key} => {value}")?;
                    }
                    f.write_char('}')
                }
            },
            Self::Variable(variable) => write!(f, "variable #{}", variable.handle.0),
            Self::Function(function) => write!(f, "{function}"),
            Self::Type(ty) => f.write_str(&type_name(ty)),
        }
    }
}

/// The vertices or edges of a graph.
fn graph_part<'a>(graph: &'a Value, name: &str) -> Option<&'a [Value]> {
    match graph {
        Value::Map(parts) => <&[Value]>::try_from(parts.get(&Value::atom(name))?).ok(),
        _ => None,
    }
}

fn sequence<T: Display>(f: &mut Formatter<'_>, open: &str, items: impl Iterator<Item = T>, close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (i, item) in items.enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    f.write_str(close)
}

/// As printed by `print`: a text as it is, everything else in the language's syntax.
pub fn plain(term: &Term) -> String {
    match term {
        Term::Data(Value::Text(text), _) => text.to_string(),
        other => other.to_string(),
    }
}

/// For messages: the beginning, if it is long.
pub fn short(term: &Term) -> String {
    struct Limited(String);
    impl Write for Limited {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            const CHARS_MAX: usize = 80;
            self.0.push_str(text);
            if self.0.chars().count() <= CHARS_MAX {
                return Ok(());
            }
            self.0 = self.0.chars().take(CHARS_MAX - 3).collect();
            self.0.push_str("...");
            Err(fmt::Error)
        }
    }
    let mut out = Limited(String::new());
    // An error means that the limit cut the text, which is what was wanted.
    let _cut: fmt::Result = write!(out, "{term}");
    out.0
}

/// A type's name in the language; the add-wins set is called `set`.
pub fn type_name(ty: &Type) -> String {
    ty.to_string()
}

/// What kind of value it is, as JSON output names it.
pub fn kind_name(term: &Term) -> &'static str {
    match term {
        Term::Set(..) => "set",
        Term::Many(..) => "mv",
        Term::Graph(..) => "graph",
        other => {
            let kind = other.kind();
            kind.strip_prefix("an ").or_else(|| kind.strip_prefix("a ")).unwrap_or(kind)
        }
    }
}

/// As JSON.
pub fn json(term: &Term) -> String {
    let mut out = String::new();
    write_term(&mut out, term);
    out
}

/// A text as a JSON string.
pub fn json_text(text: &str) -> String {
    let mut out = String::new();
    write_text(&mut out, text);
    out
}

fn write_term(out: &mut String, term: &Term) {
    match term {
        Term::Data(value, _) => write_value(out, value),
        Term::Set(items, _) | Term::Many(items, _) => write_array(out, items.iter(), write_value),
        Term::Graph(graph, _) => {
            for (open, name) in [("{\"vertices\":", "vertices"), (",\"edges\":", "edges")] {
                *out += open;
                write_array(out, graph_part(graph, name).unwrap_or_default().iter(), write_value);
            }
            out.push('}');
        }
        Term::Mixed(mixed, _) => match &**mixed {
            Mixed::Tuple(items) | Mixed::List(items) => write_array(out, items.iter(), write_term),
            Mixed::Map(entries) => write_map(out, entries.iter().collect(), write_term),
        },
        other => write_text(out, &other.to_string()),
    }
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => *out += &value.to_string(),
        Value::Atom(text) | Value::Text(text) => write_text(out, text),
        Value::Bytes(bytes) => {
            *out += "{\"bytes\":";
            write_text(out, &base64(bytes));
            out.push('}');
        }
        Value::Tuple(items) | Value::List(items) => write_array(out, items.iter(), write_value),
        Value::Map(entries) => write_map(out, entries.iter().collect(), write_value),
    }
}

fn write_array<T>(out: &mut String, items: impl Iterator<Item = T>, write: fn(&mut String, T)) {
    out.push('[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

fn write_map<T>(out: &mut String, entries: Vec<(&Value, T)>, write: fn(&mut String, T)) {
    let names: BTreeSet<&str> = entries.iter().filter_map(|(key, _)| <&str>::try_from(*key).ok()).collect();
    // An atom and a text may be spelled alike; an object would lose one of them.
    let as_object = names.len() == entries.len();
    let (open, colon, close) = if as_object { ('{', ':', '}') } else { ('[', ',', ']') };
    out.push(open);
    for (i, (key, item)) in entries.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        if !as_object {
            out.push('[');
        }
        write_value(out, key);
        out.push(colon);
        write(out, item);
        if !as_object {
            out.push(']');
        }
    }
    out.push(close);
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => *out += "\\\"",
            '\\' => *out += "\\\\",
            '\n' => *out += "\\n",
            '\r' => *out += "\\r",
            '\t' => *out += "\\t",
            c if c.is_control() && (c as u32) < 0x20 => *out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |acc, byte| acc << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let digit = ALPHABET[(group >> (18 - 6 * position) & 63) as usize];
            out.push(if position <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_dataflow::Output;

    fn value_json(value: Value) -> String {
        json(&Term::data(value))
    }

    #[test]
    fn json_of_every_kind() {
        assert_eq!(json(&Term::output(Output::Set(vec![2.into(), 4.into()]))), "[2,4]");
        let graph = Output::Graph { vertices: vec![1.into(), 2.into()], edges: vec![(1.into(), 2.into())] };
        assert_eq!(json(&Term::output(graph.clone())), r#"{"vertices":[1,2],"edges":[[1,2]]}"#);
        assert_eq!(Term::output(graph.clone()).to_string(), graph.to_string());
        let of_graphs = Output::Map(vec![("k".into(), graph), ("l".into(), Output::Many(vec![]))]);
        assert_eq!(json(&Term::output(of_graphs)), r#"{"k":{"vertices":[1,2],"edges":[[1,2]]},"l":[]}"#);
        assert_eq!(
            value_json(Value::tuple([Value::atom("a"), Value::from("b\"\n"), Value::from(true)])),
            r#"["a","b\"\n",true]"#
        );
        assert_eq!(value_json(Value::bytes(*b"light wor")), r#"{"bytes":"bGlnaHQgd29y"}"#);
        assert_eq!(value_json(Value::bytes(*b"light wo")), r#"{"bytes":"bGlnaHQgd28="}"#);
        assert_eq!(value_json(Value::bytes(*b"light w")), r#"{"bytes":"bGlnaHQgdw=="}"#);
    }

    #[test]
    fn a_map_is_an_object_only_if_its_keys_are_distinct_names() {
        let entry = |key: Value| (key, Value::Int(1));
        assert_eq!(value_json(Value::map([entry(Value::atom("a")), entry("b".into())])), r#"{"a":1,"b":1}"#);
        assert_eq!(value_json(Value::map([entry(Value::atom("a")), entry(2.into())])), r#"[[2,1],["a",1]]"#);
        assert_eq!(value_json(Value::map([entry(Value::atom("a")), entry("a".into())])), r#"[["a",1],["a",1]]"#);
        assert_eq!(value_json(Value::map([])), "{}");
    }

    #[test]
    fn long_terms_are_cut_in_messages() {
        let long = Term::data(Value::list(0..100_000));
        assert_eq!(short(&long).chars().count(), 80);
        assert!(short(&long).starts_with("[0, 1, 2"));
    }
}
