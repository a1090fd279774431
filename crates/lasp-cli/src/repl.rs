//! `lasp repl`: forms typed one after the other, on an embedded cluster that lives as long as the shell.
//!
//! A form may take several lines and is run when its `.` has come. Works without a terminal, too: then it reads standard
//! input without a prompt.

use crate::remote::{ConnectInstead, shell};
use crate::run::Printer;
use crate::run::cluster::Cluster;
use crate::run::program::{FAILED, color};
use clap::Args;
use lasp_lang::diagnostic::render_all;
use lasp_lang::parse::parse;
use lasp_lang::token::Keyword;
use lasp_lang::{Session, Source, Stop, signature};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, Helper};
use std::path::PathBuf;
use std::process::ExitCode;

/// What `lasp repl` takes.
#[derive(Debug, Args)]
pub(crate) struct ReplArgs {
    /// How many nodes the embedded cluster has
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), env = "LASP_REPL_NODES")]
    nodes: u16,
    /// Everything random follows from it
    #[arg(long, default_value_t = 1, env = "LASP_REPL_SEED")]
    seed: u64,
    #[command(flatten)]
    remote: ConnectInstead,
}

const HELP: &str = "A form ends with `.` and may take several lines. Try:
  S = declare(set).
  update(S, {add, [1, 2, 3]}).
  map(S, fun(X) -> X * 2 end).
  help().  help(set).  help(product).
:help  this text        :forget NAME  unbinds a name
:vars  what is bound    :quit         ends (so does Ctrl-D)";

/// Runs the shell until its input ends.
pub(crate) fn main(args: ReplArgs) -> ExitCode {
    if let Some(connect) = args.remote.place(false) {
        return shell::repl(connect);
    }
    let mut editor = match editor() {
        Ok(editor) => editor,
        Err(error) => {
            eprintln!("error: cannot use this terminal: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let mut shell = Shell { session: Session::new(Cluster::new(usize::from(args.nodes), args.seed)), entries: 0 };
    let code = shell.run(&mut editor);
    save_history(&mut editor);
    code
}

/// An editor with what was typed earlier.
pub(crate) fn editor() -> rustyline::Result<Editor<Assistant, FileHistory>> {
    let mut editor = Editor::with_config(Config::builder().auto_add_history(true).build())?;
    if let Some(path) = history_file() {
        // Without a history there is nothing to recall; that is no reason to stop.
        let _ = editor.load_history(&path);
    }
    editor.set_helper(Some(Assistant::default()));
    Ok(editor)
}

/// Keeps what was typed for the next time.
pub(crate) fn save_history(editor: &mut Editor<Assistant, FileHistory>) {
    let Some(path) = history_file() else { return };
    let _ = path.parent().map(std::fs::create_dir_all);
    if let Err(error) = editor.save_history(&path) {
        eprintln!("warning: cannot write {}: {error}", path.display());
    }
}

/// Where the lines typed are kept: `$XDG_STATE_HOME/lasp/history`, by default under `~/.local/state`.
fn history_file() -> Option<PathBuf> {
    let base = match std::env::var_os("XDG_STATE_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(std::env::var_os("HOME").filter(|dir| !dir.is_empty())?).join(".local/state"),
    };
    Some(base.join("lasp").join("history"))
}

struct Shell {
    session: Session<Cluster>,
    entries: usize,
}

impl Shell {
    fn run(&mut self, editor: &mut Editor<Assistant, FileHistory>) -> ExitCode {
        loop {
            match editor.readline("lasp> ") {
                Ok(line) => {
                    if self.line(line.trim()) {
                        return ExitCode::SUCCESS;
                    }
                    if let Some(assistant) = editor.helper_mut() {
                        assistant.know(self.session.terms().map(|(name, _)| name.to_owned()).collect());
                    }
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("error: cannot read: {error}");
                    return ExitCode::from(FAILED);
                }
            }
        }
    }

    /// Handles one entry; whether it was the last.
    fn line(&mut self, line: &str) -> bool {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("", _) => {}
            (":quit" | ":q" | ":exit", _) => return true,
            (":help" | ":h" | ":?", _) => println!("{HELP}"),
            (":vars", _) => self.session.terms().for_each(|(name, term)| println!("{name} = {term}")),
            (":forget", name) if self.session.forget(name.trim()) => {}
            (":forget", name) => eprintln!("{:?} is not bound", name.trim()),
            (command, _) if command.starts_with(':') => eprintln!("no command {command}; `:help` lists them"),
            _ => self.forms(line),
        }
        false
    }

    fn forms(&mut self, text: &str) {
        self.entries += 1;
        let source = Source::new(format!("entry {}", self.entries), text);
        let mut printer = Printer { json: false, failed: false, closed: false };
        match self.session.run(&source, &mut |line| printer.line(&line)) {
            Ok(warnings) if warnings.is_empty() => {}
            Ok(diagnostics) | Err(Stop::Rejected(diagnostics)) => {
                eprintln!("{}", render_all(&diagnostics, &source, color()));
            }
            Err(Stop::Failed(fault)) => eprintln!("{}", fault.diagnostic().render(&fault.source, color())),
        }
    }
}

/// Completes names and knows when a form is complete.
#[derive(Debug, Default)]
pub(crate) struct Assistant {
    bindings: Vec<String>,
}

impl Assistant {
    /// Completes these names, too.
    pub(crate) fn know(&mut self, bindings: Vec<String>) {
        self.bindings = bindings;
    }
}

/// Whether more lines must follow before the entry can be run.
pub(crate) fn is_incomplete(entry: &str) -> bool {
    let entry = entry.trim();
    !entry.is_empty() && !entry.starts_with(':') && parse(&Source::new("", entry)).incomplete
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let before = &line[..pos];
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '@');
        let start =
            before.rfind(|c| !is_name(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = &before[start..];
        if word.is_empty() {
            return Ok((start, Vec::new()));
        }
        let calls = signature::all().map(|signature| format!("{}(", signature.name));
        let types = lasp_dataflow::Type::names().map(str::to_owned);
        let keywords = Keyword::ALL.iter().map(|keyword| keyword.as_str().to_owned());
        let commands = [":help", ":vars", ":forget", ":quit"].map(str::to_owned);
        let all = calls.chain(types).chain(keywords).chain(commands).chain(self.bindings.iter().cloned());
        let mut found: Vec<String> = all.filter(|name| name.starts_with(word)).collect();
        found.sort();
        found.dedup();
        Ok((start, found))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let incomplete = is_incomplete(context.input());
        Ok(if incomplete { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Highlighter for Assistant {}

impl Helper for Assistant {}
