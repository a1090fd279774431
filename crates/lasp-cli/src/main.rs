//! The `lasp` command: reads its arguments, hands over to the subcommand, turns the outcome into an exit code.
//!
//! Exit codes: 0 it went well, 1 it did not, 2 a program could not be read, 64 wrong usage.

mod check;
mod eval;
mod explain;
mod limits;
mod lsp;
mod node;
mod remote;
mod repl;
mod run;
mod sim;
mod terminal;
mod top;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
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
    /// Run a program on an embedded cluster, or at a running node, and print the value of each form
    Run(run::RunArgs),
    /// Talk to an embedded cluster, or to a running node
    Repl(repl::ReplArgs),
    /// Report everything that is wrong with a program
    Check(check::CheckArgs),
    /// Show the dataflow of a program: graph, costs, plan; as text, JSON, Graphviz or a picture
    Explain(explain::ExplainArgs),
    /// Serve an editor: diagnostics, hover, completion, definitions, over standard input and output
    Lsp(lsp::LspArgs),
    /// Run a node until it is told to stop
    Node(node::NodeArgs),
    /// Print a variable of a running node
    Get(remote::variables::GetArgs),
    /// Apply an operation to a variable of a running node
    Update(remote::variables::UpdateArgs),
    /// Print a variable of a running node at each change
    Watch(remote::variables::WatchArgs),
    /// List the variables of a running node
    Vars(remote::variables::VarsArgs),
    /// List who is in the cluster of a running node
    Members(remote::cluster::ClusterArgs),
    /// Print what changes around a running node: neighbours, members, who is known besides
    Events(remote::events::EventsArgs),
    /// List a running node's links to its neighbours
    Overlay(remote::cluster::ClusterArgs),
    /// Remove a member from the cluster for good: one that is gone and did not say so
    Evict(remote::cluster::EvictArgs),
    /// Have a running node keep a link to an address, where its membership is manual
    Connect(remote::cluster::LinkArgs),
    /// Have a running node end that
    Disconnect(remote::cluster::LinkArgs),
    /// Show how a running node is
    Status(remote::cluster::ClusterArgs),
    /// See whether a node can be reached from a running one
    Ping(remote::ping::PingArgs),
    /// Install a program in the cluster of a running node
    Install(remote::programs::InstallArgs),
    /// Remove an installed program from the cluster
    Uninstall(remote::programs::UninstallArgs),
    /// List the programs that are installed in the cluster
    Programs(remote::programs::ProgramsArgs),
    /// Watch a simulated cluster in a browser, and disturb it
    Sim(sim::SimArgs),
    /// Show a running cluster at a glance, in the terminal
    Top(top::TopArgs),
    /// Run an experiment on a cluster and write a report
    Eval(eval::flags::EvalArgs),
    /// One node of an experiment; started by `lasp eval`
    #[command(hide = true)]
    EvalNode(eval::node::NodeArgs),
}

fn main() -> ExitCode {
    match parse() {
        Ok(cli) => run(cli.command),
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
            // Where not even a message can be written, the exit code still tells.
            let _ = terminal::usage(&error);
            if error.kind() == ErrorKind::InvalidSubcommand && std::env::args().nth(1).as_deref() == Some("eval") {
                eprint!("\n{}", eval::list());
            }
            code
        }
    }
}

/// Reads the arguments. What sets up an embedded cluster does not go with a running node, unless the environment says it.
fn parse() -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches()?;
    if let Some(("run" | "repl", given)) = matches.subcommand() {
        let typed = |flag: &str| given.value_source(flag) == Some(ValueSource::CommandLine);
        if let Some(flag) = ["nodes", "seed"].into_iter().find(|flag| typed("connect") && typed(flag)) {
            let message =
                format!("--{flag} is for an embedded cluster, --connect for a running node: give one of them");
            return Err(Cli::command().error(ErrorKind::ArgumentConflict, message));
        }
    }
    Cli::from_arg_matches(&matches)
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Run(args) => run::main(args),
        Command::Repl(args) => repl::main(args),
        Command::Check(args) => check::main(args),
        Command::Explain(args) => explain::main(args),
        Command::Lsp(args) => lsp::main(args),
        Command::Node(args) => node::main(&args),
        Command::Get(args) => remote::variables::get(args),
        Command::Update(args) => remote::variables::update(args),
        Command::Watch(args) => remote::variables::watch(args),
        Command::Vars(args) => remote::variables::vars(args),
        Command::Members(args) => remote::cluster::members(args),
        Command::Events(args) => remote::events::events(args),
        Command::Overlay(args) => remote::cluster::overlay(args),
        Command::Evict(args) => remote::cluster::evict(args),
        Command::Connect(args) => remote::cluster::connect(args),
        Command::Disconnect(args) => remote::cluster::disconnect(args),
        Command::Status(args) => remote::cluster::status(args),
        Command::Ping(args) => remote::ping::ping(args),
        Command::Install(args) => remote::programs::install(args),
        Command::Uninstall(args) => remote::programs::uninstall(args),
        Command::Programs(args) => remote::programs::programs(args),
        Command::Sim(args) => sim::main(&args),
        Command::Top(args) => top::main(args),
        Command::Eval(args) => eval::main(args),
        Command::EvalNode(args) => eval::node::main(args),
    }
}
