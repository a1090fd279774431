//! `lasp run`: a program on an embedded cluster, the value of each form on a line of its own.
//!
//! The cluster is the simulator with whole nodes in it, so time is virtual and the same program with the same seed prints
//! the same. Values go to standard output; diagnostics and failed derivations go to standard error.

pub(crate) mod cluster;
pub(crate) mod program;

use crate::remote::{ConnectInstead, script};
use crate::terminal;
use clap::Args;
use cluster::Cluster;
use lasp_lang::diagnostic::render_all;
use lasp_lang::{Line, Session, Stop};
use program::{FAILED, REJECTED, USAGE, color, load};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What `lasp run` takes.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The program; `-` reads standard input
    file: PathBuf,
    /// How many nodes the embedded cluster has
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), env = "LASP_RUN_NODES")]
    nodes: u16,
    /// Everything random follows from it
    #[arg(long, default_value_t = 1, env = "LASP_RUN_SEED")]
    seed: u64,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: ConnectInstead,
}

/// Runs the program.
pub(crate) fn main(args: RunArgs) -> ExitCode {
    let source = match load(&args.file) {
        Ok(source) => source,
        Err(message) => return program::complain(&message, USAGE),
    };
    if let Some(connect) = args.remote.place(args.json) {
        return script::run(connect, &source);
    }
    let mut session = Session::new(Cluster::new(usize::from(args.nodes), args.seed));
    let mut printer = Printer { json: args.json, failed: false, closed: false };
    let result = session.run(&source, &mut |line| printer.line(&line));
    match result {
        Err(Stop::Rejected(diagnostics)) => program::complain(&render_all(&diagnostics, &source, color()), REJECTED),
        Err(Stop::Failed(fault)) => program::complain(&fault.diagnostic().render(&fault.source, color()), FAILED),
        Ok(_) if printer.failed => ExitCode::from(FAILED),
        Ok(_) => ExitCode::SUCCESS,
    }
}

/// Writes lines as they come.
pub(crate) struct Printer {
    /// One JSON object a line instead of the language's syntax.
    pub(crate) json: bool,
    /// Whether a derivation failed.
    pub(crate) failed: bool,
    /// Whether nobody reads the output any more.
    pub(crate) closed: bool,
}

impl Printer {
    /// Writes one line where it belongs.
    pub(crate) fn line(&mut self, line: &Line) {
        if line.is_error() {
            self.failed = true;
            terminal::complain(&report(line, color()));
        }
        if self.closed || (line.is_error() && !self.json) {
            return;
        }
        let text = if self.json { line.to_json() } else { line.to_string() };
        self.closed = writeln!(io::stdout(), "{text}").is_err();
    }
}

/// An error line for people: with the source where it is known.
pub(crate) fn report(line: &Line, colored: bool) -> String {
    match line {
        Line::DerivationFailed { report: Some((source, diagnostic)), .. } => diagnostic.render(source, colored),
        other => other.to_string(),
    }
}
