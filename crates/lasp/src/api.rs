//! What programs use: handles to a node and its variables.
//!
//! - [`Lasp`]: a node, and its untyped operations.
//! - `ask`: [`Ask`], the future of one request; [`Watch`], a stream of values.
//! - `variable`, `kind`: [`Var`], a typed variable, and the kinds there are.
//! - `derivation`: derived sets and folds.
//! - `element`: [`Element`], Rust types as elements of sets.

mod ask;
mod derivation;
mod element;
mod handle;
pub mod kind;
mod variable;

pub use ask::{Ask, Watch};
pub use derivation::{Collection, Derivation, Fold};
pub use element::{AsElement, Element};
pub use handle::{Installed, Lasp, Members, Status};
pub use variable::{Flag, GCounter, GMap, GSet, IVar, Max, Min, Pair, PnCounter, Register, Scalar, Set, Var, View};
