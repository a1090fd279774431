//! What a graph of variables does, as its users see it.

mod api;
mod convergence;
mod derivations;
mod errors;
mod folds;
mod golden;
mod morphisms;
mod original;
mod summaries;
mod support;
mod thresholds;
mod types;
mod variables;
mod views;
