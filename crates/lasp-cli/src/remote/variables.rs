//! `lasp get`, `update`, `watch` and `vars`.

use super::session::SessionArgs;
use super::table::WIDTH;
use super::table::{count, cut, paragraph, table};
use super::{ConnectArgs, Failure, finish, odd, print};
use crate::run::program::FAILED;
use clap::Args;
use lasp::control::client::Client;
use lasp::control::protocol::{Ask, ErrorReport, PlaceReport, Say, Terms, UpdateReport, VariableReport};
use lasp_lang::show::json_text;
use serde_json::{Value, json};
use std::process::ExitCode;

/// How the names of the runtime's own variables begin.
const INTERNAL: &str = "~lasp/";

/// What `lasp get` takes.
#[derive(Args, Debug)]
pub(crate) struct GetArgs {
    /// The variable's name
    variable: String,
    #[command(flatten)]
    session: SessionArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What `lasp update` takes.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  lasp update ads '{add, [1, 2]}'
  lasp update views increment --declare gcounter
  lasp update orders '{add, 4711}' --acknowledged-by 2 --timeout 5s
  lasp update orders '{add, 4712}' --session cart.session

`lasp repl` tells with `help(TYPE).` what a type offers.")]
pub(crate) struct UpdateArgs {
    /// The variable's name
    variable: String,
    /// The operation, in the language
    #[arg(allow_hyphen_values = true)]
    operation: String,
    /// Declare the variable with this type if the node does not know it
    #[arg(long, value_name = "TYPE")]
    declare: Option<String>,
    /// Wait until so many other nodes hold the update, as long as --timeout says; exit code 1 if fewer do
    #[arg(long, value_name = "NODES")]
    acknowledged_by: Option<u32>,
    #[command(flatten)]
    session: SessionArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What `lasp watch` takes.
#[derive(Args, Debug)]
#[command(
    after_help = "Prints the present value, then one line at each change, until Ctrl-C. Whoever reads too slowly \
    misses values, never the last.\n\nWith --session the file is written at each value. Where another command has gone on \
    with the session meanwhile, the watch goes on from there."
)]
pub(crate) struct WatchArgs {
    /// The variable's name
    variable: String,
    #[command(flatten)]
    session: SessionArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What `lasp vars` takes.
#[derive(Args, Debug)]
pub(crate) struct VarsArgs {
    /// Only variables whose names begin with this
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
    /// Show all that is known of what derivations failed on
    #[arg(long)]
    errors: bool,
    /// Show the runtime's own variables, too, whose names begin with `~lasp/`
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Prints a variable's value.
pub(crate) fn get(args: GetArgs) -> ExitCode {
    let GetArgs { variable, session, connect } = args;
    connect.with_node(async |connect, client| {
        if let Some(token) = session.read()? {
            let (variable, within_ms) = (variable.clone(), connect.within_ms());
            let ask = Ask::GetIn { variable: variable.clone(), session: token, within_ms, style: connect.style() };
            return match connect.ask_waiting(client, ask).await? {
                Say::ValueIn { ty, text, session: token } => {
                    session.write(&token)?;
                    finish(&value_line(connect, &variable, &ty, &text))
                }
                say => Err(odd(&say)),
            };
        }
        let ask = Ask::Get { variable: variable.clone(), style: connect.style() };
        match connect.ask(client, ask).await? {
            Say::Value { ty, text } => finish(&value_line(connect, &variable, &ty, &text)),
            say => Err(odd(&say)),
        }
    })
}

fn value_line(connect: &ConnectArgs, name: &str, ty: &str, text: &str) -> String {
    if !connect.json {
        return text.to_owned();
    }
    format!("{{\"name\":{},\"type\":{},\"value\":{text}}}", json_text(name), json_text(ty))
}

/// Applies an operation.
pub(crate) fn update(args: UpdateArgs) -> ExitCode {
    let UpdateArgs { variable, operation, declare, acknowledged_by, session, connect } = args;
    connect.with_node(async |connect, client| {
        let token = session.read()?;
        if acknowledged_by.is_some() || token.is_some() {
            let (wanted, within_ms) = (acknowledged_by.unwrap_or(0), connect.within_ms());
            let terms = Terms { acknowledged_by: wanted, within_ms, session: token };
            let ask = Ask::UpdateOn { variable: variable.clone(), operation, declare, terms, style: connect.style() };
            let report = match connect.ask_waiting(client, ask).await? {
                Say::Updated(report) => report,
                say => return Err(odd(&say)),
            };
            let kept = report.session.as_ref().map_or(Ok(()), |token| session.write(token));
            kept.map_err(|failure| failure.noting("the update is applied at the node and on its way to the others"))?;
            if acknowledged_by.is_some() {
                return updated(connect, &variable, &report);
            }
            return done(connect, &variable);
        }
        let ask = Ask::Update { variable: variable.clone(), operation, declare, style: connect.style() };
        match connect.ask(client, ask).await? {
            Say::Done => done(connect, &variable),
            say => Err(odd(&say)),
        }
    })
}

fn done(connect: &ConnectArgs, variable: &str) -> Result<ExitCode, Failure> {
    if connect.json { finish(&json!({"name": variable, "updated": true}).to_string()) } else { Ok(ExitCode::SUCCESS) }
}

/// Says who holds an update that was to be acknowledged.
fn updated(connect: &ConnectArgs, variable: &str, report: &UpdateReport) -> Result<ExitCode, Failure> {
    let (by, enough) = (&report.acknowledged_by, report.is_enough());
    if connect.json {
        let (wanted, known) = (report.wanted, report.known);
        print(
            &json!({
                "name": variable, "updated": true, "acknowledged": enough, "acknowledged_by": by, "wanted": wanted,
                "known": known,
            })
            .to_string(),
        );
        return Ok(ExitCode::from(if enough { 0 } else { FAILED }));
    }
    if enough {
        return Ok(ExitCode::SUCCESS);
    }
    let who = if by.is_empty() { String::new() } else { format!(": {}", by.join(", ")) };
    let help = if report.known < report.wanted {
        format!("the node knows of {} others in the cluster; `lasp members` lists them", report.known)
    } else {
        "others are slow or cut off, or not interested in the variable; --timeout waits longer".to_owned()
    };
    Err(Failure::new(format!(
        "error: {} of {} nodes acknowledged the update of {variable} within {:?}{who}\n\
         note: it is applied at the node and on its way to the others, and stays so\nhelp: {help}",
        by.len(),
        report.wanted,
        connect.manner.timeout
    )))
}

/// Prints a variable's value whenever it changes.
pub(crate) fn watch(args: WatchArgs) -> ExitCode {
    let WatchArgs { variable, session, connect } = args;
    connect.with_node(async |connect, client| {
        let followed = async {
            match session.read()? {
                Some(token) => follow_in(connect, client, &variable, &session, token).await,
                None => follow(connect, client, &variable).await,
            }
        };
        tokio::select! {
            ended = followed => ended,
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
        }
    })
}

async fn follow(connect: &ConnectArgs, client: &Client, variable: &str) -> Result<ExitCode, Failure> {
    let mut answers = client.ask(Ask::Watch { variable: variable.to_owned(), style: connect.style() }).await?;
    loop {
        match answers.next().await? {
            Say::Value { ty, text } => {
                if !print(&value_line(connect, variable, &ty, &text)) {
                    return Ok(ExitCode::SUCCESS); // nobody reads any more
                }
            }
            say => return Err(odd(&say)),
        }
    }
}

/// The same in a session, which may go on elsewhere meanwhile: then it is entered anew, and nothing it has seen is lost.
async fn follow_in(
    connect: &ConnectArgs,
    client: &Client,
    variable: &str,
    session: &SessionArgs,
    mut token: String,
) -> Result<ExitCode, Failure> {
    let mut last = None;
    loop {
        let (name, within_ms) = (variable.to_owned(), connect.within_ms());
        let ask = Ask::WatchIn { variable: name, session: token.clone(), within_ms, style: connect.style() };
        let mut answers = client.ask(ask).await?;
        loop {
            let (line, newer) = match answers.next().await? {
                Say::ValueIn { ty, text, session } => (value_line(connect, variable, &ty, &text), session),
                say => return Err(odd(&say)),
            };
            let kept = session.read()?.unwrap_or_default();
            if kept.trim() != token.trim() {
                token = kept;
                break;
            }
            session.write(&newer)?;
            token = newer;
            // Entered anew, it begins with the present value, which may have been told.
            if last.as_ref() != Some(&line) && !print(&line) {
                return Ok(ExitCode::SUCCESS); // nobody reads any more
            }
            last = Some(line);
        }
    }
}

/// Lists variables.
pub(crate) fn vars(args: VarsArgs) -> ExitCode {
    let VarsArgs { prefix, errors, all: internal, connect } = args;
    // Who asks for them by name wants to see them.
    let internal = internal || prefix.starts_with(INTERNAL);
    connect.with_node(async |connect, client| {
        let mut variables = all(connect, client, prefix).await?;
        variables.retain(|variable| internal || !variable.name.starts_with(INTERNAL));
        variables.sort_by(|a, b| a.name.cmp(&b.name));
        if connect.json {
            let lines: Vec<String> = variables.iter().map(|variable| variable_json(variable).to_string()).collect();
            return if lines.is_empty() { Ok(ExitCode::SUCCESS) } else { finish(&lines.join("\n")) };
        }
        match (&variables[..], errors) {
            ([], _) => finish("no variables"),
            (variables, true) => finish(&error_list(variables)),
            (variables, false) => finish(&variable_table(variables)),
        }
    })
}

async fn all(connect: &ConnectArgs, client: &Client, prefix: String) -> Result<Vec<VariableReport>, Failure> {
    let mut answers = client.ask(Ask::Variables { prefix }).await?;
    let mut found = Vec::new();
    loop {
        let say = tokio::time::timeout(connect.manner.timeout, answers.next()).await;
        match say.map_err(|_| Failure::new("error: the node does not go on; --timeout waits longer"))?? {
            Say::Variables { variables, more } => {
                found.extend(variables);
                if !more {
                    return Ok(found);
                }
            }
            say => return Err(odd(&say)),
        }
    }
}

fn variable_table(variables: &[VariableReport]) -> String {
    let mut rows = vec![["NAME", "TYPE", "SIZE", "KIND", "VALUE"].map(str::to_owned).to_vec()];
    for variable in variables {
        let value = match (&variable.value, variable.elements) {
            (Some((text, _)), _) => text.clone(),
            (None, None) if variable.local && variable.derived => "(not read yet)".to_owned(),
            (None, _) => String::new(),
        };
        let cells = [variable.name.clone(), variable.ty.clone(), size(variable), kind(variable).to_owned(), value];
        rows.push(cells.to_vec());
    }
    let mut lines = table(&rows, &[24, 16, 9, 10]);
    for variable in variables.iter().filter(|variable| variable.errors > 0) {
        let last = variable.recent.last().map_or_else(String::new, |error| format!(": {}", error_text(error)));
        let text = format!("{} in {}{last}", count(variable.errors, "error"), variable.name);
        lines += &format!("\n{}", cut(&text, WIDTH));
    }
    lines
}

fn size(variable: &VariableReport) -> String {
    match (variable.elements, variable.bytes) {
        (Some(elements), _) => elements.to_string(),
        (None, Some(bytes)) => format!("{bytes} B"),
        (None, None) => String::new(),
    }
}

fn kind(variable: &VariableReport) -> &'static str {
    match (variable.local, variable.derived) {
        (true, true) => "view",
        (true, false) => "local",
        (false, true) => "derived",
        (false, false) => "replicated",
    }
}

fn error_list(variables: &[VariableReport]) -> String {
    let failing: Vec<&VariableReport> = variables.iter().filter(|variable| variable.errors > 0).collect();
    if failing.is_empty() {
        return "no errors".to_owned();
    }
    let mut lines = Vec::new();
    for variable in failing {
        let last = match variable.recent.len() as u64 {
            shown if shown < variable.errors => format!(", the last {shown} of which are"),
            _ => String::new(),
        };
        lines.push(paragraph(0, &format!("{}: {}{last}", variable.name, count(variable.errors, "error"))));
        for error in &variable.recent {
            lines.push(paragraph(2, &format!("{}{}", error_text(error), place_text(error))));
        }
    }
    lines.join("\n")
}

fn error_text(error: &ErrorReport) -> String {
    format!("{} failed on {}: {}", error.operator, error.element, error.message)
}

fn place_text(error: &ErrorReport) -> String {
    match &error.place {
        Some(PlaceReport { program, line, column }) => format!(" (at {program}:{line}:{column})"),
        None => String::new(),
    }
}

fn variable_json(variable: &VariableReport) -> Value {
    let value = variable.value.as_ref().and_then(|(_, json)| serde_json::from_str::<Value>(json.as_deref()?).ok());
    let error = |error: &ErrorReport| {
        json!({
            "operator": error.operator, "element": error.element, "message": error.message,
            "span": error.span.map(|(from, to)| [from, to]),
            "program": error.place.as_ref().map(|place| &place.program),
            "line": error.place.as_ref().map(|place| place.line),
            "column": error.place.as_ref().map(|place| place.column),
        })
    };
    json!({
        "name": variable.name, "type": variable.ty, "local": variable.local, "derived": variable.derived,
        "elements": variable.elements, "bytes": variable.bytes, "value": value, "errors": variable.errors,
        "recent_errors": variable.recent.iter().map(error).collect::<Vec<_>>(),
    })
}
