//! What the line editor asks while one types: completions, colours, and whether the form is complete.

use super::commands::{COMMANDS, is_incomplete};
use super::paint::paint;
use lasp_lang::complete::{Known, complete};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use std::borrow::Cow;

/// Knows what is bound.
#[derive(Debug, Default)]
pub(crate) struct Assistant {
    known: Vec<Known>,
    colored: bool,
}

impl Assistant {
    pub(super) fn new(colored: bool) -> Self {
        Self { known: Vec::new(), colored }
    }

    /// What is bound from now on.
    pub(crate) fn know(&mut self, known: Vec<Known>) {
        self.known = known;
    }

    /// Candidates for the word before `at`: where it starts, and what to show and insert.
    fn candidates(&self, line: &str, at: usize) -> (usize, Vec<Pair>) {
        let pair = |text: String, form: &str| {
            let display = if form.is_empty() { text.clone() } else { format!("{text}  {form}") };
            Pair { display, replacement: text }
        };
        if let Some(typed) = line.get(..at).filter(|typed| typed.starts_with(':')) {
            let found = COMMANDS.iter().filter(|(word, ..)| word.starts_with(typed));
            return (0, found.map(|(word, ..)| pair((*word).to_owned(), "")).collect());
        }
        let mut known = self.known.clone();
        known.extend(Known::in_text(line));
        let (start, candidates) = complete(line, at, &known);
        (start, candidates.into_iter().map(|candidate| pair(candidate.text, &candidate.form)).collect())
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(self.candidates(line, at))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let incomplete = is_incomplete(context.input());
        Ok(if incomplete { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.colored { Cow::Owned(paint(line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.colored
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_names_complete() {
        let mut assistant = Assistant::new(false);
        assistant.know(vec![Known { name: "Scores".to_owned(), what: "a list".to_owned(), ty: None }]);
        let texts = |line: &str| {
            let (start, pairs) = assistant.candidates(line, line.len());
            (start, pairs.into_iter().map(|pair| pair.replacement).collect::<Vec<_>>())
        };
        assert_eq!(texts(":gr"), (0, vec![":graph".to_owned()]));
        assert_eq!(texts("lists:sum(Sc"), (10, vec!["Scores".to_owned()]));
    }
}
