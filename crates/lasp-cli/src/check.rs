//! `lasp check`: what is wrong with a program, without running it.

use crate::run::program::{REJECTED, USAGE, color, complain, load};
use crate::terminal;
use clap::Args;
use lasp_lang::check::diagnose;
use lasp_lang::diagnostic::{Diagnostic, render_all};
use std::path::PathBuf;
use std::process::ExitCode;

/// What `lasp check` takes.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The program; `-` reads standard input
    file: PathBuf,
}

/// Reports everything that is wrong with the program.
pub(crate) fn main(args: CheckArgs) -> ExitCode {
    let source = match load(&args.file) {
        Ok(source) => source,
        Err(message) => return complain(&message, USAGE),
    };
    let diagnostics = diagnose(&source);
    if diagnostics.is_empty() {
        println!("{}: no errors", source.name());
        return ExitCode::SUCCESS;
    }
    terminal::complain(&render_all(&diagnostics, &source, color()));
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    eprintln!("\n{}: {errors} error{}, {warnings} warning{}", source.name(), plural(errors), plural(warnings));
    if diagnostics.iter().any(Diagnostic::is_error) { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS }
}
