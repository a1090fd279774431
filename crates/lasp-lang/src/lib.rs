//! The Lasp language: lexer, parser, checker, evaluator, diagnostics. Knows no peers and does no I/O.
//!
//! Start at [`Session`]: it runs programs on a [`Host`](host::Host), which is one graph ([`GraphHost`]) or a cluster that
//! someone else provides.
//!
//! ```
//! use lasp_lang::{GraphHost, Session, Source};
//!
//! let program = "S = declare(set), update(S, {add, [1, 2]}), map(S, fun(X) -> X * 2 end).";
//! let mut printed = Vec::new();
//! let mut session = Session::new(GraphHost::default());
//! session.run(&Source::new("doubles.lasp", program), &mut |line| printed.push(line.to_string())).expect("it runs");
//! assert_eq!(printed, ["set[2, 4]"]);
//! ```
//!
//! - [`source`], [`token`], [`lexer`], [`ast`], [`parse`](mod@parse): from text to a tree, reporting every error.
//! - [`check`]: names, arities, types and operations, before anything runs.
//! - [`term`], [`mod@env`], [`machine`], [`function`], [`library`]: the pure expression language, with limits.
//! - `code`: functions in compiled form, for the calls that derivations make; `identity`: when two compute the same;
//!   `equi_join`: predicates over pairs as joins.
//! - [`session`], [`host`], [`signature`], [`interrupt`]: operations on variables and nodes, and stopping them.
//! - [`operation`](mod@operation): one operation, from text.
//! - [`installable`](mod@installable): what a program may do that is installed in a cluster.
//! - [`explain`](mod@explain): the dataflow graph of a program as text.
//! - [`diagnostic`], [`fault`], [`show`], [`suggest`], [`help`]: what is said to people.
//! - [`complete`](mod@complete), [`highlight`]: for shells and editors.

pub mod ast;
pub mod check;
mod code;
pub mod complete;
pub mod diagnostic;
pub mod env;
mod equi_join;
pub mod explain;
pub mod fault;
pub mod function;
pub mod graph_host;
pub mod help;
pub mod highlight;
pub mod host;
mod identity;
pub mod installable;
pub mod interrupt;
pub mod lexer;
pub mod library;
pub mod machine;
pub mod operation;
pub mod parse;
pub mod session;
pub mod show;
pub mod signature;
pub mod source;
#[cfg(feature = "sql")]
mod sql;
pub mod suggest;
pub mod term;
pub mod token;

pub use diagnostic::{Diagnostic, Severity};
pub use graph_host::GraphHost;
pub use interrupt::Interrupt;
pub use session::{Binding, Line, Session, Stop};
pub use source::{Source, Span};
