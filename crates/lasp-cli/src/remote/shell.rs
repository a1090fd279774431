//! `lasp repl --connect`: forms typed here, run at a node.
//!
//! One thread holds the connection, and writes what comes whenever it comes: triggers print while nothing runs, too. The
//! other one reads what is typed.

use super::script::line;
use super::table::table;
use super::{ConnectArgs, Failure, odd, print};
use crate::repl::{Assistant, editor, is_incomplete, save_history};
use crate::run::program::{FAILED, REJECTED};
use lasp::control::client::{Answers, Client};
use lasp::control::protocol::{Ask, Binding, RunEnd, Say};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Editor, ExternalPrinter};
use std::io::{self, BufRead as _, IsTerminal as _};
use std::process::ExitCode;
use std::sync::mpsc as blocking;
use tokio::sync::mpsc;

const HELP: &str = "A form ends with `.` and may take several lines; it runs at the node. Try:
  S = declare(numbers, set).
  update(S, {add, [1, 2, 3]}).
  stream(S, fun(X) -> print(X) end).
Variables with a name stay; what else this session makes ends with it.
Ctrl-C interrupts a form. Commands:
  :help         this text         :forget NAME  unbinds a name
  :vars         what is bound     :quit         ends (so does Ctrl-D)";

/// What was typed.
enum Entry {
    Forms(String),
    Bindings,
    Forget(String),
}

/// What became of it.
struct Outcome {
    code: u8,
    /// Whether the connection is still there.
    goes_on: bool,
    names: Vec<String>,
}

type Printer = Box<dyn ExternalPrinter + Send>;

/// Runs the shell until its input ends.
pub(crate) fn repl(connect: ConnectArgs) -> ExitCode {
    let (entries, typed) = mpsc::channel(1);
    let (tell, outcomes) = blocking::channel();
    let (lend, printers) = blocking::channel::<Option<Printer>>();
    let connection = std::thread::Builder::new().name("lasp connection".to_owned()).spawn(move || {
        connect.with_node(async |connect, client| {
            let greeting = client.served();
            let shown = format!("{} of cluster {}", greeting.name, greeting.cluster);
            let _ = tell.send(Outcome { code: 0, goes_on: true, names: vec![shown] }); // the other side waits for it
            let printer = printers.recv().ok().flatten();
            Connection { connect, client, tell, printer, answers: None, entry: 0 }.serve(typed).await
        })
    });
    let Ok(connection) = connection else {
        eprintln!("error: cannot start a thread");
        return ExitCode::from(FAILED);
    };
    let code = outcomes.recv().ok().map(|greeting| {
        let shell = Shell { entries, outcomes, names: Vec::new(), code: 0 };
        shell.run(&greeting.names.concat(), &lend)
    });
    let ended = connection.join().unwrap_or_else(|_| ExitCode::from(FAILED));
    match code {
        Some(0) => ended,
        Some(code) => ExitCode::from(code),
        None => ended,
    }
}

/// The side that reads what is typed.
struct Shell {
    entries: mpsc::Sender<Entry>,
    outcomes: blocking::Receiver<Outcome>,
    names: Vec<String>,
    /// Of the first entry that did not go well.
    code: u8,
}

impl Shell {
    fn run(mut self, node: &str, lend: &blocking::Sender<Option<Printer>>) -> u8 {
        if !io::stdin().is_terminal() {
            let _ = lend.send(None);
            self.batch();
            return self.code;
        }
        match editor() {
            Ok(mut editor) => {
                let printer = editor.create_external_printer().ok().map(|printer| Box::new(printer) as Printer);
                let _ = lend.send(printer);
                println!("connected to {node}; :help tells how this works");
                self.converse(&mut editor);
                save_history(&mut editor);
                0
            }
            Err(error) => {
                eprintln!("error: cannot use this terminal: {error}");
                FAILED
            }
        }
    }

    /// Runs whatever comes on standard input.
    fn batch(&mut self) {
        let mut entry = String::new();
        for read in io::stdin().lock().lines() {
            let Ok(read) = read else {
                eprintln!("error: standard input is no text");
                self.code = FAILED;
                return;
            };
            entry += &read;
            entry.push('\n');
            if !is_incomplete(&entry) && !self.entry(std::mem::take(&mut entry).trim()) {
                return;
            }
        }
        self.entry(entry.trim());
    }

    fn converse(&mut self, editor: &mut Editor<Assistant, FileHistory>) {
        loop {
            if let Some(assistant) = editor.helper_mut() {
                assistant.know(self.names.clone());
            }
            match editor.readline("lasp> ") {
                Ok(entry) if self.entry(entry.trim()) => {}
                Err(ReadlineError::Interrupted) => {}
                Ok(_) | Err(ReadlineError::Eof) => return,
                Err(error) => {
                    eprintln!("error: cannot read: {error}");
                    return;
                }
            }
        }
    }

