//! `lasp install`, `uninstall` and `programs`.

use super::table::{count, paragraph, table};
use super::{ConnectArgs, finish, odd};
use crate::run::program::{USAGE, complain, load};
use clap::Args;
use lasp::control::protocol::{Ask, ProgramReport, Say};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `lasp install` takes.
#[derive(Args, Debug)]
#[command(
    after_help = "A program may declare variables by name, derive, and set triggers: `invariant`, `enforce_once`, \
    `interested`. Every node that hears its variables runs it. Installed again under its name, it replaces what ran before."
)]
pub(crate) struct InstallArgs {
    /// The program; `-` reads standard input
    file: PathBuf,
    /// Its name in the cluster [default: that of the file]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What `lasp uninstall` takes.
#[derive(Args, Debug)]
pub(crate) struct UninstallArgs {
    /// The program's name
    name: String,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What `lasp programs` takes.
#[derive(Args, Debug)]
pub(crate) struct ProgramsArgs {
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Installs a program in the cluster.
pub(crate) fn install(args: InstallArgs) -> ExitCode {
    let InstallArgs { file, name, connect } = args;
    let source = match load(&file) {
        Ok(source) => source,
        Err(message) => return complain(&message, USAGE),
    };
    let name = name.or_else(|| name_of(&file));
    connect.with_node(async |connect, client| {
        let ask = Ask::Install { name, text: source.text().to_owned() };
        match connect.ask(client, ask).await? {
            Say::Installed { name, version } if connect.json => {
                finish(&json!({"name": name, "version": version}).to_string())
            }
            Say::Installed { name, version } => finish(&format!("installed {name}, version {version}")),
            say => Err(odd(&say)),
        }
    })
}

/// The file's name without folder and extension; that of standard input is no name.
fn name_of(file: &Path) -> Option<String> {
    if file == Path::new("-") {
        return None;
    }
    Some(file.file_stem()?.to_string_lossy().into_owned())
}

/// Removes a program from the cluster.
pub(crate) fn uninstall(args: UninstallArgs) -> ExitCode {
    let UninstallArgs { name, connect } = args;
    connect.with_node(async |connect, client| match connect.ask(client, Ask::Uninstall(name.clone())).await? {
        Say::Done if connect.json => finish(&json!({"name": name, "uninstalled": true}).to_string()),
        Say::Done => Ok(ExitCode::SUCCESS),
        say => Err(odd(&say)),
    })
}

/// Lists the installed programs.
pub(crate) fn programs(args: ProgramsArgs) -> ExitCode {
    args.connect.with_node(async |connect, client| match connect.ask(client, Ask::Programs).await? {
        Say::Programs(programs) if connect.json && programs.is_empty() => Ok(ExitCode::SUCCESS),
        Say::Programs(programs) if connect.json => {
            let lines: Vec<String> = programs.iter().map(program_json).collect();
            finish(&lines.join("\n"))
        }
        Say::Programs(programs) if programs.is_empty() => finish("no programs"),
        Say::Programs(programs) => finish(&program_table(&programs)),
        say => Err(odd(&say)),
    })
}

fn program_json(program: &ProgramReport) -> String {
    let variable = |(name, ty): &(String, String)| json!({"name": name, "type": ty});
    json!({
        "name": program.name, "version": program.version, "state": program.state, "report": program.report,
        "errors": program.errors_total, "recent_errors": program.errors,
        "variables": program.variables.iter().map(variable).collect::<Vec<_>>(),
    })
    .to_string()
}

fn program_table(programs: &[ProgramReport]) -> String {
    let mut rows = vec![["NAME", "VERSION", "STATE", "ERRORS", "VARIABLES"].map(str::to_owned).to_vec()];
    for program in programs {
        let variables: Vec<&str> = program.variables.iter().map(|(name, _)| name.as_str()).collect();
        rows.push(vec![
            program.name.clone(),
            program.version.to_string(),
            program.state.clone(),
            program.errors_total.to_string(),
            variables.join(" "),
        ]);
    }
    let mut lines = vec![table(&rows, &[24, 7, 14, 6])];
    for program in programs {
        if let Some(report) = &program.report {
            lines.push(format!("{} is {}:\n{report}", program.name, program.state));
        }
        if let Some(last) = program.errors.last() {
            lines.push(paragraph(
                0,
                &format!("{} in {}, the last:", count(program.errors_total, "error"), program.name),
            ));
            lines.push(paragraph(2, last));
        }
    }
    lines.join("\n")
}
