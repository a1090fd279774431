//! SQL by its definition, over whole tables of rows as lists of values: bags, three truth values, nothing shared with
//! the crate under test but the text of the query.

use lasp_dataflow::{F64, Value};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Cell = Option<i64>;

/// Columns of both tables side by side: `t.a t.b u.a u.c`; of `t` alone the first two.
pub(crate) type Line = Vec<Cell>;

#[derive(Clone, Debug)]
pub(crate) enum Number {
    Column(usize),
    Literal(Cell),
    Add(Box<Self>, Box<Self>),
    Subtract(Box<Self>, Box<Self>),
    IfNull(Box<Self>, Box<Self>),
    Case(Box<Truth>, Box<Self>),
}

#[derive(Clone, Debug)]
pub(crate) enum Truth {
    Compare(&'static str, Number, Number),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    IsNull(Number),
    In(Number, Vec<Cell>),
    Between(Number, Number, Number),
    IsTrue(Box<Self>),
}

#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) function: &'static str,
    pub(crate) distinct: bool,
    /// Of `count(*)`, none.
    pub(crate) of: Option<Number>,
}

#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Rows(Vec<Number>),
    /// By these columns; a summary that must exceed the number in `having`.
    Groups {
        by: Vec<Number>,
        summaries: Vec<Summary>,
        having: Option<(Summary, i64)>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) both: bool,
    pub(crate) on: Option<Truth>,
    pub(crate) filter: Option<Truth>,
    pub(crate) shown: Shown,
}

// ---- as text ----

const COLUMNS: [&str; 4] = ["t.a", "t.b", "u.a", "u.c"];

fn literal(cell: Cell) -> String {
    cell.map_or_else(|| "null".to_owned(), |n| n.to_string())
}

impl Number {
    fn sql(&self) -> String {
        match self {
            Self::Column(at) => COLUMNS[*at].to_owned(),
            Self::Literal(cell) => literal(*cell),
            Self::Add(a, b) => format!("({} + {})", a.sql(), b.sql()),
            Self::Subtract(a, b) => format!("({} - {})", a.sql(), b.sql()),
            Self::IfNull(a, b) => format!("coalesce({}, {})", a.sql(), b.sql()),
            Self::Case(condition, a) => format!("case when {} then {} end", condition.sql(), a.sql()),
        }
    }

    fn value(&self, line: &Line) -> Cell {
        match self {
            Self::Column(at) => line[*at],
            Self::Literal(cell) => *cell,
            Self::Add(a, b) => Some(a.value(line)? + b.value(line)?),
            Self::Subtract(a, b) => Some(a.value(line)? - b.value(line)?),
            Self::IfNull(a, b) => a.value(line).or_else(|| b.value(line)),
            Self::Case(condition, a) => (condition.value(line) == Some(true)).then(|| a.value(line)).flatten(),
        }
    }
}

impl Truth {
    fn sql(&self) -> String {
        match self {
            Self::Compare(op, a, b) => format!("{} {op} {}", a.sql(), b.sql()),
            Self::And(a, b) => format!("({} and {})", a.sql(), b.sql()),
            Self::Or(a, b) => format!("({} or {})", a.sql(), b.sql()),
            Self::Not(a) => format!("not ({})", a.sql()),
            Self::IsNull(a) => format!("{} is null", a.sql()),
            Self::In(a, list) => {
                format!("{} in ({})", a.sql(), list.iter().map(|c| literal(*c)).collect::<Vec<_>>().join(", "))
            }
            Self::Between(a, low, high) => format!("{} between {} and {}", a.sql(), low.sql(), high.sql()),
            Self::IsTrue(a) => format!("({}) is true", a.sql()),
        }
    }

    fn value(&self, line: &Line) -> Option<bool> {
        match self {
            Self::Compare(op, a, b) => compare(op, a.value(line), b.value(line)),
            Self::And(a, b) => both(a.value(line), b.value(line)),
            Self::Or(a, b) => both(a.value(line).map(|t| !t), b.value(line).map(|t| !t)).map(|t| !t),
            Self::Not(a) => a.value(line).map(|truth| !truth),
            Self::IsNull(a) => Some(a.value(line).is_none()),
            Self::In(a, list) => {
                let a = a.value(line);
                let each: Vec<_> = list.iter().map(|b| compare("=", a, *b)).collect();
                if each.contains(&Some(true)) { Some(true) } else { (!each.contains(&None)).then_some(false) }
            }
            Self::Between(a, low, high) => {
                let a = a.value(line);
                both(compare(">=", a, low.value(line)), compare("<=", a, high.value(line)))
            }
            Self::IsTrue(a) => Some(a.value(line) == Some(true)),
        }
    }
}

fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn compare(op: &str, a: Cell, b: Cell) -> Option<bool> {
    let (a, b) = (a?, b?);
    Some(match op {
        "=" => a == b,
        "<>" => a != b,
        "<" => a < b,
        ">=" => a >= b,
        "<=" => a <= b,
        _ => panic!("{op}"),
    })
}

impl Summary {
    fn sql(&self) -> String {
        let distinct = if self.distinct { "distinct " } else { "" };
        let of = self.of.as_ref().map_or_else(|| "*".to_owned(), Number::sql);
        format!("{}({distinct}{of})", self.function)
    }

    fn value(&self, lines: &[&Line]) -> Option<Value> {
        let Some(of) = &self.of else { return Some(Value::from(lines.len() as u64)) };
        let mut cells: Vec<i64> = lines.iter().filter_map(|line| of.value(line)).collect();
        if self.distinct {
            cells = cells.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        }
        let sum: i64 = cells.iter().sum();
        match self.function {
            "count" => Some(Value::from(cells.len() as u64)),
            _ if cells.is_empty() => None,
            "sum" => Some(Value::Int(sum)),
            "min" => cells.iter().min().copied().map(Value::Int),
            "max" => cells.iter().max().copied().map(Value::Int),
            "avg" => F64::new(sum as f64 / cells.len() as f64).map(Value::Float),
            other => panic!("{other}"),
        }
    }
}

impl Query {
    /// Its text; columns are called `c0`, `c1`...
    pub(crate) fn sql(&self) -> String {
        let named = |all: Vec<String>| -> String {
            all.iter().enumerate().map(|(i, expr)| format!("{expr} as c{i}")).collect::<Vec<_>>().join(", ")
        };
        let (shown, group) = match &self.shown {
            Shown::Rows(columns) => (named(columns.iter().map(Number::sql).collect()), String::new()),
            Shown::Groups { by, summaries, having } => {
                let keys: Vec<String> = by.iter().map(Number::sql).collect();
                let group = if keys.is_empty() { String::new() } else { format!(" group by {}", keys.join(", ")) };
                let having = having.as_ref().map_or(String::new(), |(what, n)| format!(" having {} > {n}", what.sql()));
                (named(keys.into_iter().chain(summaries.iter().map(Summary::sql)).collect()), group + &having)
            }
        };
        let from = match (self.both, &self.on) {
            (false, _) => "t".to_owned(),
            (true, None) => "t, u".to_owned(),
            (true, Some(on)) => format!("t join u on {}", on.sql()),
        };
        let filter = self.filter.as_ref().map_or(String::new(), |filter| format!(" where {}", filter.sql()));
        format!("select {shown} from {from}{filter}{group}")
    }

    /// What it means.
    pub(crate) fn rows(&self, t: &[Line], u: &[Line]) -> BTreeSet<Value> {
        let mut lines: Vec<Line> = t.to_vec();
        if self.both {
            lines = t.iter().flat_map(|t| u.iter().map(|u| [&t[..], &u[..]].concat())).collect();
        }
        let holds = |line: &Line| {
            [&self.on, &self.filter].iter().all(|c| c.as_ref().is_none_or(|c| c.value(line) == Some(true)))
        };
        lines.retain(holds);
        match &self.shown {
            Shown::Rows(columns) => {
                let show = |line: &Line| row(columns.iter().map(|column| column.value(line).map(Value::Int)).collect());
                lines.iter().map(show).collect()
            }
            Shown::Groups { by, summaries, having } => {
                let mut groups: BTreeMap<Vec<Cell>, Vec<&Line>> = BTreeMap::new();
                if by.is_empty() {
                    groups.insert(Vec::new(), Vec::new());
                }
                for line in &lines {
                    groups.entry(by.iter().map(|key| key.value(line)).collect()).or_default().push(line);
                }
                let kept = groups.iter().filter(|(_, lines)| {
                    having.as_ref().is_none_or(|(what, n)| what.value(lines).is_some_and(|v| exceeds(&v, *n)))
                });
                let show = |(key, lines): (&Vec<Cell>, &Vec<&Line>)| {
                    let keys = key.iter().map(|cell| cell.map(Value::Int));
                    row(keys.chain(summaries.iter().map(|summary| summary.value(lines))).collect())
                };
                kept.map(show).collect()
            }
        }
    }
}

fn exceeds(value: &Value, n: i64) -> bool {
    match value {
        Value::Int(v) => *v > n,
        Value::Float(v) => v.get() > n as f64,
        other => panic!("{other}"),
    }
}

fn row(cells: Vec<Option<Value>>) -> Value {
    let named = cells.into_iter().enumerate().filter_map(|(i, cell)| Some((Value::atom(format!("c{i}")), cell?)));
    Value::map(named)
}
