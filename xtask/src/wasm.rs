//! The pure rooms build for browsers: `cargo xtask wasm`.
//!
//! That no crate in the graph is known to be impure does not show it: what a dependency leaves out on `wasm32` only a
//! compiler for it can tell. Where the toolchain has the target, it is used. Where rustup cannot fetch it, the standard
//! library is built from source by Debian's `rustc-web`, whatever version that has, under the toolchain's own Cargo and
//! linker.

use crate::debian::output;
use crate::{debian, timed};
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// The pure ones: what a client in a browser stands on, and the simulator.
const ROOMS: &[&str] =
    &["lasp-crdt", "lasp-dataflow", "lasp-sql", "lasp-lang", "lasp-overlay", "lasp-node", "lasp-sim"];

/// The room that all others are linked into, to see that nothing is missing.
const TOP: &str = "lasp-node";

/// The compiler, and the source of its standard library. Both come of one source package.
const PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

pub(crate) fn build() -> Result<()> {
    build_by(&Toolchain::find()?)
}

/// As [`build`]; a machine that cannot get a compiler for the target says so and goes on.
pub(crate) fn build_if_possible() -> Result<()> {
    match Toolchain::find() {
        Ok(toolchain) => build_by(&toolchain),
        Err(missing) => {
            println!("ci: wasm was NOT checked, there is no compiler for it here: {missing:#}");
            Ok(())
        }
    }
}

fn build_by(toolchain: &Toolchain) -> Result<()> {
    println!("wasm: {} by {}", ROOMS.join(", "), toolchain.name()?);
    let mut rooms = toolchain.cargo("build");
    rooms.args(ROOMS.iter().flat_map(|room| ["--package", room]));
    timed("wasm", &mut rooms)?;
    let mut linked = toolchain.cargo("rustc");
    linked.args(["--package", TOP, "--lib", "--crate-type", "cdylib"]);
    timed("wasm, linked", &mut linked)
}

/// What compiles for the target.
enum Toolchain {
    /// The default one has it.
    Default,
    /// Debian's compiler, with the default toolchain's linker.
    Debian { rustc: PathBuf, linker: PathBuf },
}

impl Toolchain {
    fn find() -> Result<Self> {
        let sysroot = PathBuf::from(output(Command::new("rustc").args(["--print", "sysroot"]))?);
        let rustlib = sysroot.join("lib/rustlib");
        if rustlib.join(TARGET).is_dir() {
            return Ok(Self::Default);
        }
        install()?;
        let version = output(Command::new("rustc").arg("-vV"))?;
        let host =
            version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not name its host")?;
        let linker = rustlib.join(host).join("bin/rust-lld");
        ensure!(linker.is_file(), "the default toolchain has no linker at {}", linker.display());
        Ok(Self::Debian { rustc: debian_rustc()?, linker })
    }

    fn name(&self) -> Result<String> {
        match self {
            Self::Default => output(Command::new("rustc").arg("-V")),
            Self::Debian { rustc, .. } => output(Command::new(rustc).arg("-V")),
        }
    }

    fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args([command, "--locked", "--target", TARGET]);
        // Whether it builds is the question: twice as fast without optimization and debug information.
        cargo.envs([("CARGO_PROFILE_DEV_OPT_LEVEL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "false")]);
        if let Self::Debian { rustc, linker } = self {
            // Two compilers in one folder would throw out each other's artifacts.
            let target_dir = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
            cargo
                .args(["-Zbuild-std=std,panic_abort", "--target-dir", &format!("{target_dir}/wasm")])
                .env("RUSTC", rustc)
                // A stable compiler and Cargo, which are to build the standard library.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        cargo
    }
}

/// Sees to it that Debian's packages are there.
fn install() -> Result<()> {
    let how = format!(
        "the target {TARGET} is missing: `rustup target add {TARGET}`, or on Debian, as root, \
         `apt-get install --no-install-recommends {}`",
        PACKAGES.join(" ")
    );
    debian::install(&PACKAGES, &how)?;
    match versions() {
        Some([compiler, source]) if compiler == source => Ok(()),
        Some([compiler, source]) => {
            bail!("rustc-web is {compiler}, its standard library {source}: `apt-get install {}`", PACKAGES.join(" "))
        }
        None => bail!(how),
    }
}

/// The versions of the packages, if both are installed.
fn versions() -> Option<[String; 2]> {
    Some([debian::version(PACKAGES[0])?, debian::version(PACKAGES[1])?])
}

/// Where Debian keeps its compiler: not the one that is first in the path.
fn debian_rustc() -> Result<PathBuf> {
    let files = output(Command::new("dpkg-query").args(["--listfiles", PACKAGES[0]]))?;
    let rustc = files.lines().find(|file| file.ends_with("/bin/rustc"));
    rustc.map(PathBuf::from).with_context(|| format!("{} has no rustc", PACKAGES[0]))
}
