//! Plumtree on fixed graphs in a simulated network: what arrives, how often, and at what price.

mod faults;
mod forest;
mod overlay;
mod steady;
