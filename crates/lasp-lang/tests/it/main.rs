//! Programs against one graph: what they print, how they fail, and that nothing makes the language panic.

mod diagnostics;
mod equi_joins;
mod functions;
mod generator;
mod installable;
mod limits;
mod operators;
mod programs;
mod properties;
mod robustness;
mod sessions;
mod sql;
mod support;
