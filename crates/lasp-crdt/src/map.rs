//! Replicated maps, whose values are themselves lattices.

pub mod add_wins;
pub mod grow;

pub use add_wins::{AwMap, Keys, MvMap};
pub use grow::GMap;
