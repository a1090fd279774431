//! `lasp check` and `lasp explain`: what can be said about a program without a cluster.

use crate::run::program::{FAILED, REJECTED, USAGE, color, complain, load};
use clap::Args;
use lasp_lang::check::diagnose;
use lasp_lang::diagnostic::{Diagnostic, render_all};
use lasp_lang::explain::explain as explain_program;
use lasp_lang::{Source, Stop};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// What `lasp check` takes.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The program; `-` reads standard input
    file: PathBuf,
}

/// What `lasp explain` takes.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
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
    eprintln!("{}", render_all(&diagnostics, &source, color()));
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    eprintln!("\n{}: {errors} error{}, {warnings} warning{}", source.name(), plural(errors), plural(warnings));
    if diagnostics.iter().any(Diagnostic::is_error) { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS }
}

/// Prints the dataflow graph of the program.
pub(crate) fn explain(args: ExplainArgs) -> ExitCode {
    let source = match load(&args.file) {
        Ok(source) => source,
        Err(message) => return complain(&message, USAGE),
    };
    let (report, stop) = explain_program(&source);
    match stop {
        Some(Stop::Rejected(diagnostics)) => rejected(&diagnostics, &source),
        Some(Stop::Failed(fault)) => {
            print!("{report}");
            let message = fault.diagnostic().render(&fault.source, color());
            complain(&format!("{message}\n\nthe graph above is that of the program up to here"), FAILED)
        }
        None => {
            print!("{report}");
            ExitCode::SUCCESS
        }
    }
}

fn rejected(diagnostics: &[Diagnostic], source: &Arc<Source>) -> ExitCode {
    complain(&render_all(diagnostics, source, color()), REJECTED)
}
