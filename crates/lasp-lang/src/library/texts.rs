//! Texts. Positions and lengths count characters (Unicode scalar values).

use super::{Builtin, Direct, Result, between, builtin, list, size, text, wrong};
use crate::machine::Machine;
use crate::show;
use crate::term::Term;
use lasp_dataflow::Value;
use std::sync::Arc;

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("byte_size", 1, "byte_size(B)", "how many bytes", |_, a| match &a[0] {
        Term::Data(Value::Bytes(bytes), _) => Ok(Term::scalar(bytes.len() as i64)),
        Term::Data(Value::Text(text), _) => Ok(Term::scalar(text.len() as i64)),
        other => Err(wrong(0, "bytes or a text", other)),
    })
    .direct(Direct::Int(|v| match v {
        Value::Bytes(bytes) => Some(bytes.len() as i64),
        Value::Text(text) => Some(text.len() as i64),
        _ => None,
    })),
    builtin("string:length", 1, "string:length(T)", "how many characters", |m, a| {
        let text = charged(m, a, 0)?;
        Ok(Term::scalar(text.chars().count() as i64))
    })
    .direct(Direct::Int(|v| text_of(v).map(|text| text.chars().count() as i64))),
    builtin("string:is_empty", 1, "string:is_empty(T)", "whether it has no characters", |_, a| {
        Ok(Term::scalar(text(a, 0)?.is_empty()))
    })
    .direct(Direct::Test(|v| text_of(v).map(str::is_empty))),
    builtin("string:uppercase", 1, "string:uppercase(T)", "in capitals", |m, a| {
        Ok(Term::scalar(charged(m, a, 0)?.to_uppercase()))
    }),
    builtin("string:lowercase", 1, "string:lowercase(T)", "in small letters", |m, a| {
        Ok(Term::scalar(charged(m, a, 0)?.to_lowercase()))
    }),
    builtin("string:trim", 1, "string:trim(T)", "without white space around it", |m, a| {
        Ok(Term::scalar(charged(m, a, 0)?.trim()))
    }),
    builtin("string:reverse", 1, "string:reverse(T)", "backwards", |m, a| {
        Ok(Term::scalar(charged(m, a, 0)?.chars().rev().collect::<String>()))
    }),
    builtin("string:concat", 2, "string:concat(A, B)", "one after the other", |m, a| {
        Ok(Term::scalar(format!("{}{}", charged(m, a, 0)?, charged(m, a, 1)?)))
    }),
    builtin("string:equal", 2, "string:equal(A, B)", "whether they are the same", |m, a| {
        Ok(Term::scalar(charged(m, a, 0)? == charged(m, a, 1)?))
    })
    .direct(Direct::Tests(|a, b| both_texts(a, b).map(|(t, part)| t == part))),
    builtin("string:contains", 2, "string:contains(T, Part)", "whether Part occurs in T", |m, a| {
        Ok(Term::scalar(charged(m, a, 0)?.contains(&*charged(m, a, 1)?)))
    })
    .direct(Direct::Tests(|a, b| both_texts(a, b).map(|(t, part)| t.contains(part)))),
    builtin("string:starts_with", 2, "string:starts_with(T, Part)", "whether T begins with Part", |m, a| {
        Ok(Term::scalar(charged(m, a, 0)?.starts_with(&*charged(m, a, 1)?)))
    })
    .direct(Direct::Tests(|a, b| both_texts(a, b).map(|(t, part)| t.starts_with(part)))),
    builtin("string:ends_with", 2, "string:ends_with(T, Part)", "whether T ends with Part", |m, a| {
        Ok(Term::scalar(charged(m, a, 0)?.ends_with(&*charged(m, a, 1)?)))
    })
    .direct(Direct::Tests(|a, b| both_texts(a, b).map(|(t, part)| t.ends_with(part)))),
    builtin("string:prefix", 2, "string:prefix(T, Part)", "T after Part, or nomatch", |m, a| {
        let (text, prefix) = (charged(m, a, 0)?, charged(m, a, 1)?);
        Ok(text.strip_prefix(&*prefix).map_or_else(|| Term::atom("nomatch"), Term::scalar))
    }),
    builtin("string:find", 2, "string:find(T, Part)", "T from the first Part on, or nomatch", |m, a| {
        let (text, part) = (charged(m, a, 0)?, charged(m, a, 1)?);
        Ok(text.find(&*part).map_or_else(|| Term::atom("nomatch"), |at| Term::scalar(&text[at..])))
    }),
    between(
        "string:split",
        (2, 3),
        "string:split(T, Sep), string:split(T, Sep, all)",
        "the parts around the first, or all, Sep",
        |m, a| {
            let (text, separator) = (charged(m, a, 0)?, charged(m, a, 1)?);
            if separator.is_empty() {
                return Err("the separator is empty".into());
            }
            let parts: Vec<&str> = if wants_all(a, 2)? {
                text.split(&*separator).collect()
            } else {
                text.splitn(2, &*separator).collect()
            };
            Ok(Term::list(parts.into_iter().map(Term::scalar).collect()))
        },
    ),
    between(
        "string:replace",
        (3, 4),
        "string:replace(T, Part, New), string:replace(T, Part, New, all)",
        "the first, or every, Part replaced",
        |m, a| {
            let (text, part, new) = (charged(m, a, 0)?, charged(m, a, 1)?, charged(m, a, 2)?);
            if part.is_empty() {
                return Err("the part to replace is empty".into());
            }
            let all = wants_all(a, 3)?;
            let times = if all { text.matches(&*part).count() } else { 1 };
            m.spend((times as u64).saturating_mul(1 + new.len() as u64 / 16))?;
            Ok(Term::scalar(if all { text.replace(&*part, &new) } else { text.replacen(&*part, &new, 1) }))
        },
    ),
    between(
        "string:slice",
        (2, 3),
        "string:slice(T, Start), string:slice(T, Start, Len)",
        "a part, from position 0",
        |m, a| {
            let text = charged(m, a, 0)?;
            let len = if a.len() == 3 { size(a, 2)? } else { usize::MAX };
            Ok(Term::scalar(text.chars().skip(size(a, 1)?).take(len).collect::<String>()))
        },
    ),
    builtin("string:join", 2, "string:join(Texts, Sep)", "the texts with Sep between them", |m, a| {
        let parts = list(m, a, 0)?;
        let texts = (0..parts.len()).map(|at| charged(m, &parts, at)).collect::<Result<Vec<_>>>()?;
        let separator = text(a, 1)?;
        m.spend((texts.len() as u64).saturating_mul(1 + separator.len() as u64 / 16))?;
        Ok(Term::scalar(texts.join(&*separator)))
    }),
    builtin("string:repeat", 2, "string:repeat(T, N)", "N times the text", |m, a| {
        let (text, times) = (text(a, 0)?, size(a, 1)?);
        m.spend((times as u64).saturating_mul(1 + text.len() as u64 / 16))?;
        Ok(Term::scalar(text.repeat(times)))
    }),
    builtin("string:to_integer", 1, "string:to_integer(T)", "the text as an integer, or error", |_, a| {
        let parsed = text(a, 0)?.trim().parse::<i64>();
        Ok(parsed.map_or_else(|_| Term::atom("error"), Term::scalar))
    }),
    builtin("to_text", 1, "to_text(X)", "X as it is printed; a text as it is", |m, a| {
        m.spend(u64::from(a[0].shape().weight))?;
        Ok(Term::scalar(show::plain(&a[0])))
    }),
];

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn both_texts<'v>(left: &'v Value, right: &'v Value) -> Option<(&'v str, &'v str)> {
    text_of(left).zip(text_of(right))
}

/// The text at `position`; charges for its length.
fn charged(machine: &mut Machine<'_>, args: &[Term], position: usize) -> Result<Arc<str>> {
    let text = text(args, position)?;
    machine.spend(text.len() as u64 / 16)?;
    Ok(text)
}

fn wants_all(args: &[Term], position: usize) -> Result<bool> {
    match args.get(position) {
        None => Ok(false),
        Some(Term::Data(Value::Atom(name), _)) if &**name == "all" => Ok(true),
        Some(Term::Data(Value::Atom(name), _)) if &**name == "leading" => Ok(false),
        Some(other) => Err(wrong(position, "`all` or `leading`", other)),
    }
}
