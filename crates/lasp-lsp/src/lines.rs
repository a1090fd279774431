//! Positions: editors count lines and UTF-16 units from 0, we count bytes.

use lasp_lang::Span;
use lsp_types::{Position, Range};

/// Where the lines of a text start.
#[derive(Debug)]
pub(crate) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The position of a byte offset; one inside a character is at its start, one beyond the text at its end.
    pub(crate) fn position(&self, text: &str, offset: usize) -> Position {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let units = text[self.starts[line]..offset].encode_utf16().count();
        Position::new(line as u32, units as u32)
    }

    /// The byte offset of a position; beyond the end of a line is its end, beyond the text the end of that. Within a
    /// character that takes two units is its start.
    pub(crate) fn offset(&self, text: &str, position: Position) -> usize {
        let line = position.line as usize;
        let Some(&start) = self.starts.get(line) else {
            return text.len();
        };
        let end = self.starts.get(line + 1).map_or(text.len(), |next| next - 1);
        let mut units = position.character as usize;
        for (at, c) in text[start..end].char_indices() {
            if units < c.len_utf16() {
                return start + at;
            }
            units -= c.len_utf16();
        }
        end
    }

    pub(crate) fn range(&self, text: &str, span: Span) -> Range {
        Range::new(self.position(text, span.start as usize), self.position(text, span.end as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_utf16_units() {
        let text = "é🦀x\r\nab\n";
        let lines = Lines::of(text);
        let cases = [(0, (0, 0)), (2, (0, 1)), (6, (0, 3)), (7, (0, 4)), (9, (1, 0)), (11, (1, 2)), (12, (2, 0))];
        for (offset, (line, character)) in cases {
            let position = Position::new(line, character);
            assert_eq!(lines.position(text, offset), position, "{offset}");
            assert_eq!(lines.offset(text, position), offset, "{position:?}");
        }
    }

    #[test]
    fn positions_outside_are_moved_inside() {
        let text = "é🦀x\nab";
        let lines = Lines::of(text);
        assert_eq!(lines.offset(text, Position::new(0, 2)), 2, "half a crab");
        assert_eq!(lines.offset(text, Position::new(0, 99)), 7);
        assert_eq!(lines.offset(text, Position::new(99, 0)), text.len());
        assert_eq!(lines.position(text, 4), Position::new(0, 1));
        assert_eq!(lines.position(text, 999), Position::new(1, 2));
        assert_eq!(Lines::of("").position("", 0), Position::new(0, 0));
    }
}
