//! `lasp run --connect`: a program that runs at a node, and prints here.

use super::{ConnectArgs, Failure, odd, print};
use crate::run::program::{FAILED, REJECTED};
use lasp::control::client::{Answers, Client};
use lasp::control::protocol::{Ask, RunEnd, Say};
use lasp_lang::Source;
use std::process::ExitCode;
use std::sync::Arc;

/// What shells report for a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Runs the program at the node; its triggers end with it.
pub(crate) fn run(connect: ConnectArgs, source: &Arc<Source>) -> ExitCode {
    connect.with_node(async |connect, client| {
        let mut answers = ask(connect, client, source).await?;
        let mut failed = false;
        let (end, report) = loop {
            match next(&mut answers).await? {
                Say::Line { text, error } => failed |= line(text, error),
                Say::Ran { end, report, .. } => break (end, report),
                say => return Err(odd(&say)),
            }
        };
        match end {
            RunEnd::Finished if failed => Ok(ExitCode::from(FAILED)),
            RunEnd::Finished => Ok(ExitCode::SUCCESS),
            RunEnd::Rejected => Err(Failure { code: REJECTED, ..Failure::new(report) }),
            RunEnd::Failed => Err(Failure::new(report)),
        }
    })
}

async fn ask(connect: &ConnectArgs, client: &Client, source: &Source) -> Result<Answers, Failure> {
    let (name, text) = (source.name().to_owned(), source.text().to_owned());
    Ok(client.ask(Ask::Run { name, text, style: connect.style() }).await?)
}

/// The next answer. Ctrl-C interrupts the program, which then says where it was; a second one ends this process.
async fn next(answers: &mut Answers) -> Result<Say, Failure> {
    let mut interrupted = false;
    loop {
        let pressed = tokio::select! {
            say = answers.next() => return Ok(say?),
            pressed = tokio::signal::ctrl_c() => pressed,
        };
        if interrupted || pressed.is_err() {
            std::process::exit(INTERRUPTED);
        }
        interrupted = true;
        answers.cancel().await;
    }
}

/// Writes a line where it belongs; whether it is an error.
pub(super) fn line(text: Option<String>, error: Option<String>) -> bool {
    let failed = error.is_some();
    if let Some(error) = error {
        crate::terminal::complain(&error);
    }
    if let Some(text) = text {
        print(&text); // where nobody reads it, the program runs on: it may have other things to do
    }
    failed
}
