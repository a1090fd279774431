//! Replicated counters: one that only grows, one that goes both ways.

pub mod grow;
pub mod pn;

pub use grow::GCounter;
pub use pn::PnCounter;
