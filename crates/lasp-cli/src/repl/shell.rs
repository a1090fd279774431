//! A session with its commands: takes entries, writes answers. Knows no terminal, so that a batch and a test use it as a
//! person does.

use super::commands::{self, Command};
use crate::run::program::{FAILED, REJECTED, USAGE, color, load};
use crate::run::report;
use crate::terminal;
use lasp_lang::complete::Known;
use lasp_lang::diagnostic::render_all;
use lasp_lang::explain::Recorder;
use lasp_lang::host::Host;
use lasp_lang::suggest::nearest;
use lasp_lang::{Interrupt, Line, Session, Source, Stop, help};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// Where answers go.
pub(super) struct Console<'a> {
    pub(super) out: Box<dyn Write + 'a>,
    pub(super) err: Box<dyn Write + 'a>,
    pub(super) colored: bool,
    /// Whether what is too wide for the terminal is broken between words.
    pub(super) wraps: bool,
}

impl Console<'_> {
    /// The process's own output.
    pub(super) fn process() -> Self {
        Self { out: Box::new(io::stdout()), err: Box::new(io::stderr()), colored: color(), wraps: true }
    }

    fn say(&mut self, text: &str) {
        // Nobody reads any more: there is nobody to tell, and the input will end, too.
        let _ = writeln!(self.out, "{text}");
    }

    fn complain(&mut self, text: &str) {
        let text = if self.wraps { terminal::fit(text) } else { text.to_owned() };
        let _ = writeln!(self.err, "{text}");
    }
}

/// A session on a host.
pub(super) struct Shell<H: Host> {
    session: Session<Recorder<H>>,
    entries: usize,
    code: u8,
}

impl<H: Host> Shell<H> {
    pub(super) fn new(host: H) -> Self {
        Self { session: Session::new(Recorder::new(host)), entries: 0, code: 0 }
    }

    /// Lets `interrupt` stop a form that runs.
    pub(super) fn interrupt_by(&mut self, interrupt: Interrupt) {
        self.session.interrupt_by(interrupt);
    }

    /// The exit code for a batch: 0 if all went well, else that of the first failure.
    pub(super) fn code(&self) -> u8 {
        self.code
    }

    /// What is bound, for completion.
    pub(super) fn bindings(&mut self) -> Vec<Known> {
        let known = |binding: lasp_lang::Binding| {
            let ty = if binding.is_variable { binding.kind.parse().ok() } else { None };
            Known { name: binding.name, what: binding.kind, ty }
        };
        self.session.bindings().into_iter().map(known).collect()
    }

    /// Handles one entry; whether it was the last.
    pub(super) fn entry(&mut self, entry: &str, console: &mut Console<'_>) -> bool {
        match Command::parse(entry) {
            Some(Command::Quit) => return true,
            Some(command) => self.command(command, console),
            None if entry.trim().is_empty() => {}
            None => {
                self.entries += 1;
                self.run(&Source::new(format!("entry {}", self.entries), entry), console);
            }
        }
        false
    }

