//! Replicated sets: one that only grows, one from which elements can be removed.

pub mod add_wins;
pub mod grow;
pub mod remove_wins;

pub use add_wins::{AwSet, Dots, Elements, SetChange};
pub use grow::GSet;
pub use remove_wins::{RwElements, RwSet};
