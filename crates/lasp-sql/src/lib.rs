//! SQL views as dataflow: `create view ... as select ...` becomes a list of operators. Knows no graph and does no I/O.
//!
//! Start at [`compile`]. Tables are collections whose elements are rows: maps from column names (atoms or texts) to values,
//! or tuples whose fields are named where they are used, `from points as p(x, y)`.
//!
//! ```
//! use lasp_sql::{Columns, compile};
//!
//! let text = "create view adults as select name from people where age >= 18";
//! let view = compile(text, &|_table| Ok(Columns::Any)).expect("it is a view");
//! assert_eq!(view.name.as_deref(), Some("adults"));
//! let steps: Vec<String> = view.steps.iter().map(|step| format!("{:?}", step.operator)).collect();
//! assert_eq!(steps, ["filter(age >= 18)", "map(name)"]);
//! ```
//!
//! What holds:
//! - A view is a set of rows: maps whose keys are atoms, without the columns that are null.
//! - Aggregates run over the rows of `from` and `where`, so equal values of different rows count each.
//! - Functions are pure and total, and tell what they compute by [`identity`](lasp_dataflow::Call::identity).
//! - What is not supported is refused, with its place.
//!
//! - `text`, `error`: the text, within limits, and places in it.
//! - `scope`, `resolve`, `expr`: names and expressions.
//! - `select`, `group`, `plan`: queries to operators.
//! - `eval`, `compare`, `like`, `call`: the operators' functions.

mod call;
mod compare;
mod error;
mod eval;
mod expr;
mod group;
mod like;
mod plan;
mod resolve;
mod scope;
mod select;
mod text;

pub use error::{Span, SqlError};
pub use plan::{Columns, Input, Step, View};
pub use text::BYTES_MAX;

/// What a table's rows look like, by the table's name (in lower-case unless it was quoted).
pub type Catalog<'a> = dyn Fn(&str) -> Result<Columns, NoTable> + 'a;

/// Why a name stands for no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoTable {
    /// One sentence without a final period.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Compiles one view: `create [or replace] view NAME [(COLUMNS)] as select ...`, or the `select` alone.
///
/// # Errors
/// [`SqlError`]: the first thing that is wrong or not supported.
pub fn compile(text: &str, catalog: &Catalog<'_>) -> Result<View, SqlError> {
    select::view(text, catalog)
}

/// Finds what is wrong with a view whatever its tables are.
///
/// # Errors
/// As [`compile`], apart from what depends on the tables.
pub fn check(text: &str) -> Result<View, SqlError> {
    compile(text, &|_| Ok(Columns::Undetermined))
}
