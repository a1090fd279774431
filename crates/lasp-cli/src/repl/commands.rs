//! The shell's own commands, which start with a `:`, and where an entry ends.

use lasp_lang::Source;
use lasp_lang::parse::parse;

/// Every command with what follows it and what it does.
pub(crate) const COMMANDS: [(&str, &str, &str); 7] = [
    (":help", "[TOPIC]", "this text, or about an operation, a function or a type"),
    (":vars", "", "what is bound: names, types, values, and what failed"),
    (":graph", "", "the dataflow so far: variables, derivations, costs, plan"),
    (":load", "FILE", "runs a program here"),
    (":forget", "NAME", "unbinds a name"),
    (":clear", "", "clears the screen"),
    (":quit", "", "ends, and so does Ctrl-D"),
];

/// An entry that is a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help(String),
    Vars,
    Graph,
    Load(String),
    Forget(String),
    Clear,
    Quit,
    Unknown(String),
}

impl Command {
    /// Reads an entry; `None` if it is a form.
    pub(crate) fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim();
        if !entry.starts_with(':') {
            return None;
        }
        let (word, rest) = entry.split_once(char::is_whitespace).unwrap_or((entry, ""));
        // A `.` after a command is a habit.
        let rest = rest.trim();
        let word = word.trim_end_matches('.');
        Some(match word {
            ":help" | ":h" | ":?" => Self::Help(rest.trim_end_matches('.').to_owned()),
            ":vars" | ":v" => Self::Vars,
            ":graph" | ":g" => Self::Graph,
            ":load" | ":l" => Self::Load(rest.to_owned()),
            ":forget" => Self::Forget(rest.trim_end_matches('.').to_owned()),
            ":clear" => Self::Clear,
            ":quit" | ":q" | ":exit" => Self::Quit,
            other => Self::Unknown(other.to_owned()),
        })
    }
}

/// What `:help` shows.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "A form ends with `.` and may take several lines. Try:
  S = declare(set).
  update(S, {add, [1, 2, 3]}).
  map(S, fun(X) -> X * 2 end).
Ctrl-C stops a form that runs, or drops what was typed; Tab completes. Commands:",
    );
    for (word, argument, does) in COMMANDS {
        text += &format!("\n  {:<16} {does}", format!("{word} {argument}"));
    }
    text
}

/// Whether more lines must follow before the entry can be run.
pub(crate) fn is_incomplete(entry: &str) -> bool {
    let trimmed = entry.trim();
    !trimmed.is_empty() && Command::parse(trimmed).is_none() && parse(&Source::new("", entry)).incomplete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_with_their_arguments() {
        assert_eq!(Command::parse("  :help lists:foldl. "), Some(Command::Help("lists:foldl".to_owned())));
        assert_eq!(Command::parse(":load a b.lasp"), Some(Command::Load("a b.lasp".to_owned())));
        assert_eq!(Command::parse(":quit."), Some(Command::Quit));
        assert_eq!(Command::parse(":what"), Some(Command::Unknown(":what".to_owned())));
        assert_eq!(Command::parse("X = 1."), None);
    }

    #[test]
    fn every_command_is_known_and_in_the_help() {
        for (word, ..) in COMMANDS {
            assert!(!matches!(Command::parse(word), Some(Command::Unknown(_)) | None), "{word}");
            assert!(help().contains(word), "{word}");
        }
    }

    #[test]
    fn an_entry_goes_on_until_its_form_ends() {
        assert!(is_incomplete("S = declare(set),\n"));
        assert!(is_incomplete("X = \"a\n"));
        assert!(!is_incomplete("X = 1.\n"));
        assert!(!is_incomplete("X = ) .\n"), "an error is to be reported, not waited out");
        assert!(!is_incomplete(":vars\n"));
        assert!(!is_incomplete("\n"));
        assert!(!is_incomplete("% a comment\n"));
    }
}
