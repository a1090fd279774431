//! Programs against one graph: what they print, how they fail, and that nothing makes the language panic.

mod diagnostics;
mod installable;
mod limits;
mod programs;
mod properties;
mod sessions;
mod support;
