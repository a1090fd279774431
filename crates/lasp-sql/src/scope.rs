//! The tables of a `from`, and which of them a column's name means.

use crate::error::{Result, Span, SqlError};
use crate::expr::{Access, At, Expr, Field, Label};
use crate::plan::Columns;
use lasp_dataflow::Value;
use std::sync::Arc;

/// A table under the name it has in a query.
#[derive(Debug)]
pub(crate) struct Source {
    /// The table's own name.
    pub(crate) table: String,
    /// What the query calls it.
    pub(crate) alias: String,
    pub(crate) columns: Columns,
    /// Whether the columns are the fields of tuples.
    pub(crate) positional: bool,
}

/// The tables that an expression may read.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) sources: Vec<Source>,
}

impl Scope {
    /// The column `column` of the table that the query calls `table`.
    pub(crate) fn qualified(&self, table: (&str, Span), column: (&str, Span)) -> Result<Expr> {
        let source = self.source(table.0, table.1)?;
        self.sources[source].check(column)?;
        let span = Span { start: table.1.start, end: column.1.end };
        Ok(self.field(source, column.0, span, format!("{}.{}", table.0, column.0)))
    }

    /// The column `column` of the only table that can have it.
    pub(crate) fn unqualified(&self, column: (&str, Span)) -> Result<Expr> {
        let (name, span) = column;
        let candidates: Vec<usize> = (0..self.sources.len()).filter(|s| self.sources[*s].may_have(name)).collect();
        match candidates[..] {
            [source] => Ok(self.field(source, name, span, name.to_owned())),
            [] => {
                let known: Vec<String> = self.sources.iter().map(Source::shown).collect();
                Err(SqlError::new(span, format!("there is no column `{name}`")).hint(known.join("; ")))
            }
            // Which one it is turns up when the columns are known.
            [source, ..] if candidates.iter().any(|s| self.sources[*s].columns == Columns::Undetermined) => {
                Ok(self.field(source, name, span, name.to_owned()))
            }
            [source, ..] => {
                let alias = &self.sources[source].alias;
                Err(SqlError::new(span, format!("`{name}` may be a column of several tables"))
                    .hint(format!("say of which, such as `{alias}.{name}`")))
            }
        }
    }

    pub(crate) fn source(&self, alias: &str, span: Span) -> Result<usize> {
        self.sources.iter().position(|source| source.alias == alias).ok_or_else(|| {
            let known: Vec<&str> = self.sources.iter().map(|source| &*source.alias).collect();
            SqlError::new(span, format!("this query has no table `{alias}`"))
                .hint(format!("it reads {}", known.join(", ")))
        })
    }

    fn field(&self, source: usize, name: &str, span: Span, label: String) -> Expr {
        let access = self.sources[source].access(name);
        Expr::Field(Field { source, access, at: At(span), label: Label(label.into()) })
    }

    /// All columns of a source, where they are known.
    pub(crate) fn all(&self, source: usize, span: Span) -> Option<Vec<(Arc<str>, Expr)>> {
        let Columns::Listed(names) = &self.sources[source].columns else { return None };
        let field = |name: &Arc<str>| (name.clone(), self.field(source, name, span, name.to_string()));
        Some(names.iter().map(field).collect())
    }
}

impl Source {
    fn may_have(&self, column: &str) -> bool {
        match &self.columns {
            Columns::Listed(names) => names.iter().any(|name| **name == *column),
            Columns::Any | Columns::Undetermined => true,
        }
    }

    fn check(&self, column: (&str, Span)) -> Result<()> {
        if self.may_have(column.0) {
            return Ok(());
        }
        Err(SqlError::new(column.1, format!("`{}` has no column `{}`", self.alias, column.0)).hint(self.shown()))
    }

    fn shown(&self) -> String {
        match &self.columns {
            Columns::Listed(names) => format!("`{}` has {}", self.alias, names.join(", ")),
            Columns::Any | Columns::Undetermined => format!("`{}` has any columns", self.alias),
        }
    }

    fn access(&self, name: &str) -> Access {
        match &self.columns {
            Columns::Listed(names) if self.positional => {
                let index = names.iter().position(|known| **known == *name).unwrap_or_default();
                Access::Position { index, of: names.len() }
            }
            _ => Access::Column { atom: Value::atom(name), text: Value::text(name) },
        }
    }
}
