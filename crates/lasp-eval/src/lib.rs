//! Experiments: scenarios, metrics, plots, reports.

pub mod aggregate;
pub mod choice;
pub mod config;
pub mod overlay;
pub mod plot;
pub mod record;
pub mod report;
pub mod series;
pub mod span;
pub mod stamp;
pub mod stats;
pub mod summary;
