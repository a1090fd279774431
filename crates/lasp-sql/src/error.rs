//! What is wrong with a text, and where in it.

use thiserror::Error;

/// A half-open range of byte offsets in an SQL text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Why a text is no view.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SqlError {
    /// One sentence without a final period.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the text.
    pub span: Span,
}

impl SqlError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, span }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

pub(crate) type Result<T> = std::result::Result<T, SqlError>;
