//! Installed programs: data that spreads like a variable and runs at every node that is interested in it.

mod info;

pub use info::{ProgramError, ProgramInfo, ProgramState};
