//! Measures the types of `lasp-crdt` and those of other libraries in one run, on one thread, and prints a table.
//!
//! Start at [`measures`], the catalogue: a measure is a name, a unit, a target, and for ours and for each peer a
//! function that takes one sample ([`measure`]). What differs between the libraries is in [`adapters`].

mod adapters;
mod cli;
mod heap;
mod inputs;
mod measure;
mod measures;
mod report;
mod versions;

use cli::{Command, Options};
use measure::Measure;
use report::Report;
use std::fs::File;
use std::io::Write;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

/// The exit code of a command line that cannot be understood, as in `sysexits.h`.
const USAGE_ERROR: u8 = 64;

fn main() -> ExitCode {
    let command = match cli::parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => return refuse(&error.to_string()),
    };
    match command {
        Command::Help => {
            println!("{}", cli::USAGE);
            ExitCode::SUCCESS
        }
        Command::List(options) => run(&options, |_, chosen| {
            chosen.iter().for_each(|measure| println!("{:<32} {}", measure.id, measure.what));
            Ok(())
        }),
        Command::Measure(options) => run(&options, measure_all),
    }
}

/// Does `what` with the chosen measures.
fn run(options: &Options, what: impl FnOnce(&Options, &[Measure]) -> Result<(), String>) -> ExitCode {
    let mut chosen = measures::all(&options.scale());
    chosen.retain(|measure| options.chooses(&measure.id));
    if chosen.is_empty() {
        return refuse(&format!("no measure is called like `{}`; --list names them", options.filters.join("`, `")));
    }
    match what(options, &chosen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lattices: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens the files first: a minute of measuring should not end at a misspelt path.
fn measure_all(options: &Options, chosen: &[Measure]) -> Result<(), String> {
    let markdown = options.markdown.as_deref().map(create).transpose()?;
    let json = options.json.as_deref().map(create).transpose()?;
    let scale = options.scale();

    let mut report = Report::new(scale);
    for (at, measure) in chosen.iter().enumerate() {
        eprintln!("{:>3}/{} {}", at + 1, chosen.len(), measure.id);
        report.push(measure, &measure.run(&scale));
    }
    print!("{}", report.text());
    markdown.map_or(Ok(()), |file| write(file, &report.markdown()))?;
    json.map_or(Ok(()), |file| write(file, &report.json()))
}

fn create(path: &str) -> Result<(String, File), String> {
    let file = File::create(path).map_err(|error| format!("cannot write {path}: {error}"))?;
    Ok((path.to_owned(), file))
}

fn write((path, mut file): (String, File), text: &str) -> Result<(), String> {
    file.write_all(text.as_bytes()).map_err(|error| format!("cannot write {path}: {error}"))
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("lattices: {why}\n\n{}", cli::USAGE);
    ExitCode::from(USAGE_ERROR)
}
