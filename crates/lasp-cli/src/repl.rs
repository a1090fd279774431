//! `lasp repl`: forms typed one after the other, on an embedded cluster that lives as long as the shell, or at a node.
//!
//! A form may take several lines and is run when its `.` has come. Without a terminal it reads standard input to its end as
//! a batch: no prompt, no colours, and the exit code tells whether all of it went well.

pub(crate) mod assistant;
pub(crate) mod commands;
mod paint;
mod shell;

use crate::remote::{self, ConnectInstead};
use crate::run::cluster::Cluster;
use crate::run::program::{FAILED, complain};
use assistant::Assistant;
use clap::Args;
use lasp_lang::Interrupt;
use lasp_lang::host::Host;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use shell::{Console, Shell};
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How many entries the history keeps (guess: months of use, a file of some 100 KiB).
const HISTORY_MAX: usize = 2000;

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

/// Runs the shell until its input ends.
pub(crate) fn main(args: ReplArgs) -> ExitCode {
    if let Some(connect) = args.remote.place(false) {
        return remote::shell::repl(connect);
    }
    serve(Cluster::new(usize::from(args.nodes), args.seed))
}

/// A shell on `host`: with an editor on a terminal, else a batch.
pub(crate) fn serve<H: Host>(host: H) -> ExitCode {
    let mut shell = Shell::new(host);
    if io::stdin().is_terminal() { interactive(&mut shell) } else { batch(&mut shell, io::stdin().lock()) }
}

/// Runs whatever comes, form by form, to the end of the input.
fn batch<H: Host>(shell: &mut Shell<H>, mut input: impl BufRead) -> ExitCode {
    let mut console = Console::process();
    let mut entry = String::new();
    loop {
        match input.read_line(&mut entry) {
            Ok(0) => break,
            Ok(_) if commands::is_incomplete(&entry) => {}
            Ok(_) => {
                if shell.entry(&std::mem::take(&mut entry), &mut console) {
                    return ExitCode::from(shell.code());
                }
            }
            Err(error) => return complain(&format!("error: cannot read standard input: {error}"), FAILED),
        }
    }
    shell.entry(&entry, &mut console);
    ExitCode::from(shell.code())
}

fn interactive<H: Host>(shell: &mut Shell<H>) -> ExitCode {
    let mut editor = match editor() {
        Ok(editor) => editor,
        Err(error) => return complain(&format!("error: cannot use this terminal: {error}"), FAILED),
    };
    let history = history_file();
    if let Some(path) = &history {
        let _ = path.parent().map(std::fs::create_dir_all);
        // Without a history there is nothing to recall; that is no reason to stop.
        let _ = editor.load_history(path);
    }
    let interrupt = Interrupt::default();
    shell.interrupt_by(interrupt.clone());
    if let Err(error) = listen(interrupt.clone()) {
        eprintln!("warning: Ctrl-C ends the shell: {error}");
    }
    let code = converse(shell, &mut editor, &interrupt, history.as_deref());
    if let Some(path) = &history
        && let Err(error) = editor.save_history(path)
    {
        eprintln!("warning: cannot write {}: {error}", path.display());
    }
    code
}

/// An editor without history.
pub(crate) fn editor() -> rustyline::Result<Editor<Assistant, FileHistory>> {
    let config = Config::builder()
        .max_history_size(HISTORY_MAX)?
        .history_ignore_dups(true)?
        .auto_add_history(true)
        .completion_type(CompletionType::List)
        .tab_stop(4)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant::new(paint::wanted())));
    Ok(editor)
}

/// For messages: how wide the editor's terminal is just now.
pub(crate) fn note_width(editor: &mut Editor<Assistant, FileHistory>) {
    if let Some((columns, _)) = editor.dimensions() {
        crate::terminal::note_width(usize::from(columns));
    }
}

fn converse<H: Host>(
    shell: &mut Shell<H>,
    editor: &mut Editor<Assistant, FileHistory>,
    interrupt: &Interrupt,
    history: Option<&Path>,
) -> ExitCode {
    let mut console = Console::process();
    println!("lasp {}; :help tells how this works", env!("CARGO_PKG_VERSION"));
    loop {
        if let Some(assistant) = editor.helper_mut() {
            assistant.know(shell.bindings());
        }
        match editor.readline("lasp> ") {
            Ok(entry) => {
                // Kept at once: a second Ctrl-C ends the process. A warning comes at the end, if it is needed.
                let _ = history.map(|path| editor.append_history(path));
                note_width(editor);
                interrupt.clear();
                if shell.entry(&entry, &mut console) {
                    return ExitCode::SUCCESS;
                }
            }
            // What was typed is dropped; Ctrl-D or `:quit` ends.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return ExitCode::SUCCESS,
            Err(error) => return complain(&format!("error: cannot read: {error}"), FAILED),
        }
    }
}

/// Raises `interrupt` at each Ctrl-C while a form runs. A second one before the form has stopped ends the process: a
/// function of the program may be deep in a change that cannot be left half-way.
fn listen(interrupt: Interrupt) -> io::Result<()> {
    /// What shells report for a process that Ctrl-C ended.
    const INTERRUPTED: i32 = 130;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    std::thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if interrupt.raise() {
                    std::process::exit(INTERRUPTED);
                }
            }
        });
    })?;
    Ok(())
}

/// Where the lines typed are kept: `lasp/history` in the user's directory for such data.
pub(crate) fn history_file() -> Option<PathBuf> {
    let var = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let base = var("XDG_STATE_HOME")
        .or_else(|| var("HOME").map(|home| home.join(".local/state")))
        .or_else(|| var("LOCALAPPDATA"))?;
    Some(base.join("lasp").join("history"))
}
