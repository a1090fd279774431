//! Replicated maps, whose values are themselves lattices.

pub mod grow;

pub use grow::GMap;
