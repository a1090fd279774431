//! `lasp eval`: from flags to an evaluation, from its outcome to words and an exit code.

pub(crate) mod flags;
pub(crate) mod node;
mod progress;
mod table;

use crate::USAGE;
use flags::{EvalArgs, Wanted};
use lasp_eval::archive::Archive;
use lasp_eval::config::{Config, Scenario};
use lasp_eval::progress::Stop;
use lasp_eval::run::{Context, EvalError, PageAt, evaluate};
use lasp_eval::stamp::Stamp;
use progress::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

/// Runs what the arguments ask for.
pub(crate) fn main(args: EvalArgs) -> ExitCode {
    match args.wanted() {
        Ok(Wanted::List) => {
            print!("{}", list());
            ExitCode::SUCCESS
        }
        Ok(Wanted::Evaluation(config)) => run(&config, args.common.page(), args.common.out),
        Ok(Wanted::Nothing) => refuse(&format!("which scenario?\n\n{}", list())),
        Err(error) => refuse(&error.to_string()),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("lasp eval: {why}");
    ExitCode::from(USAGE)
}

/// Every scenario with what it shows.
pub(crate) fn list() -> String {
    let mut text = String::from("Scenarios of `lasp eval`:\n\n");
    for (name, shows) in Scenario::LIST {
        text += &format!("  {name}\n      {shows}\n");
    }
    text += "\n`lasp eval SCENARIO --help` lists its flags.\n";
    text
}

fn run(config: &Config, page: Option<PageAt>, out: Option<PathBuf>) -> ExitCode {
    let started = Stamp::from_unix(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |t| t.as_secs()));
    let dir = out.unwrap_or_else(|| format!("lasp-eval-{}-{}", config.scenario.name(), started.compact()).into());
    let exe = match std::env::current_exe() {
        Ok(exe) => exe,
        Err(error) => {
            eprintln!("lasp eval: cannot find its own program to start nodes with: {error}");
            return ExitCode::FAILURE;
        }
    };
    let stop = Stop::default();
    watch_for_signals(stop.clone());
    let mut display = Display::new();
    let context = Context { dir: &dir, exe: &exe, date: &started.readable(), stop, page };
    let outcome = evaluate(config, &context, &mut display);
    display.finish();
    match outcome {
        Ok(overall) => {
            print!("{}", table::table(&overall));
            println!("\nreport     {}", dir.join("report.html").display());
            println!("run again  {}", Archive::rerun(&dir));
            if overall.summary.converged { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error @ (EvalError::Config(_) | EvalError::NoPage(_))) => refuse(&error.to_string()),
        Err(error) => {
            eprintln!("lasp eval: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes Ctrl-C and SIGTERM a wish to end: the nodes are ended and what there is is written. The second one is not waited
/// for: it ends this process at once.
fn watch_for_signals(stop: Stop) {
    std::thread::spawn(move || {
        // Without a runtime there is nobody to watch; signals then keep their plain meaning.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            if signalled().await.is_ok() {
                eprintln!("ending; once more to end at once");
                stop.set();
                let _ = signalled().await;
                std::process::exit(130);
            }
        });
    });
}

#[cfg(unix)]
async fn signalled() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signalled() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
