//! Tables and sentences within the width of a terminal.

use std::fmt::Write as _;

/// Widest line.
pub(super) const WIDTH: usize = 80;

/// Between two columns.
const GAP: usize = 2;

/// Lays rows out in columns. Each column but the last takes at most its limit, the last one what is left.
pub(super) fn table(rows: &[Vec<String>], limits: &[usize]) -> String {
    let width = |column: usize| {
        let widest = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        widest.unwrap_or(0).min(limits.get(column).copied().unwrap_or(WIDTH))
    };
    let widths: Vec<usize> = (0..limits.len()).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            match widths.get(column) {
                Some(&width) => _ = write!(line, "{:width$}{:GAP$}", cut(cell, width), ""),
                None => line += &cut(cell, WIDTH.saturating_sub(line.chars().count())),
            }
        }
        out += line.trim_end();
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

/// The beginning, if it is too long.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(3)).collect();
    format!("{kept}...")
}

/// An indented paragraph, broken at spaces. A word longer than a line is cut.
pub(super) fn paragraph(indent: usize, text: &str) -> String {
    let mut out = String::new();
    let mut line = " ".repeat(indent);
    for word in text.split_whitespace() {
        let begun = line.len() > indent;
        if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out += &line;
            out.push('\n');
            line = " ".repeat(indent + 2);
        } else if begun {
            line.push(' ');
        }
        line += &cut(word, WIDTH.saturating_sub(line.chars().count()));
    }
    out + &line
}

/// A number with its noun.
pub(super) fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> Vec<String> {
        cells.map(str::to_owned).to_vec()
    }

    #[test]
    fn columns_line_up_and_no_line_is_too_wide() {
        let long = "x".repeat(200);
        let text =
            table(&[row(["NAME", "TYPE", "VALUE"]), row(["a", "set", &long]), row([&long, "gcounter", "1"])], &[10, 8]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "NAME        TYPE      VALUE");
        assert_eq!(lines[1].len(), WIDTH);
        assert_eq!(lines[2], "xxxxxxx...  gcounter  1");
    }

    #[test]
    fn a_paragraph_breaks_at_spaces() {
        let text = paragraph(2, &"word ".repeat(40));
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
        let text = paragraph(2, &format!("a {} b", "x".repeat(200)));
        assert!(text.lines().count() == 3 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }
}
