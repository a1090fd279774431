//! Programs against one graph: what they print, how they fail, and that nothing makes the language panic.

mod programs;
mod support;
