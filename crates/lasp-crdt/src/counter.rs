//! Replicated counters: one that only grows, two that go both ways, and one that does not go below zero.

pub mod bounded;
pub mod grow;
pub mod lexicographic;
pub mod pn;

pub use bounded::{BoundedCounter, NotEnoughRights};
pub use grow::GCounter;
pub use lexicographic::LexCounter;
pub use pn::PnCounter;
