//! The `lasp` command: reads its arguments, hands over to the subcommand, turns the outcome into an exit code.
//!
//! Exit codes: 0 it went well, 1 it did not, 2 a program could not be read, 64 wrong usage.

mod check;
mod eval;
mod explain;
mod lsp;
mod node;
mod repl;
mod run;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Exit code for arguments that make no sense (sysexits' EX_USAGE).
const USAGE: u8 = 64;

/// Distributed, coordination-free programming with replicated variables.
#[derive(Debug, Parser)]
#[command(name = "lasp", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a program on an embedded cluster and print the value of each form
    Run(run::RunArgs),
    /// Talk to an embedded cluster
    Repl(repl::ReplArgs),
    /// Report everything that is wrong with a program
    Check(check::CheckArgs),
    /// Show the dataflow of a program: graph, costs, plan; as text, JSON, Graphviz or a picture
    Explain(explain::ExplainArgs),
    /// Serve an editor: diagnostics, hover, completion, definitions, over standard input and output
    Lsp(lsp::LspArgs),
    /// Run a node until it is told to stop
    Node(node::NodeArgs),
    /// Run an experiment on a cluster and write a report
    Eval(eval::flags::EvalArgs),
    /// One node of an experiment; started by `lasp eval`
    #[command(hide = true)]
    EvalNode(eval::node::NodeArgs),
}

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(cli.command),
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
            // Where not even a message can be written, the exit code still tells.
            let _ = error.print();
            code
        }
    }
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Run(args) => run::main(args),
        Command::Repl(args) => repl::main(args),
        Command::Check(args) => check::main(args),
        Command::Explain(args) => explain::main(args),
        Command::Lsp(args) => lsp::main(args),
        Command::Node(args) => node::main(&args),
        Command::Eval(args) => eval::main(args),
        Command::EvalNode(args) => eval::node::main(args),
    }
}
