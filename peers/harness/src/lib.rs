//! What the measuring programs share: they measure ours and other libraries in one run, on one thread, and print a table.
//!
//! A program is a [`Suite`]: a catalogue of measures. A [`Measure`] is a name, a unit, a target, and for ours and for
//! each peer a function that takes samples.

pub mod cli;
pub mod heap;
pub mod inputs;
pub mod measure;
pub mod report;
pub mod versions;

pub use measure::{Latencies, Measure, Probe, Scale, Unit};

use cli::{Command, Options};
use report::Report;
use std::fs::File;
use std::io::Write;
use std::process::ExitCode;

/// The exit code of a command line that cannot be understood, as in `sysexits.h`.
const USAGE_ERROR: u8 = 64;

/// A measuring program.
pub struct Suite {
    /// Its name.
    pub program: &'static str,
    /// The crate that is measured.
    pub ours: &'static str,
    /// Its measures, in the order of the table.
    pub measures: fn(&Scale) -> Vec<Measure>,
}

impl Suite {
    /// The whole program: from its arguments to its exit code.
    pub fn main(&self) -> ExitCode {
        let command = match cli::parse(lexopt::Parser::from_env()) {
            Ok(command) => command,
            Err(error) => return refuse(self, &error.to_string()),
        };
        match command {
            Command::Help => {
                println!("usage: {} {}", self.program, cli::USAGE);
                ExitCode::SUCCESS
            }
            Command::List(options) => chosen(self, &options, |_, measures| {
                measures.iter().for_each(|measure| println!("{:<32} {}", measure.id, measure.what));
                Ok(())
            }),
            Command::Measure(options) => {
                chosen(self, &options, |options, measures| measure_all(self, options, measures))
            }
        }
    }
}

/// Does `what` with the chosen measures.
fn chosen(suite: &Suite, options: &Options, what: impl FnOnce(&Options, &[Measure]) -> Result<(), String>) -> ExitCode {
    let mut chosen = (suite.measures)(&options.scale());
    chosen.retain(|measure| options.chooses(&measure.id));
    if chosen.is_empty() {
        return refuse(
            suite,
            &format!("no measure is called like `{}`; --list names them", options.filters.join("`, `")),
        );
    }
    match what(options, &chosen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", suite.program);
            ExitCode::FAILURE
        }
    }
}

/// Opens the files first: a minute of measuring should not end at a misspelt path.
fn measure_all(suite: &Suite, options: &Options, chosen: &[Measure]) -> Result<(), String> {
    let markdown = options.markdown.as_deref().map(create).transpose()?;
    let json = options.json.as_deref().map(create).transpose()?;
    let scale = options.scale();

    let mut report = Report::new(suite.ours, scale);
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

fn refuse(suite: &Suite, why: &str) -> ExitCode {
    eprintln!("{0}: {why}\n\nusage: {0} {1}", suite.program, cli::USAGE);
    ExitCode::from(USAGE_ERROR)
}
