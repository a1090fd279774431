//! Aggregates: SQL's in terms of the dataflow's, which know no null, and back.
//!
//! Each becomes one or two *parts* that the dataflow keeps up to date. A part over distinct values has a pipeline of its
//! own, over pairs of key and value; the pipelines' results are joined by key.

use crate::call::{What, compile};
use crate::error::{Result, SqlError};
use crate::expr::{Access, Aggregation, At, Expr, Field, Kind, Label, Op};
use crate::plan::{Input, Steps};
use lasp_dataflow::{Aggregate, Facet, Operator, Value};

/// What the dataflow computes of one value of each row.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// Of a count of rows, none.
    value: Option<Expr>,
    kind: Kind,
}

/// Parts over the same rows.
#[derive(Debug, PartialEq)]
struct Pipeline {
    /// The value whose distinct occurrences are the rows; `None` for the rows of the query.
    distinct: Option<Expr>,
    parts: Vec<Part>,
}

/// The grouping of a query.
#[derive(Debug)]
pub(crate) struct Grouping {
    keys: Vec<Expr>,
    /// Without `group by` all rows are one group, also none at all.
    whole: bool,
    pipelines: Vec<Pipeline>,
}

impl Grouping {
    pub(crate) fn new(keys: Vec<Expr>) -> Self {
        Self { whole: keys.is_empty(), keys, pipelines: Vec::new() }
    }

    /// An expression over rows as one over groups: aggregates and keys become fields, other columns are refused unless
    /// they are names of `aliases`.
    pub(crate) fn rewrite(&mut self, expr: Expr, aliases: &[(String, Expr)]) -> Result<Expr> {
        if let Some(index) = self.keys.iter().position(|key| *key == expr) {
            return Ok(field(0, Access::Key(index), &expr));
        }
        match expr {
            Expr::Aggregate(aggregation) => Ok(self.aggregate(*aggregation)),
            Expr::Apply(op, args, at) => {
                let args = args.into_iter().map(|arg| self.rewrite(arg, aliases)).collect::<Result<_>>()?;
                Ok(Expr::Apply(op, args, at))
            }
            Expr::Field(field) => {
                if let Some((_, expr)) = aliases.iter().find(|(alias, _)| **alias == *field.label.0) {
                    return self.rewrite(expr.clone(), &[]);
                }
                let message = format!("`{}` is neither in `group by` nor in an aggregate", field.label.0);
                Err(SqlError::new(field.at.0, message)
                    .hint("a group has many rows: name it in `group by`, or say which value, such as `max(...)`"))
            }
            constant => Ok(constant),
        }
    }

    fn aggregate(&mut self, aggregation: Aggregation) -> Expr {
        let whole = Expr::Aggregate(Box::new(aggregation.clone()));
        let Aggregation { kind, distinct, argument, at } = aggregation;
        let Some(argument) = argument else {
            return self.part(None, Part { value: None, kind: Kind::Count }, &whole);
        };
        let (rows, value) = match distinct {
            false => (None, argument),
            true => {
                // Without a group the rows are the values themselves.
                let access = if self.whole { Access::Whole } else { Access::Position { index: 1, of: 2 } };
                let value = field(0, access, &argument);
                (Some(argument), value)
            }
        };
        let apply = |op, args| Expr::Apply(op, args, at);
        let zero_if_null = |value: Expr| apply(Op::Coalesce, vec![value, Expr::Constant(Value::Int(0))]);
        let is_there = apply(
            Op::Case,
            vec![apply(Op::IsNull, vec![value.clone()]), Expr::Constant(Value::Int(0)), Expr::Constant(Value::Int(1))],
        );
        let mut part = |value, kind| self.part(rows.clone(), Part { value: Some(value), kind }, &whole);
        match kind {
            Kind::Count => part(is_there, Kind::Sum),
            Kind::Sum => {
                let (sum, count) = (part(zero_if_null(value), Kind::Sum), part(is_there, Kind::Sum));
                apply(Op::Unless0, vec![sum, count])
            }
            Kind::Avg => {
                let (sum, count) = (part(zero_if_null(value), Kind::Sum), part(is_there, Kind::Sum));
                apply(Op::Mean, vec![sum, count])
            }
            Kind::Min => apply(Op::Unranked, vec![part(apply(Op::Ranked(0), vec![value]), Kind::Min)]),
            Kind::Max => apply(Op::Unranked, vec![part(apply(Op::Ranked(1), vec![value]), Kind::Max)]),
        }
    }

