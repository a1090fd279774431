//! Why an evaluation stopped: what happened, where, and what was asked for.

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use std::fmt::Display;
use std::sync::Arc;

/// A failure at a place in a program. Nothing that was evaluated before it is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The program.
    pub source: Arc<Source>,
    /// The expression in it.
    pub span: Span,
    /// Whether a limit was reached rather than the program failed; a guard does not swallow it.
    pub limit: bool,
}

impl Fault {
    /// As a diagnostic of its source.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.span, self.message.as_str()).maybe_hint(self.hint.clone())
    }

    /// One line: the message and the position.
    pub fn one_line(&self) -> String {
        let (line, column) = self.source.position(self.span.start);
        format!("{} (at {}:{line}:{column})", self.message, self.source.name())
    }
}

/// What is wrong, by someone who does not know where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// A problem as the dataflow words it: what is wrong; what to do about it.
    pub fn worded(error: impl Display) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((message, hint)) => Self::new(message).hint(hint),
            None => Self::new(text),
        }
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A failure that may not have found its place yet.
#[derive(Clone, Debug)]
pub enum Trap {
    /// Has no place yet: gets that of the call.
    Problem(Problem),
    /// Has its place.
    Fault(Box<Fault>),
}

impl From<Problem> for Trap {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<String> for Trap {
    fn from(message: String) -> Self {
        Self::Problem(Problem::new(message))
    }
}

impl From<&str> for Trap {
    fn from(message: &str) -> Self {
        Self::Problem(Problem::new(message))
    }
}

impl From<Box<Fault>> for Trap {
    fn from(fault: Box<Fault>) -> Self {
        Self::Fault(fault)
    }
}
