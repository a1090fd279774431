//! Measurements beside other libraries. Their crates are a workspace of their own, so that the gate does not build them.

use anyhow::{Context, Result, bail};
use std::process::Command;

/// A measuring program.
struct Bench {
    name: &'static str,
    what: &'static str,
    /// Its workspace, from the root of this one.
    workspace: &'static str,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "lattices",
        what: "the types of lasp-crdt beside crdts, lattices, automerge and yrs: speed, memory, bytes",
        workspace: "peers",
    },
    Bench {
        name: "dataflow",
        what: "the derivations of lasp-dataflow beside differential-dataflow: speed, memory; and the language",
        workspace: "peers",
    },
];

/// Builds a measuring program, optimised, and runs it with its own arguments.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let [name, arguments @ ..] = words else { bail!("bench what?\n{}", list()) };
    let Some(bench) = BENCHES.iter().find(|bench| bench.name == *name) else {
        bail!("there is no bench `{name}`\n{}", list())
    };
    let manifest = format!("{}/../{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"), bench.workspace);
    let options = ["run", "--release", "--quiet", "--manifest-path", &manifest, "--bin", bench.name, "--"];
    crate::run(Command::new("cargo").args(options).args(arguments)).with_context(|| format!("bench {name}"))
}

/// What there is, and how to call it.
fn list() -> String {
    let line = |bench: &Bench| format!("\n  cargo xtask bench {} [ARGUMENT]...  {}", bench.name, bench.what);
    let lines: String = BENCHES.iter().map(line).collect();
    format!("there is, each with --help:{lines}")
}