    /// The field in which a part's result will be.
    fn part(&mut self, distinct: Option<Expr>, part: Part, of: &Expr) -> Expr {
        let pipeline = position(
            &mut self.pipelines,
            |known| known.distinct == distinct,
            || Pipeline { distinct: distinct.clone(), parts: Vec::new() },
        );
        let index = position(&mut self.pipelines[pipeline].parts, |known| *known == part, || part.clone());
        field(pipeline, if self.whole { Access::Total(index) } else { Access::Result(index) }, of)
    }

    /// The last of the sources that groups are read from; they are in nested pairs.
    pub(crate) fn last(&self) -> usize {
        self.pipelines.len().saturating_sub(1)
    }

    /// Derives the groups from rows of the sources `0..=last`.
    pub(crate) fn plan(&mut self, rows: Input, last: usize, steps: &mut Steps) -> Input {
        if self.whole && self.pipelines.is_empty() {
            // Something must say that there is one group.
            self.part(None, Part { value: None, kind: Kind::Count }, &Expr::Null);
        }
        let mut groups: Option<Input> = None;
        for pipeline in &self.pipelines {
            let next = self.pipeline(pipeline, rows, last, steps);
            groups = Some(match groups {
                None => next,
                Some(before) if self.whole => steps.add(Operator::Product, &[before, next]),
                Some(before) => self.join(before, next, pipeline, steps),
            });
        }
        groups.unwrap_or_else(|| {
            // No aggregate at all: the groups are the distinct keys.
            let nothing = Expr::Constant(Value::Tuple([].into()));
            steps.add(Operator::Map(compile(What::Keyed(self.keys.clone(), nothing), 0, last)), &[rows])
        })
    }

    fn pipeline(&self, pipeline: &Pipeline, rows: Input, last: usize, steps: &mut Steps) -> Input {
        let (rows, last) = match (&pipeline.distinct, self.whole) {
            (None, _) => (rows, last),
            (Some(value), true) => (steps.add(Operator::Map(compile(What::Value(value.clone()), 0, last)), &[rows]), 0),
            (Some(value), false) => {
                let pairs = What::Keyed(self.keys.clone(), value.clone());
                (steps.add(Operator::Map(compile(pairs, 0, last)), &[rows]), 0)
            }
        };
        let aggregate = Aggregate::All(pipeline.parts.iter().map(|part| part.aggregate(last)).collect());
        if self.whole {
            let total = steps.add(Operator::Fold(aggregate), &[rows]);
            return steps.add(Operator::View(Facet::Elements), &[total]);
        }
        let key = match pipeline.distinct {
            None => compile(What::Key(self.keys.clone()), 0, last),
            Some(_) => {
                let label = self.keys.first().map(Expr::to_string).unwrap_or_default();
                let access = Access::Position { index: 0, of: 2 };
                compile(What::Value(field(0, access, &Expr::Constant(Value::atom(label)))), 0, 0)
            }
        };
        steps.add(Operator::Group { key, aggregate }, &[rows])
    }

    /// Joins groups of earlier pipelines with those of `pipeline`: all have the same keys.
    fn join(&self, before: Input, next: Input, pipeline: &Pipeline, steps: &mut Steps) -> Input {
        let at = self.pipelines.iter().position(|known| std::ptr::eq(known, pipeline)).unwrap_or_default();
        let keys = |source: usize| -> Vec<Expr> {
            let key = |(index, key)| field(source, Access::Key(index), key);
            self.keys.iter().enumerate().map(key).collect()
        };
        let operator = Operator::Join {
            left_key: compile(What::Key(keys(0)), 0, at - 1),
            right_key: compile(What::Key(keys(at)), at, at),
        };
        steps.add(operator, &[before, next])
    }
}

impl Part {
    fn aggregate(&self, last: usize) -> Aggregate {
        let kind = match self.kind {
            Kind::Count => Aggregate::Count,
            Kind::Sum => Aggregate::Sum,
            Kind::Min => Aggregate::Min,
            Kind::Max => Aggregate::Max,
            Kind::Avg => Aggregate::Avg,
        };
        match &self.value {
            None => kind,
            Some(value) => Aggregate::Of(compile(What::Value(value.clone()), 0, last), Box::new(kind)),
        }
    }
}

fn field(source: usize, access: Access, of: &Expr) -> Expr {
    let at: At = of.at();
    Expr::Field(Field { source, access, at, label: Label(of.to_string().into()) })
}

fn position<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> usize {
    list.iter().position(is).unwrap_or_else(|| {
        list.push(make());
        list.len() - 1
    })
}
