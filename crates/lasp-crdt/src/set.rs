//! Replicated sets: one that only grows, two from which elements can be removed, once or again and again.

pub mod add_wins;
pub mod grow;
pub mod two_phase;

pub use add_wins::{AwSet, SetChange};
pub use grow::GSet;
pub use two_phase::TwoPSet;
