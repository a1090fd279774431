//! Measures the types of `lasp-crdt` and those of other libraries in one run, on one thread, and prints a table.
//!
//! Start at [`measures`], the catalogue. What differs between the libraries is in [`adapters`].

mod adapters;
mod measures;

use harness::Suite;
use std::process::ExitCode;

fn main() -> ExitCode {
    Suite { program: "lattices", ours: "lasp-crdt", measures: measures::all }.main()
}