    fn command(&mut self, command: Command, console: &mut Console<'_>) {
        match command {
            Command::Help(topic) if topic.is_empty() => console.say(&commands::help()),
            Command::Help(topic) => match help::topic(topic.trim_matches('"')) {
                Ok(text) => console.say(&text),
                Err(message) => self.fail(&message, USAGE, console),
            },
            Command::Vars => self.vars(console),
            Command::Graph => {
                let graph = self.session.explanation().to_string();
                console.say(graph.trim_end());
            }
            Command::Load(file) if file.is_empty() => self.fail("`:load FILE` takes a file", USAGE, console),
            Command::Load(file) => match load(Path::new(&file)) {
                Ok(source) => self.run(&source, console),
                Err(message) => self.fail(&message, USAGE, console),
            },
            Command::Forget(name) if self.session.forget(&name) => {}
            Command::Forget(name) => self.fail(&format!("{name:?} is not bound"), FAILED, console),
            Command::Clear => {
                let _ = write!(console.out, "\x1b[2J\x1b[H");
            }
            Command::Unknown(word) => {
                let near = nearest(&word, commands::COMMANDS.iter().map(|(word, ..)| *word));
                let hint =
                    near.map_or_else(|| "`:help` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
                self.fail(&format!("no command {word}; {hint}"), USAGE, console);
            }
            Command::Quit => {}
        }
    }

    fn vars(&mut self, console: &mut Console<'_>) {
        let bindings = self.session.bindings();
        let width = |of: fn(&lasp_lang::Binding) -> &String| {
            bindings.iter().map(|binding| of(binding).chars().count()).max().unwrap_or(0)
        };
        let (names, kinds) = (width(|binding| &binding.name), width(|binding| &binding.kind));
        for binding in &bindings {
            console.say(&format!("{:names$}  {:kinds$}  {}", binding.name, binding.kind, binding.value));
            if let Some(failures) = &binding.failures {
                let left_out = if failures.count == 1 { "1 element" } else { &format!("{} elements", failures.count) };
                console.say(&format!("{:names$}  {:kinds$}  {left_out} left out: {}", "", "", failures.last));
            }
        }
        if bindings.is_empty() {
            console.say("nothing is bound yet");
        }
    }

    fn run(&mut self, source: &Arc<Source>, console: &mut Console<'_>) {
        let mut failed = false;
        let result = self.session.run(source, &mut |line: Line| {
            failed |= line.is_error();
            if line.is_error() {
                console.complain(&report(&line, console.colored));
            } else {
                console.say(&line.to_string());
            }
        });
        match result {
            Ok(warnings) => {
                if !warnings.is_empty() {
                    console.complain(&render_all(&warnings, source, console.colored));
                }
                self.note(if failed { FAILED } else { 0 });
            }
            Err(Stop::Rejected(diagnostics)) => {
                self.fail(&render_all(&diagnostics, source, console.colored), REJECTED, console);
            }
            Err(Stop::Failed(fault)) => {
                let report = fault.diagnostic().render(&fault.source, console.colored);
                self.fail(&report, FAILED, console);
            }
        }
    }

    fn fail(&mut self, message: &str, code: u8, console: &mut Console<'_>) {
        console.complain(message);
        self.note(code);
    }

    fn note(&mut self, code: u8) {
        if self.code == 0 {
            self.code = code;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_lang::GraphHost;

    /// What entries write to standard output and standard error, and the exit code.
    fn converse(entries: &[&str]) -> (String, String, u8) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut shell = Shell::new(GraphHost::default());
        let mut console = Console { out: Box::new(&mut out), err: Box::new(&mut err), colored: false, wraps: false };
        for entry in entries {
            if shell.entry(entry, &mut console) {
                break;
            }
        }
        drop(console);
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (text(out), text(err), shell.code())
    }

    #[test]
    fn a_session_keeps_what_was_bound_and_goes_on_after_an_error() {
        let (out, err, code) =
            converse(&["S = declare(set).", "update(S, {ad, 1}).", "update(S, {add, 1}).", ":quit", "1."]);
        assert_eq!(out, "set[]\nset[1]\n");
        assert!(err.contains("--> entry 2:1:12") && err.contains("did you mean `add`?"), "{err}");
        assert_eq!(code, REJECTED);
    }

    #[test]
    fn vars_show_types_values_and_failures() {
        let (out, ..) = converse(&[
            "Numbers = declare(gset), update(Numbers, {add, [0, 1]}), H = map(Numbers, fun(X) -> 1 div X end).",
            "F = fun(X) -> X end, F(1).",
            ":vars",
        ]);
        let vars = out.split_once("1\n").expect("two values").1;
        assert_eq!(
            vars,
            "Numbers  gset      set[0, 1]\n\
             H        set       set[1]\n\
             \u{20}                  1 element left out: at node 1, map failed on 0: division by zero: 1 div 0\n\
             F        function  fun(X) -> X end\n"
        );
    }

    #[test]
    fn the_graph_is_that_of_the_session_so_far() {
        let (out, ..) = converse(&["A = declare(gset), B = filter(A, fun(X) -> X > 1 end), B.", ":graph"]);
        assert!(out.contains("B <- filter(fun(X) -> X > 1 end) of A at node 1"), "{out}");
        assert!(out.contains("monotone in its value"), "{out}");
    }

    #[test]
    fn help_knows_topics_and_unknown_commands_name_the_nearest() {
        let (out, err, code) = converse(&[":help lists:foldl", ":help", ":halp", ":help gcountr"]);
        assert!(out.contains("lists:foldl(F, Acc, L)") && out.contains(":graph"), "{out}");
        assert!(err.contains("did you mean `:help`?") && err.contains("did you mean \"gcounter\"?"), "{err}");
        assert_eq!(code, USAGE);
    }

    #[test]
    fn a_loaded_program_runs_in_the_session() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "X = 20.\nX + 1.").expect("writable");
        let (out, err, _) = converse(&[&format!(":load {}", file.path().display()), "X + 2.", ":load /no/such/file"]);
        assert_eq!(out, "20\n21\n22\n");
        assert!(err.contains("cannot read /no/such/file"), "{err}");
    }

    #[test]
    fn a_raised_interrupt_stops_the_form_and_keeps_the_session() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut shell = Shell::new(GraphHost::default());
        let interrupt = Interrupt::default();
        shell.interrupt_by(interrupt.clone());
        let mut console = Console { out: Box::new(&mut out), err: Box::new(&mut err), colored: false, wraps: false };
        shell.entry("S = declare(set).", &mut console);
        interrupt.raise();
        shell.entry("lists:sum(lists:seq(1, 100000)).", &mut console);
        shell.entry("X = settle().", &mut console);
        interrupt.clear();
        shell.entry("update(S, {add, 1}).", &mut console);
        drop(console);
        assert_eq!(String::from_utf8(out).expect("text"), "set[]\nset[1]\n");
        assert_eq!(String::from_utf8(err).expect("text").matches("interrupted here").count(), 2);
    }
}
