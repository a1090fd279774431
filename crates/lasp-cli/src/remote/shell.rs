//! `lasp repl --connect`: forms typed here, run at a node.
//!
//! One thread holds the connection, and writes what comes whenever it comes: triggers print while nothing runs, too. The
//! other one reads what is typed.

use super::script::line;
use super::table::{count, table};
use super::{ConnectArgs, Failure, odd, print};
use crate::repl::assistant::Assistant;
use crate::repl::commands::{self, COMMANDS, Command, is_incomplete};
use crate::repl::{editor, history_file, note_width};
use crate::run::program::{FAILED, REJECTED, USAGE, load};
use crate::terminal;
use lasp::control::client::{Answers, Client};
use lasp::control::protocol::{Ask, Binding, RunEnd, Say};
use lasp_lang::complete::Known;
use lasp_lang::help;
use lasp_lang::operation::type_from;
use lasp_lang::suggest::nearest;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Editor, ExternalPrinter};
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc as blocking;
use tokio::sync::mpsc;

/// What was typed.
enum Entry {
    /// A program, and what it is called.
    Forms(String, String),
    Bindings,
    Graph,
    Forget(String),
}

/// What became of it.
struct Outcome {
    code: u8,
    /// What is bound now, if that may have changed.
    known: Option<Vec<Known>>,
}

type Printer = Box<dyn ExternalPrinter + Send>;

/// Runs the shell until its input ends.
pub(crate) fn repl(connect: ConnectArgs) -> ExitCode {
    let (entries, typed) = mpsc::channel(1);
    let (tell, outcomes) = blocking::channel();
    let (greet, greetings) = blocking::channel();
    let (lend, printers) = blocking::channel::<Option<Printer>>();
    let connection = std::thread::Builder::new().name("lasp connection".to_owned()).spawn(move || {
        connect.with_node(async |connect, client| {
            let greeting = client.served();
            let shown = format!("{} of cluster {}", greeting.name, greeting.cluster);
            let _ = greet.send(shown); // the other side waits for it
            let printer = printers.recv().ok().flatten();
            Connection { connect, client, tell, printer, answers: None }.serve(typed).await
        })
    });
    let Ok(connection) = connection else {
        eprintln!("error: cannot start a thread");
        return ExitCode::from(FAILED);
    };
    let code = greetings.recv().ok().map(|node| {
        let shell = Shell { entries, outcomes, known: Vec::new(), count: 0, code: 0 };
        shell.run(&node, &lend)
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
    known: Vec<Known>,
    /// Entries that were forms.
    count: usize,
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
        let history = history_file();
        if let Some(path) = &history {
            let _ = path.parent().map(std::fs::create_dir_all);
            // Without a history there is nothing to recall; that is no reason to stop.
            let _ = editor.load_history(path);
        }
        loop {
            if let Some(assistant) = editor.helper_mut() {
                assistant.know(self.known.clone());
            }
            match editor.readline("lasp> ") {
                Ok(entry) => {
                    // Kept at once, as this process may end at any time.
                    let _ = history.as_ref().map(|path| editor.append_history(path));
                    note_width(editor);
                    if !self.entry(entry.trim()) {
                        return;
                    }
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return,
                Err(error) => {
                    eprintln!("error: cannot read: {error}");
                    return;
                }
            }
        }
    }

    /// Handles an entry; whether more may follow.
    fn entry(&mut self, entry: &str) -> bool {
        match Command::parse(entry) {
            None if entry.is_empty() => true,
            None => {
                self.count += 1;
                self.ask(Entry::Forms(format!("entry {}", self.count), entry.to_owned()))
            }
            Some(Command::Quit) => false,
            Some(Command::Vars) => self.ask(Entry::Bindings),
            Some(Command::Graph) => self.ask(Entry::Graph),
            Some(Command::Forget(name)) => self.ask(Entry::Forget(name)),
            Some(Command::Load(file)) => match load(Path::new(&file)) {
                Ok(source) => self.ask(Entry::Forms(source.name().to_owned(), source.text().to_owned())),
                Err(message) => self.fail(&message),
            },
            Some(Command::Help(topic)) if topic.is_empty() => print(&commands::help()),
            Some(Command::Help(topic)) => match help::topic(&topic) {
                Ok(text) => print(&text),
                Err(message) => self.fail(&message),
            },
            Some(Command::Clear) => print("\x1b[2J\x1b[H"),
            Some(Command::Unknown(word)) => {
                let near = nearest(&word, COMMANDS.iter().map(|(word, ..)| *word));
                let hint =
                    near.map_or_else(|| "`:help` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
                self.fail(&format!("no command {word}; {hint}"))
            }
        }
    }

    fn fail(&mut self, message: &str) -> bool {
        terminal::complain(message);
        self.note(USAGE);
        true
    }

    fn ask(&mut self, entry: Entry) -> bool {
        if self.entries.blocking_send(entry).is_err() {
            return false; // why, was said
        }
        let Ok(Outcome { code, known }) = self.outcomes.recv() else { return false };
        self.note(code);
        self.known = known.unwrap_or_else(|| std::mem::take(&mut self.known));
        true
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
            Entry::Forms(name, text) => self.forms(name, text).await?,
            Entry::Bindings => self.show(Ask::Bindings).await?,
            Entry::Graph => self.show(Ask::Graph).await?,
            Entry::Forget(name) => self.show(Ask::Forget(name)).await?,
        };
        let _ = self.tell.send(outcome); // the other side may have gone
        Ok(())
    }

    /// Asks what has one answer, and shows it.
    async fn show(&self, ask: Ask) -> Result<Outcome, Failure> {
        let code = match self.connect.ask(self.client, ask).await {
            Ok(Say::Bindings(bindings)) => {
                print(&binding_table(&bindings));
                0
            }
            Ok(Say::Graph(text)) => {
                print(text.trim_end());
                0
            }
            Ok(Say::Done) => 0,
            Ok(say) => return Err(odd(&say)),
            Err(failure) if failure.lost => return Err(failure),
            Err(failure) => {
                terminal::complain(&failure.message);
                failure.code
            }
        };
        Ok(Outcome { code, known: None })
    }

    /// Runs forms to their end. Ctrl-C interrupts them.
    async fn forms(&mut self, name: String, text: String) -> Result<Outcome, Failure> {
        let style = self.connect.style();
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
                        terminal::complain(&report);
                    }
                    let code = match end {
                        RunEnd::Finished if failed => FAILED,
                        RunEnd::Finished => 0,
                        RunEnd::Rejected => REJECTED,
                        RunEnd::Failed => FAILED,
                    };
                    return Ok(Outcome { code, known: Some(names.into_iter().map(known).collect()) });
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

fn known((name, ty): (String, Option<String>)) -> Known {
    let what = ty.clone().unwrap_or_else(|| "value".to_owned());
    Known { name, what, ty: ty.and_then(|ty| type_from(&ty).ok()) }
}

fn binding_table(bindings: &[Binding]) -> String {
    if bindings.is_empty() {
        return "nothing is bound yet".to_owned();
    }
    let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    let mut rows = Vec::new();
    for binding in bindings {
        rows.push(row([&binding.name, &binding.kind, &binding.value]));
        if let Some((elements, last)) = &binding.failures {
            rows.push(row(["", "", &format!("{} left out: {last}", count(*elements, "element"))]));
        }
    }
    table(&rows, &[24, 16])
}
