//! The functions of a view's operators: an expression, or several, made into what the operator wants of an element.

use crate::compare;
use crate::eval::{Row, known, not_a_map};
use crate::expr::{At, Expr};
use lasp_dataflow::{Call, Function, FunctionError, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a function gives.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Whether the condition is true; null is not.
    Condition(Expr),
    /// The value; `undefined` for null.
    Value(Expr),
    /// The values as a tuple.
    Key(Vec<Expr>),
    /// What two rows must agree on to be joined. Null agrees with nothing: each side has its own stand-in.
    JoinKey(Vec<Expr>, JoinSide),
    /// `{Key, Value}`.
    Keyed(Vec<Expr>, Expr),
    /// A row of a view: a map without the columns that are null.
    Row(Vec<Column>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum JoinSide {
    Left,
    Right,
}

/// What goes into a row.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// A value under an atom.
    One(Value, Expr),
    /// All columns of a source whose elements are maps.
    All { source: usize, at: At },
}

/// A function over rows of the sources `first..=last`.
#[derive(Debug)]
struct Compiled {
    what: What,
    first: usize,
    last: usize,
    identity: Arc<str>,
}

pub(crate) fn compile(what: What, first: usize, last: usize) -> Function {
    let identity = format!("sql {first}-{last} {what:?}").into();
    Arc::new(Compiled { what, first, last, identity })
}

impl Call for Compiled {
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        let [value] = args else { return Err(FunctionError::new("expected one row")) };
        self.what.of(&Row { value, first: self.first, last: self.last })
    }

    fn describe(&self) -> String {
        match &self.what {
            What::Condition(expr) | What::Value(expr) => expr.to_string(),
            What::Key(all) | What::JoinKey(all, _) | What::Keyed(all, _) => spelled(all.iter().map(Expr::to_string)),
            What::Row(columns) => spelled(columns.iter().map(Column::to_string)),
        }
    }

    fn identity(&self) -> Option<Arc<str>> {
        Some(self.identity.clone())
    }
}

fn spelled(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All { .. } => f.write_str("*"),
            Self::One(Value::Atom(name), expr) => {
                let expr = expr.to_string();
                if *expr == **name { f.write_str(name) } else { write!(f, "{expr} as {name}") }
            }
            Self::One(_, expr) => write!(f, "{expr}"),
        }
    }
}

impl What {
    fn of(&self, row: &Row<'_>) -> Result<Value, FunctionError> {
        match self {
            Self::Condition(expr) => Ok(Value::Bool(expr.truth(row)? == Some(true))),
            Self::Value(expr) => Ok(shown(expr.eval(row)?)),
            Self::Key(exprs) => key(exprs, row),
            Self::JoinKey(exprs, side) => join_key(exprs, *side, row),
            Self::Keyed(exprs, value) => Ok(Value::pair(key(exprs, row)?, shown(value.eval(row)?))),
            Self::Row(columns) => make_row(columns, row),
        }
    }
}

/// Null as a value of the dataflow.
fn shown(value: Option<Value>) -> Value {
    value.unwrap_or_else(|| Value::atom("undefined"))
}

fn key(exprs: &[Expr], row: &Row<'_>) -> Result<Value, FunctionError> {
    let parts = exprs.iter().map(|expr| Ok(shown(expr.eval(row)?)));
    Ok(Value::Tuple(parts.collect::<Result<Vec<_>, FunctionError>>()?.into()))
}

fn join_key(exprs: &[Expr], side: JoinSide, row: &Row<'_>) -> Result<Value, FunctionError> {
    let mut parts = Vec::with_capacity(exprs.len());
    for expr in exprs {
        match expr.eval(row)? {
            Some(value) => parts.push(compare::normal(&value)),
            // No key is an atom: in normal form they are texts.
            None => return Ok(Value::atom(format!("{side:?}"))),
        }
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Value::Tuple(parts.into()) })
}

fn make_row(columns: &[Column], row: &Row<'_>) -> Result<Value, FunctionError> {
    if let [Column::All { source, .. }] = columns
        && let Some(whole @ Value::Map(entries)) = row.source(*source)
        && entries.values().all(|value| known(value).is_some())
    {
        return Ok(whole.clone());
    }
    let mut made = BTreeMap::new();
    for column in columns {
        match column {
            Column::One(name, expr) => {
                if let Some(value) = expr.eval(row)? {
                    put(&mut made, name, &value, &expr.at())?;
                }
            }
            Column::All { source, at } => match row.source(*source) {
                Some(Value::Map(entries)) => {
                    for (name, value) in entries.iter().filter(|(_, value)| known(value).is_some()) {
                        put(&mut made, name, value, at)?;
                    }
                }
                Some(other) => return not_a_map(at, other),
                None => {}
            },
        }
    }
    Ok(Value::Map(Arc::new(made)))
}

fn put(made: &mut BTreeMap<Value, Value>, name: &Value, value: &Value, at: &At) -> Result<(), FunctionError> {
    match made.insert(name.clone(), value.clone()) {
        Some(other) if other != *value => {
            let message = format!("two columns `{name}` differ: {other} and {value}; name the columns instead of `*`");
            Err(FunctionError::new(message).at(at.0.start, at.0.end))
        }
        _ => Ok(()),
    }
}
