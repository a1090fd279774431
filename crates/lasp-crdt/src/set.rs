//! Replicated sets: one that only grows, two from which elements can be removed, once or again and again.

pub mod add_wins;
pub mod grow;
pub mod remove_wins;
pub mod two_phase;

pub use add_wins::{AwSet, Dots, Elements, SetChange};
pub use grow::GSet;
pub use remove_wins::{RwElements, RwSet};
pub use two_phase::TwoPSet;
