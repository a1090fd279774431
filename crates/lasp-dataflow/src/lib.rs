//! Replicated variables and incremental derivations over them.
//!
//! Start at [`Graph`]: it holds named, typed variables and derives others from them, by changes alone. It knows no peer and
//! no time: what must be sent comes out of [`Graph::drain`], what was received goes into [`Graph::merge`].
//!
//! - [`Value`], [`Name`], [`Type`], [`Op`], [`Output`]: what variables hold, are called, offer and answer.

mod catalogue;
mod name;
mod op;
mod operator;
mod output;
#[cfg(test)]
mod testing;
mod types;
mod value;

pub use catalogue::OpForm;
pub use name::{MAX_NAME_BYTES, Name, NameError, VarId};
pub use op::{Op, OpError};
pub use operator::{Aggregate, Call, Function, FunctionError, Operator, function};
pub use output::Output;
pub use types::{MAX_TYPE_DEPTH, Type, TypeError};
pub use value::{F64, MAX_VALUE_DEPTH, NotThatKind, Value};
