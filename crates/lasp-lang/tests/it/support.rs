//! Running a text and taking what comes out.

use lasp_lang::diagnostic::render_all;
use lasp_lang::{GraphHost, Line, Session, Source, Stop};

/// The lines of a program that runs to its end.
pub(crate) fn run(text: &str) -> Vec<String> {
    let (lines, stop) = attempt(text);
    if let Some(stop) = stop {
        panic!("{text}\ndid not run:\n{stop}");
    }
    lines.iter().map(Line::to_string).collect()
}

/// The lines of a program as JSON.
pub(crate) fn run_json(text: &str) -> Vec<String> {
    attempt(text).0.iter().map(Line::to_json).collect()
}

/// The last line of a program that runs to its end.
pub(crate) fn last(text: &str) -> String {
    run(text).pop().expect("a form")
}

/// What is said about a program that does not run to its end.
pub(crate) fn failure(text: &str) -> String {
    attempt(text).1.unwrap_or_else(|| panic!("{text}\nran to its end"))
}

/// Its lines, and what stopped it.
pub(crate) fn attempt(text: &str) -> (Vec<Line>, Option<String>) {
    let source = Source::new("test.lasp", text);
    let mut session = Session::new(GraphHost::default());
    let mut lines = Vec::new();
    let stop = session.run(&source, &mut |line| lines.push(line)).err().map(|stop| match stop {
        Stop::Rejected(diagnostics) => render_all(&diagnostics, &source, false),
        Stop::Failed(fault) => fault.diagnostic().render(&fault.source, false),
    });
    (lines, stop)
}
