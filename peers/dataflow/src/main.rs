//! Measures `lasp-dataflow` and differential-dataflow in one run, on one thread, and prints a table.
//!
//! Start at [`measures`], the catalogue. [`shape`] has the views that are measured, [`ours`] and [`peer`] make them.

mod measures;
mod ours;
mod peer;
mod shape;

use harness::Suite;
use std::process::ExitCode;

fn main() -> ExitCode {
    Suite { program: "dataflow", ours: "lasp-dataflow", measures: measures::all }.main()
}
