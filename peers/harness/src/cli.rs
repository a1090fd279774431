//! The command line.

use crate::measure::Scale;
use lexopt::{Arg, Error, Parser, ValueExt};

/// What `--help` says after the program's name.
pub const USAGE: &str = "[OPTIONS] [FILTER]...

Measures the measures whose names contain one of the filters; all without a filter.

options:
  --quick          a tenth of the elements, fewer repetitions: to see that it works, not for figures
  --markdown FILE  write the table as Markdown, too
  --json FILE      write the figures as JSON, too
  --list           name the measures instead
  --help           this text";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Help,
    /// Name what would be measured.
    List(Options),
    Measure(Options),
}

/// What to measure, and where to write it beside standard output.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub filters: Vec<String>,
    pub quick: bool,
    pub markdown: Option<String>,
    pub json: Option<String>,
}

impl Options {
    /// How large and how often.
    pub fn scale(&self) -> Scale {
        if self.quick { Scale::QUICK } else { Scale::FULL }
    }

    /// Whether the measure of this name was asked for.
    pub fn chooses(&self, id: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| id.contains(filter.as_str()))
    }
}

/// Reads the arguments.
pub fn parse(mut arguments: Parser) -> Result<Command, Error> {
    let mut options = Options::default();
    let mut lists = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            Arg::Long("list") => lists = true,
            Arg::Long("quick") => options.quick = true,
            Arg::Long("markdown") => options.markdown = Some(arguments.value()?.string()?),
            Arg::Long("json") => options.json = Some(arguments.value()?.string()?),
            Arg::Value(filter) => options.filters.push(filter.string()?),
            Arg::Short(_) | Arg::Long(_) => return Err(argument.unexpected()),
        }
    }
    Ok(if lists { Command::List(options) } else { Command::Measure(options) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Command, String> {
        parse(Parser::from_args(arguments)).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_and_filters_come_in_any_order() {
        let expected = Options {
            filters: vec!["set/".to_owned(), "counter".to_owned()],
            quick: true,
            markdown: Some("a.md".to_owned()),
            json: Some("a.json".to_owned()),
        };
        assert!(expected.chooses("set/adds/u64") && expected.chooses("pn-counter/merge") && !expected.chooses("map"));
        let arguments = ["set/", "--quick", "--json=a.json", "counter", "--markdown", "a.md"];
        assert_eq!(parsed(&arguments), Ok(Command::Measure(expected)));
    }

    #[test]
    fn a_wrong_flag_or_a_missing_value_is_named() {
        assert_eq!(parsed(&["--quik"]), Err("invalid option '--quik'".to_owned()));
        assert_eq!(parsed(&["--json"]), Err("missing argument for option '--json'".to_owned()));
        assert_eq!(parsed(&["--quick=yes"]), Err("unexpected argument for option '--quick': \"yes\"".to_owned()));
    }
}