    /// Handles an entry; whether more may follow.
    fn entry(&mut self, entry: &str) -> bool {
        let (word, rest) = entry.split_once(char::is_whitespace).unwrap_or((entry, ""));
        match word.trim_end_matches('.') {
            "" => true,
            ":quit" | ":q" | ":exit" => false,
            ":help" | ":h" | ":?" => print(HELP),
            ":vars" => self.ask(Entry::Bindings),
            ":forget" => self.ask(Entry::Forget(rest.trim().trim_end_matches('.').to_owned())),
            command if command.starts_with(':') => {
                eprintln!("no command {command}; `:help` lists them");
                self.note(crate::run::program::USAGE);
                true
            }
            _ => self.ask(Entry::Forms(entry.to_owned())),
        }
    }

    fn ask(&mut self, entry: Entry) -> bool {
        if self.entries.blocking_send(entry).is_err() {
            return false; // why, was said
        }
        let Ok(Outcome { code, goes_on, names }) = self.outcomes.recv() else { return false };
        self.note(code);
        self.names = if names.is_empty() { std::mem::take(&mut self.names) } else { names };
        goes_on
    }

    fn note(&mut self, code: u8) {
        if self.code == 0 {
            self.code = code;
        }
    }
}

/// The side that holds the connection.
struct Connection<'a> {
    connect: &'a ConnectArgs,
    client: &'a Client,
    tell: blocking::Sender<Outcome>,
    printer: Option<Printer>,
    /// Of the last forms: triggers go on printing there.
    answers: Option<Answers>,
    entry: usize,
}

impl Connection<'_> {
    async fn serve(mut self, mut typed: mpsc::Receiver<Entry>) -> Result<ExitCode, Failure> {
        loop {
            tokio::select! {
                entry = typed.recv() => match entry {
                    None => return Ok(ExitCode::SUCCESS),
                    Some(entry) => self.handle(entry).await?,
                },
                say = next(&mut self.answers) => match say? {
                    Say::Line { text, error } => self.aside(text, error),
                    say => return Err(odd(&say)),
                },
            }
        }
    }

    async fn handle(&mut self, entry: Entry) -> Result<(), Failure> {
        let outcome = match entry {
            Entry::Forms(text) => self.forms(text).await?,
            Entry::Bindings => match self.connect.ask(self.client, Ask::Bindings).await? {
                Say::Bindings(bindings) => {
                    show(&bindings);
                    Outcome { code: 0, goes_on: true, names: Vec::new() }
                }
                say => return Err(odd(&say)),
            },
            Entry::Forget(name) => {
                let code = match self.connect.ask(self.client, Ask::Forget(name)).await {
                    Ok(_) => 0,
                    Err(failure) => {
                        eprintln!("{}", failure.message);
                        failure.code
                    }
                };
                Outcome { code, goes_on: true, names: Vec::new() }
            }
        };
        let _ = self.tell.send(outcome); // the other side may have gone
        Ok(())
    }

    /// Runs forms to their end. Ctrl-C interrupts them.
    async fn forms(&mut self, text: String) -> Result<Outcome, Failure> {
        self.entry += 1;
        let (name, style) = (format!("entry {}", self.entry), self.connect.style());
        let answers = self.client.ask(Ask::Run { name, text, style }).await?;
        // What the last forms' triggers print now comes with these.
        let answers = self.answers.insert(answers);
        let mut failed = false;
        loop {
            let say = tokio::select! {
                say = answers.next() => say?,
                _ = tokio::signal::ctrl_c() => {
                    answers.cancel().await;
                    continue;
                }
            };
            match say {
                Say::Line { text, error } => failed |= line(text, error),
                Say::Ran { end, report, names } => {
                    if !report.is_empty() {
                        eprintln!("{report}");
                    }
                    let code = match end {
                        RunEnd::Finished if failed => FAILED,
                        RunEnd::Finished => 0,
                        RunEnd::Rejected => REJECTED,
                        RunEnd::Failed => FAILED,
                    };
                    return Ok(Outcome { code, goes_on: true, names });
                }
                say => return Err(odd(&say)),
            }
        }
    }

    /// Writes a line while something may be half typed.
    fn aside(&mut self, text: Option<String>, error: Option<String>) {
        match &mut self.printer {
            Some(printer) => {
                for text in [text, error].into_iter().flatten() {
                    let _ = printer.print(format!("{text}\n")); // a terminal that is gone ends the shell anyway
                }
            }
            None => _ = line(text, error),
        }
    }
}

/// The next answer, if there is anything to wait for.
async fn next(answers: &mut Option<Answers>) -> Result<Say, Failure> {
    match answers {
        Some(answers) => Ok(answers.next().await?),
        None => std::future::pending().await,
    }
}

fn show(bindings: &[Binding]) {
    if bindings.is_empty() {
        print("nothing is bound yet");
        return;
    }
    let rows: Vec<Vec<String>> = bindings.iter().map(|bound| vec![bound.name.clone(), bound.term.clone()]).collect();
    print(&table(&rows, &[24]));
}
