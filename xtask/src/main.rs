//! Project automation: `cargo xtask ci` runs everything that must hold before a change lands.

mod bench;
mod debian;
mod fuzz;
mod purity;
mod wasm;
mod web;

use anyhow::{Context, Result, bail};
use std::process::{Command, ExitCode};
use std::time::Instant;

const USAGE: &str = "usage: cargo xtask <command>

commands:
  ci        formatting, lints, purity, tests, documentation, fuzzing, wasm, the live view: the gate
  bench     measures beside other libraries: cargo xtask bench {lattices|dataflow} [ARGUMENT]...
  purity    what the pure rooms may depend on, by Cargo edges
  campaign  the long campaigns: cargo xtask campaign [SCHEDULES], of whole nodes under faults;
            cargo xtask campaign overlay [SCHEDULES], of every membership strategy under faults;
            cargo xtask campaign theorem [PROGRAMS], of random programs beside what they denote;
            cargo xtask campaign http [REQUESTS], of the HTTP API beside its own description
  fuzz      decoders, operations, answers of epmd: cargo xtask fuzz [TARGET] [--seconds N] [--replay FILE]
  wasm      the pure rooms, built for browsers
  web       the live view of sixteen nodes in a real browser, pictures in target/web: cargo xtask web [COMMAND], the
            development build unless given
  viewer    what serving one viewer costs a node at rest, and one with 100,000 variables; how a page of 5,000 nodes fares:
            cargo xtask viewer [COMMAND], the release build unless given";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["ci"] => ci(),
        ["bench", words @ ..] => bench::run(words),
        ["purity"] => purity::check(),
        ["campaign"] => simulate("5000"),
        ["campaign", "overlay"] => disturb("30000"),
        ["campaign", "overlay", schedules] => disturb(schedules),
        ["campaign", "theorem"] => prove("1000000"),
        ["campaign", "theorem", programs] => prove(programs),
        ["campaign", "http"] => ask("1000000"),
        ["campaign", "http", requests] => ask(requests),
        ["campaign", schedules] => simulate(schedules),
        ["fuzz", args @ ..] => fuzz::command(args),
        ["wasm"] => wasm::build(),
        ["web"] => web::check(),
        ["web", lasp] => web::check_with(lasp.as_ref()),
        ["viewer"] => web::measure(),
        ["viewer", lasp] => web::measure_with(lasp.as_ref()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What is off by default and yet must hold.
const FEATURES: &str = "--features=lasp-crdt/serde";

/// The gate. Steps share one profile and one feature set, so that nothing is built twice.
fn ci() -> Result<()> {
    install_components()?;
    step("format", &["fmt", "--all", "--check"], &[])?;
    step("lints", &["clippy", "--workspace", "--all-targets", FEATURES, "--", "-D", "warnings"], &[])?;
    purity::check()?;
    step("tests", &["test", "--workspace", "--all-targets", FEATURES], &[])?;
    step("doc tests", &["test", "--workspace", "--doc", FEATURES], &[])?;
    step("documentation", &["doc", "--workspace", "--no-deps", FEATURES], &[("RUSTDOCFLAGS", "-D warnings")])?;
    fuzz::command(&[])?;
    wasm::build_if_possible()?;
    web::check_if_possible()?;
    println!("ci: everything holds");
    Ok(())
}

/// rustfmt and clippy come with the default toolchain profile; a minimal one lacks them.
fn install_components() -> Result<()> {
    for component in ["fmt", "clippy"] {
        let present = Command::new("cargo").args([component, "--version"]).output().is_ok_and(|o| o.status.success());
        if !present {
            let name = if component == "fmt" { "rustfmt" } else { component };
            run(Command::new("rustup").args(["component", "add", name]))
                .with_context(|| format!("{name} is missing: install it with `rustup component add {name}`"))?;
        }
    }
    Ok(())
}

/// Many more seeded schedules than the gate runs.
fn simulate(schedules: &str) -> Result<()> {
    campaign(["lasp-sim", "schedules"], &[], "LASP_SCHEDULES", schedules)
}

/// The same of membership strategies alone.
fn disturb(schedules: &str) -> Result<()> {
    campaign(["lasp-overlay", "it"], &["schedules::w58"], "LASP_SCHEDULES", schedules)
}

/// Many more random programs than the gate runs.
fn prove(programs: &str) -> Result<()> {
    campaign(["lasp-dataflow", "theorem"], &[], "LASP_PROGRAMS", programs)
}

/// Many more requests to a node's HTTP API than the gate makes.
fn ask(requests: &str) -> Result<()> {
    campaign(["lasp", "it"], &["http_fuzz"], "LASP_HTTP_REQUESTS", requests)
}

/// Runs one test binary of one package, or only what `filter` names of it, as many times as `variable` says to it.
fn campaign([package, test]: [&str; 2], filter: &[&str], variable: &str, count: &str) -> Result<()> {
    count.parse::<u64>().with_context(|| format!("`{count}` is not a number"))?;
    let mut args = vec!["test", "--profile", "sim", "-p", package, "--test", test, "--", "--nocapture"];
    args.extend(filter);
    step("campaign", &args, &[(variable, count)])
}

/// Runs one cargo step and says how long it took.
fn step(name: &str, args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    println!("ci: {name}");
    timed(name, Command::new("cargo").args(args).envs(env.iter().copied()))
        .with_context(|| format!("{name} failed: cargo {}", args.join(" ")))
}

/// Runs a command and says how long it took.
fn timed(name: &str, command: &mut Command) -> Result<()> {
    timed_by(name, || run(command))
}

/// Does something and says how long it took.
fn timed_by(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    work()?;
    println!("ci: {name} took {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}
