//! Fuzzing with coverage feedback on the stable toolchain: `cargo xtask fuzz [TARGET] [--seconds N] [--replay FILE]`.
//!
//! The targets have the layout of cargo-fuzz, which wants a nightly compiler for its sanitizers. Nothing here is `unsafe`,
//! so coverage is all that is needed, and stable gives that by the same flags.

use crate::run;
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace of the targets.
const WORKSPACE: &str = "crates/lasp-crdt/fuzz";

const TARGETS: &[&str] = &["decode", "operations", "epmd"];

const SECONDS: &str = "60";

/// What cargo-fuzz passes to instrument code for libFuzzer, less the sanitizer.
const RUSTFLAGS: &str = "--cfg fuzzing \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0";

/// Limits of a process, an input's time, and an input's size. Guesses: a state of 4 KiB has room for every shape.
const LIMITS: &[&str] = &["-rss_limit_mb=1024", "-timeout=10", "-max_len=4096"];

/// Fewer edges than this mean that the code under test was built without instrumentation: the decoders of states alone have more.
const LEAST_EDGES: u64 = 300;

/// The same of the one decoder of answers from a daemon.
const LEAST_EDGES_EPMD: u64 = 30;

pub(crate) fn command(mut args: &[&str]) -> Result<()> {
    let mut targets = TARGETS.to_vec();
    let (mut seconds, mut replay) = (SECONDS, None);
    loop {
        match args {
            [] => break,
            ["--seconds", n, rest @ ..] => (seconds, args) = (*n, rest),
            ["--replay", file, rest @ ..] => (replay, args) = (Some(*file), rest),
            [target, rest @ ..] if TARGETS.contains(target) => (targets, args) = (vec![*target], rest),
            [other, ..] => bail!("`{other}` is not a fuzz target: there are {}", TARGETS.join(", ")),
        }
    }
    seconds.parse::<u32>().with_context(|| format!("`{seconds}` is not a number of seconds"))?;
    let room = Room::build()?;
    match replay {
        Some(file) => room.replay(targets[0], file),
        None => targets.iter().try_for_each(|target| room.fuzz(target, seconds)),
    }
}

/// Where the built targets are, and where what they find goes.
struct Room {
    binaries: PathBuf,
}

impl Room {
    fn build() -> Result<Self> {
        let host = host()?;
        let target_dir = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
        let target_dir = Path::new(&target_dir).join("fuzz");
        println!("fuzz: building {}", TARGETS.join(", "));
        // Naming the host as the target keeps the flags away from build scripts.
        let args = ["build", "--release", "--bins", "--locked", "--target", &host, "--manifest-path"];
        run(Command::new("cargo")
            .args(args)
            .arg(format!("{WORKSPACE}/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target_dir)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", RUSTFLAGS))
        .context("the fuzz targets do not build (libFuzzer needs a C++ compiler: g++ or clang)")?;
        Ok(Self { binaries: target_dir.join(host).join("release") })
    }

    fn fuzz(&self, target: &str, seconds: &str) -> Result<()> {
        let corpus = folder(&format!("corpus/{target}"))?;
        let seeds = folder(&format!("target/seeds/{target}"))?;
        let artifacts = folder(&format!("artifacts/{target}"))?;
        let log = self.binaries.join(format!("{target}.log"));
        let written = Command::new(self.binaries.join(target)).env("LASP_FUZZ_SEEDS", &seeds).output()?;
        ensure!(written.status.success(), "no seeds: {}", String::from_utf8_lossy(&written.stderr));
        println!("fuzz: {target} for {seconds} s");
        let output = File::create(&log)?;
        let status = Command::new(self.binaries.join(target))
            .args(LIMITS)
            .args([format!("-max_total_time={seconds}"), format!("-artifact_prefix={}/", artifacts.display())])
            .args([&corpus, &seeds])
            .args(Some(Path::new(WORKSPACE).join("regressions").join(target)).filter(|folder| folder.is_dir()))
            .arg("-print_final_stats=1")
            .env("RUST_BACKTRACE", "0")
            .stdout(output.try_clone()?)
            .stderr(output)
            .status()?;
        let log = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        if !status.success() {
            bail!("{}", explain(target, &log));
        }
        report(target, &log)
    }

    fn replay(&self, target: &str, file: &str) -> Result<()> {
        run(Command::new(self.binaries.join(target)).args(LIMITS).arg(file))
            .with_context(|| format!("{target} still fails on {file}"))?;
        println!("fuzz: {target} takes {file}");
        Ok(())
    }
}

/// A folder of the fuzz workspace, made if it is not there.
fn folder(name: &str) -> Result<PathBuf> {
    let folder = Path::new(WORKSPACE).join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The triple of this machine.
fn host() -> Result<String> {
    let version = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let version = String::from_utf8(version.stdout)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not name its host")
}

/// How much was run, and whether coverage guided it.
fn report(target: &str, log: &str) -> Result<()> {
    let first = log.lines().find(|line| line.contains("INITED")).unwrap_or_default();
    let last = log.lines().rfind(|line| line.contains("DONE")).context("libFuzzer did not finish")?;
    let executions = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")).unwrap_or("?");
    println!(
        "fuzz: {target}: {} executions, no failure; {} of {} edges at the start, {} at the end; corpus {} to {}",
        executions.trim(),
        word_after(first, "cov:"),
        counters(log),
        word_after(last, "cov:"),
        word_after(first, "corp:"),
        word_after(last, "corp:"),
    );
    let edges: u64 = word_after(last, "cov:").parse().unwrap_or(0);
    let least = if target == "epmd" { LEAST_EDGES_EPMD } else { LEAST_EDGES };
    ensure!(edges >= least, "{target} saw {edges} edges: it was built without coverage");
    Ok(())
}

/// How many edges are instrumented.
fn counters(log: &str) -> &str {
    let loaded = log.lines().find(|line| line.contains("inline 8-bit counters")).unwrap_or_default();
    loaded.split_once('(').map_or("?", |(_, rest)| rest.split(' ').next().unwrap_or("?"))
}

fn word_after<'a>(line: &'a str, word: &str) -> &'a str {
    let mut words = line.split_whitespace().skip_while(|&it| it != word);
    words.nth(1).unwrap_or("?")
}

/// What went wrong, and how to see it again.
fn explain(target: &str, log: &str) -> String {
    // Beside the panic, if that is what it was, what libFuzzer says of it.
    let said =
        log.lines().skip_while(|line| !line.contains("panicked at")).take_while(|line| !line.starts_with("NOTE:"));
    let summary = log.lines().filter(|line| line.starts_with("SUMMARY:"));
    let said: Vec<String> = said.take(LINES).chain(summary).map(|line| line.chars().take(WIDTH).collect()).collect();
    let file = log.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, file)| file);
    let again = match file {
        Some(file) => format!("the input is {file}; again:\n  cargo xtask fuzz {target} --replay {file}"),
        None => "libFuzzer wrote no input".to_owned(),
    };
    format!("{target} failed:\n{}\n{again}", said.join("\n"))
}

/// How much of libFuzzer's output a failure shows.
const LINES: usize = 20;
const WIDTH: usize = 2000;
