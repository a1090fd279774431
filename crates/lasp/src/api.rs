//! What programs use: handles to a node and its variables.
//!
//! - [`Lasp`]: a node, and its untyped operations.
//! - `variable`, `kind`: [`Var`], a typed variable, and the kinds there are. `element`: [`Element`], Rust types in them.
//! - `derivation`, `aggregate`: [`Collection`], derived sets, maps and values; [`Aggregate`], what they are summed up by.
//! - `life`: [`Derived`] and [`Feed`], handles that keep a derivation going.
//! - `condition`: what can be waited for.
//! - `ask`: [`Ask`], the future of one request; [`Watch`], a stream of values.
//! - `letters`: bytes for one node.
//! - `views`: [`ViewChanges`], what changes around the node.
//! - `survey`: what the overlay looks like.
//! - `session`: [`Session`], what is seen going from node to node.
//! - `once`: [`Turn`], what happens once in the cluster.

mod aggregate;
mod ask;
mod condition;
mod derivation;
mod element;
mod handle;
pub mod kind;
mod letters;
mod life;
mod once;
mod session;
mod survey;
mod variable;
mod views;

pub use aggregate::Aggregate;
pub use ask::{Ask, Timeout, Watch};
pub use condition::{Condition, Exceeds, Met, Reaches, ThresholdOf};
pub use derivation::{Collection, Derivation, Deriving, Fold, Groups};
pub use element::{AsElement, Element};
pub use handle::{Installed, Lasp, Members, Status};
pub use letters::{Delivery, Letters, Received};
pub use life::{Derived, Feed};
pub use once::Turn;
pub use session::Session;
pub use variable::{
    AwGraph, AwMap, BCounter, DwFlag, EwFlag, Flag, GCounter, GGraph, GMap, GSet, IVar, LexCounter, Max, Min, MvMap,
    MvRegister, Pair, PnCounter, Reached, Register, RwSet, Scalar, Set, Summary, Table, TwoPGraph, TwoPSet, Var, View,
};
pub use views::ViewChanges;
