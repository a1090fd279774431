//! Experiments: scenarios, metrics, plots, reports.
