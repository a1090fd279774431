//! Messages on a terminal: broken between words where a line is too wide for it. Elsewhere they stay as they are, a line for
//! a line, for those programs that read them.

use crate::run::program::color;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where nothing is known: the width of the terminals that all others imitate.
const WIDTH: usize = 80;

/// Narrower than this, breaking lines makes nothing easier to read (guess).
const NARROWEST: usize = 20;

/// The width as it was last seen; 0 if nobody has looked.
static SEEN: AtomicUsize = AtomicUsize::new(0);

/// Writes a message to standard error.
pub(crate) fn complain(message: &str) {
    eprintln!("{}", fit(message));
}

/// `text` as it fits on the terminal that standard error is, if it is one.
pub(crate) fn fit(text: &str) -> String {
    match width() {
        Some(width) => wrapped(text, width),
        None => text.to_owned(),
    }
}

/// How wide the terminal is that an editor of lines has; it may change while that runs.
pub(crate) fn note_width(width: usize) {
    SEEN.store(width.max(1), Ordering::Relaxed);
}

/// Writes what the command line's reader has to say: help, or what is wrong with the arguments.
pub(crate) fn usage(said: &clap::Error) -> io::Result<()> {
    let is_terminal = if said.use_stderr() { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
    if !is_terminal {
        return said.print();
    }
    let text = said.render();
    let text = if color() { text.ansi().to_string() } else { text.to_string() };
    let text = wrapped(&text, seen_width());
    if said.use_stderr() { write!(io::stderr(), "{text}") } else { write!(io::stdout(), "{text}") }
}

fn width() -> Option<usize> {
    io::stderr().is_terminal().then(seen_width)
}

fn seen_width() -> usize {
    if SEEN.load(Ordering::Relaxed) == 0 {
        let dimensions = rustyline::DefaultEditor::new().ok().and_then(|mut editor| editor.dimensions());
        note_width(dimensions.map_or(WIDTH, |(columns, _)| usize::from(columns)));
    }
    SEEN.load(Ordering::Relaxed)
}

/// `text` with lines no wider than `width`, where words are not. Lines that show a program stay whole.
fn wrapped(text: &str, width: usize) -> String {
    if width < NARROWEST {
        return text.to_owned();
    }
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| if shown_width(line) <= width || is_program(line) { line.to_owned() } else { broken(line, width) })
        .collect();
    lines.join("\n")
}

fn broken(line: &str, width: usize) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let (first, rest) = line.split_at(indent);
    let next = hang(line, indent, width);
    let (mut out, mut column) = (first.to_owned(), indent);
    for (position, word) in rest.split(' ').enumerate() {
        let wide = shown_width(word);
        if position > 0 && column + 1 + wide > width {
            out = out.trim_end_matches(' ').to_owned();
            out.push('\n');
            out += &" ".repeat(next);
            column = next;
        } else if position > 0 {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += wide;
    }
    out
}

/// Where what follows a line begins: in a table of two columns below the second, else a little to the right.
fn hang(line: &str, indent: usize, width: usize) -> usize {
    let plain = without_colors(line);
    let columns = plain.get(indent..).and_then(|rest| rest.find("  ").map(|gap| rest.split_at(gap)));
    let second = columns.map(|(first, rest)| indent + first.chars().count() + rest.len() - rest.trim_start().len());
    second.filter(|second| *second <= width / 2).unwrap_or(indent + 2)
}

/// Whether a line is part of a program that a message shows, with a margin: `12 | X = 1.`, ` --> a.lasp:1:1`.
fn is_program(line: &str) -> bool {
    let plain = without_colors(line);
    let rest = plain.trim_start_matches(' ').trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.trim_start_matches(' ');
    rest.starts_with('|') || rest.starts_with("-->") || rest.starts_with(":::") || rest.starts_with("...")
}

/// How many columns a text takes: its characters, but for escapes that change colours.
fn shown_width(text: &str) -> usize {
    without_colors(text).chars().count()
}

fn without_colors(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        out += before;
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_lose_none() {
        let text = format!("error: {}\nhelp: short", "some words ".repeat(20).trim_end());
        let fitted = wrapped(&text, 40);
        assert!(fitted.lines().all(|line| line.len() <= 40), "{fitted}");
        assert!(fitted.lines().nth(1).is_some_and(|line| line.starts_with("  some") || line.starts_with("  words")));
        assert_eq!(fitted.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
        assert!(fitted.ends_with("\nhelp: short"), "{fitted}");
        assert_eq!(wrapped(&text, 10), text, "too narrow to be worth it");
    }

    #[test]
    fn the_second_column_goes_on_below_itself() {
        let line = "      --flag <VALUE>  What it does, in more words than fit on a line";
        let fitted = wrapped(line, 50);
        let below = format!("\n{}", " ".repeat(22));
        assert_eq!(fitted, line.replacen(" than", &format!("{below}than"), 1), "{fitted}");
    }

    #[test]
    fn a_long_word_and_a_shown_program_stay_whole() {
        let word = "x".repeat(100);
        assert_eq!(wrapped(&format!("a {word} b"), 40), format!("a\n  {word}\n  b"));
        for line in [format!("12 | {word} y"), format!("   | {word} y"), format!(" --> {word} y")] {
            assert_eq!(wrapped(&line, 40), line);
        }
    }

    #[test]
    fn colours_take_no_room() {
        let line = format!("\x1b[1m\x1b[91merror\x1b[0m: {}", "word ".repeat(6).trim_end());
        assert_eq!(wrapped(&line, 36), line);
        assert_eq!(without_colors(&line), format!("error: {}", "word ".repeat(6).trim_end()));
        assert!(is_program("\x1b[94m3 |\x1b[0m X"));
    }
}
