//! What each room may know, read off Cargo's own graph: a new edge must be argued for here.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::process::Command;

/// The rooms that are pure state machines, and the project crates each may stand on.
const ROOMS: &[(&str, &[&str])] = &[
    ("lasp-crdt", &[]),
    ("lasp-dataflow", &["lasp-crdt"]),
    ("lasp-sql", &["lasp-crdt", "lasp-dataflow"]),
    ("lasp-lang", &["lasp-crdt", "lasp-dataflow", "lasp-sql"]),
    ("lasp-lsp", &["lasp-crdt", "lasp-dataflow", "lasp-sql", "lasp-lang"]),
    ("lasp-overlay", &["lasp-crdt"]),
    ("lasp-node", &["lasp-crdt", "lasp-dataflow", "lasp-sql", "lasp-lang", "lasp-overlay"]),
    ("lasp-sim", &["lasp-crdt", "lasp-overlay", "lasp-node", "lasp-dataflow", "lasp-sql", "lasp-lang"]),
];

/// Crates that bring clocks, sockets, threads or unseeded randomness.
const IMPURE: &[&str] = &["tokio", "mio", "socket2", "getrandom", "rand", "chrono", "libc", "nix", "rayon"];

/// Checks the edges of every pure room.
pub(crate) fn check() -> Result<()> {
    for (room, allowed) in ROOMS {
        let dependencies = dependencies(room)?;
        for name in &dependencies {
            ensure!(!IMPURE.contains(&name.as_str()), "{room} is a pure room, yet it depends on {name}");
            let ours = name == "lasp" || name.starts_with("lasp-");
            ensure!(!ours || allowed.contains(&name.as_str()), "{room} may not know {name}");
        }
    }
    println!("ci: rooms know only what they may");
    Ok(())
}

/// The names of everything a crate's library needs, itself apart.
fn dependencies(room: &str) -> Result<BTreeSet<String>> {
    let output = Command::new("cargo")
        .args(["tree", "--package", room, "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .output()
        .context("cannot start cargo tree")?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != room)
        .collect();
    Ok(names)
}
