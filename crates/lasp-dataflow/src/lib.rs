//! Replicated variables and incremental derivations over them.
//!
//! Start at [`Graph`]: it holds named, typed variables and derives others from them, by changes alone. It knows no peer and
//! no time: what must be sent comes out of [`Graph::drain`], what was received goes into [`Graph::merge`].
//!
//! - [`Value`], [`Name`], [`Type`], [`Op`], [`Output`]: what variables hold, are called, offer and answer.

mod catalogue;
mod graph;
mod name;
mod op;
mod operator;
mod operators;
mod output;
mod state;
#[cfg(test)]
mod testing;
mod threshold;
mod types;
mod value;
mod views;
mod waiters;

pub use catalogue::OpForm;
pub use graph::{
    BindError, Cause, DeclareError, DerivationError, DerivationId, DerivationInfo, DeriveError, ERRORS_KEPT, Effects,
    ErrorLog, Graph, Target, UndeclareError, UpdateError, VarDelta, VarInfo,
};
pub use name::{MAX_NAME_BYTES, Name, NameError, VarId};
pub use op::{Op, OpError, ReplicaName};
pub use operator::{Aggregate, Call, EquiJoin, Facet, Function, FunctionError, Operator, ProgramText, function};
pub use output::Output;
pub use state::{LiteralError, Nested, Rest, SetState, Slot, State, StateDigest};
pub use threshold::{Threshold, ThresholdError, UnderKey};
pub use types::{MAX_TYPE_DEPTH, Type, TypeError};
pub use value::{F64, MAX_VALUE_DEPTH, NotThatKind, Value};
#[cfg(feature = "serde")]
pub use value::{FromValueError, ToValueError, from_value, to_value};
pub use views::{Plan, PlanInput, PlanNode, PlanView};
pub use waiters::{WaiterId, WatcherId};
