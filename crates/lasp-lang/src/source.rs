//! Program texts and positions in them.
//!
//! A [`Span`] is a pair of byte offsets, always on character boundaries of the text it came from. Sources are shared,
//! so that a function can point into its program long after the program was read.

use lasp_dataflow::ProgramText;
use std::ops::Range;
use std::sync::Arc;

/// A half-open range of byte offsets in one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// From `start` up to but not including `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The empty span just after this one.
    pub const fn after(self) -> Self {
        Self::new(self.end, self.end)
    }

    /// As a range of offsets.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The text of a program and the name it is reported under.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// The longest program text in bytes that is read (a guess: far above what a person writes, enough for a generated list
    /// of a million numbers).
    pub const BYTES_MAX: usize = 16 << 20;

    /// A source called `name`, usually a path.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }

    /// What it is called in diagnostics.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text under `span`; empty if the span is not of this source.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Line and column of a byte offset, both from 1, columns in characters. Linear in the text.
    pub fn position(&self, offset: u32) -> (usize, usize) {
        let mut end = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl ProgramText for Source {
    fn name(&self) -> &str {
        self.name()
    }

    fn position(&self, offset: u32) -> (usize, usize) {
        self.position(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let source = Source::new("t", "añb\ncd");
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(3), (1, 3));
        assert_eq!(source.position(5), (2, 1));
        assert_eq!(source.position(900), (2, 3));
    }
}
