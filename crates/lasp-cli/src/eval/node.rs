//! `lasp eval-node`: one node of an experiment, as its launcher starts it.

use clap::Args;
use lasp_eval::process::node::{Orders, run};
use std::path::PathBuf;
use std::process::ExitCode;

/// What the launcher says.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The run's directory
    #[arg(long)]
    dir: PathBuf,
    /// The node's number
    #[arg(long)]
    index: usize,
    /// Which life of it
    #[arg(long)]
    incarnation: u64,
    /// When the run began
    #[arg(long)]
    epoch_us: u64,
    /// Through whom to join
    #[arg(long)]
    join: Option<String>,
    /// Where to serve a page
    #[arg(long)]
    http: Option<String>,
}

/// Runs the node; success if its part was played to the end.
pub(crate) fn main(args: NodeArgs) -> ExitCode {
    let NodeArgs { dir, index, incarnation, epoch_us, join, http } = args;
    match run(&Orders { dir, index, incarnation, epoch_us, join, http }) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
