//! `lasp lsp`: the language server on standard input and output.

use crate::run::program::{FAILED, complain};
use clap::Args;
use std::io;
use std::process::ExitCode;

/// What `lasp lsp` takes.
#[derive(Debug, Args)]
pub(crate) struct LspArgs {
    /// What many editors say; there is no other way
    #[arg(long, hide = true)]
    stdio: bool,
}

/// Serves one editor until it leaves.
pub(crate) fn main(_: LspArgs) -> ExitCode {
    match lasp_lsp::stdio(io::stdin().lock(), io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => complain(&format!("error: the editor's stream broke: {error}"), FAILED),
    }
}
