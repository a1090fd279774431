//! Replicated sets: one that only grows, one from which elements can be removed.

pub mod add_wins;
pub mod grow;

pub use add_wins::{AwSet, SetChange};
pub use grow::GSet;
