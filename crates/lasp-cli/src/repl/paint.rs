//! Colours for what is typed.

use lasp_lang::highlight::{Class, classify};
use std::io::{self, IsTerminal};

/// Whether the terminal may be coloured: standard output is one, and `NO_COLOR` is not set.
pub(super) fn wanted() -> bool {
    io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// `text` with ANSI colours that read on light and dark grounds.
pub(super) fn paint(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    for (span, class) in classify(text) {
        let range = span.range();
        out += &text[at..range.start];
        at = range.end;
        match color(class) {
            Some(code) => out += &format!("\x1b[{code}m{}\x1b[0m", &text[range]),
            None => out += &text[range],
        }
    }
    out + &text[at..]
}

fn color(class: Class) -> Option<&'static str> {
    match class {
        Class::Comment => Some("2"),
        Class::Keyword => Some("35"),
        Class::Operation => Some("1;34"),
        Class::Function => Some("34"),
        Class::Type => Some("36"),
        Class::Text => Some("32"),
        Class::Number | Class::Boolean => Some("33"),
        Class::Variable => Some("1"),
        Class::Atom | Class::Symbol => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_wrap_the_parts_and_change_nothing_else() {
        assert_eq!(
            paint("X = declare(set). % é"),
            "\x1b[1mX\x1b[0m = \x1b[1;34mdeclare\x1b[0m(\x1b[36mset\x1b[0m). \x1b[2m% é\x1b[0m"
        );
        assert_eq!(paint("  \n"), "  \n");
    }
}
