//! A run while it goes: one live line on a terminal, a plain line now and then anywhere else. Writes to stderr.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lasp_eval::progress::{Observer, Progress};
use lasp_eval::report::bytes;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// How often a plain line is written.
const PLAIN_EVERY: Duration = Duration::from_secs(2);

/// Shows progress to whoever watches.
pub(crate) enum Display {
    /// A bar that rewrites its line.
    Live(ProgressBar),
    /// Lines.
    Plain {
        /// When the last was written.
        last: Option<Instant>,
    },
}

impl Display {
    /// Live on a terminal, plain elsewhere.
    pub(crate) fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Plain { last: None };
        }
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr_with_hz(8));
        // The template is a constant that parses; a plain bar stands in if it ever should not.
        let style =
            ProgressStyle::with_template("{bar:8.blue} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        Self::Live(bar)
    }

    /// Clears the live line.
    pub(crate) fn finish(&self) {
        if let Self::Live(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Display {
    fn progress(&mut self, progress: &Progress) {
        match self {
            Self::Live(bar) => {
                bar.set_length(progress.expected.max(progress.counted).max(1));
                bar.set_position(progress.counted);
                bar.set_message(describe(progress));
            }
            Self::Plain { last } if last.is_none_or(|last| last.elapsed() >= PLAIN_EVERY) => {
                *last = Some(Instant::now());
                eprintln!("{}", describe(progress));
            }
            Self::Plain { .. } => {}
        }
    }

    fn note(&mut self, text: &str) {
        match self {
            Self::Live(bar) => bar.println(text),
            Self::Plain { .. } => eprintln!("{text}"),
        }
    }
}

/// One line that stands beside the bar on 80 columns.
fn describe(progress: &Progress) -> String {
    let run = if progress.runs > 1 { format!("run {}/{}, ", progress.run + 1, progress.runs) } else { String::new() };
    format!(
        "{run}{:.0} s, {}/{} up, {} {}, div {:.1} %, {}",
        progress.seconds,
        progress.up,
        progress.nodes,
        progress.counted,
        progress.what,
        progress.divergence_percent,
        bytes(progress.bytes as f64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_beside_a_bar_on_eighty_columns() {
        let progress = Progress {
            run: 9,
            runs: 10,
            seconds: 119.0,
            nodes: 1024,
            up: 1024,
            what: "impressions",
            counted: 10_000,
            expected: 10_000,
            divergence_percent: 99.9,
            bytes: 123_456_789,
        };
        let line = describe(&progress);
        assert!(line.len() <= 80 - 9, "{} columns: {line}", line.len());
        assert_eq!(line, "run 10/10, 119 s, 1024/1024 up, 10000 impressions, div 99.9 %, 123 MB");
    }
}
